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
	kws_linear fc1, fc2;
} nffn;

static void destroy(kws_layer *base)
{
	nffn *l = (nffn *)base;
	kws_norm_free(&l->norm);
	kws_linear_free(&l->fc1);
	kws_linear_free(&l->fc2);
	free(l);
}

static enum kws_status read_all(nffn *l, const json_t *conf, const char *where, kws_tensors *ts,
				const char *prefix, kws_error *err)
{
	static const char *const keys[] = { "kind", "ffn", "norm", "prenorm", NULL };
	size_t norm = 0;
	char norms[256];
	enum kws_status s;
	snprintf(norms, sizeof norms, "%snorm.norm.", prefix);
	if ((s = kws_json_keys(conf, where, keys, NULL, err))
	    || (s = kws_json_size(conf, where, "ffn", 1, 1024, &l->ffn, err))
	    || (s = kws_json_choice(conf, where, "norm", kws_norm_names, &norm, err))
	    || (s = kws_json_bool(conf, where, "prenorm", &l->prenorm, err))
	    || (s = kws_norm_init(&l->norm, norm, KWS_EPS, l->dim, ts, norms, err))
	    || (s = kws_linear_read(&l->fc1, ts, prefix, "fc1", l->dim, &l->ffn, 1, err)))
		return s;
	return kws_linear_read(&l->fc2, ts, prefix, "fc2", l->ffn, &l->dim, 1, err);
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

static void run(const kws_layer *base, const kws_span *s, size_t n_s, size_t at, float *scratch,
		float *x)
{
	const nffn *l = (const nffn *)base;
	const kws_vec *vec = kws_vec_get();
	const size_t ld = kws_pad(l->dim), ld_f = kws_pad(l->ffn), rows = kws_span_rows(s, n_s);
	float *xn = scratch;		/* (KWS_BLOCK, ld) normalised input; later W_2 f */
	float *f = xn + KWS_BLOCK * ld; /* (KWS_BLOCK, ld_f) */
	(void)at;

	if (l->prenorm)
		kws_norm_run(&l->norm, x, ld, rows, xn);
	kws_linear_run(&l->fc1, l->prenorm ? xn : x, ld, rows, f);
	vec->silu(f, ld_f, rows, l->ffn);
	kws_linear_run(&l->fc2, f, ld_f, rows, xn);
	for (size_t i = 0; i < rows; i++)
		vec->add(x + i * ld, x + i * ld, xn + i * ld, l->dim);
	if (!l->prenorm)
		kws_norm_run(&l->norm, x, ld, rows, x);
}

const kws_layer_kind kws_nffn_kind = { "nffn", create, destroy, run, NULL };
