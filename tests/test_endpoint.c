/* Where a word starts and ends: hop powers written by hand. */
#include "spot/endpoint.h"

#include <stdarg.h>
#include <setjmp.h>
#include <cmocka.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { RATE = 16000, HOP = 160 };

static kws_endpoint *fresh(void)
{
	kws_endpoint *e = NULL;
	assert_int_equal(kws_endpoint_create(&e, RATE, HOP, RATE),
			 KWS_OK); /* looks back one second */
	return e;
}

/* ms at this level, trembling by 1 dB. */
static void play(kws_endpoint *e, float dbfs, unsigned ms)
{
	for (unsigned t = 0; t < ms; t += 10) {
		float level = powf(10.0f, (dbfs + (float)(rand() % 3 - 1)) / 10.0f);
		kws_endpoint_push(e, &level, 1);
	}
}

static kws_event find(kws_endpoint *e, unsigned opened_ms, unsigned decided_ms)
{
	kws_hit hit = {
		.opened = opened_ms * 16ull,
		.peak = opened_ms * 16ull,
		.sample = decided_ms * 16ull,
		.word = 3,
		.score = 0.9f,
		.threshold = 0.5f,
	};
	kws_event ev;
	kws_endpoint_find(e, &hit, &ev);
	assert_true(ev.start <= ev.end && ev.end <= ev.sample);
	assert_int_equal(ev.sample, hit.sample);
	assert_int_equal(ev.word, 3);
	assert_float_equal(ev.score, 0.9, 1e-6);
	assert_float_equal(ev.threshold, 0.5, 1e-6);
	assert_true(isfinite(ev.level_dbfs) && isfinite(ev.snr_db));
	return ev;
}

static void word_in_quiet(void **state)
{
	(void)state;
	kws_endpoint *e = fresh();
	play(e, -60, 2000);
	play(e, -20, 400);
	play(e, -60, 200);
	kws_event ev = find(e, 2450, 2600);
	assert_int_equal(ev.start, 2000 * 16);
	assert_int_equal(ev.end, 2400 * 16);
	assert_float_equal(ev.level_dbfs, -20, 0.5);
	assert_float_equal(ev.snr_db, 40, 2);
	kws_endpoint_destroy(e);
}

static void hops_may_come_together(void **state)
{
	(void)state;
	enum { N = 260 };
	float level[N];
	for (size_t t = 0; t < N; t++)
		level[t] = t >= 200 && t < 240 ? 1e-2f : 1e-6f;
	kws_endpoint *e = fresh();
	kws_endpoint_push(e, level, N);
	kws_event ev = find(e, 2450, 2600);
	assert_int_equal(ev.start, 2000 * 16);
	assert_int_equal(ev.end, 2400 * 16);
	kws_endpoint_destroy(e);
}

static void closure_does_not_split(void **state)
{
	(void)state;
	kws_endpoint *e = fresh();
	play(e, -60, 1000);
	play(e, -30, 120); /* s */
	play(e, -60, 80);  /* closure of the t */
	play(e, -20, 250); /* op */
	play(e, -60, 150);
	kws_event ev = find(e, 1500, 1600);
	assert_int_equal(ev.start, 1000 * 16);
	assert_int_equal(ev.end, 1450 * 16);
	kws_endpoint_destroy(e);
}

static void last_of_two_words(void **state)
{
	(void)state;
	kws_endpoint *e = fresh();
	play(e, -60, 1000);
	play(e, -15, 300);
	play(e, -60, 150);
	play(e, -25, 300);
	play(e, -60, 100);
	kws_event ev = find(e, 1800, 1850);
	assert_int_equal(ev.start, 1450 * 16);
	assert_int_equal(ev.end, 1750 * 16);
	assert_float_equal(ev.level_dbfs, -25, 0.5);
	kws_endpoint_destroy(e);
}

static void what_begins_after_the_crossing_is_another_word(void **state)
{
	(void)state;
	kws_endpoint *e = fresh();
	play(e, -60, 1000);
	play(e, -20, 300);
	play(e, -60, 200);
	play(e, -20, 100);
	kws_event ev = find(e, 1450, 1600);
	assert_int_equal(ev.start, 1000 * 16);
	assert_int_equal(ev.end, 1300 * 16);
	kws_endpoint_destroy(e);
	/* ... and what begins so shortly before it that little of it was heard. */
	for (unsigned lead = 50; lead <= 150; lead += 100) {
		e = fresh();
		play(e, -60, 1000);
		play(e, -20, 300);
		play(e, -60, 200);
		play(e, -20, 200);
		ev = find(e, 1500 + lead, 1700);
		assert_int_equal(ev.start, lead < 100 ? 1000 * 16 : 1500 * 16);
		kws_endpoint_destroy(e);
	}
}

