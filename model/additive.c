#include "model/additive.h"

#include "model/json.h"
#include "vec/vec.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* One pool of a stream. It holds a mean and not a sum: nothing in it can grow without end. */
typedef struct {
	float *top;  /* (ld_s,) the score whose weight was 1, */
	float *age;  /* (ld_s,) that many frames ago; exact up to 2^24, then the pool forgets as if its rate were 0 */
	float *sum;  /* (ld_s,) of the weights, at least 1; 0: no frame yet */
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

static enum kws_status read_score(kws_additive *a, int pool, kws_tensors *ts, const char *prefix, kws_error *err)
{
	static const char *const weight[] = { "query_att.weight", "key_att.weight" };
	static const char *const bias[] = { "query_att.bias", "key_att.bias" };
	const size_t shape[] = { a->heads, a->dim };
	const float scale = 1.0f / sqrtf((float)(a->dim / a->heads));
	float *w;
	enum kws_status s = kws_tensors_take(&w, ts, prefix, weight[pool], 2, shape, err);
	if (!s)
		s = kws_tensors_take(&a->bias[pool], ts, prefix, bias[pool], 1, shape, err);
	for (size_t i = 0; !s && i < a->heads * a->dim; i++)
		w[i] *= scale;
	for (size_t h = 0; !s && h < a->heads; h++)
		a->bias[pool][h] *= scale;
	if (!s && kws_gemm_init(&a->score[pool], w, a->dim, &a->heads, 1))
		s = kws_fail(err, KWS_ERR_NOMEM, "out of memory");
	free(w);
	return s;
}

static enum kws_status read_rates(kws_additive *a, bool forgets, kws_tensors *ts, const char *prefix, kws_error *err)
{
	const size_t shape[] = { 2, a->heads };
	if (!forgets) {
		a->rate = calloc(2 * a->heads, sizeof *a->rate);
		return a->rate ? KWS_OK : kws_fail(err, KWS_ERR_NOMEM, "out of memory");
	}
	const enum kws_status s = kws_tensors_take(&a->rate, ts, prefix, "forget", 2, shape, err);
	for (size_t i = 0; !s && i < 2 * a->heads; i++) /* log(1 + exp(x)), for any x */
		a->rate[i] = (float)(fmax((double)a->rate[i], 0.0) + log1p(exp(-fabs((double)a->rate[i]))));
	return s;
}

enum kws_status kws_additive_init(kws_additive *a, size_t dim, size_t heads, bool forgets, kws_tensors *ts,
				  const char *prefix, kws_error *err)
{
	*a = (kws_additive){ .dim = dim, .heads = heads, .ld = kws_pad(dim), .ld_s = kws_pad(heads) };
	enum kws_status s = read_score(a, KWS_QUERIES, ts, prefix, err);
	if (!s)
		s = read_score(a, KWS_KEYS, ts, prefix, err);
	return s ? s : read_rates(a, forgets, ts, prefix, err);
}

void kws_additive_free(kws_additive *a)
{
	for (int pool = 0; pool < 2; pool++) {
		kws_gemm_free(&a->score[pool]);
		free(a->bias[pool]);
	}
	free(a->rate);
	*a = (kws_additive){ 0 };
}

size_t kws_additive_state(const kws_additive *a)
{
	return 2 * pool_floats(a);
}

size_t kws_additive_scratch(const kws_additive *a)
{
	return KWS_BLOCK * (a->ld_s + a->ld) + a->ld_s + a->ld;
}

/* One frame: d is how far its score stands above the decayed weight of the top. The larger of the two weighs 1, the
 * other exp(-|d|), so that no exponent is above 0. w (heads,) is the share of the new frame in the new mean. */
static void weigh(const pool_state *p, const float *rate, const float *score, const float *bias, size_t heads, float *w)
{
	for (size_t h = 0; h < heads; h++) {
		p->age[h] += 1.0f;
		w[h] = -fabsf(score[h] + bias[h] - (p->top[h] - rate[h] * p->age[h]));
	}
	kws_vec_get()->exp(w, heads);
	for (size_t h = 0; h < heads; h++) {
		const float e = score[h] + bias[h];
		if (p->sum[h] > 0.0f && !(e > p->top[h] - rate[h] * p->age[h])) {
			p->sum[h] += w[h];
			w[h] /= p->sum[h];
		} else {
			p->sum[h] = p->sum[h] * w[h] + 1.0f;
			w[h] = 1.0f / p->sum[h];
			p->top[h] = e;
			p->age[h] = 0.0f;
		}
	}
}

void kws_additive_pool(const kws_additive *a, int pool, float *state, float *scratch, const float *x, const float *with,
		       kws_rows rows, float *y)
{
	const kws_vec *vec = kws_vec_get();
	const pool_state p = pool_at(a, pool, state);
	const size_t head = a->dim / a->heads;
	float *score = scratch;                    /* (KWS_BLOCK, ld_s) */
	float *w = scratch + KWS_BLOCK * a->ld_s;  /* (ld_s,) a head's weight */
	float *share = w + a->ld_s;                /* (ld,) the same for each channel */
	kws_gemm_run(&a->score[pool], x, a->ld, rows, score);
	for (size_t i = rows.first; i < rows.first + rows.n; i++) {
		weigh(&p, a->rate + (size_t)pool * a->heads, score + i * a->ld_s, a->bias[pool], a->heads, w);
		for (size_t c = 0; c < a->dim; c++)
			share[c] = w[c / head];
		vec->gate(p.mean, share, x + i * a->ld, a->dim);
		vec->mul(y + i * a->ld, with + i * a->ld, p.mean, a->dim);
	}
}

void kws_additive_hold(const kws_additive *a, int pool, const float *state, const float *with, kws_rows rows, float *y)
{
	const float *mean = state + (size_t)pool * pool_floats(a) + 3 * a->ld_s;
	for (size_t i = rows.first; i < rows.first + rows.n; i++)
		kws_vec_get()->mul(y + i * a->ld, with + i * a->ld, mean, a->dim);
}

void kws_additive_run(const kws_additive *a, float *state, float *scratch, const float *q, const float *k, kws_rows rows,
		      float *o)
{
	float *p = scratch, *rest = p + KWS_BLOCK * a->ld; /* p (KWS_BLOCK, ld) */
	kws_additive_pool(a, KWS_QUERIES, state, rest, q, k, rows, p);
	kws_additive_pool(a, KWS_KEYS, state, rest, p, q, rows, o);
}

/* ---- in the gated block ---------------------------------------------------------------------------------------- */

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

static enum kws_status read_all(gated *a, const json_t *conf, const char *where, size_t zdim, size_t hdim,
				kws_tensors *ts, const char *prefix, kws_error *err)
{
	size_t heads = 0;
	bool forgets = false;
	enum kws_status s;
	if ((s = kws_json_size(conf, where, "heads", 1, 64, &heads, err)) ||
	    (s = kws_json_bool(conf, where, "forget", &forgets, err)))
		return s;
	if (zdim != hdim)
		return kws_fail(err, KWS_ERR_FORMAT, "%s: zdim: additive attention wants hdim, %zu", where, hdim);
	if (hdim % heads)
		return kws_fail(err, KWS_ERR_FORMAT, "%s: heads: %zu do not divide hdim, %zu", where, heads, hdim);
	return kws_additive_init(&a->additive, hdim, heads, forgets, ts, prefix, err);
}

static enum kws_status create(kws_attention **out, const kws_attention_kind *kind, const json_t *conf, const char *where,
			      size_t zdim, size_t hdim, kws_tensors *ts, const char *prefix, kws_error *err)
{
	*out = NULL;
	gated *a = calloc(1, sizeof *a);
	if (!a)
		return kws_fail(err, KWS_ERR_NOMEM, "out of memory");
	a->base.kind = kind;
	const enum kws_status s = read_all(a, conf, where, zdim, hdim, ts, prefix, err);
	if (s) {
		destroy(&a->base);
		return s;
	}
	a->base.state_bytes = kws_additive_state(&a->additive) * sizeof(float);
	a->base.scratch_floats = kws_additive_scratch(&a->additive);
	a->base.products[0] = &a->additive.score[KWS_QUERIES];
	a->base.products[1] = &a->additive.score[KWS_KEYS];
	*out = &a->base;
	return KWS_OK;
}

static void run(const kws_attention *base, void *state, float *scratch, const float *q, const float *k, float *v,
		kws_rows rows)
{
	kws_additive_run(&((const gated *)base)->additive, state, scratch, q, k, rows, v);
}

static const char *const keys[] = { "heads", "forget", NULL };

const kws_attention_kind kws_additive_attention = { "additive", keys, false, create, destroy, run };
