#include "model/nffn.h"

#include "model/json.h"
#include "model/norm.h"
#include "vec/vec.h"

#include <stdio.h>
#include <stdlib.h>

typedef struct {
	kws_layer base;
	size_t dim, ffn;
	bool prenorm;
	kws_norm norm;
	kws_gemm fc1, fc2;
	float *b1, *b2; /* (ffn,), (dim,) */
} nffn;

static void destroy(kws_layer *base)
{
	nffn *l = (nffn *)base;
	kws_norm_free(&l->norm);
	kws_gemm_free(&l->fc1);
	kws_gemm_free(&l->fc2);
	free(l->b1);
	free(l->b2);
	free(l);
}

static enum kws_status read_all(nffn *l, const json_t *conf, const char *where, kws_tensors *ts,
				const char *prefix, kws_error *err)
{
	static const char *const keys[] = { "kind", "ffn", "norm", "prenorm", NULL };
	size_t norm = 0;
	char norms[256];
	float *w1 = NULL, *w2 = NULL;
	enum kws_status s;
	snprintf(norms, sizeof norms, "%snorm.norm.", prefix);
	if ((s = kws_json_keys(conf, where, keys, NULL, err))
	    || (s = kws_json_size(conf, where, "ffn", 1, 1024, &l->ffn, err))
	    || (s = kws_json_choice(conf, where, "norm", kws_norm_names, &norm, err))
	    || (s = kws_json_bool(conf, where, "prenorm", &l->prenorm, err))
	    || (s = kws_norm_init(&l->norm, norm, KWS_EPS, l->dim, ts, norms, err)))
		return s;
	const size_t shape1[] = { l->ffn, l->dim }, shape2[] = { l->dim, l->ffn };
	if (!(s = kws_tensors_take(&w1, ts, prefix, "fc1.weight", 2, shape1, err))
	    && !(s = kws_tensors_take(&l->b1, ts, prefix, "fc1.bias", 1, shape1, err))
	    && !(s = kws_tensors_take(&w2, ts, prefix, "fc2.weight", 2, shape2, err))
	    && !(s = kws_tensors_take(&l->b2, ts, prefix, "fc2.bias", 1, shape2, err))
	    && (kws_gemm_init(&l->fc1, w1, l->dim, &l->ffn, 1)
		|| kws_gemm_init(&l->fc2, w2, l->ffn, &l->dim, 1)))
		s = kws_fail(err, KWS_ERR_NOMEM, "out of memory");
	free(w1);
	free(w2);
	return s;
}

static enum kws_status create(kws_layer **out, const json_t *conf, const char *where, size_t dim,
			      kws_tensors *ts, const char *prefix, kws_error *err)
{
	nffn *l = calloc(1, sizeof *l);
	if (!l)
		return kws_fail(err, KWS_ERR_NOMEM, "out of memory");
	l->base.kind = &kws_nffn_kind;
	l->dim = dim;
	const enum kws_status s = read_all(l, conf, where, ts, prefix, err);
	if (s) {
		destroy(&l->base);
		return s;
	}
	l->base.scratch_floats = KWS_BLOCK * (kws_pad(dim) + kws_pad(l->ffn));
	l->base.products[0] = &l->fc1;
	l->base.products[1] = &l->fc2;
	*out = &l->base;
	return KWS_OK;
}

static void run(const kws_layer *base, void *state, float *scratch, float *x, kws_rows rows)
{
	const nffn *l = (const nffn *)base;
	const kws_vec *vec = kws_vec_get();
	const size_t ld = kws_pad(l->dim), ld_f = kws_pad(l->ffn);
	const size_t first = rows.first * ld, end = rows.first + rows.n;
	float *xn = scratch;		/* (KWS_BLOCK, ld) normalised input; later W_2 f */
	float *f = xn + KWS_BLOCK * ld; /* (KWS_BLOCK, ld_f) */
	(void)state;

	if (l->prenorm)
		kws_norm_run(&l->norm, x + first, ld, rows.n, xn + first);
	kws_gemm_run(&l->fc1, l->prenorm ? xn : x, ld, rows, f);
	vec->silu(f + rows.first * ld_f, ld_f, rows.n, l->b1, l->ffn);
	kws_gemm_run(&l->fc2, f, ld_f, rows, xn);
	vec->bias(xn + first, ld, rows.n, l->b2, l->dim);
	for (size_t i = rows.first; i < end; i++)
		vec->add(x + i * ld, x + i * ld, xn + i * ld, l->dim);
	if (!l->prenorm)
		kws_norm_run(&l->norm, x + first, ld, rows.n, x + first);
}

const kws_layer_kind kws_nffn_kind = { "nffn", create, destroy, run, NULL };
