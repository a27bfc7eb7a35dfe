/* vec.c - elementwise maths, compiled once for each level (vec/lanes.h). KWS_VEC_NAME is the name
 * of the level as a string. */
#include "vec/lanes.h"
#include "vec/levels.h"
#include "vec/vec.h"

/* The last n < LANES elements; the other lanes hold pad. */
static inline vf load_tail(const float *p, size_t n, float pad)
{
	float x[LANES];
	for (size_t i = 0; i < LANES; i++)
		x[i] = pad;
	memcpy(x, p, n * sizeof *x);
	return load(x);
}

static inline void store_tail(float *p, vf v, size_t n)
{
	float x[LANES];
	store(x, v);
	memcpy(p, x, n * sizeof *x);
}

typedef float quad __attribute__((vector_size(16)));
enum { QUADS = LANES / 4 };

/* A fixed tree: the order of additions is the same everywhere. */
static inline float sum_lanes(vf v)
{
	quad q[QUADS];
	memcpy(q, &v, sizeof v);
	for (size_t w = QUADS / 2; w; w /= 2)
		for (size_t i = 0; i < w; i++)
			q[i] += q[i + w];
	return (q[0][0] + q[0][2]) + (q[0][1] + q[0][3]);
}

/* exp(x) = 2^n exp(r), |r| <= ln2/2; the polynomial is Cephes expf's (S. Moshier). */
static inline vf exp_v(vf x)
{
	/* 1.5 * 2^23: adding it rounds to an integer in the low bits. */
	const float magic = 12582912.0f;
	x = select(x < SPLAT(-87.3f), SPLAT(-87.3f), x);
	x = select(x > SPLAT(88.3f), SPLAT(88.3f), x);
	const vf shifted = fma_v(x, SPLAT(1.44269504088896341f), SPLAT(magic));
	const vf n = shifted - magic;
	vf r = fma_v(n, SPLAT(-0.693359375f), x);
	r = fma_v(n, SPLAT(2.12194440e-4f), r);
	vf p = fma_v(r, SPLAT(1.9875691500e-4f), SPLAT(1.3981999507e-3f));
	p = fma_v(p, r, SPLAT(8.3334519073e-3f));
	p = fma_v(p, r, SPLAT(4.1665795894e-2f));
	p = fma_v(p, r, SPLAT(1.6666665459e-1f));
	p = fma_v(p, r, SPLAT(5.0000001201e-1f));
	p = fma_v(p, r * r, r) + 1.0f;
	return p * (vf)(((vu)shifted + 127u) << 23);
}

/* log(x) = log(m) + e ln2, m in [sqrt(1/2), sqrt(2)); the polynomial is Cephes logf's. */
static inline vf log_v(vf x)
{
	const vu bits = (vu)x - 0x3f3504f3u; /* sqrt(1/2): the exponent steps there */
	const vi e = (vi)bits >> 23;
	const vf m = (vf)((bits & 0x007fffffu) + 0x3f3504f3u) - 1.0f;
	const vf ef = __builtin_convertvector(e, vf);
	const vf z = m * m;
	vf p = fma_v(m, SPLAT(7.0376836292e-2f), SPLAT(-1.1514610310e-1f));
	p = fma_v(p, m, SPLAT(1.1676998740e-1f));
	p = fma_v(p, m, SPLAT(-1.2420140846e-1f));
	p = fma_v(p, m, SPLAT(1.4249322787e-1f));
	p = fma_v(p, m, SPLAT(-1.6668057665e-1f));
	p = fma_v(p, m, SPLAT(2.0000714765e-1f));
	p = fma_v(p, m, SPLAT(-2.4999993993e-1f));
	p = fma_v(p, m, SPLAT(3.3333331174e-1f));
	vf y = fma_v(ef, SPLAT(-2.12194440e-4f), p * m * z);
	y = fma_v(z, SPLAT(-0.5f), y);
	return fma_v(ef, SPLAT(0.693359375f), m + y);
}

static inline vf sigmoid_v(vf x)
{
	return 1.0f / (1.0f + exp_v(-x));
}

static inline vf silu_v(vf x)
{
	return x / (1.0f + exp_v(-x));
}

/* x (1 + erf(x / sqrt 2)) / 2, computed from the tail c = erfc(|x| / sqrt 2), which stays exact
 * where it is small. Formula 7.1.26 of Abramowitz and Stegun, within 1.5e-7. */
