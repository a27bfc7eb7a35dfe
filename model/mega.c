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
		ld_h; /* padded; a row of mx_proj's output is u (ld) | z (ld_z) | r (ld_h) | hx (ld) */
	bool prenorm;
	kws_norm norm;
	kws_ema ema;
	kws_attention *attention;
	kws_gemm v_proj, mx_proj,
		h_proj; /* v_proj only if the attention wants values of their own */
	float *v_bias,
		*mx_bias; /* mx_bias is padded like a row of mx_proj; h_proj's bias is added to its hx */
	float *gamma, *beta; /* (2, zdim) */
} mega;

static void destroy(kws_layer *base)
{
	mega *l = (mega *)base;
	kws_norm_free(&l->norm);
	kws_ema_free(&l->ema);
	kws_attention_destroy(l->attention);
	kws_gemm_free(&l->v_proj);
	kws_gemm_free(&l->mx_proj);
	kws_gemm_free(&l->h_proj);
	free(l->v_bias);
	free(l->mx_bias);
	free(l->gamma);
	free(l->beta);
	free(l);
}

/* Everything that conf and the norm, EMA and attention tensors say. */
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

/* Biases in the layout of their products' rows. */
static enum kws_status pack_biases(mega *l, const float *v, const float *mx, const float *h)
{
	l->v_bias = calloc(l->ld_h, sizeof *l->v_bias);
	l->mx_bias = calloc(l->mx_proj.n_out, sizeof *l->mx_bias);
	if (!l->v_bias || !l->mx_bias)
		return KWS_ERR_NOMEM;
	const size_t part[] = { l->dim, l->zdim, l->hdim, l->dim };
	if (v)
		memcpy(l->v_bias, v, l->hdim * sizeof *v);
	for (size_t p = 0, from = 0, to = 0; p < 4; from += part[p], to += kws_pad(part[p]), p++)
		memcpy(l->mx_bias + to, mx + from, part[p] * sizeof *mx);
	float *hx = l->mx_bias + l->mx_proj.n_out - l->ld;
	for (size_t i = 0; i < l->dim; i++)
		hx[i] += h[i];
	return KWS_OK;
}

static enum kws_status read_projections(mega *l, kws_tensors *ts, const char *prefix,
					kws_error *err)
{
	const size_t d = l->dim, z = l->zdim, h = l->hdim, part[] = { d, z, h, d };
	const size_t affine[] = { 2, z }, v_shape[] = { h, d }, mx_shape[] = { 2 * d + z + h, d },
		     h_shape[] = { d, h };
	const size_t *const shape[] = { v_shape, mx_shape, h_shape };
	static const char *const weights[] = { "v_proj.weight", "mx_proj.weight", "h_proj.weight" };
	static const char *const biases[] = { "v_proj.bias", "mx_proj.bias", "h_proj.bias" };
	float *w[3] = { NULL }, *b[3] = { NULL };
	enum kws_status s = KWS_OK;
	if (z)
		s = kws_tensors_take(&l->gamma, ts, prefix, "gamma", 2, affine, err);
	if (!s && z)
		s = kws_tensors_take(&l->beta, ts, prefix, "beta", 2, affine, err);
	const size_t start = l->attention->kind->values ? 0 : 1;
	for (size_t k = start; !s && k < 3; k++) {
		s = kws_tensors_take(&w[k], ts, prefix, weights[k], 2, shape[k], err);
		if (!s)
			s = kws_tensors_take(&b[k], ts, prefix, biases[k], 1, shape[k], err);
	}
	if (!s
	    && ((w[0] && kws_gemm_init(&l->v_proj, w[0], d, &h, 1))
		|| kws_gemm_init(&l->mx_proj, w[1], d, part, 4)
		|| kws_gemm_init(&l->h_proj, w[2], h, &d, 1) || pack_biases(l, b[0], b[1], b[2])))
		s = kws_fail(err, KWS_ERR_NOMEM, "out of memory");
	for (size_t k = 0; k < 3; k++) {
		free(w[k]);
		free(b[k]);
	}
	return s;
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
	if (l->v_proj.w)
		l->base.products[n++] = &l->v_proj;
	l->base.products[n++] = &l->mx_proj;
	l->base.products[n] = &l->h_proj;
	*out = &l->base;
	return KWS_OK;
}

