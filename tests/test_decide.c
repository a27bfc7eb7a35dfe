/* The decision: properties over audio time, with probabilities written by hand or by a seeded
 * generator. */
#include "spot/decide.h"

#include <stdarg.h>
#include <setjmp.h>
#include <cmocka.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { RATE = 16000, FRAME = 320, FRAME_MS = 20, WINDOW = RATE, WORDS = 4, MOST = 64 };
static const kws_stretch nothing = { 0 }; /* no voice anywhere */
static const float plain[WORDS] = { 0.7f, 0.7f, 0.7f, 2.0f };

static kws_decide *fresh(unsigned smooth_ms, unsigned refractory_ms, const float *threshold)
{
	kws_decide *d = NULL;
	kws_decide_config cfg = { smooth_ms, refractory_ms, 0, threshold };
	assert_int_equal(kws_decide_create(&d, WORDS, RATE, FRAME, WINDOW, &cfg), KWS_OK);
	return d;
}

typedef struct {
	kws_hit hit[MOST];
	size_t n;
} hits;

/* ms of this word at p, the last word (background) takes the rest. */
static void play(kws_decide *d, hits *h, unsigned word, float p, unsigned ms)
{
	for (unsigned t = 0; t < ms; t += FRAME_MS) {
		float prob[WORDS] = { 0 };
		prob[WORDS - 1] = 1.0f - p;
		prob[word] += p;
		if (kws_decide_step(d, prob, nothing, &h->hit[h->n]))
			h->n++;
		assert_true(h->n < MOST);
	}
}

static void silence(kws_decide *d, hits *h, unsigned ms)
{
	play(d, h, WORDS - 1, 1.0f, ms);
}

static void one_word_fires_once(void **state)
{
	(void)state;
	kws_decide *d = fresh(100, 500, plain);
	hits h = { .n = 0 };
	silence(d, &h, 1000);
	play(d, &h, 1, 0.95f, 400);
	silence(d, &h, 2000);
	assert_int_equal(h.n, 1);
	assert_int_equal(h.hit[0].word, 1);
	assert_float_equal(h.hit[0].score, 0.95, 1e-5);
	assert_float_equal(h.hit[0].threshold, 0.7, 1e-6);
	/* A mean over 5 frames reaches 0.7 with the fourth of them: 3 gave 0.57, 4 give 0.76. */
	assert_int_equal(h.hit[0].opened, RATE + 4 * FRAME);
	assert_int_equal(h.hit[0].peak, RATE + 5 * FRAME);
	assert_int_equal(h.hit[0].sample, h.hit[0].opened + RATE * KWS_DECIDE_HOLD_MS / 1000);
	kws_decide_destroy(d);
}

static void fall_decides_before_the_hold(void **state)
{
	(void)state;
	kws_decide *d = fresh(0, 500, plain);
	hits h = { .n = 0 };
	play(d, &h, 0, 0.75f, 20);
	play(d, &h, 0, 0.92f, 20);
	play(d, &h, 0, 0.80f, 20);
	assert_int_equal(h.n, 1);
	assert_float_equal(h.hit[0].score, 0.92, 1e-5);
	assert_int_equal(h.hit[0].opened, FRAME);
	assert_int_equal(h.hit[0].peak, 2 * FRAME);
	assert_int_equal(h.hit[0].sample, 3 * FRAME);
	kws_decide_destroy(d);
}

static void flat_high_score_fires_once(void **state)
{
	(void)state;
	kws_decide *d = fresh(100, 500, plain);
	hits h = { .n = 0 };
	play(d, &h, 0, 0.99f, 60 * 1000);
	assert_int_equal(h.n, 1);
	/* ... also when it trembles across the threshold without falling clearly. */
	for (int i = 0; i < 200; i++) {
		play(d, &h, 0, 0.60f, 200);
		play(d, &h, 0, 0.90f, 200);
	}
	assert_int_equal(h.n, 1);
	silence(d, &h, 500);
	play(d, &h, 0, 0.9f, 400);
	assert_int_equal(h.n, 2);
	kws_decide_destroy(d);
}