static void word_that_goes_on_ends_now(void **state)
{
	(void)state;
	kws_endpoint *e = fresh();
	play(e, -60, 1000);
	play(e, -20, 500);
	kws_event ev = find(e, 1400, 1500);
	assert_int_equal(ev.start, 1000 * 16);
	assert_int_equal(ev.end, 1500 * 16);
	kws_endpoint_destroy(e);
}

static void clicks_are_no_words(void **state)
{
	(void)state;
	kws_endpoint *e = fresh();
	play(e, -60, 1000);
	play(e, -20, 300);
	play(e, -60, 150);
	play(e, -20, 20);
	play(e, -60, 130);
	kws_event ev = find(e, 1550, 1600);
	assert_int_equal(ev.start, 1000 * 16);
	assert_int_equal(ev.end, 1300 * 16);
	kws_endpoint_destroy(e);
}

static void poor_snr_takes_the_loudest_stretch(void **state)
{
	(void)state;
	kws_endpoint *e = fresh();
	play(e, -30, 2000);
	play(e, -27, 400);
	play(e, -30, 200);
	kws_event ev = find(e, 2500, 2600);
	assert_int_equal(ev.end - ev.start, 400 * 16);
	assert_float_equal(ev.start, 2000 * 16, 50 * 16);
	assert_float_equal(ev.level_dbfs, -27, 1);
	assert_float_equal(ev.snr_db, 3, 2);
	kws_endpoint_destroy(e);
}

static void the_background_follows_in_seconds(void **state)
{
	(void)state;
	kws_endpoint *e = fresh();
	play(e, -70, 5000);
	play(e, -40, 5000); /* a fan goes on, and stays */
	play(e, -20, 400);
	kws_event ev = find(e, 10350, 10400);
	assert_float_equal(ev.snr_db, 20, 2);
	assert_int_equal(ev.start, 10000 * 16);
	kws_endpoint_destroy(e);
}

static void silence_and_full_scale_are_finite(void **state)
{
	(void)state;
	kws_endpoint *e = fresh();
	const float zero = 0.0f, full = 1.0f;
	for (int t = 0; t < 100; t++)
		kws_endpoint_push(e, &zero, 1);
	kws_event ev = find(e, 900, 1000);
	assert_float_equal(ev.level_dbfs, -100, 0.01);
	assert_float_equal(ev.snr_db, 0, 0.01);
	for (int t = 0; t < 30; t++)
		kws_endpoint_push(e, &full, 1);
	ev = find(e, 1200, 1300);
	assert_float_equal(ev.level_dbfs, 0, 0.01);
	assert_float_equal(ev.snr_db, 100, 0.01);
	/* With nothing heard at all, and twice at the same place. */
	kws_endpoint_reset(e);
	find(e, 0, 0);
	play(e, -20, 100);
	find(e, 100, 100);
	find(e, 100, 100);
	kws_endpoint_destroy(e);
}

static void words_do_not_overlap(void **state)
{
	(void)state;
	for (unsigned seed = 1; seed <= 40; seed++) {
		srand(seed);
		kws_endpoint *e = fresh();
		uint64_t last = 0;
		unsigned now = 0;
		for (int i = 0; i < 200; i++) {
			unsigned ms = 10 * (1 + (unsigned)rand() % 60);
			play(e, (float)(-80 + rand() % 80), ms);
			now += ms;
			unsigned back = (unsigned)rand() % 200;
			kws_event ev = find(e, now > back ? now - back : 0, now);
			assert_true(ev.start >= last);
			assert_true(ev.start + 1200 * 16
				    >= (uint64_t)(now > back ? now - back : 0) * 16);
			last = ev.end;
		}
		kws_endpoint_destroy(e);
	}
}

