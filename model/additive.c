#include "model/additive.h"

#include "model/json.h"
#include "vec/vec.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* One pool of a stream. It holds a mean, not a sum, so that nothing in it grows without end. */
typedef struct {
	float *top; /* (ld_s,) the score whose weight was 1 */
	/* (ld_s,) age of top in frames. Exact up to 2^24; after that the pool forgets as if its
	 * rate were 0. */
	float *age;
	float *sum;  /* (ld_s,) sum of the weights, at least 1; 0: no frame yet */
	float *mean; /* (ld,) */
} pool_state;

static size_t pool_floats(const kws_additive *a)
{
	return 3 * a->ld_s + a->ld;
}

static pool_state pool_at(const kws_additive *a, int pool, float *state)
{
	float *top = state + (size_t)pool * pool_floats(a);
	return (pool_state){ top, top + a->ld_s, top + 2 * a->ld_s, top + 3 * a->ld_s };
}

static enum kws_status read_score(kws_additive *a, int pool, kws_tensors *ts, const char *prefix,
				  kws_error *err)
{
	static const char *const weight[] = { "query_att.weight", "key_att.weight" };
	static const char *const bias[] = { "query_att.bias", "key_att.bias" };
	const size_t shape[] = { a->heads, a->dim };
	const size_t head = a->dim / a->heads;
	const double scale = 1.0 / sqrt((double)head);
	float *w = NULL, *b = NULL;
	enum kws_status s = kws_tensors_take(&w, ts, prefix, weight[pool], 2, shape, err);
	if (!s)
		s = kws_tensors_take(&b, ts, prefix, bias[pool], 1, shape, err);
	double *to = s ? NULL : calloc(a->heads * (a->dim + 1), sizeof *to);
	if (!s && !to)
		s = kws_fail(err, KWS_ERR_NOMEM, "out of memory");
	a->score[pool] = to;
	for (size_t h = 0; to && h < a->heads; h++, to += a->dim + 1) {
		for (size_t c = 0; c < a->dim; c++)
			to[c] = scale * (double)w[h * a->dim + c];
		to[a->dim] = scale * (double)b[h];
	}
	free(w);
	free(b);
	return s;
}

static enum kws_status read_rates(kws_additive *a, bool forgets, kws_tensors *ts,
				  const char *prefix, kws_error *err)
{
	const size_t shape[] = { 2, a->heads };
	if (!forgets) {
		a->rate = calloc(2 * a->heads, sizeof *a->rate);
		return a->rate ? KWS_OK : kws_fail(err, KWS_ERR_NOMEM, "out of memory");
	}
	const enum kws_status s = kws_tensors_take(&a->rate, ts, prefix, "forget", 2, shape, err);
	for (size_t i = 0; !s && i < 2 * a->heads; i++) /* log(1 + exp(x)), for any x */
		a->rate[i] = (float)(fmax((double)a->rate[i], 0.0)
				     + log1p(exp(-fabs((double)a->rate[i]))));
	return s;
}

enum kws_status kws_additive_init(kws_additive *a, size_t dim, size_t heads, bool forgets,
				  kws_tensors *ts, const char *prefix, kws_error *err)
{
	*a = (kws_additive){
		.dim = dim, .heads = heads, .ld = kws_pad(dim), .ld_s = kws_pad(heads)
	};
	enum kws_status s = read_score(a, KWS_QUERIES, ts, prefix, err);
	if (!s)
		s = read_score(a, KWS_KEYS, ts, prefix, err);
	return s ? s : read_rates(a, forgets, ts, prefix, err);
}

void kws_additive_free(kws_additive *a)
{
	for (int pool = 0; pool < 2; pool++)
		free(a->score[pool]);
	free(a->rate);
	*a = (kws_additive){ 0 };
}

size_t kws_additive_state(const kws_additive *a)
{
	return 2 * pool_floats(a);
}

size_t kws_additive_scratch(const kws_additive *a)
{
	return KWS_BLOCK * a->ld + 2 * a->ld_s + a->ld;
}

/* Four sums hide the latency of the additions. */
static double dot(const float *x, const double *w, size_t n)
{
	double sum[4] = { 0.0 };
	size_t c = 0;
	for (; c + 4 <= n; c += 4)
		for (size_t i = 0; i < 4; i++)
			sum[i] += (double)x[c + i] * w[c + i];
	for (; c < n; c++)
		sum[0] += (double)x[c] * w[c];
	return (sum[0] + sum[1]) + (sum[2] + sum[3]);
}

/* s (heads,) = scores of x (dim,). They are sums in double: they may be large, and the exponential
 * would amplify the rounding of float32. */
static void scores(const kws_additive *a, int pool, const float *x, float *s)
{
	const double *w = a->score[pool];
	for (size_t h = 0; h < a->heads; h++, w += a->dim + 1)
		s[h] = (float)(dot(x, w, a->dim) + w[a->dim]);
}

/* How far a score is above top, which has decayed with age. In this order the large numbers cancel
 * exactly. */
static float above(const pool_state *p, size_t h, float rate, float score)
{
	return (score - p->top[h]) + rate * p->age[h];
}

