/* What was measured in recordings, and what is evaluated of it: in one piece or in many. */
#include "corpus/evaluation.h"
#include "tests/near.h"

#include <stdlib.h>
#include <string.h>

enum { A, B, UNKNOWN, N_WORDS, RATE = 16000, FRAME = 320, PER_S = RATE / FRAME };
enum { N_RECORDINGS = 12, SECONDS = 20, N_FRAMES = SECONDS * PER_S, N_SAID = 8 };

static const bool command[N_WORDS] = { true, true, false };
static const float own[N_WORDS] = { 0.35f, 0.8f, 0.5f };
static kws_recording recording[N_RECORDINGS];
static kws_said said[N_RECORDINGS][N_SAID];
static kws_material material;

static float random_share(uint32_t *seed)
{
	*seed = *seed * 1664525u + 1013904223u;
	return (float)(*seed >> 8) / 16777216.0f;
}

/* Pulses of any height, some of them where a word is said; every third recording has no words. */
static void make_recording(kws_recording *r, kws_said *words, uint32_t seed)
{
	r->labelled = seed % 3 != 0;
	r->n_frames = N_FRAMES;
	r->seconds = SECONDS + (double)(seed % 7) / RATE;
	r->prob = calloc(N_FRAMES * N_WORDS, sizeof *r->prob);
	r->voice = calloc(N_FRAMES, sizeof *r->voice);
	assert_non_null(r->prob);
	assert_non_null(r->voice);
	for (size_t at = 20; at + 20 < N_FRAMES; at += 40 + (size_t)(random_share(&seed) * 20.0f)) {
		const size_t word = random_share(&seed) < 0.5f ? A : B;
		const float height = random_share(&seed);
		for (size_t t = at; t < at + 12; t++)
			r->prob[t * N_WORDS + word] =
				height * (1.0f - 0.05f * (float)(at + 12 - t));
	}
	r->said = words;
	for (size_t i = 0; r->labelled && i < N_SAID; i++) {
		const double start = 2.0 * (double)i + (double)random_share(&seed);
		words[i] = (kws_said){ start, start + 0.4, random_share(&seed) < 0.5f ? A : B };
		r->n_said++;
	}
}

static int set_up(void **state)
{
	(void)state;
	for (uint32_t i = 0; i < N_RECORDINGS; i++)
		make_recording(&recording[i], said[i], i);
	material = (kws_material){ .recording = recording,
				   .n = N_RECORDINGS,
				   .n_words = N_WORDS,
				   .command = command,
				   .rate_hz = RATE,
				   .frame = FRAME,
				   .window = RATE,
				   .smooth_ms = 60,
				   .refractory_ms = 500,
				   .tolerance = 0.75,
				   .tail = 1.0 };
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_RECORDINGS; i++) {
		free(recording[i].prob);
		free(recording[i].voice);
	}
	return 0;
}

static void measure(kws_measured *t, size_t from, size_t n)
{
	kws_material part = material;
	part.recording = recording + from;
	part.n = n;
	assert_int_equal(kws_measured_make(t, &part, own), KWS_OK);
}

/* What det.h counts on all of them, in its own way. */
static void rows_are_the_counts_of_det(void **state)
{
	(void)state;
	static kws_count curve[KWS_DET_GRID * (N_WORDS + 1)];
	kws_count one[N_WORDS + 1];
	size_t words[KWS_DET_BINS], rest[KWS_DET_BINS];
	kws_measured all;
	measure(&all, 0, N_RECORDINGS);
	assert_int_equal(kws_det_curve(&material, curve), KWS_OK);
	assert_memory_equal(all.count, curve, sizeof curve);
	assert_int_equal(kws_det_count(&material, own, one, NULL, NULL), KWS_OK);
	assert_memory_equal(all.count + KWS_MEASURED_OWN * (N_WORDS + 1), one, sizeof one);
	assert_int_equal(kws_det_histogram(&material, words, rest), KWS_OK);
	assert_memory_equal(all.of_words, words, sizeof words);
	assert_memory_equal(all.of_rest, rest, sizeof rest);
	assert_true(all.count[30 * (N_WORDS + 1) + N_WORDS].hits > 10);
	assert_true(all.count[30 * (N_WORDS + 1) + N_WORDS].false_alarms > 10);
	assert_int_equal(all.n_labelled, 8);
	assert_int_equal(all.n_unlabelled, 4);
	near(kws_measured_hours(&all, &material), kws_det_hours(&material), 1e-15);
	material.unlabelled_only = true;
	near(kws_measured_hours(&all, &material), kws_det_hours(&material), 1e-15);
	material.unlabelled_only = false;
	kws_measured_free(&all);
}