static void below_threshold_never_fires(void **state)
{
	(void)state;
	kws_decide *d = fresh(0, 0, plain);
	hits h = { .n = 0 };
	play(d, &h, 0, nextafterf(0.7f, 0.0f), 5000);
	assert_int_equal(h.n, 0);
	play(d, &h, 0, 0.7f, 1000);
	assert_int_equal(h.n, 1);
	kws_decide_destroy(d);
}

static void thresholds_are_per_word(void **state)
{
	(void)state;
	const float threshold[WORDS] = { 0.9f, 0.3f, NAN, 1.0001f };
	kws_decide *d = fresh(100, 300, threshold);
	hits h = { .n = 0 };
	for (unsigned w = 0; w < WORDS; w++) {
		play(d, &h, w, 0.8f, 400);
		silence(d, &h, 2000);
	}
	assert_int_equal(h.n, 1);
	assert_int_equal(h.hit[0].word, 1);
	assert_float_equal(h.hit[0].threshold, 0.3, 1e-6);
	play(d, &h, 0, 1.0f, 400);
	assert_int_equal(h.n, 2);
	assert_int_equal(h.hit[1].word, 0);
	assert_float_equal(h.hit[1].threshold, 0.9, 1e-6);
	kws_decide_destroy(d);
}

/* One frame of word 0 and word 1. Returns the number of hits. */
static int both(kws_decide *d, float p0, float p1)
{
	float prob[WORDS] = { p0, p1, 0.0f, 1.0f - p0 - p1 };
	kws_hit hit;
	return kws_decide_step(d, prob, nothing, &hit);
}

static void the_second_best_has_to_fall_too(void **state)
{
	(void)state;
	const float low[WORDS] = { 0.4f, 0.4f, 0.4f, 2.0f };
	for (int fall = 0; fall < 2; fall++) {
		kws_decide *d = fresh(0, 500, low);
		int n = 0;
		for (int i = 0; i < 6; i++)
			n += both(d, 0.5f, 0.45f);
		assert_int_equal(n, 1);
		/* Just below the threshold while no candidate may open, then up again. */
		for (int i = 0; i < 20; i++)
			n += both(d, 0.0f, fall ? 0.29f : 0.39f);
		for (int i = 0; i < 20; i++)
			n += both(d, 0.0f, 0.45f);
		assert_int_equal(n, fall ? 2 : 1);
		kws_decide_destroy(d);
	}
}

static void the_best_of_an_utterance_wins(void **state)
{
	(void)state;
	const float low[WORDS] = { 0.4f, 0.4f, 0.4f, 2.0f };
	kws_decide *d = fresh(0, 500, low);
	hits h = { .n = 0 };
	/* Word 0 crosses first, word 1 overtakes it within the hold; both fall; then nothing more
	 * comes. */
	play(d, &h, 0, 0.45f, 60);
	for (int i = 0; i < 50; i++) {
		float prob[WORDS] = { 0.44f, 0.50f, 0.0f, 0.06f };
		if (kws_decide_step(d, prob, nothing, &h.hit[h.n]))
			h.n++;
	}
	silence(d, &h, 1000);
	assert_int_equal(h.n, 1);
	assert_int_equal(h.hit[0].word, 1);
	assert_float_equal(h.hit[0].score, 0.50, 1e-6);
	kws_decide_destroy(d);
}

static void tail_of_an_utterance_is_silent(void **state)
{
	(void)state;
	kws_decide *d = fresh(0, 500, plain);
	hits h = { .n = 0 };
	play(d, &h, 0, 0.9f, 220);
	assert_int_equal(h.n, 1);
	/* 100 ms after the decision another word rises and stays: the same utterance. */
	play(d, &h, 1, 0.9f, 5000);
	assert_int_equal(h.n, 1);
	silence(d, &h, 100);
	play(d, &h, 1, 0.9f, 400);
	assert_int_equal(h.n, 2);
	assert_int_equal(h.hit[1].word, 1);
	kws_decide_destroy(d);
}

