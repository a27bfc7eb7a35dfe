/* Near misses: scores written by hand, one every 40 ms of a stream at 16 kHz. */
#include "spot/near.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

enum { FRAME = 640 };

static const float threshold = 0.8f, bar = 0.6f; /* over below 0.45 */

typedef struct {
	kws_near near;
	uint64_t now;
	int n;
	kws_near last;
} trace;

static void hear(trace *t, float score, int frames)
{
	for (int i = 0; i < frames; i++) {
		t->now += FRAME;
		if (kws_near_step(&t->near, t->now, score, bar, threshold)) {
			t->n++;
			t->last = t->near;
		}
	}
}

static void a_rise_below_the_threshold_is_one(void **state)
{
	trace t = { .n = 0 };

	(void)state;
	hear(&t, 0.1f, 5);
	hear(&t, 0.61f, 1);
	hear(&t, 0.72f, 2);
	hear(&t, 0.455f, 3); /* below the bar, not yet over */
	hear(&t, 0.7f, 1);
	assert_int_equal(t.n, 0);
	hear(&t, 0.445f, 1);
	assert_int_equal(t.n, 1);
	assert_int_equal(t.last.start, 6 * FRAME);
	assert_int_equal(t.last.peak, 7 * FRAME);
	assert_float_equal(t.last.score, 0.72, 1e-6);
	hear(&t, 0.1f, 20);
	assert_int_equal(t.n, 1);
	hear(&t, 0.65f, 2); /* the next one is another, with a peak of its own */
	hear(&t, 0.1f, 1);
	assert_int_equal(t.n, 2);
	assert_float_equal(t.last.score, 0.65, 1e-6);
}

static void what_stays_below_the_bar_is_none(void **state)
{
	trace t = { .n = 0 };

	(void)state;
	for (int i = 0; i < 10; i++) {
		hear(&t, 0.1f, 3);
		hear(&t, 0.59f, 3);
	}
	hear(&t, 0.1f, 3);
	assert_int_equal(t.n, 0);
}

static void the_fall_behind_an_event_is_none(void **state)
{
	trace t = { .n = 0 };

	(void)state;
	for (int i = 0; i < 11; i++) {
		hear(&t, 0.1f, 20);
		hear(&t, 0.7f, 1);
		hear(&t, 0.9f, 3);
		kws_near_event(&t.near, t.now + 12 * FRAME);
		hear(&t, 0.9f, 2);
		hear(&t, 0.7f, 2); /* slowly, through the bar */
		hear(&t, 0.5f, 2);
		hear(&t, 0.65f, 2); /* with a bump */
		hear(&t, 0.3f, 1);
	}
	assert_int_equal(t.n, 0);
	hear(&t, 0.1f, 20);
	hear(&t, 0.7f, 2);
	hear(&t, 0.1f, 1);
	assert_int_equal(t.n, 1); /* after all that a real one still counts */
}

/* The score may pass the threshold without an event: the decision waited, and gave the word up. That
 * is known one step later, as the event of a step comes after it. */
static void a_rise_over_the_threshold_is_one_if_nothing_comes_of_it(void **state)
{
	(void)state;
	for (int event = 0; event < 2; event++) {
		trace t = { .n = 0 };
		hear(&t, 0.1f, 1);
		hear(&t, 0.7f, 1);
		hear(&t, 0.9f, 1);
		hear(&t, 0.7f, 2);
		hear(&t, 0.1f, 1);
		assert_int_equal(t.n, 0);
		if (event)
			kws_near_event(&t.near, t.now);
		hear(&t, 0.1f, 1);
		assert_int_equal(t.n, !event);
		if (!event) {
			assert_int_equal(t.last.start, 2 * FRAME);
			assert_int_equal(t.last.peak, 3 * FRAME);
			assert_float_equal(t.last.score, 0.9, 1e-6);
		}
		hear(&t, 0.1f, 5);
		hear(&t, 0.79f, 1);
		hear(&t, 0.1f, 1);
		assert_int_equal(t.n, !event + 1);
	}
}

/* An event of another word ends what is open, and the rest of that rise is none. */
static void an_event_of_another_word_ends_it(void **state)
{
	trace t = { .n = 0 };

	(void)state;
	hear(&t, 0.1f, 1);
	hear(&t, 0.7f, 2);
	kws_near_event(&t.near, t.now);
	hear(&t, 0.75f, 2);
	hear(&t, 0.1f, 1);
	assert_int_equal(t.n, 0);
}

static void a_rise_where_no_event_is_allowed_is_none(void **state)
{
	(void)state;
	for (int late = 0; late < 2; late++) {
		trace t = { .n = 0 };

		hear(&t, 0.1f, 1);
		kws_near_event(&t.near, t.now + 10 * FRAME);
		kws_near_event(&t.near,
			       t.now + 5 * FRAME); /* a shorter time does not cut it short */
		hear(&t, 0.1f, 8 + late);
		hear(&t, 0.7f, 5); /* from the 9th or the 10th frame on, until long after it */
		hear(&t, 0.1f, 1);
		assert_int_equal(t.n, late);
		hear(&t, 0.7f, 2);
		hear(&t, 0.1f, 1);
		assert_int_equal(t.n, late + 1);
	}
}

static void the_start_has_to_be_low(void **state)
{
	trace t = { .n = 0 };

	(void)state;
	hear(&t, 0.7f, 5); /* the tail of what was said before the stream began */
	hear(&t, 0.1f, 5);
	assert_int_equal(t.n, 0);
}

static void a_word_that_is_off_has_none(void **state)
{
	kws_near n = { .armed = false };

	(void)state;
	for (int i = 0; i < 20; i++)
		assert_false(
			kws_near_step(&n, (uint64_t)i * FRAME, i % 4 ? 0.1f : 0.9f, 0.8f, 2.0f));
	assert_false(kws_near_flush(&n));
}

static void the_end_is_the_end_of_it(void **state)
{
	trace t = { .n = 0 };

	(void)state;
	hear(&t, 0.1f, 2);
	assert_false(kws_near_flush(&t.near));
	hear(&t, 0.7f, 2);
	assert_true(kws_near_flush(&t.near));
	assert_int_equal(t.near.start, 3 * FRAME);
	assert_false(kws_near_flush(&t.near));
	hear(&t, 0.1f, 2);
	hear(&t, 0.9f, 2);
	hear(&t, 0.1f, 1);
	assert_true(kws_near_flush(&t.near));
	assert_false(kws_near_flush(&t.near));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_rise_below_the_threshold_is_one),
		cmocka_unit_test(what_stays_below_the_bar_is_none),
		cmocka_unit_test(the_fall_behind_an_event_is_none),
		cmocka_unit_test(a_rise_over_the_threshold_is_one_if_nothing_comes_of_it),
		cmocka_unit_test(an_event_of_another_word_ends_it),
		cmocka_unit_test(a_rise_where_no_event_is_allowed_is_none),
		cmocka_unit_test(the_start_has_to_be_low),
		cmocka_unit_test(a_word_that_is_off_has_none),
		cmocka_unit_test(the_end_is_the_end_of_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
