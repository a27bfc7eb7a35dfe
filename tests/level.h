/* level.h - a test program that includes it runs at the level of the processor which KWS_TEST_LEVEL names. */
#ifndef KWS_TESTS_LEVEL_H
#define KWS_TESTS_LEVEL_H

#include "vec/vec.h"

#include <stdio.h>
#include <stdlib.h>

__attribute__((constructor)) static void choose_level(void)
{
	const char *name = getenv("KWS_TEST_LEVEL");
	const kws_vec *level = name ? kws_vec_named(name) : NULL;
	if (level)
		kws_vec_choose(level);
	else if (name)
		printf("level %s: not in this build or processor, the best is taken\n", name);
}

#endif