static void two_words_in_a_row_both_fire(void **state)
{
	(void)state;
	kws_decide *d = fresh(100, 1000, plain);
	hits h = { .n = 0 };
	silence(d, &h, 500);
	for (unsigned w = 0; w < 3; w++)
		play(d, &h, w, 0.95f, 500); /* each inside the refractory of the one before */
	silence(d, &h, 500);
	assert_int_equal(h.n, 3);
	for (unsigned w = 0; w < 3; w++)
		assert_int_equal(h.hit[w].word, w);
	assert_true(h.hit[2].sample - h.hit[0].sample < RATE * 11 / 10);
	kws_decide_destroy(d);
}

static void refractory_is_per_word_and_not_extended(void **state)
{
	(void)state;
	kws_decide *d = fresh(0, 1000, plain);
	hits h = { .n = 0 };
	/* Word 0 every 400 ms, decided 40 ms after each rise: those at 0, 1200, 2400, 3600 ms
	 * count. */
	for (int i = 0; i < 10; i++) {
		play(d, &h, 0, 0.95f, 40);
		silence(d, &h, 360);
	}
	assert_int_equal(h.n, 4);
	for (size_t i = 1; i < h.n; i++)
		assert_int_equal(h.hit[i].sample - h.hit[i - 1].sample, RATE * 12 / 10);
	kws_decide_destroy(d);
}

static void rise_in_the_refractory_must_fall_first(void **state)
{
	(void)state;
	kws_decide *d = fresh(0, 1000, plain);
	hits h = { .n = 0 };
	play(d, &h, 0, 0.95f, 40);
	silence(d, &h, 600);
	play(d, &h, 0, 0.95f, 3000); /* rises inside, stays high far beyond */
	assert_int_equal(h.n, 1);
	silence(d, &h, 40);
	play(d, &h, 0, 0.95f, 400);
	assert_int_equal(h.n, 2);
	kws_decide_destroy(d);
}

static void flush_decides_what_is_open(void **state)
{
	(void)state;
	kws_decide *d = fresh(0, 500, plain);
	hits h = { .n = 0 };
	kws_hit hit;
	assert_int_equal(kws_decide_flush(d, &hit), 0);
	play(d, &h, 2, 0.9f, 100);
	assert_int_equal(h.n, 0);
	assert_int_equal(kws_decide_flush(d, &hit), 1);
	assert_int_equal(hit.word, 2);
	assert_int_equal(hit.sample, 5 * FRAME);
	assert_int_equal(kws_decide_flush(d, &hit), 0);
	kws_decide_destroy(d);
}

static void configure_acts_from_the_next_frame(void **state)
{
	(void)state;
	const float high[WORDS] = { 0.99f, 0.99f, 0.99f, 2.0f };
	kws_decide *d = fresh(100, 500, high);
	hits h = { .n = 0 };
	play(d, &h, 0, 0.8f, 1000);
	assert_int_equal(h.n, 0);
	kws_decide_config cfg = { 200, 500, 0, plain };
	kws_decide_configure(d, &cfg);
	/* The history is there: the mean is 0.8 at once. */
	play(d, &h, 0, 0.8f, 1000);
	assert_int_equal(h.n, 1);
	assert_int_equal(h.hit[0].opened, RATE + FRAME);
	kws_decide_destroy(d);
}

