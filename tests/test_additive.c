/* Additive attention: the sums of its definition, any cut the same bits, days of audio without harm. */
#include "model/additive.h"
#include "tests/level.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { DIM = 12, HEADS = 3, HEAD = DIM / HEADS, LD = 16, T = 120 };

static unsigned seed = 1;

static float uniform(float lo, float hi)
{
	seed = seed * 1664525u + 1013904223u;
	return lo + (hi - lo) * (float)(seed >> 8) / 16777216.0f;
}

/* Scores up to about `loud`, and one forgetting rate everywhere. */
static void make(kws_additive *a, float loud, float rate)
{
	*a = (kws_additive){ .dim = DIM, .heads = HEADS, .ld = LD, .ld_s = 16 };
	for (int pool = 0; pool < 2; pool++) {
		a->score[pool] = calloc((DIM + 1) * HEADS, sizeof *a->score[pool]);
		assert_non_null(a->score[pool]);
		for (size_t i = 0; i < (DIM + 1) * HEADS; i++)
			a->score[pool][i] = (double)uniform(-loud, loud);
	}
	a->rate = calloc((size_t)2 * HEADS, sizeof *a->rate);
	assert_non_null(a->rate);
	for (size_t i = 0; i < (size_t)2 * HEADS; i++)
		a->rate[i] = rate;
}

typedef struct {
	float *state, *scratch;
} stream;

static stream begin(const kws_additive *a)
{
	const stream s = { calloc(kws_additive_state(a), sizeof(float)),
			   calloc(kws_additive_scratch(a), sizeof(float)) };
	assert_true(s.state && s.scratch);
	return s;
}

static void end(stream s)
{
	free(s.state);
	free(s.scratch);
}

/* Frames at.. of q and k (T, LD) -> o (T, LD), at most `most` of them a call. */
static void run(const kws_additive *a, stream s, const float *q, const float *k, size_t most,
		float *o)
{
	most = most < KWS_BLOCK ? most : KWS_BLOCK;
	for (size_t t = 0; t < T; t += most)
		kws_additive_run(a, s.state, s.scratch, q + t * LD, k + t * LD,
				 most < T - t ? most : T - t, o + t * LD);
}

static double score(const kws_additive *a, int pool, size_t h, const double *x)
{
	const double *w = a->score[pool] + h * (DIM + 1);
	double e = w[DIM];
	for (size_t c = 0; c < DIM; c++)
		e += w[c] * x[c];
	return e;
}

/* mean (DIM,) of the frames x (t + 1, DIM) under a softmax of their scores less rate times age. */
static void pool_by_definition(const kws_additive *a, int pool, double (*x)[DIM], size_t t,
			       double *mean)
{
	for (size_t h = 0; h < HEADS; h++) {
		double e[T], top = -1e30, sum = 0.0;
		for (size_t j = 0; j <= t; j++) {
			e[j] = score(a, pool, h, x[j])
			       - (double)a->rate[(size_t)pool * HEADS + h] * (double)(t - j);
			top = fmax(top, e[j]);
		}
		for (size_t c = 0; c < HEAD; c++)
			mean[h * HEAD + c] = 0.0;
		for (size_t j = 0; j <= t; j++) {
			sum += exp(e[j] - top);
			for (size_t c = 0; c < HEAD; c++)
				mean[h * HEAD + c] += exp(e[j] - top) * x[j][h * HEAD + c];
		}
		for (size_t c = 0; c < HEAD; c++)
			mean[h * HEAD + c] /= sum;
	}
}

static void fill(float *x, float lo, float hi)
{
	for (size_t i = 0; i < (size_t)T * LD; i++)
		x[i] = uniform(lo, hi);
}

