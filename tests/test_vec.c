/* The vector maths: close to the true values, the same wherever an element stands, the same recurrence however cut. */
#include "vec/vec.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { N = 1000 };

static const char *const levels[] = { "baseline", "x86-64-v3", "x86-64-v4" };

static unsigned seed = 1;

static float uniform(float lo, float hi)
{
	seed = seed * 1664525u + 1013904223u;
	return lo + (hi - lo) * (float)(seed >> 8) / 16777216.0f;
}

static void fill(float *x, size_t n, float lo, float hi)
{
	for (size_t i = 0; i < n; i++)
		x[i] = uniform(lo, hi);
}

/* Distance in units of the last place of want. */
static double ulps(float got, double want)
{
	const double ulp = ldexp(1.0, ilogb(want) - 23);
	return fabs((double)got - want) / ulp;
}

static void close_enough(float got, double want, double tol)
{
	if (!(fabs((double)got - want) <= tol)) {
		print_error("%.9g, want %.9g within %.3g\n", (double)got, want, tol);
		fail();
	}
}

static void exp_and_log_are_exact_to_2_ulp(void **state)
{
	const kws_vec *v = *state;
	float x[N], y[N];
	fill(x, N, -87.0f, 88.0f);
	memcpy(y, x, sizeof x);
	v->exp(y, N);
	for (size_t i = 0; i < N; i++)
		assert_true(ulps(y[i], exp((double)x[i])) <= 2.0);
	for (size_t i = 0; i < N; i++)
		x[i] = powf(10.0f, uniform(-12.0f, 8.0f));
	memcpy(y, x, sizeof x);
	v->log(y, N);
	for (size_t i = 0; i < N; i++)
		close_enough(y[i], log((double)x[i]), 4e-7 * fmax(1.0, fabs(log((double)x[i]))));
}

static void activations_are_finite_and_right(void **state)
{
	const kws_vec *v = *state;
	float x[N], s[N], g[N];
	fill(x, N, -30.0f, 30.0f);
	x[0] = 3e38f, x[1] = -3e38f, x[2] = 0.0f, x[3] = 1e-40f;
	memcpy(s, x, sizeof x);
	memcpy(g, x, sizeof x);
	v->silu(s, N, 1, N);
	v->sigmoid(g, N, 1, N);
	for (size_t i = 0; i < N; i++) {
		const double a = (double)x[i], sig = 1.0 / (1.0 + exp(-a));
		assert_true(isfinite(s[i]) && isfinite(g[i]));
		if (i > 1)
			close_enough(s[i], a * sig, 1e-6 * fmax(1.0, fabs(a)));
		close_enough(g[i], sig, 1e-6);
	}
}

static void gelu_is_exact_to_4e_7(void **state)
{
	const kws_vec *v = *state;
	float x[N], y[N], one;
	fill(x, N, -8.0f, 8.0f);
	x[0] = 3e38f, x[1] = -3e38f, x[2] = 0.0f, x[3] = 1e-40f;
	memcpy(y, x, sizeof x);
	v->gelu(y, N, 1, N);
	for (size_t i = 0; i < N; i++) {
		const double a = (double)x[i];
		assert_true(isfinite(y[i]));
		close_enough(y[i], 0.5 * a * erfc(-a * sqrt(0.5)), 4e-7 * fabs(a));
		one = x[i];
		v->gelu(&one, 1, 1, 1);
		assert_memory_equal(&one, &y[i], sizeof one);
	}
}

static void leaky_relu_follows_the_formula(void **state)
{
	const kws_vec *v = *state;
	float x[N], y[N], one;
	fill(x, N, -4.0f, 2.0f);
	x[0] = 3e38f, x[1] = -3e38f, x[2] = 0.0f, x[3] = -2.0f;
	memcpy(y, x, sizeof x);
	v->leaky_relu(y, N, 1, N);
	for (size_t i = 0; i < N; i++) {
		const float a = x[i];
		close_enough(y[i], (double)fmaxf(a, fmaxf(0.2f * a, -0.4f)), 1e-7);
		one = x[i];
		v->leaky_relu(&one, 1, 1, 1);
		assert_memory_equal(&one, &y[i], sizeof one);
	}
}

static void max_takes_the_greater(void **state)
{
	const kws_vec *v = *state;
	float a[N], b[N], y[N];
	fill(a, N, -1.0f, 1.0f);
	fill(b, N, -1.0f, 1.0f);
	for (size_t n = 0; n <= N; n += n < 40 ? 1 : 37) {
		memcpy(y, b, sizeof y);
		v->max(y, a, y, n);
		for (size_t i = 0; i < N; i++)
			assert_true(y[i] == (i < n ? fmaxf(a[i], b[i]) : b[i]));
	}
}