static void scores_are_means(void **state)
{
	(void)state;
	kws_decide *d = fresh(200, 500, plain);
	float sent[100];
	srand(5);
	for (int t = 0; t < 100; t++) {
		float p = sent[t] = (float)rand() / (float)RAND_MAX;
		float prob[WORDS] = { p, 0.0f, 1.0f - p, 0.0f };
		kws_hit hit;
		kws_decide_step(d, prob, nothing, &hit);
		double want = 0.0;
		for (int i = t; i > t - 10; i--)
			want += i < 0 ? 0.0 : (double)sent[i] / 10.0;
		assert_float_equal(kws_decide_score(d)[0], want, 1e-6);
	}
	kws_decide_destroy(d);
}

/* A walk over words and heights with random lengths, to try all the rules at once. */
static void walk(float *prob, unsigned *left, unsigned *word, float *height)
{
	if (*left == 0) {
		*left = 1 + (unsigned)rand() % 40;
		*word = (unsigned)rand() % WORDS;
		*height = (float)rand() / (float)RAND_MAX;
	}
	--*left;
	for (unsigned w = 0; w < WORDS; w++)
		prob[w] = (1.0f - *height) / WORDS;
	prob[*word] += *height;
}

static void random_walks_keep_the_promises(void **state)
{
	(void)state;
	const float mixed[WORDS] = { 0.35f, 0.5f, 0.8f, 2.0f };
	const unsigned refractory_ms = 700;
	for (unsigned seed = 1; seed <= 50; seed++) {
		srand(seed);
		kws_decide *d = fresh(seed % 5 * 40, refractory_ms, mixed);
		unsigned left = 0, word = 0;
		float height = 0.0f, fell[WORDS];
		uint64_t last = 0, last_of[WORDS] = { 0 };
		int any = 0, any_of[WORDS] = { 0 };
		for (unsigned w = 0; w < WORDS; w++)
			fell[w] = 0.0f;
		for (uint64_t t = 1; t <= 20000; t++) {
			float prob[WORDS];
			kws_hit h;
			walk(prob, &left, &word, &height);
			int hit = kws_decide_step(d, prob, nothing, &h);
			for (unsigned w = 0; w < WORDS; w++)
				fell[w] = fminf(fell[w], kws_decide_score(d)[w]);
			if (!hit)
				continue;
			assert_int_equal(h.sample, t * FRAME);
			assert_true(h.opened <= h.peak && h.peak <= h.sample);
			assert_true(h.sample - h.opened <= RATE * KWS_DECIDE_HOLD_MS / 1000);
			assert_true(h.score >= h.threshold && h.score <= 1.0f);
			assert_float_equal(h.threshold, mixed[h.word], 0.0);
			assert_true(h.word != 3);
			if (any)
				assert_true(h.opened - last >= RATE * KWS_DECIDE_DEAD_MS / 1000);
			if (any_of[h.word]) {
				assert_true(h.peak - last_of[h.word]
					    >= RATE * refractory_ms / 1000);
				assert_true(fell[h.word] < KWS_DECIDE_REARM * mixed[h.word]);
			}
			any = any_of[h.word] = 1;
			last = last_of[h.word] = h.sample;
			fell[h.word] = 1.0f;
		}
		assert_true(any_of[0] && any_of[1] && any_of[2]);
		kws_decide_destroy(d);
	}
}

static void reset_equals_new_and_two_do_not_interact(void **state)
{
	(void)state;
	kws_decide *used = fresh(100, 500, plain), *other = fresh(100, 500, plain);
	hits h = { .n = 0 };
	play(used, &h, 0, 0.9f, 150);
	kws_decide_reset(used);
	kws_decide *d = fresh(100, 500, plain);
	unsigned left = 0, word = 0;
	float height = 0.0f;
	srand(9);
	for (int t = 0; t < 5000; t++) {
		float prob[WORDS], elsewhere[WORDS] = { 0, 1.0f, 0, 0 };
		kws_hit a, b, c;
		walk(prob, &left, &word, &height);
		int one = kws_decide_step(d, prob, nothing, &a),
		    two = kws_decide_step(used, prob, nothing, &b);
		kws_decide_step(other, elsewhere, nothing, &c);
		assert_int_equal(one, two);
		assert_memory_equal(kws_decide_score(d), kws_decide_score(used),
				    WORDS * sizeof(float));
		if (one) {
			assert_int_equal(a.sample, b.sample);
			assert_int_equal(a.word, b.word);
			assert_memory_equal(&a.score, &b.score, sizeof a.score);
		}
	}
	kws_decide_destroy(d);
	kws_decide_destroy(used);
	kws_decide_destroy(other);
}

