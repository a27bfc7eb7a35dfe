/* Digital silence: one value for so long, told less and less often. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "daemon/silence.h"

enum { HZ = 16000, HOP = HZ / 100 };

static float hop[HOP];
static double waited_s;

static enum kws_silence_news hear(kws_silence *s, float first, float rest)
{
	for (size_t i = 0; i < HOP; i++)
		hop[i] = i ? rest : first;
	return kws_silence_step(s, hop, HOP, HZ, &waited_s);
}

/* Seconds of one value, until something is told; 0: nothing was, within most_s. */
static double until_told(kws_silence *s, float value, double most_s)
{
	for (int n = 1; n <= (int)(most_s * 100.0); n++)
		if (hear(s, value, value) != KWS_SILENCE_NONE)
			return n * 0.01;
	return 0.0;
}

static void test_less_and_less_often(void **state)
{
	kws_silence s;
	double want = 2.0;

	(void)state;
	kws_silence_init(&s, 2);
	for (int i = 0; i < 3; i++, want *= 2.0) {
		assert_float_equal(until_told(&s, 0.0f, 20.0), want, 1e-6);
		assert_float_equal(waited_s, want, 1e-9);
		assert_true(s.silent);
	}
}

static void test_over(void **state)
{
	kws_silence s;

	(void)state;
	kws_silence_init(&s, 1);
	assert_int_equal(hear(&s, 0.1f, 0.25f), KWS_SILENCE_NONE); /* no news: there was sound */
	/* any value is silence, from the second sample of that hop on */
	assert_float_equal(until_told(&s, 0.25f, 3.0), 1.0, 1e-6);
	/* one sample that differs, by as little as there is */
	assert_int_equal(hear(&s, 0.25f + 1e-7f, 0.25f), KWS_SILENCE_OVER);
	assert_false(s.silent);
	assert_int_equal(hear(&s, 0.25f, 0.25f), KWS_SILENCE_NONE);
	/* and the patience is the first one again */
	assert_float_equal(until_told(&s, 0.25f, 3.0), 0.99, 0.011);
}

static void test_limits(void **state)
{
	kws_silence s;

	(void)state;
	kws_silence_init(&s, 0);
	assert_float_equal(until_told(&s, 0.0f, 100.0), 0.0, 0.0);
	assert_false(s.silent);
	kws_silence_configure(&s, 1);
	assert_int_equal(hear(&s, 0.0f, 0.0f), KWS_SILENCE_LASTS); /* it has lasted */
	/* a new stream begins to count anew, with the patience that it had */
	kws_silence_stream(&s);
	assert_float_equal(until_told(&s, 0.0f, 5.0), 2.0, 1e-6);
	/* never more than an hour, or the limit where that is longer */
	kws_silence_init(&s, 3000);
	until_told(&s, 0.0f, 3100.0);
	assert_float_equal(s.patience_s, 3600.0, 0.0);
	kws_silence_init(&s, 7200);
	until_told(&s, 0.0f, 7300.0);
	assert_float_equal(s.patience_s, 7200.0, 0.0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_less_and_less_often),
		cmocka_unit_test(test_over),
		cmocka_unit_test(test_limits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
