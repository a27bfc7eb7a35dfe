/* choose_arm64.c - the best level for this arm64 processor. */
#include "vec/levels.h"

#include <stdbool.h>
#include <string.h>
#include <sys/auxv.h>

/* The bit of AT_HWCAP that Linux sets for products of 8 bits (HWCAP_ASIMDDP). */
enum { DOT_PRODUCTS = 1 << 20 };

static bool has_dotprod(void)
{
	return getauxval(AT_HWCAP) & DOT_PRODUCTS;
}

static const kws_vec *chosen;

const kws_vec *kws_vec_get(void)
{
	return chosen ? chosen : has_dotprod() ? &kws_vec_dotprod : &kws_vec_baseline;
}

void kws_vec_choose(const kws_vec *level)
{
	chosen = level;
}

const kws_vec *kws_vec_named(const char *name)
{
	if (has_dotprod() && strcmp(name, kws_vec_dotprod.name) == 0)
		return &kws_vec_dotprod;
	return strcmp(name, kws_vec_baseline.name) == 0 ? &kws_vec_baseline : NULL;
}
