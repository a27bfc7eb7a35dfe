/* The clocks go on, and a moment has one name. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "runtime/clock.h"
#include "spot/event.h"

#include <math.h>
#include <string.h>

static void test_rfc3339(void **state)
{
	char t[32];

	(void)state;
	kws_rfc3339(0.0, t, sizeof t);
	assert_string_equal(t, "1970-01-01T00:00:00.000Z");
	kws_rfc3339(951782399.9996, t, sizeof t); /* the rounding carries into a leap day */
	assert_string_equal(t, "2000-02-29T00:00:00.000Z");
	kws_rfc3339(1767225600.25, t, sizeof t);
	assert_string_equal(t, "2026-01-01T00:00:00.250Z");
	kws_rfc3339(4107542399.5, t, sizeof t); /* a century without a leap day */
	assert_string_equal(t, "2100-02-28T23:59:59.500Z");
	kws_rfc3339(4107628799.0, t, sizeof t);
	assert_string_equal(t, "2100-03-01T23:59:59.000Z");
	kws_rfc3339(4102444799.9991, t, sizeof t);
	assert_string_equal(t, "2099-12-31T23:59:59.999Z");
	kws_rfc3339(-3.39e127, t, sizeof t);
	assert_string_equal(t, "1970-01-01T00:00:00.000Z");
	kws_rfc3339(nan(""), t, sizeof t);
	assert_string_equal(t, "1970-01-01T00:00:00.000Z");
	kws_rfc3339(1e300, t, sizeof t);
	assert_string_equal(t, "9999-12-31T23:59:59.000Z");
}

static void test_clocks_go_on(void **state)
{
	double a = kws_clock_mono(), b = kws_clock_boot(), c = kws_clock_wall();

	(void)state;
	assert_true(kws_clock_mono() >= a && kws_clock_boot() >= b && b >= a - 1.0 && c > 1.6e9);
	assert_true(a > 0.0 && a < 1e9 && b > 0.0
		    && b < 1e9); /* since the machine started, not since 1970 */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rfc3339),
		cmocka_unit_test(test_clocks_go_on),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
