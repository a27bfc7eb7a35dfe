#include "model/embed.h"

#include "model/json.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The logit before the first row: surely not. */
#define NOTHING (-30.0f)

enum {
	MAX_EVERY = 8,
	MAX_DIM = 256,
	MAX_WINDOW = 64,
	MAX_RANK = 512,
	MAX_STACK = 8,
	MAX_LAYERS = 16,
	MAX_WIDTH = 256,
	KWS_MAX_BANDS = 128
};

/* ---- from the file ---- */

static enum kws_status read_sizes(kws_embed *e, const json_t *conf, kws_error *err)
{
	static const char *const keys[] = { "every", "dim",    "window", "rank",
					    "width", "layers", NULL };
	static const char *const more[] = { "stem", "bands", "stack", NULL };
	static const char where[] = "network: embedding";
	const bool stem = json_object_get(conf, "stem"), layers = json_object_get(conf, "layers");
	enum kws_status status;
	if ((status = kws_json_keys(conf, where, keys, stem ? more : NULL, err))
	    || (status = kws_json_size(conf, where, "every", 1, MAX_EVERY, &e->every, err))
	    || (status = kws_json_size(conf, where, "dim", 1, MAX_DIM, &e->dim, err))
	    || (status = kws_json_size(conf, where, "window", 1, MAX_WINDOW, &e->window, err))
	    || (status = kws_json_size(conf, where, "rank", 1, MAX_RANK, &e->rank, err))
	    || (layers
		&& (status = kws_json_size(conf, where, "width", 1, MAX_WIDTH, &e->width, err))))
		return status;
	if (!layers && json_object_get(conf, "width"))
		return kws_fail(err, KWS_ERR_FORMAT, "%s: width: there are no layers", where);
	if (stem
	    && ((status = kws_json_size(conf, where, "bands", 1, e->n_mels, &e->bands, err))
		|| (status = kws_json_size(conf, where, "stack", 1, MAX_STACK, &e->stack, err))))
		return status;
	return KWS_OK;
}

static enum kws_status read_stem(kws_embed *e, const json_t *list, const float *quiet,
				 kws_tensors *ts, kws_error *err)
{
	float heard[KWS_MAX_BANDS];
	enum kws_status status;
	if (!list)
		return KWS_OK;
	if ((status = kws_tensors_take(&e->mean, ts, "embedding.", "mean", 1, &e->bands, err))
	    || (status = kws_tensors_take(&e->scale, ts, "embedding.", "scale", 1, &e->bands, err)))
		return status;
	for (size_t i = 0; i < e->bands; i++)
		heard[i] = (quiet[i] - e->mean[i]) * e->scale[i];
	status = kws_stem_init(&e->stem, list, heard, e->bands, ts, "embedding.", err);
	if (!status && e->stem.stride != e->n_hops)
		return kws_fail(err, KWS_ERR_FORMAT,
				"network: embedding.stem: a frame of %zu feature frames, want %zu, "
				"those of a row",
				e->stem.stride, e->n_hops);
	return status;
}

/* Each layer has tensors of its own, and rows have no end. */
static enum kws_status read_layers(kws_embed *e, const json_t *list, kws_tensors *ts,
				   kws_error *err)
{
	enum kws_status status =
		kws_layer_list_init(&e->layers, list, MAX_LAYERS, e->width, ts, "embedding.", err);
	for (size_t i = 0; !status && i < e->layers.n; i++) {
		const kws_layer *l = e->layers.each[i];
		if (json_object_get(json_array_get(list, i), "share"))
			status = kws_fail(err, KWS_ERR_FORMAT,
					  "network: embedding.layers[%zu]: share: an embedding's "
					  "layers share no tensors",
					  i);
		else if (l->max_frames || l->looks)
			status = kws_fail(err, KWS_ERR_FORMAT,
					  "network: embedding.layers[%zu]: hears clips of %zu rows "
					  "at most: want a layer for streams",
					  i, l->max_frames);
	}
	return status;
}