/* Any length, any alignment: the value of an element is that of the element alone. */
static void place_does_not_matter(void **state)
{
	const kws_vec *v = *state;
	float x[N + 64], whole[N], part[N];
	fill(x, N + 64, -5.0f, 5.0f);
	memcpy(whole, x, sizeof whole);
	v->silu(whole, N, 1, N);
	for (size_t n = 1; n < 70; n++) {
		const size_t from = (n * 37) % (N - 70);
		memcpy(part + 3, x + from, n * sizeof *x);
		v->silu(part + 3, n, 1, n);
		assert_memory_equal(part + 3, whole + from, n * sizeof *x);
	}
	float e[N], one;
	memcpy(e, x, sizeof e);
	v->exp(e, N);
	for (size_t i = 0; i < N; i++) {
		one = x[i];
		v->exp(&one, 1);
		assert_memory_equal(&one, &e[i], sizeof one);
	}
}

static void rows_keep_apart(void **state)
{
	const kws_vec *v = *state;
	enum { T = 5, W = 21, LD = 32 };
	float x[T * LD], want[T * LD];
	fill(x, T * LD, -3.0f, 3.0f);
	memcpy(want, x, sizeof x);
	v->silu(x, LD, T, W);
	for (size_t t = 0; t < T; t++) {
		v->silu(want + t * LD, LD, 1, W);
		assert_memory_equal(x + t * LD, want + t * LD,
				    LD * sizeof *x); /* the padding too */
	}
}

/* Every width of tile and rest, every number of rows: the same bits as a row alone, nothing written beyond, and right. */
static void products_are_sums_in_one_order(void **state)
{
	const kws_vec *v = *state;
	enum { MOST = 19, K = 7, TAPS = 3, LD = 144, STEP = 5, TAP = 40 };
	float x[MOST * STEP + TAPS * TAP + K], w[TAPS * K * LD] = { 0 }, b[LD] = { 0 };
	float y[MOST * LD], one[LD];
	fill(x, sizeof x / sizeof *x, -1.0f, 1.0f);
	for (size_t n = 1; n <= LD; n += n < 40 ? 1 : 7) {
		for (size_t i = 0; i < TAPS * K; i++)
			fill(w + i * LD, n, -1.0f, 1.0f);
		fill(b, n, -1.0f, 1.0f);
		const kws_product g = { TAPS, TAP, K, STEP, n, LD, w, b };
		for (size_t rows = 1; rows <= MOST; rows++) {
			for (size_t i = 0; i < MOST * LD; i++)
				y[i] = 77.0f;
			v->product(&g, x, rows, y, n + 1 <= LD ? n + 1 : n);
			const size_t ldy = n + 1 <= LD ? n + 1 : n;
			for (size_t r = 0; r < rows; r++) {
				v->product(&g, x + r * STEP, 1, one, LD);
				assert_memory_equal(y + r * ldy, one, n * sizeof *one);
				assert_true(ldy == n || y[r * ldy + n] == 77.0f);
			}
			for (size_t i = rows * ldy; i < MOST * LD; i++)
				assert_true(y[i] == 77.0f);
		}
		for (size_t o = 0; o < n; o++) {
			double want = (double)b[o];
			for (size_t p = 0; p < TAPS; p++)
				for (size_t i = 0; i < K; i++)
					want += (double)x[18 * STEP + p * TAP + i]
						* (double)w[(p * K + i) * LD + o];
			close_enough(y[18 * (n + 1 <= LD ? n + 1 : n) + o], want, 2e-6);
		}
	}
}

static void sums_and_norms(void **state)
{
	const kws_vec *v = *state;
	float x[N], y[N], w[N];
	fill(x, N, -1.0f, 2.0f);
	fill(w, N, 0.5f, 2.0f);
	for (size_t n = 1; n < 100; n += 7) {
		double sum = 0.0, sq = 0.0;
		for (size_t i = 0; i < n; i++) {
			sum += (double)x[i];
			sq += ((double)x[i] - 0.25) * ((double)x[i] - 0.25);
		}
		close_enough(v->sum(x, n), sum, 1e-5);
		close_enough(v->sumsq(x, 0.25f, n), sq, 1e-5 * (1.0 + sq));
		v->normalise(y, x, 0.25f, 3.0f, w, NULL, n);
		for (size_t i = 0; i < n; i++)
			close_enough(y[i], ((double)x[i] - 0.25) * 3.0 * (double)w[i], 1e-5);
	}
}