static void reset_equals_new(void **state)
{
	(void)state;
	kws_endpoint *used = fresh(), *new = fresh();
	play(used, -10, 3000);
	find(used, 2900, 3000);
	kws_endpoint_reset(used);
	srand(3);
	play(used, -50, 500);
	play(used, -20, 300);
	srand(3);
	play(new, -50, 500);
	play(new, -20, 300);
	kws_event a = find(used, 780, 800), b = find(new, 780, 800);
	assert_int_equal(a.start, b.start);
	assert_int_equal(a.end, b.end);
	assert_memory_equal(&a.level_dbfs, &b.level_dbfs, sizeof(float));
	assert_memory_equal(&a.snr_db, &b.snr_db, sizeof(float));
	kws_endpoint_destroy(used);
	kws_endpoint_destroy(new);
	kws_endpoint_destroy(NULL);
}

/* ms at this level, dBFS, to the last bit the same. */
static void flat(kws_endpoint *e, float dbfs, unsigned ms)
{
	float level = powf(10.0f, dbfs / 10.0f);
	for (unsigned t = 0; t < ms; t += 10)
		kws_endpoint_push(e, &level, 1);
}

static unsigned ms_of(const kws_event *ev)
{
	return (unsigned)((ev->end - ev->start) / 16);
}

/* 300 ms that are voiced are the word; of what is not voiced the loudest 400 ms are. */
static void voice_is_6_db_over_the_background(void **state)
{
	(void)state;
	for (int over = 0; over < 2; over++) {
		kws_endpoint *e = fresh();
		flat(e, -60.0f, 2000);
		flat(e, over ? -53.9f : -54.1f, 300);
		flat(e, -60.0f, 200);
		kws_event ev = find(e, 2400, 2500);
		assert_int_equal(ms_of(&ev), over ? 300 : 400);
		kws_endpoint_destroy(e);
	}
}

static void voice_is_25_db_below_the_loudest(void **state)
{
	(void)state;
	for (int over = 0; over < 2; over++) {
		kws_endpoint *e = fresh();
		flat(e, -90.0f, 2000);
		flat(e, -10.0f, 200);
		flat(e, over ? -34.9f : -35.1f, 200);
		flat(e, -90.0f, 200);
		kws_event ev = find(e, 2500, 2600);
		assert_int_equal(ev.start, 2000 * 16);
		assert_int_equal(ms_of(&ev), over ? 400 : 200);
		kws_endpoint_destroy(e);
	}
}

static void a_gap_of_100_ms_is_within_a_word(void **state)
{
	(void)state;
	for (unsigned gap = 100; gap <= 110; gap += 10) {
		kws_endpoint *e = fresh();
		flat(e, -60.0f, 1000);
		flat(e, -20.0f, 150);
		flat(e, -60.0f, gap);
		flat(e, -20.0f, 200);
		flat(e, -60.0f, 200);
		kws_event ev = find(e, 1500, 1600);
		assert_int_equal(ms_of(&ev), gap == 100 ? 450 : 200);
		assert_int_equal(ev.end, (1350 + gap) * 16);
		kws_endpoint_destroy(e);
	}
}

static void a_word_is_60_ms_at_least(void **state)
{
	(void)state;
	for (unsigned ms = 50; ms <= 60; ms += 10) {
		kws_endpoint *e = fresh();
		flat(e, -60.0f, 1000);
		flat(e, -20.0f, 200);
		flat(e, -60.0f, 200);
		flat(e, -20.0f, ms);
		flat(e, -60.0f, 200);
		kws_event ev = find(e, 1550, 1650);
		assert_int_equal(ev.start, ms == 60 ? 1400 * 16 : 1000 * 16);
		kws_endpoint_destroy(e);
	}
}

static void a_word_begins_100_ms_before_the_crossing(void **state)
{
	(void)state;
	for (unsigned lead = 90; lead <= 100; lead += 10) {
		kws_endpoint *e = fresh();
		flat(e, -60.0f, 1000);
		flat(e, -20.0f, 200);
		flat(e, -60.0f, 200);
		flat(e, -20.0f, 200);
		kws_event ev = find(e, 1400 + lead, 1600);
		assert_int_equal(ev.start, lead == 100 ? 1400 * 16 : 1000 * 16);
		kws_endpoint_destroy(e);
	}
}

