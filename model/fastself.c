#include "model/fastself.h"

#include "vec/vec.h"

enum kws_status kws_fastself_init(kws_fastself *f, size_t dim, size_t heads, bool forgets,
				  bool causal, kws_tensors *ts, const char *prefix, kws_error *err)
{
	enum kws_status status;
	*f = (kws_fastself){ .causal = causal };
	if ((status = kws_linear_read(&f->query, ts, prefix, "query", dim, &dim, 1, err))
	    || (status = kws_linear_read(&f->key, ts, prefix, "key", dim, &dim, 1, err))
	    || (status =
			kws_linear_read(&f->transform, ts, prefix, "transform", dim, &dim, 1, err)))
		return status;
	return kws_additive_init(&f->additive, dim, heads, forgets, ts, prefix, err);
}

void kws_fastself_free(kws_fastself *f)
{
	kws_linear_free(&f->query);
	kws_linear_free(&f->key);
	kws_linear_free(&f->transform);
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

void kws_fastself_look(const kws_fastself *f, size_t look, float *state, float *scratch,
		       const float *x, size_t t)
{
	const kws_additive *a = &f->additive;
	float *q = scratch, *p = q + KWS_BLOCK * a->ld, *rest = p + KWS_BLOCK * a->ld;
	if (look == KWS_QUERIES) {
		kws_linear_run(&f->query, x, a->ld, t, q);
		kws_additive_pool(a, KWS_QUERIES, state, rest, q, q, t, p);
	} else {
		kws_linear_run(&f->key, x, a->ld, t, q);
		kws_additive_hold(a, KWS_QUERIES, state, q, t, p);
		kws_additive_pool(a, KWS_KEYS, state, rest, p, p, t, q);
	}
}

void kws_fastself_run(const kws_fastself *f, const kws_span *s, size_t n_s, size_t at,
		      float *scratch, const float *x, float *r)
{
	const kws_additive *a = &f->additive;
	const size_t rows = kws_span_rows(s, n_s);
	float *q = scratch, *o = q + KWS_BLOCK * a->ld,
	      *rest = o + KWS_BLOCK * a->ld; /* o holds the keys first */
	kws_linear_run(&f->query, x, a->ld, rows, q);
	if (f->causal)
		kws_linear_run(&f->key, x, a->ld, rows, o);
	for (size_t i = 0, row = 0; i < n_s; row += s[i].n * a->ld, i++) {
		float *state = (float *)(void *)(s[i].state + at);
		if (f->causal)
			kws_additive_run(a, state, rest, q + row, o + row, s[i].n, o + row);
		else
			kws_additive_hold(a, KWS_KEYS, state, q + row, s[i].n, o + row);
	}
	kws_linear_run(&f->transform, o, a->ld, rows, r);
	for (size_t i = 0; i < rows; i++)
		kws_vec_get()->add(r + i * a->ld, r + i * a->ld, q + i * a->ld, a->dim);
}
