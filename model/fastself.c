#include "model/fastself.h"

#include "vec/vec.h"

#include <stdlib.h>

/* A square one. */
static enum kws_status read_linear(kws_gemm *g, float **bias, size_t dim, kws_tensors *ts,
				   const char *prefix, const char *weight_name,
				   const char *bias_name, kws_error *err)
{
	const size_t shape[] = { dim, dim };
	float *w;
	enum kws_status s = kws_tensors_take(&w, ts, prefix, weight_name, 2, shape, err);
	if (!s)
		s = kws_tensors_take(bias, ts, prefix, bias_name, 1, shape, err);
	if (!s && kws_gemm_init(g, w, dim, &dim, 1))
		s = kws_fail(err, KWS_ERR_NOMEM, "out of memory");
	free(w);
	return s;
}

enum kws_status kws_fastself_init(kws_fastself *f, size_t dim, size_t heads, bool forgets,
				  bool causal, kws_tensors *ts, const char *prefix, kws_error *err)
{
	enum kws_status s;
	*f = (kws_fastself){ .causal = causal };
	if ((s = read_linear(&f->query, &f->query_bias, dim, ts, prefix, "query.weight",
			     "query.bias", err))
	    || (s = read_linear(&f->key, &f->key_bias, dim, ts, prefix, "key.weight", "key.bias",
				err))
	    || (s = read_linear(&f->transform, &f->transform_bias, dim, ts, prefix,
				"transform.weight", "transform.bias", err)))
		return s;
	return kws_additive_init(&f->additive, dim, heads, forgets, ts, prefix, err);
}

void kws_fastself_free(kws_fastself *f)
{
	kws_gemm_free(&f->query);
	kws_gemm_free(&f->key);
	kws_gemm_free(&f->transform);
	free(f->query_bias);
	free(f->key_bias);
	free(f->transform_bias);
	kws_additive_free(&f->additive);
	*f = (kws_fastself){ 0 };
}

size_t kws_fastself_state(const kws_fastself *f)
{
	return kws_additive_state(&f->additive);
}

size_t kws_fastself_scratch(const kws_fastself *f)
{
	return 2 * KWS_BLOCK * f->additive.ld + kws_additive_scratch(&f->additive);
}

static void project(const kws_gemm *g, const float *bias, size_t dim, const float *x, kws_rows rows,
		    float *y)
{
	kws_gemm_run(g, x, g->n_out, rows, y);
	kws_vec_get()->bias(y + rows.first * g->n_out, g->n_out, rows.n, bias, dim);
}

void kws_fastself_look(const kws_fastself *f, size_t look, float *state, float *scratch,
		       const float *x, kws_rows rows)
{
	const kws_additive *a = &f->additive;
	float *q = scratch, *p = q + KWS_BLOCK * a->ld, *rest = p + KWS_BLOCK * a->ld;
	if (look == KWS_QUERIES) {
		project(&f->query, f->query_bias, a->dim, x, rows, q);
		kws_additive_pool(a, KWS_QUERIES, state, rest, q, q, rows, p);
	} else {
		project(&f->key, f->key_bias, a->dim, x, rows, q);
		kws_additive_hold(a, KWS_QUERIES, state, q, rows, p);
		kws_additive_pool(a, KWS_KEYS, state, rest, p, p, rows, q);
	}
}

void kws_fastself_run(const kws_fastself *f, float *state, float *scratch, const float *x,
		      kws_rows rows, float *r)
{
	const kws_additive *a = &f->additive;
	float *q = scratch, *o = q + KWS_BLOCK * a->ld,
	      *rest = o + KWS_BLOCK * a->ld; /* o: first the keys */
	project(&f->query, f->query_bias, a->dim, x, rows, q);
	if (f->causal) {
		project(&f->key, f->key_bias, a->dim, x, rows, o);
		kws_additive_run(a, state, rest, q, o, rows, o);
	} else {
		kws_additive_hold(a, KWS_KEYS, state, q, rows, o);
	}
	project(&f->transform, f->transform_bias, a->dim, o, rows, r);
	for (size_t i = rows.first; i < rows.first + rows.n; i++)
		kws_vec_get()->add(r + i * a->ld, r + i * a->ld, q + i * a->ld, a->dim);
}
