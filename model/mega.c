#include "model/mega.h"

#include "model/attention.h"
#include "model/ema.h"
#include "model/json.h"
#include "model/norm.h"
#include "vec/vec.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
	kws_layer base;
	size_t dim, zdim, hdim;
	size_t ld, ld_z,
		ld_h; /* padded; mx_proj's rows are u (ld) | z (ld_z) | r (ld_h) | hx (ld) */
	bool prenorm;
	kws_norm norm;
	kws_ema ema;
	kws_attention *attention;
	kws_linear v_proj, mx_proj, h_proj; /* v_proj only if the attention takes values */
	float *gamma, *beta;		    /* (2, zdim) */
} mega;

static void destroy(kws_layer *base)
{
	mega *l = (mega *)base;
	kws_norm_free(&l->norm);
	kws_ema_free(&l->ema);
	kws_attention_destroy(l->attention);
	kws_linear_free(&l->v_proj);
	kws_linear_free(&l->mx_proj);
	kws_linear_free(&l->h_proj);
	free(l->gamma);
	free(l->beta);
	free(l);
}

/* Read conf and the tensors of the norm, the EMA and the attention. */
static enum kws_status read_parts(mega *l, const json_t *conf, const char *where, kws_tensors *ts,
				  const char *prefix, kws_error *err)
{
	static const char *const keys[] = { "kind", "hdim",    "ndim", "attention",
					    "norm", "prenorm", NULL };
	const kws_attention_kind *attention = NULL;
	size_t ndim = 0, norm = 0;
	enum kws_status s;
	if ((s = kws_attention_find(&attention, conf, where, err))
	    || (s = kws_json_keys(conf, where, keys, attention->keys, err))
	    || (s = kws_json_size(conf, where, "hdim", 1, 1024, &l->hdim, err))
	    || (s = kws_json_size(conf, where, "ndim", 0, 64, &ndim, err))
	    || (s = kws_json_choice(conf, where, "norm", kws_norm_names, &norm, err))
	    || (s = kws_json_bool(conf, where, "prenorm", &l->prenorm, err)))
		return s;
	char norms[256], move[256];
	snprintf(norms, sizeof norms, "%snorm.norm.", prefix);
	snprintf(move, sizeof move, "%smove.", prefix);
	if ((s = kws_norm_init(&l->norm, norm, KWS_EPS, l->dim, ts, norms, err))
	    || (s = kws_ema_init(&l->ema, l->dim, ndim, ts, move, err)))
		return s;
	return attention->create(&l->attention, attention, conf, where, l->hdim, ts, prefix, err);
}

static enum kws_status read_projections(mega *l, kws_tensors *ts, const char *prefix,
					kws_error *err)
{
	const size_t d = l->dim, h = l->hdim, part[] = { d, l->zdim, h, d },
		     affine[] = { 2, l->zdim };
	enum kws_status s = KWS_OK;
	if (l->zdim)
		s = kws_tensors_take(&l->gamma, ts, prefix, "gamma", 2, affine, err);
	if (!s && l->zdim)
		s = kws_tensors_take(&l->beta, ts, prefix, "beta", 2, affine, err);
	if (!s && l->attention->kind->values)
		s = kws_linear_read(&l->v_proj, ts, prefix, "v_proj", d, &h, 1, err);
	if (!s)
		s = kws_linear_read(&l->mx_proj, ts, prefix, "mx_proj", d, part, 4, err);
	return s ? s : kws_linear_read(&l->h_proj, ts, prefix, "h_proj", h, &d, 1, err);
}