/* Weights for one frame: the higher of score and top gets 1, the other exp(-|above|), so no
 * exponent is above 0. w (heads,) becomes the share of the new frame in the new mean. */
static void weigh(const pool_state *p, const float *rate, const float *score, size_t heads,
		  float *w)
{
	for (size_t h = 0; h < heads; h++) {
		p->age[h] += 1.0f;
		w[h] = -fabsf(above(p, h, rate[h], score[h]));
	}
	kws_vec_get()->exp(w, heads);
	for (size_t h = 0; h < heads; h++) {
		if (p->sum[h] > 0.0f && !(above(p, h, rate[h], score[h]) > 0.0f)) {
			p->sum[h] += w[h];
			w[h] /= p->sum[h];
		} else {
			p->sum[h] = p->sum[h] * w[h] + 1.0f;
			w[h] = 1.0f / p->sum[h];
			p->top[h] = score[h];
			p->age[h] = 0.0f;
		}
	}
}

void kws_additive_pool(const kws_additive *a, int pool, float *state, float *scratch,
		       const float *x, const float *with, size_t t, float *y)
{
	const kws_vec *vec = kws_vec_get();
	const pool_state p = pool_at(a, pool, state);
	const size_t head = a->dim / a->heads;
	float *score = scratch;	    /* (ld_s,) */
	float *w = score + a->ld_s; /* (ld_s,) a head's weight */
	float *share = w + a->ld_s; /* (ld,) the same for each channel */
	for (size_t i = 0; i < t; i++) {
		scores(a, pool, x + i * a->ld, score);
		weigh(&p, a->rate + (size_t)pool * a->heads, score, a->heads, w);
		for (size_t h = 0; h < a->heads; h++)
			for (size_t c = 0; c < head; c++)
				share[h * head + c] = w[h];
		vec->gate(p.mean, share, x + i * a->ld, a->dim);
		vec->mul(y + i * a->ld, with + i * a->ld, p.mean, a->dim);
	}
}

void kws_additive_hold(const kws_additive *a, int pool, const float *state, const float *with,
		       size_t t, float *y)
{
	const float *mean = state + (size_t)pool * pool_floats(a) + 3 * a->ld_s;
	for (size_t i = 0; i < t; i++)
		kws_vec_get()->mul(y + i * a->ld, with + i * a->ld, mean, a->dim);
}

void kws_additive_run(const kws_additive *a, float *state, float *scratch, const float *q,
		      const float *k, size_t t, float *o)
{
	float *p = scratch, *rest = p + KWS_BLOCK * a->ld; /* p (KWS_BLOCK, ld) */
	kws_additive_pool(a, KWS_QUERIES, state, rest, q, k, t, p);
	kws_additive_pool(a, KWS_KEYS, state, rest, p, q, t, o);
}

/* ---- for the gated block
 * ----------------------------------------------------------------------- */

typedef struct {
	kws_attention base;
	kws_additive additive;
} gated;

static void destroy(kws_attention *base)
{
	gated *a = (gated *)base;
	kws_additive_free(&a->additive);
	free(a);
}

static enum kws_status read_all(gated *a, const json_t *conf, const char *where, size_t hdim,
				kws_tensors *ts, const char *prefix, kws_error *err)
{
	size_t heads = 0;
	bool forgets = false;
	enum kws_status s;
	if ((s = kws_json_size(conf, where, "heads", 1, KWS_MAX_HEADS, &heads, err))
	    || (s = kws_json_bool(conf, where, "forget", &forgets, err)))
		return s;
	if (hdim % heads)
		return kws_fail(err, KWS_ERR_FORMAT, "%s: heads: %zu do not divide hdim, %zu",
				where, heads, hdim);
	char name[256];
	snprintf(name, sizeof name, "%sadditive.", prefix);
	return kws_additive_init(&a->additive, hdim, heads, forgets, ts, name, err);
}

static enum kws_status create(kws_attention **out, const kws_attention_kind *kind,
			      const json_t *conf, const char *where, size_t hdim, kws_tensors *ts,
			      const char *prefix, kws_error *err)
{
	*out = NULL;
	gated *a = calloc(1, sizeof *a);
	if (!a)
		return kws_fail(err, KWS_ERR_NOMEM, "out of memory");
	a->base.kind = kind;
	a->base.zdim = hdim;
	const enum kws_status s = read_all(a, conf, where, hdim, ts, prefix, err);
	if (s) {
		destroy(&a->base);
		return s;
	}
	a->base.state_bytes = kws_additive_state(&a->additive) * sizeof(float);
	a->base.scratch_floats = kws_additive_scratch(&a->additive);
	*out = &a->base;
	return KWS_OK;
}

static void run(const kws_attention *base, void *state, float *scratch, const float *q,
		const float *k, float *v, size_t t)
{
	kws_additive_run(&((const gated *)base)->additive, state, scratch, q, k, t, v);
}

static const char *const keys[] = { "heads", "forget", NULL };

const kws_attention_kind kws_additive_attention = { "additive", keys, false, create, destroy, run };