static bool is_hit_in(const kws_measured *t, size_t row, const kws_said *word, double latency)
{
	for (size_t i = 0; i < t->n_hits; i++)
		if (t->hit[i].first <= row && row <= t->hit[i].last && t->hit[i].word == word->word
		    && t->hit[i].latency == latency)
			return true;
	return false;
}

typedef struct {
	const kws_measured *t;
	size_t row, n;
} looking;

static void look(void *ctx, const kws_said *word, double latency)
{
	looking *l = ctx;
	assert_true(is_hit_in(l->t, l->row, word, latency));
	l->n++;
}

/* Every hit of every row is in one of the hits, and nothing else. */
static void hits_are_those_of_the_rows(void **state)
{
	(void)state;
	kws_count count[N_WORDS + 1];
	float threshold[N_WORDS];
	kws_measured all;
	size_t n_all = 0, n_hits = 0;
	measure(&all, 0, N_RECORDINGS);
	looking l = { .t = &all };
	for (; l.row < KWS_MEASURED_ROWS; l.row++) {
		for (size_t w = 0; w < N_WORDS; w++)
			threshold[w] = l.row < KWS_MEASURED_OWN ? kws_det_threshold(l.row) : own[w];
		assert_int_equal(kws_det_count(&material, threshold, count, look, &l), KWS_OK);
		n_hits += count[N_WORDS].hits;
	}
	assert_int_equal(l.n, n_hits);
	for (size_t i = 0; i < all.n_hits; i++) {
		assert_true(all.hit[i].first <= all.hit[i].last);
		n_all += all.hit[i].last - all.hit[i].first + 1;
	}
	assert_int_equal(n_all, n_hits);
	assert_true(all.n_hits < n_hits / 3); /* most go on from row to row */
	kws_measured_free(&all);
}

static bool same_rates(const kws_count *a, const kws_count *b, double hours)
{
	const kws_rates x = kws_rates_of(a, hours), y = kws_rates_of(b, hours);
	return memcmp(a, b, sizeof *a) == 0 && memcmp(&x, &y, sizeof x) == 0;
}

/* To the last bit, in parts of every size and in any order. */
static void parts_add_up_to_the_whole(void **state)
{
	(void)state;
	static const double targets[] = { 0.0, 100.0, 300.0, 1e6 };
	kws_measured all, sum, part;
	kws_evaluation whole, merged;
	measure(&all, 0, N_RECORDINGS);
	assert_int_equal(kws_evaluate(&whole, NULL, &material, &all, targets, 4), KWS_OK);
	for (size_t size = 1; size <= N_RECORDINGS; size++) {
		assert_int_equal(kws_measured_init(&sum, N_WORDS), KWS_OK);
		for (size_t end = N_RECORDINGS; end > 0; end -= end < size ? end : size) {
			const size_t n = end < size ? end : size;
			measure(&part, end - n, n);
			assert_int_equal(kws_measured_add(&sum, &part), KWS_OK);
			kws_measured_free(&part);
		}
		assert_int_equal(kws_evaluate(&merged, NULL, &material, &sum, targets, 4), KWS_OK);
		assert_true(merged.hours == whole.hours);
		assert_memory_equal(sum.of_words, all.of_words, sizeof sum.of_words);
		assert_memory_equal(sum.of_rest, all.of_rest, sizeof sum.of_rest);
		for (size_t i = 0; i < KWS_DET_GRID * (N_WORDS + 1); i++)
			assert_true(same_rates(&merged.curve[i], &whole.curve[i], whole.hours));
		for (size_t i = 0; i < whole.n_points; i++) {
			const kws_evaluation_point *a = &merged.point[i], *b = &whole.point[i];
			assert_true((a->count == NULL) == (b->count == NULL));
			assert_int_equal(a->n_hits, b->n_hits);
			for (size_t w = 0; b->count && w <= N_WORDS; w++)
				for (double q = 0.1; q <= 1.0; q += 0.1) {
					const double x = kws_evaluation_latency(a, w, N_WORDS, q);
					const double y = kws_evaluation_latency(b, w, N_WORDS, q);
					assert_true(x == y || (isnan(x) && isnan(y)));
				}
		}
		kws_evaluation_free(&merged);
		kws_measured_free(&sum);
	}
	kws_evaluation_free(&whole);
	kws_measured_free(&all);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rows_are_the_counts_of_det),
		cmocka_unit_test(hits_are_those_of_the_rows),
		cmocka_unit_test(parts_add_up_to_the_whole),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down) != 0;
}
