/* A head tells the word from other sounds; and the same points and seed make the same head. */
#include "spot/fit.h"

#include "spot/augment.h"
#include "spot/random.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { RANK = 8, N_IS = 40, N_HALF = 30, N_BANK = 600 };

static float is[N_IS * RANK], half[N_HALF * RANK], bank[N_BANK * RANK];

/* Points of length sqrt(RANK), around `middle` of one axis. */
static void fill(float *to, size_t n, size_t axis, float middle, uint64_t seed)
{
	kws_random r = kws_random_init(seed, 0);
	for (size_t i = 0; i < n; i++, to += RANK) {
		float sum = 0.0f;
		for (size_t k = 0; k < RANK; k++) {
			to[k] = kws_random_normal(&r) + (k == axis ? middle : 0.0f);
			sum += to[k] * to[k];
		}
		for (size_t k = 0; k < RANK; k++)
			to[k] *= sqrtf(RANK / sum);
	}
}

/* Which negatives, other than the bank, and positives a head is fitted to. */
enum { HALVES = 1, WRONG = 2, SYNTHETIC = 4 };

static kws_head fit(uint64_t seed, unsigned with)
{
	kws_head h;
	const kws_fit_points p = { .is = { is, N_IS },
				   .halves = { half, with & HALVES ? N_HALF : 0 },
				   .wrong = { half, with & WRONG ? N_HALF : 0 },
				   .synthetic = { half, with & SYNTHETIC ? N_HALF : 0 },
				   .bank = { bank, N_BANK } };
	assert_int_equal(kws_head_create(&h, RANK), KWS_OK);
	assert_int_equal(kws_fit(&h, &p, seed), KWS_OK);
	return h;
}

static float mean(const kws_head *h, const float *points, size_t n)
{
	float logits[N_BANK], sum = 0.0f;
	kws_head_run(h, points, n, logits);
	for (size_t i = 0; i < n; i++)
		sum += logits[i];
	return sum / (float)n;
}

static void the_word_is_told_from_all_else(void **state)
{
	(void)state;
	kws_head h = fit(1, HALVES), without = fit(1, 0);
	assert_true(mean(&h, is, N_IS) > 1.0f);
	assert_true(mean(&h, bank, N_BANK) < -2.0f);
	/* its first half is told because it was shown */
	assert_true(mean(&h, half, N_HALF) < mean(&without, half, N_HALF) - 0.5f);
	kws_head_free(&h);
	kws_head_free(&without);
}

static void wrong_sounds_fall_and_synthetic_takes_rise(void **state)
{
	(void)state;
	kws_head h = fit(1, WRONG), up = fit(1, SYNTHETIC), without = fit(1, 0);
	const float usual = mean(&without, half, N_HALF);
	assert_true(mean(&h, half, N_HALF) < usual - 0.5f);
	assert_true(mean(&up, half, N_HALF) > usual + 0.5f);
	assert_true(mean(&up, is, N_IS) > 1.0f);
	kws_head_free(&h);
	kws_head_free(&up);
	kws_head_free(&without);
}

static bool same(const kws_head *a, const kws_head *b)
{
	return memcmp(a->w1, b->w1, RANK * KWS_FIT_HIDDEN * sizeof *a->w1) == 0
	       && memcmp(a->w2, b->w2, sizeof a->w2) == 0 && a->b2 == b->b2;
}

static void the_same_seed_makes_the_same_head(void **state)
{
	(void)state;
	kws_head a = fit(1, HALVES), b = fit(1, HALVES), c = fit(2, HALVES);
	assert_true(same(&a, &b));
	assert_false(same(&a, &c));
	kws_head_free(&a);
	kws_head_free(&b);
	kws_head_free(&c);
}

static void copies_are_the_same_for_the_same_seed(void **state)
{
	enum { N = 24000 };
	float *pcm = calloc(N, sizeof *pcm);
	(void)state;
	assert_non_null(pcm);
	for (size_t i = 8000; i < 16000; i++)
		pcm[i] = 0.1f * sinf(0.1f * (float)i);
	const kws_said take = { pcm, N, 8000, 16000 };
	size_t longer = 0;
	for (uint64_t seed = 0; seed < 12; seed++) {
		kws_random r = kws_random_init(seed, 1), again = r;
		kws_said a, b;
		const unsigned copy = (unsigned)seed % 4;
		assert_int_equal(kws_augment(&r, &take, &take, 1, !copy, copy, 16000, &a), KWS_OK);
		assert_int_equal(kws_augment(&again, &take, &take, 1, !copy, copy, 16000, &b),
				 KWS_OK);
		assert_int_equal(a.n, b.n);
		assert_memory_equal(a.pcm, b.pcm, a.n * sizeof *a.pcm);
		assert_true(a.start >= 16000 && a.start < a.end && a.end < a.n);
		assert_true(copy || a.end - a.start == 8000); /* the first is as it was said */
		longer += a.end - a.start > 8000;
		for (size_t i = 0; i < a.n; i++)
			assert_true(fabsf(a.pcm[i]) <= 1.0f);
		free(a.pcm);
		free(b.pcm);
	}
	assert_true(longer > 0 && longer < 8);
	free(pcm);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_word_is_told_from_all_else),
		cmocka_unit_test(wrong_sounds_fall_and_synthetic_takes_rise),
		cmocka_unit_test(the_same_seed_makes_the_same_head),
		cmocka_unit_test(copies_are_the_same_for_the_same_seed),
	};
	fill(is, N_IS, 0, 6.0f, 1);
	fill(half, N_HALF, 0, 2.5f, 2);
	fill(bank, N_BANK, 0, 0.0f, 3);
	return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
