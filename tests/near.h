/* near.h - numbers that are the same but for so much. */
#ifndef KWS_TEST_NEAR_H
#define KWS_TEST_NEAR_H

#include <stdarg.h>
#include <setjmp.h>
#include <cmocka.h>
#include <math.h>

static inline void near(double got, double want, double tolerance)
{
	if (!(fabs(got - want) <= tolerance))
		fail_msg("got %.9g, want %.9g", got, want);
}

#endif