static void attention_pieces(void **state)
{
	const kws_vec *v = *state;
	enum { Z = 7, LD = 48, H = 37 };
	float q[Z], kt[Z * LD], bias[LD], s[LD], a[LD], val[LD * LD], o[H];
	fill(q, Z, -1.0f, 1.0f);
	fill(kt, Z * LD, -1.0f, 1.0f);
	fill(bias, LD, -1.0f, 1.0f);
	fill(val, LD * LD, -1.0f, 1.0f);
	for (size_t n = 1; n <= LD; n++) {
		double sum = 0.0;
		v->scores(s, q, kt, LD, Z, 0.5f, bias, n);
		for (size_t j = 0; j < n; j++) {
			double dot = 0.0;
			for (size_t z = 0; z < Z; z++)
				dot += (double)q[z] * (double)kt[z * LD + j];
			close_enough(s[j], 0.5 * dot + (double)bias[j], 1e-6);
		}
		for (size_t j = n; j < LD; j++)
			s[j] = -1e30f;
		memcpy(a, s, sizeof a);
		const float total = v->softmax(a, n);
		double max = -1e30;
		for (size_t j = 0; j < n; j++)
			max = fmax(max, (double)s[j]);
		for (size_t j = 0; j < n; j++)
			sum += exp((double)s[j] - max);
		close_enough(total, sum, 1e-5);
		v->weighted_sum(o, a, val, LD, n, 1.0f / total, H);
		for (size_t i = 0; i < H; i++) {
			double want = 0.0;
			for (size_t j = 0; j < n; j++)
				want += exp((double)s[j] - max) / sum * (double)val[j * LD + i];
			close_enough(o[i], want, 2e-6);
		}
	}
}

static void ema_is_its_formula_however_cut(void **state)
{
	const kws_vec *v = *state;
	enum { D = 21, LD = 32, STATES = 5, T = 40 };
	float q[STATES * LD], c[STATES * LD], omega[LD], x[T * LD], whole[T * LD], cut[T * LD];
	float h1[STATES * LD] = { 0 }, h2[STATES * LD] = { 0 };
	fill(q, STATES * LD, 0.5f, 0.99f);
	fill(c, STATES * LD, -1.0f, 1.0f);
	fill(omega, LD, -1.0f, 1.0f);
	fill(x, T * LD, -1.0f, 1.0f);
	memcpy(whole, x, sizeof x);
	memcpy(cut, x, sizeof x);
	v->ema(h1, q, c, omega, STATES, LD, whole, whole, T, D, LD);
	for (size_t t = 0, n; t < T; t += n) {
		n = 1 + t % 7 < T - t ? 1 + t % 7 : T - t;
		v->ema(h2, q, c, omega, STATES, LD, cut + t * LD, cut + t * LD, n, D, LD);
	}
	assert_memory_equal(whole, cut, sizeof whole);
	for (size_t d = 0; d < D; d++) {
		double h[STATES] = { 0.0 };
		for (size_t t = 0; t < T; t++) {
			double e = (double)omega[d] * (double)x[t * LD + d];
			for (size_t n = 0; n < STATES; n++) {
				h[n] = (double)q[n * LD + d] * h[n] + (double)x[t * LD + d];
				e += (double)c[n * LD + d] * h[n];
			}
			close_enough(whole[t * LD + d], e / (1.0 + exp(-e)), 2e-5);
		}
	}
}

int main(void)
{
	int failed = 0;
	for (size_t i = 0; i < sizeof levels / sizeof *levels; i++) {
		const kws_vec *v = kws_vec_named(levels[i]);
		if (!v) {
			printf("level %s: not in this build or processor, skipped\n", levels[i]);
			continue;
		}
		const struct CMUnitTest tests[] = {
			cmocka_unit_test_prestate(exp_and_log_are_exact_to_2_ulp,
						  (void *)(uintptr_t)v),
			cmocka_unit_test_prestate(activations_are_finite_and_right,
						  (void *)(uintptr_t)v),
			cmocka_unit_test_prestate(gelu_is_exact_to_4e_7, (void *)(uintptr_t)v),
			cmocka_unit_test_prestate(leaky_relu_follows_the_formula,
						  (void *)(uintptr_t)v),
			cmocka_unit_test_prestate(max_takes_the_greater, (void *)(uintptr_t)v),
			cmocka_unit_test_prestate(place_does_not_matter, (void *)(uintptr_t)v),
			cmocka_unit_test_prestate(rows_keep_apart, (void *)(uintptr_t)v),
			cmocka_unit_test_prestate(products_are_sums_in_one_order,
						  (void *)(uintptr_t)v),
			cmocka_unit_test_prestate(sums_and_norms, (void *)(uintptr_t)v),
			cmocka_unit_test_prestate(attention_pieces, (void *)(uintptr_t)v),
			cmocka_unit_test_prestate(ema_is_its_formula_however_cut,
						  (void *)(uintptr_t)v),
		};
		failed += cmocka_run_group_tests_name(levels[i], tests, NULL, NULL);
	}
	return failed != 0;
}
