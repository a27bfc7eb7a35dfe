/* choose_x86.c - the best level for this x86-64 processor. */
#include "vec/levels.h"

#include <cpuid.h>
#include <stdbool.h>
#include <string.h>

static bool has_v3(void)
{
	return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
}

static bool has_v4(void)
{
	return has_v3() && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw")
	       && __builtin_cpu_supports("avx512cd") && __builtin_cpu_supports("avx512dq")
	       && __builtin_cpu_supports("avx512vl");
}

static bool has_v3_vnni(void)
{
	/* Debian 12's clang has no name for it: leaf 7, 1, bit 4 of EAX. */
	unsigned a = 0, b, c, d;
	return has_v3() && __get_cpuid_count(7, 1, &a, &b, &c, &d) && a & 1u << 4;
}

static bool has_v4_vnni(void)
{
	return has_v4() && __builtin_cpu_supports("avx512vnni");
}

static bool always(void)
{
	return true;
}

static const struct {
	const kws_vec *level;
	bool (*has)(void);
} levels[] = {
	{ &kws_vec_v4_vnni, has_v4_vnni }, { &kws_vec_v4, has_v4 },
	{ &kws_vec_v3_vnni, has_v3_vnni }, { &kws_vec_v3, has_v3 },
	{ &kws_vec_baseline, always },
};

static const kws_vec *chosen;

const kws_vec *kws_vec_get(void)
{
	size_t i = 0;
	if (chosen)
		return chosen;
	while (!levels[i].has())
		i++;
	return levels[i].level;
}

void kws_vec_choose(const kws_vec *level)
{
	chosen = level;
}

const kws_vec *kws_vec_named(const char *name)
{
	for (size_t i = 0; i < sizeof levels / sizeof *levels; i++)
		if (levels[i].has() && strcmp(name, levels[i].level->name) == 0)
			return levels[i].level;
	return NULL;
}
