#include "model/chunk.h"

#include "model/json.h"
#include "vec/vec.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
	kws_attention base;
	size_t span; /* frames of a chunk or, without chunks, of the longest clip */
	size_t hdim;
	size_t ld_span, ld_z, ld_h; /* padded */
	float *bias;		    /* (span + padding,): bias(i, j) = bias[span - 1 - i + j] */
} chunk;

/* A stream's state. keys (zdim, ld_span) and values (span, ld_h) may hold any finite values at the
 * start. */
typedef struct {
	size_t n; /* frames of the chunk so far */
	char pad[64 - sizeof(size_t)];
	float floats[];
} memory;

static void destroy(kws_attention *base)
{
	chunk *a = (chunk *)base;
	free(a->bias);
	free(a);
}

/* Half of the table is for future frames. Causal attention reads only bias(i, j) = b[span - 1 + j -
 * i], j <= i. */
static enum kws_status init_simple(chunk *a, kws_tensors *ts, const char *prefix, kws_error *err)
{
	float *b;
	const size_t n = 2 * a->span - 1;
	const enum kws_status s =
		kws_tensors_take(&b, ts, prefix, "rel_pos_bias.rel_pos_bias", 1, &n, err);
	if (!s)
		memcpy(a->bias, b, a->span * sizeof *b);
	free(b);
	return s;
}

/* bias(i, j) = R_i(alpha) . R_j(beta). It depends only on i - j, because the two rotations combine
 * into one. */
static enum kws_status init_rotary(chunk *a, kws_tensors *ts, const char *prefix, kws_error *err)
{
	const size_t shape[] = { 1, a->base.zdim }, half = a->base.zdim / 2;
	float *alpha = NULL, *beta = NULL;
	enum kws_status s =
		kws_tensors_take(&alpha, ts, prefix, "rel_pos_bias.alpha", 2, shape, err);
	if (!s)
		s = kws_tensors_take(&beta, ts, prefix, "rel_pos_bias.beta", 2, shape, err);
	for (size_t d = 0; !s && d < a->span; d++) {
		double sum = 0.0;
		for (size_t m = 0; m < half; m++) {
			const double theta =
				(double)d * exp(-(double)m * log(10000.0) / (double)half);
			const double x1 = (double)alpha[m], x2 = (double)alpha[m + half];
			sum += (x1 * cos(theta) - x2 * sin(theta)) * (double)beta[m];
			sum += (x2 * cos(theta) + x1 * sin(theta)) * (double)beta[m + half];
		}
		a->bias[a->span - 1 - d] = (float)sum;
	}
	free(alpha);
	free(beta);
	return s;
}

static enum kws_status read_span(const json_t *conf, const char *where, bool *chunked, size_t *span,
				 kws_error *err)
{
	const json_t *size = json_object_get(conf, "chunk");
	*chunked = !(json_is_integer(size) && json_integer_value(size) == -1);
	if (*chunked && json_object_get(conf, "max_positions"))
		return kws_fail(err, KWS_ERR_FORMAT, "%s: max_positions goes with chunk -1 only",
				where);
	return kws_json_size(conf, where, *chunked ? "chunk" : "max_positions", 1, 8192, span, err);
}

static enum kws_status read_all(chunk *a, const json_t *conf, const char *where, kws_tensors *ts,
				const char *prefix, kws_error *err)
{
	enum { SIMPLE, ROTARY };
	static const char *const biases[] = { "simple", "rotary", NULL };
	size_t bias = SIMPLE;
	bool chunked = true;
	enum kws_status s;
	if ((s = kws_json_size(conf, where, "zdim", 2, 512, &a->base.zdim, err))
	    || (s = read_span(conf, where, &chunked, &a->span, err))
	    || (s = kws_json_choice(conf, where, "rel_pos_bias", biases, &bias, err)))
		return s;
	if (bias == ROTARY && a->base.zdim % 2)
		return kws_fail(err, KWS_ERR_FORMAT, "%s: zdim: rotary wants an even number",
				where);
	a->ld_span = kws_pad(a->span);
	a->ld_z = kws_pad(a->base.zdim);
	a->bias = calloc(a->span + KWS_ALIGN, sizeof *a->bias);
	if (!a->bias)
		return kws_fail(err, KWS_ERR_NOMEM, "out of memory");
	a->base.max_frames = chunked ? 0 : a->span;
	return bias == SIMPLE ? init_simple(a, ts, prefix, err) : init_rotary(a, ts, prefix, err);
}

