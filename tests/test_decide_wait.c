/* The decision, if it waits until it is sure: to the millisecond. */
#include "tests/decide_ms.h"

enum { WAIT = 400 };

static const float threshold[WORDS] = { 0.6f, 0.6f, 2.0f, 2.0f };

static fine begin(unsigned wait_ms)
{
	fine f = fine_open(&(kws_decide_config){ 0, 500, wait_ms, threshold });
	f.voice.count = 1;
	return f;
}

/* Opened at 1001 ms; how long after that it was decided. */
static unsigned taken(const fine *t)
{
	assert_int_equal(t->n, 1);
	assert_int_equal(t->hit[0].opened, 1001 * MS);
	return (unsigned)(t->hit[0].sample / MS - 1001);
}

static void a_sure_one_does_not_wait(void **state)
{
	(void)state;
	fine t = begin(WAIT);
	until(&t, 900, 0.0f, 0.0f, true);
	until(&t, 1000, 0.0f, 0.0f, false);
	until(&t, 2000, 0.81f, 0.0f, false);
	assert_int_equal(taken(&t), KWS_DECIDE_HOLD_MS);
	kws_decide_destroy(t.d);
}

/* Voice ends so long after the word opened; it has to be over for a while. */
static void it_waits_for_a_pause(void **state)
{
	(void)state;
	for (unsigned ms = 1; ms < WAIT + 100; ms += 37) {
		const unsigned quiet = ms + KWS_DECIDE_QUIET_MS - 1;
		fine t = begin(WAIT);
		until(&t, 1000, 0.0f, 0.0f, true);
		until(&t, 1000 + ms, 0.9f, 0.0f, true);
		until(&t, 2000, 0.9f, 0.0f, false);
		assert_int_equal(taken(&t), quiet < KWS_DECIDE_HOLD_MS ? KWS_DECIDE_HOLD_MS
					    : quiet < WAIT	       ? quiet
								       : WAIT);
		kws_decide_destroy(t.d);
	}
}

static void it_waits_for_a_high_score(void **state)
{
	(void)state;
	for (unsigned ms = 50; ms <= WAIT; ms += 50) {
		fine t = begin(WAIT);
		until(&t, 1000, 0.0f, 0.0f, false);
		until(&t, 1000 + ms, 0.79f, 0.0f, false);
		until(&t, 2000, 0.8f, 0.0f, false);
		assert_int_equal(taken(&t), ms < KWS_DECIDE_HOLD_MS ? KWS_DECIDE_HOLD_MS : ms);
		kws_decide_destroy(t.d);
	}
}

/* From this score on nothing is waited for, whatever goes on. */
static void a_certain_one_does_not_wait(void **state)
{
	(void)state;
	for (unsigned ms = 50; ms <= WAIT; ms += 50) {
		fine t = begin(WAIT);
		until(&t, 1000, 0.0f, 0.0f, true);
		until(&t, 1000 + ms, KWS_DECIDE_CERTAIN - 1e-4f, 0.0f, true);
		until(&t, 2000, KWS_DECIDE_CERTAIN, 0.0f, true);
		assert_int_equal(taken(&t), ms < KWS_DECIDE_HOLD_MS ? KWS_DECIDE_HOLD_MS : ms);
		kws_decide_destroy(t.d);
	}
}

/* A score that falls is a part of something longer: given up, and as if it had never opened. */
static void what_falls_is_given_up(void **state)
{
	(void)state;
	fine t = begin(WAIT);
	until(&t, 1000, 0.0f, 0.0f, true);
	until(&t, 1300, 0.9f, 0.0f, true);
	until(&t, 1310, 0.59f, 0.0f, true);
	assert_int_equal(t.n, 0);
	until(&t, 1320, 0.0f, 0.0f, false);
	until(&t, 2000, 0.9f, 0.0f, false); /* neither dead nor refractory */
	assert_int_equal(t.n, 1);
	assert_int_equal(t.hit[0].opened, 1321 * MS);
	kws_decide_destroy(t.d);
}

/* It falls, but not below its threshold. */
static void what_stays_over_its_threshold_is_decided(void **state)
{
	(void)state;
	fine t = begin(WAIT);
	until(&t, 1000, 0.0f, 0.0f, true);
	until(&t, 1100, 0.9f, 0.0f, true);
	until(&t, 2000, 0.61f, 0.0f, true);
	assert_int_equal(taken(&t), WAIT);
	assert_float_equal(t.hit[0].score, 0.9, 1e-6);
	kws_decide_destroy(t.d);
}

/* Another word overtakes while it waits, and is sure. */
static void the_better_word_wins(void **state)
{
	(void)state;
	fine t = begin(WAIT);
	until(&t, 1000, 0.0f, 0.0f, false);
	until(&t, 1200, 0.65f, 0.2f, false);
	until(&t, 2000, 0.1f, 0.9f, false);
	assert_int_equal(t.n, 1);
	assert_int_equal(t.hit[0].word, 1);
	kws_decide_destroy(t.d);
}

static void the_end_decides_what_waits(void **state)
{
	(void)state;
	fine t = begin(WAIT);
	until(&t, 1000, 0.0f, 0.0f, true);
	until(&t, 1300, 0.7f, 0.0f, true);
	assert_int_equal(t.n, 0);
	assert_int_equal(kws_decide_flush(t.d, &t.hit[0]), 1);
	assert_int_equal(t.hit[0].word, 0);
	kws_decide_destroy(t.d);
}

static void without_a_wait_nothing_is_given_up(void **state)
{
	(void)state;
	fine t = begin(0);
	until(&t, 1000, 0.0f, 0.0f, true);
	until(&t, 1050, 0.7f, 0.0f, true);
	until(&t, 2000, 0.1f, 0.0f, true);
	assert_int_equal(taken(&t), 50);
	kws_decide_destroy(t.d);
}

/* An open candidate goes on with the new wait. */
static void the_wait_may_change(void **state)
{
	(void)state;
	const kws_decide_config shorter = { 0, 500, 200, threshold };
	fine t = begin(WAIT);
	until(&t, 1000, 0.0f, 0.0f, true);
	until(&t, 1150, 0.7f, 0.0f, true);
	kws_decide_configure(t.d, &shorter);
	until(&t, 2000, 0.7f, 0.0f, true);
	assert_int_equal(taken(&t), 200);
	kws_decide_destroy(t.d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_sure_one_does_not_wait),
		cmocka_unit_test(it_waits_for_a_pause),
		cmocka_unit_test(it_waits_for_a_high_score),
		cmocka_unit_test(a_certain_one_does_not_wait),
		cmocka_unit_test(what_falls_is_given_up),
		cmocka_unit_test(what_stays_over_its_threshold_is_decided),
		cmocka_unit_test(the_better_word_wins),
		cmocka_unit_test(the_end_decides_what_waits),
		cmocka_unit_test(without_a_wait_nothing_is_given_up),
		cmocka_unit_test(the_wait_may_change),
	};
	return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
