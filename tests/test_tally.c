/* Counts by size: each value in one step, the first whose limit it does not exceed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "daemon/tally.h"

#include <math.h>

static void test_each_in_its_step(void **state)
{
	(void)state;
	for (int i = 0; i < KWS_TALLY_STEPS; i++) {
		const double limit = kws_tally_seconds[i];
		kws_tally t = { .sum = 0.0 };

		assert_true(!i || limit > kws_tally_seconds[i - 1]);
		kws_tally_add(&t, kws_tally_seconds, limit);
		assert_int_equal(t.count[i], 1);
		kws_tally_add(&t, kws_tally_seconds, nextafter(limit, 1.0));
		assert_int_equal(t.count[i], 1);
		assert_int_equal(t.count[i + 1], 1);
		assert_true(fabs(t.sum - 2.0 * limit) < 1e-12);
	}
}

static void test_no_number(void **state)
{
	kws_tally t = { .sum = 0.0 };

	(void)state;
	kws_tally_add(&t, kws_tally_scores, (double)NAN);
	assert_int_equal(t.count[KWS_TALLY_STEPS], 1);
}

static void test_word(void **state)
{
	kws_word_tally t = { .events = 0 };

	(void)state;
	kws_word_tally_add(&t, 0.92f, false);
	kws_word_tally_add(&t, 0.42f, true);
	kws_word_tally_add(&t, 0.43f, true);
	assert_int_equal(t.events, 1);
	assert_int_equal(t.near_misses, 2);
	assert_int_equal(t.scores.count[9], 1); /* 0.9 to 0.95 */
	assert_int_equal(t.scores.count[4], 2); /* 0.4 to 0.5 */
	assert_true(fabs(t.scores.sum - 1.77) < 1e-6);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_in_its_step),
		cmocka_unit_test(test_no_number),
		cmocka_unit_test(test_word),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