static inline vf gelu_v(vf x)
{
	const vf a = select(x < SPLAT(0.0f), -x, x);
	const vf k = 1.0f / fma_v(a, SPLAT(0.23164189f), SPLAT(1.0f)); /* 0.3275911 / sqrt 2 */
	vf p = fma_v(k, SPLAT(1.061405429f), SPLAT(-1.453152027f));
	p = fma_v(p, k, SPLAT(1.421413741f));
	p = fma_v(p, k, SPLAT(-0.284496736f));
	p = fma_v(p, k, SPLAT(0.254829592f));
	const vf half = x * 0.5f * (p * k * exp_v(a * a * -0.5f));
	return select(x < SPLAT(0.0f), half, x - half);
}

static void vec_exp(float *x, size_t n)
{
	size_t i = 0;
	for (; i + LANES <= n; i += LANES)
		store(x + i, exp_v(load(x + i)));
	if (i < n)
		store_tail(x + i, exp_v(load_tail(x + i, n - i, 0.0f)), n - i);
}

static void vec_log(float *x, size_t n)
{
	size_t i = 0;
	for (; i + LANES <= n; i += LANES)
		store(x + i, log_v(load(x + i)));
	if (i < n)
		store_tail(x + i, log_v(load_tail(x + i, n - i, 1.0f)), n - i);
}

/* y = f(y); f is inlined into each caller. */
static inline __attribute__((always_inline)) void rows(vf (*f)(vf), float *y, size_t ld, size_t t,
						       size_t n)
{
	for (; t; t--, y += ld) {
		size_t i = 0;
		for (; i + LANES <= n; i += LANES)
			store(y + i, f(load(y + i)));
		if (i < n)
			store_tail(y + i, f(load_tail(y + i, n - i, 0.0f)), n - i);
	}
}

static void vec_silu(float *y, size_t ld, size_t t, size_t n)
{
	rows(silu_v, y, ld, t, n);
}

static void vec_sigmoid(float *y, size_t ld, size_t t, size_t n)
{
	rows(sigmoid_v, y, ld, t, n);
}

static void vec_gelu(float *y, size_t ld, size_t t, size_t n)
{
	rows(gelu_v, y, ld, t, n);
}

static void vec_leaky_relu(float *y, size_t ld, size_t t, size_t n)
{
	rows(leaky_relu_v, y, ld, t, n);
}

static void vec_add(float *y, const float *a, const float *b, size_t n)
{
	size_t i = 0;
	for (; i + LANES <= n; i += LANES)
		store(y + i, load(a + i) + load(b + i));
	for (; i < n; i++)
		y[i] = a[i] + b[i];
}

static void vec_max(float *y, const float *a, const float *b, size_t n)
{
	size_t i = 0;
	for (; i + LANES <= n; i += LANES)
		store(y + i, max_v(load(a + i), load(b + i)));
	for (; i < n; i++)
		y[i] = a[i] > b[i] ? a[i] : b[i];
}

static void vec_mul(float *y, const float *a, const float *b, size_t n)
{
	size_t i = 0;
	for (; i + LANES <= n; i += LANES)
		store(y + i, load(a + i) * load(b + i));
	for (; i < n; i++)
		y[i] = a[i] * b[i];
}

static void vec_affine(float *y, const float *x, const float *w, const float *b, size_t n)
{
	size_t i = 0;
	for (; i + LANES <= n; i += LANES)
		store(y + i, fma_v(load(x + i), load(w + i), load(b + i)));
	if (i < n) {
		const size_t k = n - i;
		store_tail(y + i,
			   fma_v(load_tail(x + i, k, 0.0f), load_tail(w + i, k, 0.0f),
				 load_tail(b + i, k, 0.0f)),
			   k);
	}
}

static inline vf gate_v(vf x, vf u, vf h)
{
	return fma_v(u, h - x, x);
}

static void vec_gate(float *x, const float *u, const float *h, size_t n)
{
	size_t i = 0;
	for (; i + LANES <= n; i += LANES)
		store(x + i, gate_v(load(x + i), load(u + i), load(h + i)));
	if (i < n) {
		const size_t k = n - i;
		const vf y = gate_v(load_tail(x + i, k, 0.0f), load_tail(u + i, k, 0.0f),
				    load_tail(h + i, k, 0.0f));
		store_tail(x + i, y, k);
	}
}