static void run(const kws_layer *base, void *state, float *scratch, float *x, kws_rows rows)
{
	const mega *l = (const mega *)base;
	const kws_vec *vec = kws_vec_get();
	const size_t ld = l->ld, ld_h = l->ld_h, ld_mx = l->mx_proj.n_out;
	const size_t first = rows.first * ld, end = rows.first + rows.n;
	float *ema_state = state, *memory = ema_state + kws_ema_state(&l->ema);
	float *xn = scratch;		   /* (KWS_BLOCK, ld) normalised input */
	float *m = xn + KWS_BLOCK * ld;	   /* (KWS_BLOCK, ld) EMA output; later W_h (o r) */
	float *v = m + KWS_BLOCK * ld;	   /* (KWS_BLOCK, ld_h) values; then o, then o r */
	float *mx = v + KWS_BLOCK * ld_h;  /* (KWS_BLOCK, ld_mx) u | z | r | hx */
	float *q = mx + KWS_BLOCK * ld_mx; /* (KWS_BLOCK, ld_z) */
	float *k = q + KWS_BLOCK * l->ld_z, *rest = k + KWS_BLOCK * l->ld_z;

	if (l->prenorm)
		kws_norm_run(&l->norm, x + first, ld, rows.n, xn + first);
	const float *in = l->prenorm ? xn : x;
	if (l->v_proj.w) {
		kws_gemm_run(&l->v_proj, in, ld, rows, v);
		vec->silu(v + rows.first * ld_h, ld_h, rows.n, l->v_bias, l->hdim);
	}
	kws_ema_run(&l->ema, ema_state, in + first, rows.n, m + first);
	kws_gemm_run(&l->mx_proj, m, ld, rows, mx);
	float *u = mx + rows.first * ld_mx, *r = u + ld + l->ld_z;
	vec->sigmoid(u, ld_mx, rows.n, l->mx_bias, l->dim);
	vec->silu(u + ld, ld_mx, rows.n, l->mx_bias + ld, l->zdim);
	vec->silu(r, ld_mx, rows.n, l->mx_bias + ld + l->ld_z, l->hdim);
	for (size_t i = rows.first; l->zdim && i < end; i++) {
		const float *z = mx + i * ld_mx + ld;
		vec->affine(q + i * l->ld_z, z, l->gamma, l->beta, l->zdim);
		vec->affine(k + i * l->ld_z, z, l->gamma + l->zdim, l->beta + l->zdim, l->zdim);
	}
	l->attention->kind->run(l->attention, memory, rest, q, k, v, rows);
	for (size_t i = rows.first; i < end; i++)
		vec->mul(v + i * ld_h, v + i * ld_h, mx + i * ld_mx + ld + l->ld_z, l->hdim);
	kws_gemm_run(&l->h_proj, v, ld_h, rows, m);
	for (size_t i = rows.first; i < end; i++)
		vec->add(m + i * ld, m + i * ld, mx + i * ld_mx + ld_mx - ld, l->dim);
	vec->silu(m + first, ld, rows.n, l->mx_bias + ld_mx - ld, l->dim);
	for (size_t i = rows.first; i < end; i++)
		vec->gate(x + i * ld, mx + i * ld_mx, m + i * ld, l->dim);
	if (!l->prenorm)
		kws_norm_run(&l->norm, x + first, ld, rows.n, x + first);
}

const kws_layer_kind kws_mega_kind = { "mega", create, destroy, run, NULL };
