/* The background, and where voice begins anew: hop powers written by hand. */
#include "spot/voice.h"

#include <stdarg.h>
#include <setjmp.h>
#include <cmocka.h>
#include <math.h>
#include <stdlib.h>

/* Hops of 1 ms, so that each time is told from its neighbours. */
enum { RATE = 16000, MS = RATE / 1000, HOP = MS };

static kws_voice *fresh(void)
{
	kws_voice *v = NULL;
	assert_int_equal(kws_voice_create(&v, RATE, HOP, RATE), KWS_OK); /* a window of a second */
	return v;
}

static void play(kws_voice *v, float dbfs, unsigned ms)
{
	float level = powf(10.0f, dbfs / 10.0f);
	for (unsigned t = 0; t < ms; t++)
		kws_voice_push(v, &level, 1);
}

static void has(const kws_voice *v, uint64_t count, uint64_t end_ms)
{
	kws_stretch s = kws_voice_stretch(v);
	assert_int_equal(s.count, count);
	assert_int_equal(s.end, end_ms * MS);
}

static void words_with_pauses_are_stretches(void **state)
{
	(void)state;
	kws_voice *v = fresh();
	has(v, 0, 0);
	play(v, -60, 1000);
	has(v, 0, 0);
	play(v, -20, 200);
	has(v, 1, 1200);
	play(v, -60, 500);
	has(v, 1, 1200);
	play(v, -30, 300);
	has(v, 2, 2000);
	play(v, -60, 200);
	play(v, -20, 1500); /* drawn out */
	has(v, 3, 3700);
	kws_voice_destroy(v);
}

static void a_stretch_is_60_ms_at_least(void **state)
{
	(void)state;
	for (unsigned ms = 59; ms <= 60; ms++) {
		kws_voice *v = fresh();
		play(v, -60, 1000);
		play(v, -20, ms);
		play(v, -60, 500);
		has(v, ms == 60, ms == 60 ? 1060 : 0);
		play(v, -20, 100); /* a click before does not make it longer */
		has(v, 1 + (ms == 60), 1600 + ms);
		kws_voice_destroy(v);
	}
}

static void a_pause_is_longer_than_100_ms(void **state)
{
	(void)state;
	for (unsigned gap = 100; gap <= 101; gap++) {
		kws_voice *v = fresh();
		play(v, -60, 1000);
		play(v, -20, 150);
		play(v, -60, gap);
		play(v, -20, 150);
		has(v, gap == 100 ? 1 : 2, 1300 + gap);
		kws_voice_destroy(v);
	}
}

static void voice_is_8_db_over_the_background(void **state)
{
	(void)state;
	for (int over = 0; over < 2; over++) {
		kws_voice *v = fresh();
		play(v, -60.0f, 1000);
		play(v, over ? -51.9f : -52.1f, 200);
		has(v, (uint64_t)over, over ? 1200 : 0);
		kws_voice_destroy(v);
	}
}

/* An echo 15 dB below the word is a pause; a second later it would be voice. */
static void voice_is_15_db_below_the_loudest(void **state)
{
	(void)state;
	for (int over = 0; over < 2; over++) {
		kws_voice *v = fresh();
		play(v, -90.0f, 1000);
		play(v, -20.0f, 200);
		play(v, over ? -34.9f : -35.1f, 999);
		has(v, 1, over ? 2199 : 1200);
		play(v, over ? -34.9f : -35.1f, 60); /* the word is no longer in the window */
		has(v, over ? 1 : 2, 2259);
		kws_voice_destroy(v);
	}
}

/* A window that is no whole number of hops counts with the hop that it begins. */
static void the_window_is_rounded_up(void **state)
{
	(void)state;
	kws_voice *v = NULL;
	assert_int_equal(kws_voice_create(&v, RATE, HOP, RATE + 1), KWS_OK);
	play(v, -90.0f, 1000);
	play(v, -20.0f, 200);
	play(v, -36.0f, 1000 + 59);
	has(v, 1, 1200);
	play(v, -36.0f, 1);
	has(v, 2, 2260);
	kws_voice_destroy(v);
}

static void the_background_is_a_mean_of_50_ms(void **state)
{
	(void)state;
	for (unsigned ms = 49; ms <= 50; ms++) {
		kws_voice *v = fresh();
		play(v, -50.0f, 1000);
		play(v, -80.0f, ms);
		play(v, -50.0f, 500);
		/* a fiftieth of -50 dBFS is 17 dB less */
		assert_float_equal(10.0f * log10f(kws_voice_background(v)),
				   ms == 50 ? -80.0f : -66.8f, 0.1);
		kws_voice_destroy(v);
	}
}

/* It is kept in blocks of 250 ms. 1950 quiet ms are eight of them; twelve more and one that is not
 * full are kept beside the eighth. */