static void smoothing_is_to_the_nearest_frame(void **state)
{
	(void)state;
	const unsigned smooth_ms[] = { 0, 20, 29, 30, 49, 50, 2000, 5000 };
	const float frames[] = { 1, 1, 1, 2, 2, 3, 100, 100 };
	for (size_t i = 0; i < 8; i++) {
		kws_decide *d = fresh(smooth_ms[i], 500, plain);
		hits h = { .n = 0 };
		play(d, &h, 0, 0.6f, FRAME_MS);
		assert_float_equal(kws_decide_score(d)[0], 0.6f / frames[i], 1e-6);
		kws_decide_destroy(d);
	}
}

static void refuses_what_cannot_be(void **state)
{
	(void)state;
	kws_decide *d = NULL;
	kws_decide_config cfg = { 100, 500, 0, plain };
	assert_int_equal(kws_decide_create(&d, 0, RATE, FRAME, WINDOW, &cfg), KWS_ERR_ARG);
	assert_int_equal(kws_decide_create(&d, WORDS, RATE, 0, WINDOW, &cfg), KWS_ERR_ARG);
	assert_int_equal(kws_decide_create(&d, WORDS, RATE, 15, WINDOW, &cfg), KWS_ERR_ARG);
	assert_int_equal(kws_decide_create(&d, WORDS, 0, FRAME, WINDOW, &cfg), KWS_ERR_ARG);
	assert_int_equal(kws_decide_create(&d, WORDS, 500, 0, WINDOW, &cfg), KWS_ERR_ARG);
	assert_null(d);
	kws_decide_destroy(NULL);
	assert_int_equal(kws_decide_create(&d, WORDS, 500, 1, WINDOW, &cfg), KWS_OK);
	kws_decide_destroy(d);
	/* Times beyond what is kept count as the longest. */
	cfg.smooth_ms = 4000000000u;
	assert_int_equal(kws_decide_create(&d, WORDS, RATE, FRAME, WINDOW, &cfg), KWS_OK);
	hits h = { .n = 0 };
	play(d, &h, 0, 1.0f, KWS_DECIDE_SMOOTH_MAX_MS);
	assert_true(kws_decide_score(d)[0] > 0.98f);
	kws_decide_destroy(d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_word_fires_once),
		cmocka_unit_test(fall_decides_before_the_hold),
		cmocka_unit_test(flat_high_score_fires_once),
		cmocka_unit_test(below_threshold_never_fires),
		cmocka_unit_test(thresholds_are_per_word),
		cmocka_unit_test(the_best_of_an_utterance_wins),
		cmocka_unit_test(the_second_best_has_to_fall_too),
		cmocka_unit_test(tail_of_an_utterance_is_silent),
		cmocka_unit_test(two_words_in_a_row_both_fire),
		cmocka_unit_test(refractory_is_per_word_and_not_extended),
		cmocka_unit_test(rise_in_the_refractory_must_fall_first),
		cmocka_unit_test(flush_decides_what_is_open),
		cmocka_unit_test(configure_acts_from_the_next_frame),
		cmocka_unit_test(scores_are_means),
		cmocka_unit_test(random_walks_keep_the_promises),
		cmocka_unit_test(reset_equals_new_and_two_do_not_interact),
		cmocka_unit_test(smoothing_is_to_the_nearest_frame),
		cmocka_unit_test(refuses_what_cannot_be),
	};
	return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
