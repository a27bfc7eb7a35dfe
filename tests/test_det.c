/* Misses against false alarms, on scores that are known. */
#include "corpus/det.h"
#include "spot/decide.h"
#include "tests/near.h"

#include <stdlib.h>
#include <string.h>

enum { A, B, UNKNOWN, N_WORDS, RATE = 16000, FRAME = 320, PER_S = RATE / FRAME };
static const bool command[N_WORDS] = { true, true, false };

static void pulse(kws_recording *r, size_t word, double from, double to, float p)
{
	for (size_t t = (size_t)lround(from * PER_S); t < (size_t)lround(to * PER_S); t++)
		r->prob[t * N_WORDS + word] = p;
}

static kws_recording silence(double seconds, bool labelled)
{
	kws_recording r = { .n_frames = (size_t)lround(seconds * PER_S),
			    .seconds = seconds,
			    .labelled = labelled };
	r.prob = calloc(r.n_frames * N_WORDS, sizeof *r.prob);
	r.voice = calloc(r.n_frames, sizeof *r.voice);
	assert_non_null(r.prob);
	assert_non_null(r.voice);
	return r;
}

static kws_said said[] = { { 1.0, 1.5, A }, { 3.0, 3.4, B }, { 7.0, 7.5, B }, { 9.0, 9.5, A } };
static kws_recording scene[2];
static kws_material material;

/* A hit of a (0.9), a hit of b (0.6), a stray a (0.7), an a in the time of b (0.8), an a that fires
 * twice (0.9); and in the other recording, where nothing is said, a b (0.5). */
static int make_scene(void **state)
{
	(void)state;
	scene[0] = silence(12.0, true);
	scene[0].said = said;
	scene[0].n_said = 4;
	pulse(&scene[0], A, 1.3, 1.8, 0.9f);
	pulse(&scene[0], B, 3.3, 3.9, 0.6f);
	pulse(&scene[0], A, 5.0, 5.5, 0.7f);
	pulse(&scene[0], A, 7.2, 7.7, 0.8f);
	pulse(&scene[0], A, 9.1, 9.3, 0.9f);
	pulse(&scene[0], A, 9.9, 10.1, 0.9f);
	pulse(&scene[0], UNKNOWN, 11.0, 11.9, 1.0f);
	scene[1] = silence(6.0, false);
	pulse(&scene[1], B, 2.0, 2.5, 0.5f);
	material = (kws_material){ .recording = scene,
				   .n = 2,
				   .n_words = N_WORDS,
				   .command = command,
				   .rate_hz = RATE,
				   .frame = FRAME,
				   .window = RATE,
				   .refractory_ms = 500,
				   .tolerance = 0.75 };
	return 0;
}

static int free_scene(void **state)
{
	(void)state;
	for (size_t i = 0; i < 2; i++) {
		free(scene[i].prob);
		free(scene[i].voice);
	}
	return 0;
}

static void count_at(float threshold, kws_count count[N_WORDS + 1], kws_hit_fn *fn, void *ctx)
{
	float each[N_WORDS] = { threshold, threshold, threshold };
	assert_int_equal(kws_det_count(&material, each, count, fn, ctx), KWS_OK);
}

static void check(const kws_count *c, size_t n_said, size_t hits, size_t duplicates,
		  size_t confused, size_t strays, size_t false_alarms)
{
	assert_int_equal(c->said, n_said);
	assert_int_equal(c->hits, hits);
	assert_int_equal(c->duplicates, duplicates);
	assert_int_equal(c->confused, confused);
	assert_int_equal(c->strays, strays);
	assert_int_equal(c->false_alarms, false_alarms);
}

static void known_answer(void **state)
{
	(void)state;
	kws_count c[N_WORDS + 1];
	count_at(0.4f, c, NULL, NULL);
	check(&c[A], 2, 2, 1, 1, 1, 3);
	check(&c[B], 2, 1, 0, 0, 1, 1);
	check(&c[UNKNOWN], 0, 0, 0, 0, 0, 0);
	check(&c[N_WORDS], 4, 3, 1, 1, 2, 4);
	count_at(0.65f, c, NULL, NULL);
	check(&c[A], 2, 2, 1, 1, 1, 3);
	check(&c[B], 2, 0, 0, 0, 0, 0);
	count_at(0.75f, c, NULL, NULL);
	check(&c[N_WORDS], 4, 2, 1, 1, 0, 2);
	count_at(0.85f, c, NULL, NULL);
	check(&c[N_WORDS], 4, 2, 1, 0, 0, 1);
	count_at(0.95f, c, NULL, NULL);
	check(&c[N_WORDS], 4, 0, 0, 0, 0, 0);
	near(kws_det_hours(&material), 18.0 / 3600.0, 1e-12);
}

static void where_nothing_is_said(void **state)
{
	(void)state;
	kws_count c[N_WORDS + 1];
	material.unlabelled_only = true;
	count_at(0.4f, c, NULL, NULL);
	check(&c[N_WORDS], 4, 3, 1, 1, 2, 1);
	near(kws_det_hours(&material), 6.0 / 3600.0, 1e-12);
	material.unlabelled_only = false;
}