static float vec_sum(const float *x, size_t n)
{
	vf s = { 0 };
	size_t i = 0;
	for (; i + LANES <= n; i += LANES)
		s += load(x + i);
	if (i < n)
		s += load_tail(x + i, n - i, 0.0f);
	return sum_lanes(s);
}

static float vec_sumsq(const float *x, float centre, size_t n)
{
	vf s = { 0 };
	size_t i = 0;
	for (; i + LANES <= n; i += LANES) {
		const vf d = load(x + i) - centre;
		s = fma_v(d, d, s);
	}
	if (i < n) {
		const vf d = load_tail(x + i, n - i, centre) - centre;
		s = fma_v(d, d, s);
	}
	return sum_lanes(s);
}

static void vec_normalise(float *y, const float *x, float centre, float scale, const float *w,
			  const float *b, size_t n)
{
	size_t i = 0;
	for (; i + LANES <= n; i += LANES)
		store(y + i, fma_v((load(x + i) - centre) * scale, load(w + i),
				   b ? load(b + i) : (vf){ 0 }));
	if (i < n) {
		const size_t k = n - i;
		const vf v =
			fma_v((load_tail(x + i, k, 0.0f) - centre) * scale,
			      load_tail(w + i, k, 0.0f), b ? load_tail(b + i, k, 0.0f) : (vf){ 0 });
		store_tail(y + i, v, k);
	}
}

/* One vector of channels through k steps, k <= 4: each state is loaded once for all steps. */
static inline void ema_steps(float *h, const float *q, const float *c, size_t n, size_t ld,
			     const vf *x, vf *e, size_t k)
{
	for (size_t j = 0; j < n; j++) {
		const vf qv = load(q + j * ld), cv = load(c + j * ld);
		vf hv = load(h + j * ld);
		for (size_t s = 0; s < k; s++) {
			hv = fma_v(qv, hv, x[s]);
			e[s] = fma_v(cv, hv, e[s]);
		}
		store(h + j * ld, hv);
	}
}

static void vec_ema(float *h, const float *q, const float *c, const float *omega, size_t n,
		    size_t ld, const float *x, float *y, size_t t, size_t d, size_t ldx)
{
	for (size_t i = 0; i < d; i += LANES) {
		const size_t w = d - i < LANES ? d - i : LANES;
		const vf om = load(omega + i);
		for (size_t s = 0; s < t;) {
			const size_t k = t - s < 4 ? 1 : 4;
			vf xv[4], e[4];
			for (size_t r = 0; r < k; r++) {
				const float *row = x + (s + r) * ldx + i;
				xv[r] = w == LANES ? load(row) : load_tail(row, w, 0.0f);
				e[r] = om * xv[r];
			}
			if (k == 4)
				ema_steps(h + i, q + i, c + i, n, ld, xv, e, 4);
			else
				ema_steps(h + i, q + i, c + i, n, ld, xv, e, 1);
			for (size_t r = 0; r < k; r++) {
				float *row = y + (s + r) * ldx + i;
				if (w == LANES)
					store(row, silu_v(e[r]));
				else
					store_tail(row, silu_v(e[r]), w);
			}
			s += k;
		}
	}
}

static void vec_scores(float *s, const float *q, const float *kt, size_t ld, size_t n_z,
		       float scale, const float *bias, size_t n)
{
	for (size_t j = 0; j < n; j += LANES) {
		vf even = { 0 }, odd = { 0 }; /* two sums hide the latency of the FMA */
		size_t z = 0;
		for (; z + 2 <= n_z; z += 2) {
			even = fma_v(SPLAT(q[z]), load(kt + z * ld + j), even);
			odd = fma_v(SPLAT(q[z + 1]), load(kt + (z + 1) * ld + j), odd);
		}
		if (z < n_z)
			even = fma_v(SPLAT(q[z]), load(kt + z * ld + j), even);
		store(s + j, fma_v(even + odd, SPLAT(scale), load(bias + j)));
	}
}