static enum kws_status create(kws_layer **out, const json_t *conf, const char *where, size_t dim,
			      kws_tensors *ts, const char *prefix, kws_error *err)
{
	mega *l = calloc(1, sizeof *l);
	if (!l)
		return kws_fail(err, KWS_ERR_NOMEM, "out of memory");
	l->base.kind = &kws_mega_kind;
	l->dim = dim;
	enum kws_status s = read_parts(l, conf, where, ts, prefix, err);
	if (!s) {
		l->zdim = l->attention->zdim;
		l->ld = kws_pad(dim);
		l->ld_z = kws_pad(l->zdim);
		l->ld_h = kws_pad(l->hdim);
		s = read_projections(l, ts, prefix, err);
	}
	if (s) {
		destroy(&l->base);
		return s;
	}
	l->base.state_bytes = kws_ema_state(&l->ema) * sizeof(float) + l->attention->state_bytes;
	l->base.scratch_floats = KWS_BLOCK * (2 * l->ld + l->ld_h + l->mx_proj.n_out + 2 * l->ld_z)
				 + l->attention->scratch_floats;
	l->base.max_frames = l->attention->max_frames;
	size_t n = 0;
	if (l->v_proj.n_in)
		l->base.products[n++] = &l->v_proj;
	l->base.products[n++] = &l->mx_proj;
	l->base.products[n] = &l->h_proj;
	*out = &l->base;
	return KWS_OK;
}

static void run(const kws_layer *base, const kws_span *s, size_t n_s, size_t at, float *scratch,
		float *x)
{
	const mega *l = (const mega *)base;
	const kws_vec *vec = kws_vec_get();
	const size_t ld = l->ld, ld_h = l->ld_h, ld_z = l->ld_z, ld_mx = l->mx_proj.n_out;
	const size_t rows = kws_span_rows(s, n_s);
	float *xn = scratch;		   /* (KWS_BLOCK, ld) normalised input */
	float *m = xn + KWS_BLOCK * ld;	   /* (KWS_BLOCK, ld) EMA output; later W_h (o r) */
	float *v = m + KWS_BLOCK * ld;	   /* (KWS_BLOCK, ld_h) values; then o, then o r */
	float *mx = v + KWS_BLOCK * ld_h;  /* (KWS_BLOCK, ld_mx) u | z | r | hx */
	float *q = mx + KWS_BLOCK * ld_mx; /* (KWS_BLOCK, ld_z) */
	float *k = q + KWS_BLOCK * ld_z, *rest = k + KWS_BLOCK * ld_z;
	float *u = mx, *z = u + ld, *r = z + ld_z, *hx = r + ld_h;

	if (l->prenorm)
		kws_norm_run(&l->norm, x, ld, rows, xn);
	const float *in = l->prenorm ? xn : x;
	if (l->v_proj.n_in) {
		kws_linear_run(&l->v_proj, in, ld, rows, v);
		vec->silu(v, ld_h, rows, l->hdim);
	}
	for (size_t i = 0, row = 0; i < n_s; row += s[i++].n)
		kws_ema_run(&l->ema, (float *)(void *)(s[i].state + at), in + row * ld, s[i].n,
			    m + row * ld);
	kws_linear_run(&l->mx_proj, m, ld, rows, mx);
	vec->sigmoid(u, ld_mx, rows, l->dim);
	vec->silu(z, ld_mx, rows, l->zdim);
	vec->silu(r, ld_mx, rows, l->hdim);
	for (size_t i = 0; l->zdim && i < rows; i++) {
		vec->affine(q + i * ld_z, z + i * ld_mx, l->gamma, l->beta, l->zdim);
		vec->affine(k + i * ld_z, z + i * ld_mx, l->gamma + l->zdim, l->beta + l->zdim,
			    l->zdim);
	}
	at += kws_ema_state(&l->ema) * sizeof(float);
	for (size_t i = 0, row = 0; i < n_s; row += s[i++].n)
		l->attention->kind->run(l->attention, s[i].state + at, rest, q + row * ld_z,
					k + row * ld_z, v + row * ld_h, s[i].n);
	for (size_t i = 0; i < rows; i++)
		vec->mul(v + i * ld_h, v + i * ld_h, r + i * ld_mx, l->hdim);
	kws_linear_run(&l->h_proj, v, ld_h, rows, m);
	for (size_t i = 0; i < rows; i++)
		vec->add(m + i * ld, m + i * ld, hx + i * ld_mx, l->dim);
	vec->silu(m, ld, rows, l->dim);
	for (size_t i = 0; i < rows; i++)
		vec->gate(x + i * ld, u + i * ld_mx, m + i * ld, l->dim);
	if (!l->prenorm)
		kws_norm_run(&l->norm, x, ld, rows, x);
}

const kws_layer_kind kws_mega_kind = { "mega", create, destroy, run, NULL };