static void the_search_begins_a_window_before_the_crossing(void **state)
{
	(void)state;
	kws_endpoint *e = fresh();
	flat(e, -60.0f, 1000);
	flat(e, -20.0f, 3000); /* a word that lasts longer than the window */
	kws_event ev = find(e, 2500, 4000);
	assert_int_equal(ev.start, 1500 * 16);
	kws_endpoint_destroy(e);
	/* ... also when it is decided 2.5 s after that. */
	e = fresh();
	flat(e, -60.0f, 2000);
	flat(e, -20.0f, 200);
	flat(e, -60.0f, 3200);
	ev = find(e, 2900, 5400);
	assert_int_equal(ev.start, 2000 * 16);
	assert_int_equal(ev.end, 2200 * 16);
	kws_endpoint_destroy(e);
}

static void a_word_may_begin_the_recording(void **state)
{
	(void)state;
	kws_endpoint *e = fresh();
	flat(e, -20.0f, 300);
	flat(e, -60.0f, 200);
	kws_event ev = find(e, 350, 500);
	assert_int_equal(ev.start, 0);
	assert_int_equal(ev.end, 300 * 16);
	kws_endpoint_destroy(e);
	/* ... and may have been heard beyond the decision, which then ends it. */
	e = fresh();
	flat(e, -60.0f, 1000);
	flat(e, -20.0f, 500);
	ev = find(e, 1200, 1300);
	assert_int_equal(ev.start, 1000 * 16);
	assert_int_equal(ev.end, 1300 * 16);
	kws_endpoint_destroy(e);
	/* ... even all of it. */
	e = fresh();
	flat(e, -60.0f, 1000);
	flat(e, -20.0f, 500);
	ev = find(e, 800, 900);
	assert_int_equal(ev.start, 900 * 16);
	assert_int_equal(ev.end, 900 * 16);
	kws_endpoint_destroy(e);
}

/* Times are in hops, whatever their length; what cannot be is refused. */
static void other_hops_and_rates(void **state)
{
	(void)state;
	kws_endpoint *e = NULL;
	assert_int_equal(kws_endpoint_create(&e, 0, HOP, RATE), KWS_ERR_ARG);
	assert_int_equal(kws_endpoint_create(&e, RATE, 0, RATE), KWS_ERR_ARG);
	assert_int_equal(kws_endpoint_create(&e, RATE, HOP, 0), KWS_ERR_ARG);
	assert_null(e);
	assert_int_equal(kws_endpoint_create(&e, 8000, 160, 8000), KWS_OK); /* hops of 20 ms */
	flat(e, -60.0f, 500);						    /* 50 hops, a second */
	flat(e, -20.0f, 100);
	flat(e, -60.0f, 50);
	flat(e, -20.0f, 100);
	flat(e, -60.0f, 100);
	kws_hit hit = { .opened = 78 * 160, .peak = 78 * 160, .sample = 85 * 160 };
	kws_event ev;
	kws_endpoint_find(e, &hit, &ev);
	assert_int_equal(ev.start, 50 * 160); /* the gap of 5 hops is 100 ms */
	assert_int_equal(ev.end, 75 * 160);
	kws_endpoint_destroy(e);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(word_in_quiet),
		cmocka_unit_test(hops_may_come_together),
		cmocka_unit_test(closure_does_not_split),
		cmocka_unit_test(last_of_two_words),
		cmocka_unit_test(what_begins_after_the_crossing_is_another_word),
		cmocka_unit_test(word_that_goes_on_ends_now),
		cmocka_unit_test(clicks_are_no_words),
		cmocka_unit_test(poor_snr_takes_the_loudest_stretch),
		cmocka_unit_test(the_background_follows_in_seconds),
		cmocka_unit_test(silence_and_full_scale_are_finite),
		cmocka_unit_test(words_do_not_overlap),
		cmocka_unit_test(reset_equals_new),
		cmocka_unit_test(voice_is_6_db_over_the_background),
		cmocka_unit_test(voice_is_25_db_below_the_loudest),
		cmocka_unit_test(a_gap_of_100_ms_is_within_a_word),
		cmocka_unit_test(a_word_is_60_ms_at_least),
		cmocka_unit_test(a_word_begins_100_ms_before_the_crossing),
		cmocka_unit_test(the_search_begins_a_window_before_the_crossing),
		cmocka_unit_test(a_word_may_begin_the_recording),
		cmocka_unit_test(other_hops_and_rates),
	};
	return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