static void take_latency(void *ctx, const kws_said *hit, double latency)
{
	double *first = ctx;
	if (hit->word == A && isnan(*first))
		*first = latency;
}

/* The score is first there at the end of a frame, 1.32 s, and is decided HOLD_MS later. */
static void latency_and_tolerance(void **state)
{
	(void)state;
	kws_count c[N_WORDS + 1];
	double latency = (double)NAN;
	count_at(0.85f, c, take_latency, &latency);
	near(latency, 1.32 + KWS_DECIDE_HOLD_MS / 1000.0 - said[0].end, 1e-9);
	/* Its end a little before, and a little more than the tolerance before the decision. */
	double end = said[0].end;
	material.tolerance = 0.1;
	said[0].end = end + latency - 0.09;
	count_at(0.85f, c, NULL, NULL);
	check(&c[A], 2, 2, 0, 0, 1, 1);
	said[0].end = end + latency - 0.11;
	count_at(0.85f, c, NULL, NULL);
	check(&c[A], 2, 1, 0, 0, 2, 2);
	said[0].end = end;
	material.tolerance = 0.75;
}

/* Each recording begins anew: a word at the end of one does not silence it at the start of the
 * next. */
static void recordings_are_apart(void **state)
{
	(void)state;
	kws_count c[N_WORDS + 1];
	pulse(&scene[0], A, 11.9, 12.0, 0.9f);
	pulse(&scene[1], A, 0.0, 0.1, 0.9f);
	count_at(0.85f, c, NULL, NULL);
	check(&c[A], 2, 2, 1, 0, 2, 3);
}

/* Voice never ends here, so each candidate waits 0.4 s: the two peaks of 0.2 s are given up. */
static void what_is_given_up_does_not_count(void **state)
{
	(void)state;
	kws_count c[N_WORDS + 1];
	for (size_t t = 0; t < scene[0].n_frames; t++)
		scene[0].voice[t] = (kws_stretch){ 1, (t + 1) * FRAME };
	material.wait_ms = 400;
	count_at(0.65f, c, NULL, NULL);
	check(&c[A], 2, 1, 0, 1, 1, 2);
}

/* ---- curves ---- */

static void thresholds_rise(void **state)
{
	(void)state;
	near((double)kws_det_threshold(0), 0.01, 1e-8);
	for (size_t i = 1; i < KWS_DET_GRID; i++)
		assert_true(kws_det_threshold(i) > kws_det_threshold(i - 1));
	assert_true(kws_det_threshold(KWS_DET_GRID - 1) == 1.0f);
	assert_true(kws_det_threshold(97) == strtof("0.98", NULL));
	assert_true(kws_det_threshold(116) == strtof("0.9999", NULL));
}

static void curve_of_the_scene(void **state)
{
	(void)state;
	kws_count curve[KWS_DET_GRID * (N_WORDS + 1)];
	size_t front[KWS_DET_GRID];
	assert_int_equal(kws_det_curve(&material, curve), KWS_OK);
	/* Above 0.9 nothing; up to it two hits for one false alarm; up to 0.6 three for three. */
	size_t n = kws_det_front(curve, N_WORDS, N_WORDS, front);
	assert_int_equal(n, 3);
	near((double)kws_det_threshold(front[0]), 1.0, 0.0);
	near((double)kws_det_threshold(front[1]), 0.9, 1e-6);
	near((double)kws_det_threshold(front[2]), 0.6, 1e-6);
	assert_int_equal(curve[front[2] * (N_WORDS + 1) + N_WORDS].false_alarms, 3);
	assert_int_equal(kws_det_operate(curve, N_WORDS, N_WORDS, 2.5), front[1]);
	assert_int_equal(kws_det_operate(curve, N_WORDS, N_WORDS, 3.0), front[2]);
	assert_int_equal(kws_det_operate(curve, N_WORDS, N_WORDS, -1.0), KWS_DET_GRID);
}

static bool beats(const kws_count *x, const kws_count *y)
{
	return x->hits >= y->hits && x->false_alarms <= y->false_alarms
	       && (x->hits > y->hits || x->false_alarms < y->false_alarms);
}

/* Whatever the counts: a front only falls, no point beats any on it, and each other is beaten or
 * equalled by one of them. */
static void front_is_monotone(void **state)
{
	(void)state;
	kws_count curve[KWS_DET_GRID * 2] = { 0 };
	size_t front[KWS_DET_GRID];
	srand(7);
	for (int round = 0; round < 500; round++) {
		int most = 1 + rand() % 40;
		for (size_t i = 0; i < KWS_DET_GRID * 2; i++)
			curve[i] = (kws_count){ .hits = (size_t)(rand() % most),
						.false_alarms = (size_t)(rand() % most) };
		size_t n = kws_det_front(curve, 1, 1, front);
		assert_true(n > 0);
		for (size_t i = 0; i < n; i++) {
			const kws_count *c = &curve[front[i] * 2 + 1];
			const kws_count *before = i ? &curve[front[i - 1] * 2 + 1] : NULL;
			assert_true(!before
				    || (c->hits > before->hits
					&& c->false_alarms > before->false_alarms));
			for (size_t g = 0; g < KWS_DET_GRID; g++)
				assert_false(beats(&curve[g * 2 + 1], c));
		}
		for (size_t g = 0; g < KWS_DET_GRID; g++) {
			bool covered = false;
			for (size_t i = 0; i < n; i++)
				covered = covered
					  || (curve[front[i] * 2 + 1].hits >= curve[g * 2 + 1].hits
					      && curve[front[i] * 2 + 1].false_alarms
							 <= curve[g * 2 + 1].false_alarms);
			assert_true(covered);
		}
	}
}

