#include "model/attention.h"

#include "model/gemm.h"
#include "vec/vec.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { SOFTMAX, LAPLACE, RELU2 };
const char *const kws_attention_names[] = { "softmax", "laplace", "relu2", NULL };
enum { SIMPLE, ROTARY };
const char *const kws_bias_names[] = { "simple", "rotary", NULL };

/* Half of the table is for frames to come: causal use reads bias(i, j) = b[span - 1 + j - i], j <= i only. */
static enum kws_status init_simple(kws_attention *a, kws_tensors *ts, const char *prefix, kws_error *err)
{
	float *b;
	const size_t n = 2 * a->span - 1;
	const enum kws_status s = kws_tensors_take(&b, ts, prefix, "rel_pos_bias.rel_pos_bias", 1, &n, err);
	if (!s)
		memcpy(a->bias, b, a->span * sizeof *b);
	free(b);
	return s;
}

/* bias(i, j) = R_i(alpha) . R_j(beta), which depends on i - j only: the rotations of one another cancel. */
static enum kws_status init_rotary(kws_attention *a, kws_tensors *ts, const char *prefix, kws_error *err)
{
	const size_t shape[] = { 1, a->zdim }, half = a->zdim / 2;
	float *alpha = NULL, *beta = NULL;
	enum kws_status s = kws_tensors_take(&alpha, ts, prefix, "rel_pos_bias.alpha", 2, shape, err);
	if (!s)
		s = kws_tensors_take(&beta, ts, prefix, "rel_pos_bias.beta", 2, shape, err);
	for (size_t d = 0; !s && d < a->span; d++) {
		double sum = 0.0;
		for (size_t m = 0; m < half; m++) {
			const double theta = (double)d * exp(-(double)m * log(10000.0) / (double)half);
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

enum kws_status kws_attention_init(kws_attention *a, size_t function, size_t bias_kind, size_t span, size_t zdim,
				   size_t hdim, kws_tensors *ts, const char *prefix, kws_error *err)
{
	*a = (kws_attention){ .function = function, .span = span, .zdim = zdim, .hdim = hdim,
			      .ld_span = kws_pad(span), .ld_h = kws_pad(hdim) };
	a->bias = calloc(span + KWS_ALIGN, sizeof *a->bias);
	if (!a->bias)
		return kws_fail(err, KWS_ERR_NOMEM, "out of memory");
	return bias_kind == SIMPLE ? init_simple(a, ts, prefix, err) : init_rotary(a, ts, prefix, err);
}

void kws_attention_free(kws_attention *a)
{
	free(a->bias);
	*a = (kws_attention){ 0 };
}

size_t kws_attention_state(const kws_attention *a)
{
	return a->zdim * a->ld_span + a->span * a->ld_h;
}

size_t kws_attention_scratch(const kws_attention *a)
{
	return a->ld_span;
}

/* 0.5 (1 + erf((s - mu) / (sigma sqrt 2))), with the six digits of the original's constants. */
static float laplace(float s)
{
	return 0.5f * (1.0f + erff((s - 0.707107f) / (0.282095f * 1.41421356f)));
}

void kws_attention_step(const kws_attention *a, float *state, float *scratch, size_t i, const float *q, const float *k,
			const float *v, float *o)
{
	const kws_vec *vec = kws_vec_get();
	float *keys = state, *values = state + a->zdim * a->ld_span, *s = scratch;
	const size_t n = i + 1;
	for (size_t z = 0; z < a->zdim; z++)
		keys[z * a->ld_span + i] = k[z];
	memcpy(values + i * a->ld_h, v, a->hdim * sizeof *v);
	/* softmax divides by sqrt(Z); the others by the number of visible keys, before the bias */
	const float scale = a->function == SOFTMAX ? 1.0f / sqrtf((float)a->zdim) : 1.0f / (float)n;
	float norm = 1.0f;
	vec->scores(s, q, keys, a->ld_span, a->zdim, scale, a->bias + a->span - n, n);
	if (a->function == SOFTMAX) {
		for (size_t j = n; j < kws_pad(n); j++)
			s[j] = -1e30f;
		norm = 1.0f / vec->softmax(s, n);
	}
	for (size_t j = 0; a->function == LAPLACE && j < n; j++)
		s[j] = laplace(s[j]);
	for (size_t j = 0; a->function == RELU2 && j < n; j++)
		s[j] = s[j] > 0.0f ? s[j] * s[j] : 0.0f;
	vec->weighted_sum(o, s, values, a->ld_h, n, norm, a->hdim);
}