static float vec_softmax(float *s, size_t n)
{
	vf m = load(s);
	for (size_t j = LANES; j < n; j += LANES)
		m = select(load(s + j) > m, load(s + j), m);
	float top[LANES];
	store(top, m);
	float max = top[0];
	for (size_t l = 1; l < LANES; l++)
		max = top[l] > max ? top[l] : max;
	vf sum = { 0 };
	for (size_t j = 0; j < n; j += LANES) {
		const vf e = exp_v(load(s + j) - max);
		store(s + j, e);
		sum += e;
	}
	return sum_lanes(sum);
}

/* k vectors of columns, k <= 4: each row's weight is loaded once for all columns. */
static inline void sum_columns(float *y, const float *a, const float *v, size_t ld, size_t n_j,
			       float scale, size_t k)
{
	vf sum[4] = { { 0 }, { 0 }, { 0 }, { 0 } };
	for (size_t j = 0; j < n_j; j++)
		for (size_t i = 0; i < k; i++)
			sum[i] =
				fma_v(SPLAT(a ? a[j] : 1.0f), load(v + j * ld + i * LANES), sum[i]);
	for (size_t i = 0; i < k; i++)
		store(y + i * LANES, sum[i] * scale);
}

static void vec_weighted_sum(float *y, const float *a, const float *v, size_t ld, size_t n_j,
			     float scale, size_t n)
{
	size_t i = 0;
	for (; i + 4 * LANES <= n; i += 4 * LANES)
		sum_columns(y + i, a, v + i, ld, n_j, scale, 4);
	for (; i + 2 * LANES <= n; i += 2 * LANES)
		sum_columns(y + i, a, v + i, ld, n_j, scale, 2);
	for (; i + LANES <= n; i += LANES)
		sum_columns(y + i, a, v + i, ld, n_j, scale, 1);
	if (i < n) {
		vf sum = { 0 };
		for (size_t j = 0; j < n_j; j++)
			sum = fma_v(SPLAT(a ? a[j] : 1.0f), load_tail(v + j * ld + i, n - i, 0.0f),
				    sum);
		store_tail(y + i, sum * scale, n - i);
	}
}

static double vec_peak(size_t rounds)
{
#define BEGIN(i) vf sum##i = SPLAT(0.0f);
#define ADD(i)                                                                                     \
	OPAQUE(w);                                                                                 \
	sum##i = fma_v(x, w, sum##i);                                                              \
	OPAQUE(sum##i);
	vf x = SPLAT(0.0f), w = SPLAT(0.0f);
	EACH_SUM(BEGIN)
	for (size_t k = 0; k < rounds; k++) {
		EACH_SUM(ADD)
	}
#undef BEGIN
#undef ADD
	return (double)rounds * PEAK_SUMS * LANES;
}

#define TABLE(level, int8_level)                                                                   \
	{                                                                                          \
		.name = (level),                                                                   \
		.int8 = &KWS_VEC_NAMED(kws_int8_, int8_level),                                     \
		.product = KWS_VEC_NAMED(kws_vec_product_, KWS_VEC_LEVEL),                         \
		.exp = vec_exp,                                                                    \
		.log = vec_log,                                                                    \
		.silu = vec_silu,                                                                  \
		.sigmoid = vec_sigmoid,                                                            \
		.gelu = vec_gelu,                                                                  \
		.leaky_relu = vec_leaky_relu,                                                      \
		.add = vec_add,                                                                    \
		.max = vec_max,                                                                    \
		.mul = vec_mul,                                                                    \
		.affine = vec_affine,                                                              \
		.gate = vec_gate,                                                                  \
		.sum = vec_sum,                                                                    \
		.sumsq = vec_sumsq,                                                                \
		.normalise = vec_normalise,                                                        \
		.ema = vec_ema,                                                                    \
		.scores = vec_scores,                                                              \
		.softmax = vec_softmax,                                                            \
		.weighted_sum = vec_weighted_sum,                                                  \
		.peak = vec_peak,                                                                  \
	}

const kws_vec KWS_VEC_NAMED(kws_vec_, KWS_VEC_LEVEL) = TABLE(KWS_VEC_NAME, KWS_VEC_LEVEL);
/* The same with other instructions for integers. */
#ifdef KWS_VEC_DOT
const kws_vec KWS_VEC_NAMED(kws_vec_, KWS_VEC_DOT) = TABLE(KWS_VEC_DOT_NAME, KWS_VEC_DOT);
#endif