/* What makes a row of n_in values. */
static enum kws_status read_row(kws_embed *e, const json_t *layers, kws_tensors *ts, kws_error *err)
{
	const size_t *first = layers ? &e->width : &e->dim;
	enum kws_status status =
		kws_linear_read(&e->row, ts, "embedding.", "row", e->n_in, first, 1, err);
	if (status || !layers)
		return status;
	status = read_layers(e, layers, ts, err);
	return status ? status
		      : kws_linear_read(&e->out, ts, "embedding.", "out", e->width, &e->dim, 1,
					err);
}

static enum kws_status read_hidden(kws_embed *e, const json_t *heads, kws_error *err)
{
	static const char *const keys[] = { "hidden", NULL };
	const size_t n = json_array_size(heads);
	if (!json_is_array(heads) || n < 1 || n > KWS_MAX_HEADS)
		return kws_fail(err, KWS_ERR_FORMAT, "network: heads: want a list of 1..%d heads",
				KWS_MAX_HEADS);
	for (; e->n_heads < n; e->n_heads++) {
		const json_t *entry = json_array_get(heads, e->n_heads);
		size_t *hidden = &e->head[e->n_heads].hidden;
		char where[64];
		enum kws_status status;
		snprintf(where, sizeof where, "network: heads[%zu]", e->n_heads);
		if ((status = kws_json_keys(entry, where, keys, NULL, err))
		    || (status = kws_json_size(entry, where, "hidden", 1, KWS_MAX_HIDDEN, hidden,
					       err)))
			return status;
		e->head[e->n_heads].at = e->n_hidden;
		e->n_hidden += kws_pad(*hidden);
	}
	return KWS_OK;
}

/* Take a tensor of n values into `to`. */
static enum kws_status take(float *to, kws_tensors *ts, const char *prefix, const char *name,
			    size_t rank, const size_t *shape, size_t n, kws_error *err)
{
	float *x;
	const enum kws_status status = kws_tensors_take(&x, ts, prefix, name, rank, shape, err);
	if (!status)
		memcpy(to, x, n * sizeof *x);
	free(x);
	return status;
}

/* Head k; w (.., rank) and b go on behind those of the heads before it. */
static enum kws_status read_head(kws_embed *e, size_t k, float *w, float *b, kws_tensors *ts,
				 kws_error *err)
{
	const size_t n = e->head[k].hidden, in[] = { n, e->rank }, out[] = { 1, n };
	char prefix[32];
	enum kws_status status;
	snprintf(prefix, sizeof prefix, "heads.%zu.", k);
	if ((status = take(w, ts, prefix, "fc1.weight", 2, in, n * e->rank, err))
	    || (status = take(b, ts, prefix, "fc1.bias", 1, in, n, err))
	    || (status = take(e->fc2 + e->head[k].at, ts, prefix, "fc2.weight", 2, out, n, err)))
		return status;
	return take(e->bias + k, ts, prefix, "fc2.bias", 1, out, 1, err);
}

/* The first layers of all heads are one product. */
static enum kws_status read_heads(kws_embed *e, kws_tensors *ts, kws_error *err)
{
	size_t part[KWS_MAX_HEADS], at = 0;
	float *w = calloc(e->n_hidden * e->rank, sizeof *w), *b = calloc(e->n_hidden, sizeof *b);
	enum kws_status status = KWS_OK;
	e->fc2 = calloc(e->n_hidden, sizeof *e->fc2);
	e->bias = calloc(e->n_heads, sizeof *e->bias);
	if (!w || !b || !e->fc2 || !e->bias)
		status = kws_fail(err, KWS_ERR_NOMEM, "out of memory");
	for (size_t k = 0; !status && k < e->n_heads; at += part[k++]) {
		part[k] = e->head[k].hidden;
		status = read_head(e, k, w + at * e->rank, b + at, ts, err);
	}
	if (!status && kws_linear_init(&e->fc1, w, b, e->rank, part, e->n_heads))
		status = kws_fail(err, KWS_ERR_NOMEM, "out of memory");
	free(w);
	free(b);
	return status;
}

