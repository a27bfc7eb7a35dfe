/* choose.c - the best level for an architecture with one level only. */
#include "vec/levels.h"

#include <string.h>

const kws_vec *kws_vec_get(void)
{
	return &kws_vec_baseline;
}

void kws_vec_choose(const kws_vec *level)
{
	(void)level;
}

const kws_vec *kws_vec_named(const char *name)
{
	return strcmp(name, kws_vec_baseline.name) == 0 ? &kws_vec_baseline : NULL;
}