static enum kws_status create(kws_attention **out, const kws_attention_kind *kind,
			      const json_t *conf, const char *where, size_t hdim, kws_tensors *ts,
			      const char *prefix, kws_error *err)
{
	*out = NULL;
	chunk *a = calloc(1, sizeof *a);
	if (!a)
		return kws_fail(err, KWS_ERR_NOMEM, "out of memory");
	a->base.kind = kind;
	a->hdim = hdim;
	a->ld_h = kws_pad(hdim);
	const enum kws_status s = read_all(a, conf, where, ts, prefix, err);
	if (s) {
		destroy(&a->base);
		return s;
	}
	a->base.state_bytes =
		sizeof(memory) + (a->base.zdim * a->ld_span + a->span * a->ld_h) * sizeof(float);
	a->base.scratch_floats = a->ld_span;
	*out = &a->base;
	return KWS_OK;
}

/* Turn the scores s (n,) of the visible keys, without the bias, into weights. Returns the factor to
 * multiply them by. */
typedef float weigh_fn(const chunk *a, const float *q, const float *keys, size_t n, float *s);

/* For each frame: store its key and value, then take the weighted sum of the values so far. */
static void run(const kws_attention *base, void *state, const float *q, const float *k, float *v,
		size_t t, float *s, weigh_fn *weigh)
{
	const chunk *a = (const chunk *)base;
	memory *m = state;
	float *keys = m->floats, *values = keys + a->base.zdim * a->ld_span;
	for (size_t i = 0; i < t; i++) {
		for (size_t z = 0; z < a->base.zdim; z++)
			keys[z * a->ld_span + m->n] = k[i * a->ld_z + z];
		memcpy(values + m->n * a->ld_h, v + i * a->ld_h, a->hdim * sizeof *v);
		const size_t n = m->n + 1;
		const float norm = weigh(a, q + i * a->ld_z, keys, n, s);
		kws_vec_get()->weighted_sum(v + i * a->ld_h, s, values, a->ld_h, n, norm, a->hdim);
		m->n = n == a->span ? 0 : n;
	}
}

static float weigh_softmax(const chunk *a, const float *q, const float *keys, size_t n, float *s)
{
	const kws_vec *vec = kws_vec_get();
	vec->scores(s, q, keys, a->ld_span, a->base.zdim, 1.0f / sqrtf((float)a->base.zdim),
		    a->bias + a->span - n, n);
	for (size_t j = n; j < kws_pad(n); j++)
		s[j] = -1e30f;
	return 1.0f / vec->softmax(s, n);
}

/* Laplace and relu2 divide by the number of visible keys, before the bias is added. The weight is
 * 0.5 (1 + erf((s - mu) / (sigma sqrt 2))), with the six digits of the original's constants. */
static float weigh_laplace(const chunk *a, const float *q, const float *keys, size_t n, float *s)
{
	kws_vec_get()->scores(s, q, keys, a->ld_span, a->base.zdim, 1.0f / (float)n,
			      a->bias + a->span - n, n);
	for (size_t j = 0; j < n; j++)
		s[j] = 0.5f * (1.0f + erff((s[j] - 0.707107f) / (0.282095f * 1.41421356f)));
	return 1.0f;
}

static float weigh_relu2(const chunk *a, const float *q, const float *keys, size_t n, float *s)
{
	kws_vec_get()->scores(s, q, keys, a->ld_span, a->base.zdim, 1.0f / (float)n,
			      a->bias + a->span - n, n);
	for (size_t j = 0; j < n; j++)
		s[j] = s[j] > 0.0f ? s[j] * s[j] : 0.0f;
	return 1.0f;
}

static void run_softmax(const kws_attention *a, void *state, float *scratch, const float *q,
			const float *k, float *v, size_t t)
{
	run(a, state, q, k, v, t, scratch, weigh_softmax);
}

static void run_laplace(const kws_attention *a, void *state, float *scratch, const float *q,
			const float *k, float *v, size_t t)
{
	run(a, state, q, k, v, t, scratch, weigh_laplace);
}

static void run_relu2(const kws_attention *a, void *state, float *scratch, const float *q,
		      const float *k, float *v, size_t t)
{
	run(a, state, q, k, v, t, scratch, weigh_relu2);
}

static const char *const keys[] = { "zdim", "chunk", "max_positions", "rel_pos_bias", NULL };

const kws_attention_kind kws_softmax_attention = { "softmax", keys,    true,
						   create,    destroy, run_softmax };
const kws_attention_kind kws_laplace_attention = { "laplace", keys,    true,
						   create,    destroy, run_laplace };
const kws_attention_kind kws_relu2_attention = { "relu2", keys, true, create, destroy, run_relu2 };