/* Also with scores far beyond what expf can take, and far below 0. */
static void it_is_the_definition(void **state)
{
	(void)state;
	static const struct {
		float loud, rate, shift;
	} cases[] = { { 0.5f, 0.0f, 0.0f },
		      { 1.0f, 0.1f, 0.0f },
		      { 60.0f, 0.05f, 0.0f },
		      { 1.0f, 0.3f, -500.0f },
		      { 1.0f, 0.0f, 500.0f } };
	static float q[T * LD], k[T * LD], o[T * LD];
	static double dq[T][DIM], p[T][DIM];
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		kws_additive a;
		make(&a, cases[i].loud, cases[i].rate);
		for (size_t h = 0; h < HEADS;
		     h++) /* not all frames alike: a bias alone would cancel */
			a.score[KWS_QUERIES][h * (DIM + 1)] += (double)cases[i].shift;
		fill(q, -1.0f, 1.0f);
		fill(k, -1.0f, 1.0f);
		const stream s = begin(&a);
		run(&a, s, q, k, T, o);
		for (size_t t = 0; t < T; t++) {
			double mean[DIM];
			for (size_t c = 0; c < DIM; c++)
				dq[t][c] = (double)q[t * LD + c];
			pool_by_definition(&a, KWS_QUERIES, dq, t, mean);
			for (size_t c = 0; c < DIM; c++)
				p[t][c] = (double)k[t * LD + c] * mean[c];
			pool_by_definition(&a, KWS_KEYS, p, t, mean);
			for (size_t c = 0; c < DIM; c++) {
				const double want = dq[t][c] * mean[c], got = (double)o[t * LD + c];
				if (!(fabs(got - want) <= 5e-5))
					fail_msg("case %zu, frame %zu: %.9g, want %.9g", i, t, got,
						 want);
			}
		}
		end(s);
		kws_additive_free(&a);
	}
}

static void every_cut_gives_the_same_bits(void **state)
{
	(void)state;
	static float q[T * LD], k[T * LD], want[T * LD], got[T * LD];
	kws_additive a;
	make(&a, 3.0f, 0.02f);
	fill(q, -1.0f, 1.0f);
	fill(k, -1.0f, 1.0f);
	stream s = begin(&a);
	run(&a, s, q, k, T, want);
	end(s);
	for (size_t most = 1; most < KWS_BLOCK; most++) {
		s = begin(&a);
		run(&a, s, q, k, most, got);
		end(s);
		assert_memory_equal(got, want, sizeof want);
	}
	kws_additive_free(&a);
}

/* Two days and more at 50 frames a second, as if: the age that counts them is set near its end, where adding 1 no longer
 * changes it. What was long ago does not matter, and what comes now does. */
static void days_do_no_harm(void **state)
{
	(void)state;
	static float q[T * LD], k[T * LD], young[T * LD], old[T * LD];
	kws_additive a;
	make(&a, 1.0f, 0.5f);
	stream s = begin(&a);
	fill(q, 3.0f, 4.0f);
	fill(k, 3.0f, 4.0f);
	for (int i = 0; i < 2000; i++)
		run(&a, s, q, k, T, old);
	for (int pool = 0; pool < 2; pool++)
		for (size_t h = 0; h < HEADS; h++)
			s.state[(size_t)pool * kws_additive_state(&a) / 2 + 16 + h] = 16777216.0f;
	fill(q, -1.0f, 1.0f);
	fill(k, -1.0f, 1.0f);
	run(&a, s, q, k, T, old);
	end(s);
	s = begin(&a);
	run(&a, s, q, k, T, young);
	end(s);
	for (size_t i = 0; i < (size_t)T * LD; i++)
		assert_true(isfinite(old[i]));
	for (size_t t = 90; t < T; t++)
		for (size_t c = 0; c < DIM; c++)
			assert_true(fabsf(old[t * LD + c] - young[t * LD + c]) <= 1e-4f);
	kws_additive_free(&a);
}

/* With a rate of 0 the pool becomes the mean of all history: slow, but never wrong or without end. */
static void all_history_stays_bounded(void **state)
{
	(void)state;
	static float q[T * LD], k[T * LD], o[T * LD];
	kws_additive a;
	make(&a, 2.0f, 0.0f);
	const stream s = begin(&a);
	fill(q, 0.0f, 1.0f);
	fill(k, 0.0f, 1.0f);
	for (int i = 0; i < 3000; i++)
		run(&a, s, q, k, T, o);
	for (size_t pool = 0; pool < 2; pool++)
		for (size_t h = 0; h < HEADS; h++)
			s.state[pool * kws_additive_state(&a) / 2 + 32 + h] =
				16777216.0f; /* the sum's own end */
	run(&a, s, q, k, T, o);
	for (size_t t = 0; t < T; t++)
		for (size_t c = 0; c < DIM; c++)
			assert_true(o[t * LD + c] >= 0.0f && o[t * LD + c] <= 1.0f);
	end(s);
	kws_additive_free(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_is_the_definition),
		cmocka_unit_test(every_cut_gives_the_same_bits),
		cmocka_unit_test(days_do_no_harm),
		cmocka_unit_test(all_history_stays_bounded),
	};
	return cmocka_run_group_tests_name("additive", tests, NULL, NULL);
}