/* Parts of a stream's state, in floats. That of its own layers is first, where it is aligned. */
enum { OWN_LAYERS, STEM, FEATURES, STEM_FRAMES, LAYERS, ROWS, LOGITS, N_PARTS };

/* Where each part begins, and behind them all where the state ends. */
static void parts_of(const kws_embed *e, size_t at[N_PARTS + 1])
{
	const size_t n[N_PARTS] = {
		[OWN_LAYERS] = e->layers.state_bytes / sizeof(float),
		[STEM] = e->stem.state_floats,
		[FEATURES] = (e->n_hops - e->n_hops / e->every) * e->bands,
		[STEM_FRAMES] = e->stack ? (e->stack - 1) * e->stem.n_out : 0,
		[LAYERS] = (e->every - 1) * e->n_layer,
		[ROWS] = (e->window - 1) * e->dim,
		[LOGITS] = e->n_heads,
	};
	at[0] = 0;
	for (size_t i = 0; i < N_PARTS; i++)
		at[i + 1] = at[i] + n[i];
}

static void lay_out(kws_embed *e)
{
	size_t at[N_PARTS + 1];
	const size_t most = KWS_BLOCK / e->every + 1; /* rows at a time */
	const size_t hear = most * e->n_hops * e->bands + e->stem.scratch_floats;
	const size_t own = kws_pad(e->layers.scratch_floats) + most * kws_pad(e->width);
	const size_t run = own + (KWS_BLOCK + e->every) * e->n_layer
			   + (most + e->stack) * e->stem.n_out + most * e->n_in
			   + most * kws_pad(e->dim) + (most + e->window) * e->dim
			   + most * (kws_pad(e->rank) + e->n_hidden + e->n_heads);
	parts_of(e, at);
	e->state_floats = at[N_PARTS];
	e->scratch_floats = hear > run ? hear : run;
}

enum kws_status kws_embed_init(kws_embed *e, const json_t *conf, const json_t *heads,
			       const float *quiet, size_t n_mels, size_t step, size_t n_layer,
			       kws_tensors *ts, kws_error *err)
{
	enum kws_status status;
	*e = (kws_embed){ .n_mels = n_mels, .n_layer = n_layer };
	if ((status = read_sizes(e, conf, err)))
		return status;
	e->n_hops = step * e->every;
	if ((status = read_stem(e, json_object_get(conf, "stem"), quiet, ts, err))
	    || (heads && (status = read_hidden(e, heads, err))))
		return status;
	e->n_in = e->stack * e->stem.n_out + e->every * n_layer;
	if ((status = read_row(e, json_object_get(conf, "layers"), ts, err))
	    || (status = kws_linear_read(&e->point, ts, "embedding.", "point", e->window * e->dim,
					 &e->rank, 1, err))
	    || (heads && (status = read_heads(e, ts, err))))
		return status;
	if (e->row.w8 || e->point.w8 || e->out.w8)
		return kws_fail(err, KWS_ERR_FORMAT, "embedding.%s.weight: want float32",
				e->row.w8     ? "row"
				: e->point.w8 ? "point"
					      : "out");
	lay_out(e);
	return KWS_OK;
}

void kws_embed_free(kws_embed *e)
{
	kws_stem_free(&e->stem);
	kws_linear_free(&e->row);
	kws_layer_list_free(&e->layers);
	kws_linear_free(&e->out);
	kws_linear_free(&e->point);
	kws_linear_free(&e->fc1);
	free(e->mean);
	free(e->scale);
	free(e->fc2);
	free(e->bias);
	*e = (kws_embed){ 0 };
}

/* ---- running ---- */

