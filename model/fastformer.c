#include "model/fastformer.h"

#include "model/fastself.h"
#include "model/json.h"
#include "model/norm.h"
#include "vec/vec.h"

#include <stdio.h>
#include <stdlib.h>

typedef struct {
	kws_layer base;
	size_t dim, ffn;
	kws_fastself self;
	kws_linear linear[3]; /* W_o, W_1, W_2 */
	kws_norm norm[2];
} fastformer;

static void destroy(kws_layer *base)
{
	fastformer *l = (fastformer *)base;
	kws_fastself_free(&l->self);
	for (size_t k = 0; k < 3; k++)
		kws_linear_free(&l->linear[k]);
	kws_norm_free(&l->norm[0]);
	kws_norm_free(&l->norm[1]);
	free(l);
}

static enum kws_status read_conf(fastformer *l, const json_t *conf, const char *where,
				 size_t *heads, bool *forgets, bool *causal, kws_error *err)
{
	static const char *const keys[] = { "kind", "heads", "ffn", "forget", "causal", NULL };
	static const char *const clip_keys[] = { "max_positions", NULL };
	enum kws_status s = kws_json_bool(conf, where, "causal", causal, err);
	if (s || (s = kws_json_keys(conf, where, keys, *causal ? NULL : clip_keys, err))
	    || (s = kws_json_size(conf, where, "heads", 1, KWS_MAX_HEADS, heads, err))
	    || (s = kws_json_size(conf, where, "ffn", 1, 1024, &l->ffn, err))
	    || (s = kws_json_bool(conf, where, "forget", forgets, err)))
		return s;
	if (l->dim % *heads)
		return kws_fail(err, KWS_ERR_FORMAT, "%s: heads: %zu do not divide dim, %zu", where,
				*heads, l->dim);
	if (*causal)
		return KWS_OK;
	if (*forgets)
		return kws_fail(err, KWS_ERR_FORMAT, "%s: forget: only causal attention forgets",
				where);
	return kws_json_size(conf, where, "max_positions", 1, 8192, &l->base.max_frames, err);
}

static enum kws_status read_tensors(fastformer *l, size_t heads, bool forgets, bool causal,
				    kws_tensors *ts, const char *prefix, kws_error *err)
{
	static const char *const names[] = { "attention.output.dense", "intermediate.dense",
					     "output.dense" };
	static const char *const norms[] = { "attention.output.LayerNorm.", "output.LayerNorm." };
	const size_t n_in[] = { l->dim, l->dim, l->ffn }, n_out[] = { l->dim, l->ffn, l->dim };
	char name[256];
	snprintf(name, sizeof name, "%sattention.self.", prefix);
	enum kws_status s =
		kws_fastself_init(&l->self, l->dim, heads, forgets, causal, ts, name, err);
	for (size_t k = 0; !s && k < 3; k++)
		s = kws_linear_read(&l->linear[k], ts, prefix, names[k], n_in[k], &n_out[k], 1,
				    err);
	for (size_t k = 0; !s && k < 2; k++) {
		snprintf(name, sizeof name, "%s%s", prefix, norms[k]);
		s = kws_norm_init(&l->norm[k], KWS_LAYERNORM, 1e-12f, l->dim, ts, name, err);
	}
	return s;
}

static enum kws_status create(kws_layer **out, const json_t *conf, const char *where, size_t dim,
			      kws_tensors *ts, const char *prefix, kws_error *err)
{
	size_t heads = 0;
	bool forgets = false, causal = true;
	fastformer *l = calloc(1, sizeof *l);
	if (!l)
		return kws_fail(err, KWS_ERR_NOMEM, "out of memory");
	l->base.kind = &kws_fastformer_kind;
	l->dim = dim;
	enum kws_status s = read_conf(l, conf, where, &heads, &forgets, &causal, err);
	if (!s)
		s = read_tensors(l, heads, forgets, causal, ts, prefix, err);
	if (s) {
		destroy(&l->base);
		return s;
	}
	const kws_linear *const products[] = { &l->self.query, &l->self.key,  &l->self.transform,
					       &l->linear[0],  &l->linear[1], &l->linear[2] };
	for (size_t k = 0; k < sizeof products / sizeof *products; k++)
		l->base.products[k] = products[k];
	l->base.looks = causal ? 0 : KWS_FASTSELF_LOOKS;
	l->base.state_bytes = kws_fastself_state(&l->self) * sizeof(float);
	l->base.scratch_floats =
		KWS_BLOCK * (2 * kws_pad(dim) + kws_pad(l->ffn)) + kws_fastself_scratch(&l->self);
	*out = &l->base;
	return KWS_OK;
}

static void look(const kws_layer *base, size_t n, void *state, float *scratch, const float *x,
		 size_t t)
{
	kws_fastself_look(&((const fastformer *)base)->self, n, state, scratch, x, t);
}

/* x = norm(x + y) */
static void join(const kws_norm *norm, float *x, const float *y, size_t ld, size_t t, size_t dim)
{
	for (size_t i = 0; i < t; i++)
		kws_vec_get()->add(x + i * ld, x + i * ld, y + i * ld, dim);
	kws_norm_run(norm, x, ld, t, x);
}

static void run(const kws_layer *base, const kws_span *s, size_t n_s, size_t at, float *scratch,
		float *x)
{
	const fastformer *l = (const fastformer *)base;
	const size_t ld = kws_pad(l->dim), ld_f = kws_pad(l->ffn), rows = kws_span_rows(s, n_s);
	float *r = scratch;	       /* (KWS_BLOCK, ld) */
	float *y = r + KWS_BLOCK * ld; /* (KWS_BLOCK, ld) */
	float *f = y + KWS_BLOCK * ld; /* (KWS_BLOCK, ld_f) */
	float *rest = f + KWS_BLOCK * ld_f;
	kws_fastself_run(&l->self, s, n_s, at, rest, x, r);
	kws_linear_run(&l->linear[0], r, ld, rows, y);
	join(&l->norm[0], x, y, ld, rows, l->dim);
	kws_linear_run(&l->linear[1], x, ld, rows, f);
	kws_vec_get()->gelu(f, ld_f, rows, l->ffn);
	kws_linear_run(&l->linear[2], f, ld_f, rows, y);
	join(&l->norm[1], x, y, ld, rows, l->dim);
}

const kws_layer_kind kws_fastformer_kind = { "fastformer", create, destroy, run, look };
