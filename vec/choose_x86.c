/* choose_x86.c - the best level for this x86-64 processor. */
#include "vec/levels.h"

#include <string.h>

static int has_v3(void)
{
	return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
}

static int has_v4(void)
{
	return has_v3() && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw")
	       && __builtin_cpu_supports("avx512cd") && __builtin_cpu_supports("avx512dq")
	       && __builtin_cpu_supports("avx512vl");
}

static const kws_vec *chosen;

const kws_vec *kws_vec_get(void)
{
	return chosen	  ? chosen
	       : has_v4() ? &kws_vec_v4
	       : has_v3() ? &kws_vec_v3
			  : &kws_vec_baseline;
}

void kws_vec_choose(const kws_vec *level)
{
	chosen = level;
}

const kws_vec *kws_vec_named(const char *name)
{
	if (has_v4() && strcmp(name, kws_vec_v4.name) == 0)
		return &kws_vec_v4;
	if (has_v3() && strcmp(name, kws_vec_v3.name) == 0)
		return &kws_vec_v3;
	return strcmp(name, kws_vec_baseline.name) == 0 ? &kws_vec_baseline : NULL;
}