void kws_embed_points(const kws_embed *e, const float *x, size_t n, float *point)
{
	const size_t ld = kws_pad(e->rank);
	const kws_product g = kws_linear_product(&e->point, e->dim); /* its rows overlap */
	kws_vec_get()->product(&g, x, n, point, ld);
	for (size_t i = 0; i < n; i++, point += ld) {
		const float sum = kws_vec_get()->sumsq(point, 0.0f, e->rank);
		const float scale = sqrtf((float)e->rank / fmaxf(sum, 1e-12f));
		for (size_t k = 0; k < e->rank; k++)
			point[k] *= scale;
	}
}

/* point (n, ld) -> logits (n, n_heads) */
static void run_heads(const kws_embed *e, const float *point, size_t n, float *hidden,
		      float *logits)
{
	kws_linear_run(&e->fc1, point, kws_pad(e->rank), n, hidden);
	kws_vec_get()->silu(hidden, e->n_hidden, n, e->n_hidden);
	for (size_t i = 0; i < n; i++, hidden += e->n_hidden, logits += e->n_heads)
		for (size_t k = 0; k < e->n_heads; k++) {
			float sum = e->bias[k];
			for (size_t j = e->head[k].at; j < e->head[k].at + e->head[k].hidden; j++)
				sum += hidden[j] * e->fc2[j];
			logits[k] = sum;
		}
}

void kws_embed_reset(const kws_embed *e, float *state)
{
	size_t at[N_PARTS + 1];
	parts_of(e, at);
	memset(state, 0, e->state_floats * sizeof *state);
	if (e->stem.n_steps)
		memcpy(state + at[STEM], e->stem.start, e->stem.state_floats * sizeof *state);
}

/* features (n, n_mels) -> to (n, bands) */
static void normalise(const kws_embed *e, const float *features, size_t n, float *to)
{
	for (; n; n--, features += e->n_mels, to += e->bands)
		for (size_t i = 0; i < e->bands; i++)
			to[i] = (features[i] - e->mean[i]) * e->scale[i];
}

void kws_embed_hear(const kws_embed *e, float *state, float *scratch, size_t frame, size_t n,
		    const float *features, float *out)
{
	size_t at[N_PARTS + 1];
	if (!e->stem.n_steps)
		return;
	parts_of(e, at);
	const size_t step = e->n_hops / e->every, rows = kws_embed_rows(e, frame, n);
	const size_t waiting = frame % e->every * step, all = waiting + n * step,
		     used = rows * e->n_hops;
	float *x = scratch + e->stem.scratch_floats, *wait = state + at[FEATURES];
	memcpy(x, wait, waiting * e->bands * sizeof *x);
	normalise(e, features, n * step, x + waiting * e->bands);
	kws_stem_run(&e->stem, state + at[STEM], scratch, x, rows, out);
	memcpy(wait, x + used * e->bands, (all - used) * e->bands * sizeof *x);
}

/* What came before (keep, n_in) and what comes now (n, ld) in one piece; then the last of it,
 * from `used` on, is kept. */
static void join(float *kept, size_t keep, const float *new, size_t ld, size_t n, size_t n_in,
		 size_t used, size_t keep_now, float *to)
{
	memcpy(to, kept, keep * n_in * sizeof *to);
	for (size_t i = 0; i < n; i++)
		memcpy(to + (keep + i) * n_in, new + i *ld, n_in * sizeof *to);
	memcpy(kept, to + used * n_in, keep_now * n_in * sizeof *to);
}

/* Everything that n rows are made of -> in (n, n_in); scratch for both kinds of frames. */
static void gather(const kws_embed *e, float *state, const size_t *at, const kws_embed_frames *f,
		   size_t n, float *scratch, float *in)
{
	const size_t waiting = f->frame % e->every, part = e->every * e->n_layer;
	const size_t before = e->stack ? e->stack - 1 : 0, stem = e->stack * e->stem.n_out;
	float *layers = scratch, *frames = layers + (KWS_BLOCK + e->every) * e->n_layer;
	join(state + at[LAYERS], waiting, f->layer, f->ld, f->n, e->n_layer, n * e->every,
	     waiting + f->n - n * e->every, layers);
	if (stem)
		join(state + at[STEM_FRAMES], before, f->stem, e->stem.n_out, n, e->stem.n_out, n,
		     before, frames);
	for (size_t i = 0; i < n; i++, in += e->n_in) {
		if (stem)
			memcpy(in, frames + i * e->stem.n_out, stem * sizeof *in);
		memcpy(in + stem, layers + i * part, part * sizeof *in);
	}
}

