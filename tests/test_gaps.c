/* Gaps: what was lost is counted once, in all and for the next event. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "daemon/gaps.h"

static void test_since_the_last_event(void **state)
{
	kws_gaps g = { 0 };

	(void)state;
	kws_gaps_add(&g, 1.5, "stalled");
	kws_gaps_add(&g, 0.5, "overflow");
	assert_int_equal(g.count, 2);
	assert_float_equal(g.seconds, 2.0, 1e-9);
	assert_string_equal(g.reason, "overflow");
	kws_gaps_told(&g);
	assert_int_equal(g.count, 0);
	assert_float_equal(g.seconds, 0.0, 0.0);
	assert_string_equal(g.reason, "");
	kws_gaps_add(&g, 1.0, "a reason that is longer than there is room for");
	assert_string_equal(g.reason, "a reason that is longer than th");
	assert_int_equal(g.total, 3);
	assert_float_equal(g.total_s, 3.0, 1e-9);
}

static void test_what_the_device_tells(void **state)
{
	kws_gaps g = { 0 };
	kws_device_state st = { .dropped = 0 };
	double seconds = -1.0;
	const char *reason = "";

	(void)state;
	assert_false(kws_gaps_look(&g, &st, 16000, 0.3, &seconds, &reason));
	st.dropped = 8000;
	assert_true(kws_gaps_look(&g, &st, 16000, 0.3, &seconds, &reason));
	assert_float_equal(seconds, 0.5, 1e-9);
	assert_string_equal(reason, "the ring was full");
	assert_false(kws_gaps_look(&g, &st, 16000, 0.3, &seconds, &reason));
	/* an overflow has cost what the audio is late; early it cannot be */
	st.overflows = 2;
	assert_true(kws_gaps_look(&g, &st, 16000, 0.3, &seconds, &reason));
	assert_float_equal(seconds, 0.3, 1e-9);
	assert_string_equal(reason, "overflow");
	st.overflows = 3;
	assert_true(kws_gaps_look(&g, &st, 16000, -0.3, &seconds, &reason));
	assert_float_equal(seconds, 0.0, 0.0);
	assert_int_equal(g.dropped, 8000);
	assert_int_equal(g.overflows, 3);
	assert_int_equal(g.total, 0); /* added by who has settled what came before */
}

/* Another device counts from 0; what was counted before stays. */
static void test_another_stream(void **state)
{
	kws_gaps g = { 0 };
	kws_device_state st = { .dropped = 16000, .overflows = 1 };
	double seconds;
	const char *reason;

	(void)state;
	assert_true(kws_gaps_look(&g, &st, 16000, 0.0, &seconds, &reason));
	kws_gaps_stream(&g);
	st = (kws_device_state){ .dropped = 160 };
	assert_true(kws_gaps_look(&g, &st, 16000, 0.0, &seconds, &reason));
	assert_float_equal(seconds, 0.01, 1e-9);
	assert_int_equal(g.dropped, 16160);
	assert_int_equal(g.overflows, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_since_the_last_event),
		cmocka_unit_test(test_what_the_device_tells),
		cmocka_unit_test(test_another_stream),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