static void the_background_is_of_3_seconds(void **state)
{
	(void)state;
	for (unsigned ms = 3000; ms <= 3001; ms++) {
		kws_voice *v = fresh();
		play(v, -80.0f, 1950);
		play(v, -40.0f, ms + 50);
		assert_float_equal(10.0f * log10f(kws_voice_background(v)),
				   ms == 3000 ? -80.0f : -40.0f, 0.1);
		kws_voice_destroy(v);
	}
}

static void silence_has_a_background_and_no_voice(void **state)
{
	(void)state;
	kws_voice *v = fresh();
	assert_float_equal(kws_voice_background(v), 1e-10, 1e-16);
	play(v, -INFINITY, 1000);
	assert_float_equal(kws_voice_background(v), 1e-10, 1e-16);
	has(v, 0, 0);
	play(v, -92.1f, 200);
	has(v, 0, 0);
	play(v, -91.9f, 200);
	has(v, 1, 1400);
	kws_voice_destroy(v);
}

/* What goes on from the start has no pause before it. Until there is a background, nothing counts.
 */
static void the_start_is_no_voice(void **state)
{
	(void)state;
	kws_voice *v = fresh();
	play(v, -20, 3000);
	has(v, 0, 0);
	kws_voice_destroy(v);
	v = fresh();
	play(v, -20, 40);
	play(v, -60, 60);
	play(v, -20, 60);
	has(v, 1, 160);
	kws_voice_destroy(v);
}

static void reset_equals_new_and_any_cut_is_the_same(void **state)
{
	(void)state;
	kws_voice *used = fresh(), *new = fresh();
	enum { N = 20000 };
	static float level[N];
	play(used, -10, 3000);
	play(used, -60, 300);
	play(used, -10, 300);
	kws_voice_reset(used);
	has(used, 0, 0);
	srand(4);
	for (size_t t = 0; t < N; t++) {
		static float dbfs;
		if (rand() % 120 == 0)
			dbfs = (float)(-70 + rand() % 60);
		level[t] = powf(10.0f, dbfs / 10.0f);
	}
	for (size_t t = 0; t < N;) {
		size_t n = 1 + (size_t)rand() % 9;
		n = n < N - t ? n : N - t;
		kws_voice_push(used, level + t, n);
		for (size_t i = 0; i < n; i++)
			kws_voice_push(new, level + t + i, 1);
		t += n;
		kws_stretch a = kws_voice_stretch(used), b = kws_voice_stretch(new);
		assert_true(a.count == b.count && a.end == b.end && a.end <= t * HOP);
		assert_true(kws_voice_background(used) == kws_voice_background(new));
	}
	assert_true(kws_voice_stretch(new).count > 10);
	kws_voice_destroy(used);
	kws_voice_destroy(new);
}

static void other_hops_and_what_cannot_be(void **state)
{
	(void)state;
	kws_voice *v = NULL;
	assert_int_equal(kws_voice_create(&v, 0, HOP, RATE), KWS_ERR_ARG);
	assert_int_equal(kws_voice_create(&v, RATE, 0, RATE), KWS_ERR_ARG);
	assert_int_equal(kws_voice_create(&v, RATE, HOP, 0), KWS_ERR_ARG);
	assert_null(v);
	kws_voice_destroy(NULL);
	assert_int_equal(kws_voice_hops(100, RATE, HOP), 100);
	assert_int_equal(kws_voice_hops(50, 8000, 160), 2);
	assert_int_equal(kws_voice_hops(10, 8000, 160), 1);
	/* Hops of 20 ms, and a window shorter than the mean of the background. */
	assert_int_equal(kws_voice_create(&v, 8000, 160, 160), KWS_OK);
	play(v, -60, 50); /* hops */
	play(v, -20, 3);
	assert_int_equal(kws_voice_stretch(v).count, 1);
	assert_int_equal(kws_voice_stretch(v).end, 53 * 160);
	kws_voice_destroy(v);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(words_with_pauses_are_stretches),
		cmocka_unit_test(a_stretch_is_60_ms_at_least),
		cmocka_unit_test(a_pause_is_longer_than_100_ms),
		cmocka_unit_test(voice_is_8_db_over_the_background),
		cmocka_unit_test(voice_is_15_db_below_the_loudest),
		cmocka_unit_test(the_window_is_rounded_up),
		cmocka_unit_test(the_background_is_a_mean_of_50_ms),
		cmocka_unit_test(the_background_is_of_3_seconds),
		cmocka_unit_test(silence_has_a_background_and_no_voice),
		cmocka_unit_test(the_start_is_no_voice),
		cmocka_unit_test(reset_equals_new_and_any_cut_is_the_same),
		cmocka_unit_test(other_hops_and_what_cannot_be),
	};
	return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