/* in (n, n_in) -> row (n, kws_pad(dim)) */
static void run_row(const kws_embed *e, float *state, float *scratch, const float *in, size_t n,
		    float *row)
{
	float *x = scratch + kws_pad(e->layers.scratch_floats); /* (n, kws_pad(width)) */
	const kws_span span = { (unsigned char *)state, n };
	if (!e->layers.n) {
		kws_linear_run(&e->row, in, e->n_in, n, row);
	} else if (n) {
		kws_linear_run(&e->row, in, e->n_in, n, x);
		kws_layer_list_run(&e->layers, &span, 1, 0, scratch, x);
		kws_linear_run(&e->out, x, kws_pad(e->width), n, row);
	}
}

/* The logits of n_new rows, held until the next: at each frame those of the last row. held
 * (n_heads,) */
static void spread(const kws_embed *e, const kws_embed_frames *f, const float *new, float *held,
		   float *logits)
{
	for (size_t i = 0; i < f->n; i++, logits += e->n_heads) {
		if ((f->frame + i + 1) % e->every == 0) {
			memcpy(held, new, e->n_heads * sizeof *held);
			new += e->n_heads;
		}
		for (size_t k = 0; k < e->n_heads; k++)
			logits[k] = f->frame + i + 1 < e->every ? NOTHING : held[k];
	}
}

size_t kws_embed_run(const kws_embed *e, float *state, float *scratch, const kws_embed_frames *f,
		     float *logits, float *rows)
{
	size_t at[N_PARTS + 1];
	parts_of(e, at);
	const size_t most = KWS_BLOCK / e->every + 1, past = e->window - 1, ld = kws_pad(e->dim);
	const size_t n = kws_embed_rows(e, f->frame, f->n);
	float *frames = scratch + kws_pad(e->layers.scratch_floats) + most * kws_pad(e->width);
	float *in =
		frames + (KWS_BLOCK + e->every) * e->n_layer + (most + e->stack) * e->stem.n_out;
	float *row = in + most * e->n_in, *x = row + most * ld;
	float *point = x + (most + e->window) * e->dim;
	float *hidden = point + most * kws_pad(e->rank), *fresh = hidden + most * e->n_hidden;
	gather(e, state, at, f, n, frames, in);
	run_row(e, state + at[OWN_LAYERS], scratch, in, n, row);
	join(state + at[ROWS], past, row, ld, n, e->dim, n, past, x);
	if (rows)
		memcpy(rows, x + past * e->dim, n * e->dim * sizeof *x);
	if (e->n_heads) {
		kws_embed_points(e, x, n, point);
		run_heads(e, point, n, hidden, fresh);
		spread(e, f, fresh, state + at[LOGITS], logits);
	}
	return n;
}

void kws_embed_products(const kws_embed *e, size_t n, kws_product_fn *fn, void *ctx)
{
	if (!e->every)
		return;
	const size_t rows = n / e->every;
	for (size_t i = 0; i < rows; i++)
		kws_stem_products(&e->stem, fn, ctx);
	kws_linear_products(&e->row, rows, fn, ctx);
	kws_layer_list_products(&e->layers, rows, fn, ctx);
	if (e->layers.n)
		kws_linear_products(&e->out, rows, fn, ctx);
	if (e->n_heads) {
		kws_linear_products(&e->point, rows, fn, ctx);
		kws_linear_products(&e->fc1, rows, fn, ctx);
	}
}