static void histogram_of_the_scene(void **state)
{
	(void)state;
	size_t words[KWS_DET_BINS], rest[KWS_DET_BINS], n_words = 0, n_rest = 0;
	assert_int_equal(kws_det_histogram(&material, words, rest), KWS_OK);
	for (size_t b = 0; b < KWS_DET_BINS; b++) {
		n_words += words[b];
		n_rest += rest[b];
		if (b)
			assert_true(kws_det_bin((double)b) > kws_det_bin((double)b - 1.0));
		assert_int_equal(
			kws_det_in_bin(0.5
				       * (kws_det_bin((double)b) + kws_det_bin((double)b + 1.0))),
			b);
	}
	assert_int_equal(n_words, 4);
	assert_int_equal(words[kws_det_in_bin(0.9)], 2);
	assert_int_equal(words[kws_det_in_bin(0.6)], 1);
	assert_int_equal(words[0], 1);
	/* No second lies wholly in a word's time but that from 1 to 2 s, 3 to 4, 7 to 8 and 9 to 10
	 * (the frame that ends the second before belongs to the next one). */
	assert_true(n_rest >= 14 && n_rest <= 19);
	assert_int_equal(rest[kws_det_in_bin(0.7)], 1);
	assert_int_equal(rest[kws_det_in_bin(0.9)], 0);
	assert_int_equal(rest[kws_det_in_bin(0.5)], 1);
	/* Without tolerance the second "a" at 9.9 s lies outside, unless the tail holds it. */
	material.tolerance = 0.0;
	assert_int_equal(kws_det_histogram(&material, words, rest), KWS_OK);
	assert_true(rest[kws_det_in_bin(0.9)] > 0);
	assert_int_equal(words[kws_det_in_bin(0.9)], 2);
	material.tail = 1.0;
	assert_int_equal(kws_det_histogram(&material, words, rest), KWS_OK);
	assert_int_equal(rest[kws_det_in_bin(0.9)], 0);
	assert_int_equal(words[kws_det_in_bin(0.9)], 2);
	assert_int_equal(kws_det_in_bin(0.0), 0);
	assert_int_equal(kws_det_in_bin(1.0), KWS_DET_BINS - 1);
	assert_int_equal(kws_det_in_bin((double)NAN), 0);
}

/* The decision hears of voice here as in a stream: without a pause it is one utterance. */
static void a_word_said_again_counts_again(void **state)
{
	(void)state;
	static kws_said often[] = { { 1.0, 1.2, A }, { 2.1, 2.3, A }, { 3.2, 3.4, A } };
	for (int pauses = 0; pauses < 2; pauses++) {
		kws_recording r = silence(7.0, true);
		kws_material m = material;
		kws_count count[N_WORDS + 1];
		r.said = often;
		r.n_said = 3;
		pulse(&r, A, 1.2, 4.4, 0.9f);
		for (size_t t = 0; t < r.n_frames; t++) {
			uint64_t now = (t + 1) * FRAME;
			double at = (double)now / RATE;
			size_t i = at < 2.2 ? 0 : at < 3.3 ? 1 : 2;
			uint64_t end = (uint64_t)(often[i].end * RATE);
			r.voice[t].count = at < 1.1 ? 0 : pauses ? i + 1 : 1;
			r.voice[t].end = now < end || !pauses ? now : end;
		}
		m.recording = &r;
		m.n = 1;
		const float half[N_WORDS] = { 0.5f, 0.5f, 0.5f };
		assert_int_equal(kws_det_count(&m, half, count, NULL, NULL), KWS_OK);
		assert_int_equal(count[A].hits, pauses ? 3 : 1);
		assert_int_equal(count[A].false_alarms, 0);
		free(r.prob);
		free(r.voice);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(known_answer, make_scene, free_scene),
		cmocka_unit_test_setup_teardown(where_nothing_is_said, make_scene, free_scene),
		cmocka_unit_test_setup_teardown(latency_and_tolerance, make_scene, free_scene),
		cmocka_unit_test_setup_teardown(recordings_are_apart, make_scene, free_scene),
		cmocka_unit_test_setup_teardown(what_is_given_up_does_not_count, make_scene,
						free_scene),
		cmocka_unit_test(thresholds_rise),
		cmocka_unit_test_setup_teardown(curve_of_the_scene, make_scene, free_scene),
		cmocka_unit_test(front_is_monotone),
		cmocka_unit_test_setup_teardown(histogram_of_the_scene, make_scene, free_scene),
		cmocka_unit_test_setup_teardown(a_word_said_again_counts_again, make_scene,
						free_scene),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
