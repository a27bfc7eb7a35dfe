#include "model/network.h"

#include "model/json.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_STATE = 128 << 20 }; /* a few numbers in a hostile file must not claim all memory */

/* {"share": i}: layer i again, with the same tensors and a state of its own. */
static enum kws_status share_layer(kws_network *w, const json_t *entry, const char *where,
				   kws_error *err)
{
	static const char *const keys[] = { "share", NULL };
	size_t i = 0;
	enum kws_status s = kws_json_keys(entry, where, keys, NULL, err);
	if (!s && !w->n_layers)
		s = kws_fail(err, KWS_ERR_FORMAT, "%s: share: there is no earlier layer", where);
	if (!s)
		s = kws_json_size(entry, where, "share", 0, w->n_layers - 1, &i, err);
	if (!s)
		w->layers[w->n_layers] = w->layers[i];
	return s;
}

/* Whether this is the first layer with its tensors. */
static int owns(const kws_network *w, size_t layer)
{
	for (size_t i = 0; i < layer; i++)
		if (w->layers[i] == w->layers[layer])
			return 0;
	return 1;
}

static enum kws_status read_layers(kws_network *w, const json_t *list, kws_tensors *ts,
				   kws_error *err)
{
	const size_t n = json_array_size(list);
	if (!json_is_array(list) || n < 1 || n > 64)
		return kws_fail(err, KWS_ERR_FORMAT,
				"network: layers: want a list of 1..64 layers");
	w->layers = calloc(n, sizeof *w->layers);
	w->layer_at = calloc(n, sizeof *w->layer_at);
	if (!w->layers || !w->layer_at)
		return kws_fail(err, KWS_ERR_NOMEM, "out of memory");
	for (; w->n_layers < n; w->n_layers++) {
		char where[64], prefix[64];
		snprintf(where, sizeof where, "network: layers[%zu]", w->n_layers);
		snprintf(prefix, sizeof prefix, "layers.%zu.", w->n_layers);
		const json_t *entry = json_array_get(list, w->n_layers);
		const enum kws_status s =
			json_object_get(entry, "share")
				? share_layer(w, entry, where, err)
				: kws_layer_create(&w->layers[w->n_layers], entry, where, w->dim,
						   ts, prefix, err);
		if (s)
			return s;
		w->whole_clip |= w->layers[w->n_layers]->looks > 0;
		w->layer_at[w->n_layers] = w->layer_bytes;
		w->layer_bytes += (w->layers[w->n_layers]->state_bytes + 63) / 64 * 64;
		if (w->layer_bytes > MAX_STATE)
			return kws_fail(err, KWS_ERR_FORMAT,
					"%s: the state of a stream grows past %d MiB", where,
					MAX_STATE >> 20);
	}
	return KWS_OK;
}

/* A band of a normalised feature frame of silence. */
static float quiet_band(const kws_network *w, size_t i, float log_floor)
{
	return w->mean ? (logf(log_floor) - w->mean[i]) * w->scale[i] : logf(log_floor);
}

/* What is stacked: feature frames, or stem frames. */
static enum kws_status read_stem(kws_network *w, const json_t *list, float log_floor,
				 kws_tensors *ts, kws_error *err)
{
	float quiet[KWS_MAX_MELS];
	w->n_frame = w->n_mels;
	w->step = w->stride;
	if (!list)
		return KWS_OK;
	for (size_t i = 0; i < w->n_mels; i++)
		quiet[i] = quiet_band(w, i, log_floor);
	const enum kws_status s = kws_stem_init(&w->stem, list, quiet, w->n_mels, ts, "", err);
	w->n_frame = w->stem.n_out;
	w->step *= w->stem.stride;
	if (!s && w->step > KWS_MAX_STEM_STRIDE)
		return kws_fail(
			err, KWS_ERR_FORMAT,
			"network: stride: %zu feature frames for a network frame: more than %d",
			w->step, KWS_MAX_STEM_STRIDE);
	return s;
}

static enum kws_status read_final_norm(kws_network *w, const json_t *conf, kws_tensors *ts,
				       kws_error *err)
{
	size_t kind;
	const json_t *name = json_object_get(conf, "final_norm");
	if (json_is_null(name))
		return KWS_OK;
	const enum kws_status s =
		kws_json_choice(conf, "network", "final_norm", kws_norm_names, &kind, err);
	if (s)
		return s;
	w->has_final_norm = true;
	return kws_norm_init(&w->final_norm, kind, KWS_EPS, w->dim, ts, "final_norm.norm.", err);
}

/* Sizes of the network's own, and the features' normalisation. */
static enum kws_status read_sizes(kws_network *w, const json_t *conf, unsigned version, bool affine,
				  kws_tensors *ts, kws_error *err)
{
	static const char *const keys[] = { "stem",	  "stack", "stride", "dim", "layers",
					    "final_norm", "pool",  "head",   NULL };
	static const char *const more[] = { "embedding", "heads", NULL };
	enum kws_status s;
	if ((s = kws_json_keys(conf, "network", keys, version > 1 ? more : NULL, err))
	    || (s = kws_json_size(conf, "network", "stack", 1, 32, &w->stack, err))
	    || (s = kws_json_size(conf, "network", "stride", 1, w->stack, &w->stride, err))
	    || (s = kws_json_size(conf, "network", "dim", 1, 1024, &w->dim, err))
	    || (s = kws_json_size(conf, "network", "pool", 1, 1000, &w->pool, err))
	    || (s = kws_json_size(conf, "network", "head", 1, 1024, &w->head, err)))
		return s;
	if (affine
	    && ((s = kws_tensors_take(&w->mean, ts, "features.", "mean", 1, &w->n_mels, err))
		|| (s = kws_tensors_take(&w->scale, ts, "features.", "scale", 1, &w->n_mels, err))))
		return s;
	return KWS_OK;
}

/* The embedding and the heads of words of one's own, which are the last of the words. */
static enum kws_status read_embed(kws_network *w, const json_t *conf, float log_floor,
				  kws_tensors *ts, kws_error *err)
{
	const json_t *embedding = json_object_get(conf, "embedding"),
		     *heads = json_object_get(conf, "heads");
	float quiet[KWS_MAX_MELS];
	if (heads && !embedding)
		return kws_fail(err, KWS_ERR_FORMAT, "network: heads: there is no embedding");
	if (!embedding)
		return KWS_OK;
	if (kws_network_whole_clip(w))
		return kws_fail(err, KWS_ERR_FORMAT,
				"network: embedding: a layer hears the whole clip first");
	for (size_t i = 0; i < w->n_mels; i++)
		quiet[i] = quiet_band(w, i, log_floor);
	const enum kws_status s = kws_embed_init(&w->embed, embedding, heads, quiet, w->n_mels,
						 w->step, w->dim, ts, err);
	if (!s && w->embed.n_heads + 2 > w->n_words)
		return kws_fail(err, KWS_ERR_FORMAT,
				"network: heads: %zu of them leave fewer than 2 of %zu words",
				w->embed.n_heads, w->n_words);
	return s;
}

enum kws_status kws_network_init(kws_network *w, const json_t *conf, unsigned version,
				 const kws_features *f, bool affine, size_t n_words,
				 kws_tensors *ts, kws_error *err)
{
	enum kws_status s;
	*w = (kws_network){ .n_mels = f->n_mels, .n_words = n_words };
	if ((s = read_sizes(w, conf, version, affine, ts, err))
	    || (s = read_stem(w, json_object_get(conf, "stem"), f->log_floor, ts, err))
	    || (s = kws_linear_read(&w->input, ts, "", "input", w->stack * w->n_frame, &w->dim, 1,
				    err))
	    || (s = read_layers(w, json_object_get(conf, "layers"), ts, err))
	    || (s = read_final_norm(w, conf, ts, err))
	    || (s = read_embed(w, conf, f->log_floor, ts, err))
	    || (s = kws_linear_read(&w->fc1, ts, "head.", "fc1", w->dim, &w->head, 1, err)))
		return s;
	const size_t n_classes = kws_network_n_classes(w);
	return kws_linear_read(&w->fc2, ts, "head.", "fc2", w->head, &n_classes, 1, err);
}

void kws_network_free(kws_network *w)
{
	for (size_t i = w->n_layers; i-- > 0;)
		if (owns(w, i))
			kws_layer_destroy(w->layers[i]);
	free(w->layers);
	free(w->layer_at);
	kws_stem_free(&w->stem);
	kws_linear_free(&w->input);
	kws_linear_free(&w->fc1);
	kws_linear_free(&w->fc2);
	kws_embed_free(&w->embed);
	kws_norm_free(&w->final_norm);
	free(w->mean);
	free(w->scale);
}

size_t kws_network_max_frames(const kws_network *w)
{
	size_t max = 0;
	for (size_t i = 0; i < w->n_layers; i++) {
		const size_t m = w->layers[i]->max_frames;
		if (m && (!max || m < max))
			max = m;
	}
	return max;
}

bool kws_network_whole_clip(const kws_network *w)
{
	return w->whole_clip;
}

static void one(const kws_linear *l, kws_product_fn *fn, void *ctx)
{
	const kws_product floats = kws_linear_product(l, l->n_in);
	const kws_int8_product bytes = kws_linear_int8_product(l);
	const kws_any_product g = { l->w8 ? NULL : &floats, l->w8 ? &bytes : NULL };
	fn(ctx, &g, KWS_BLOCK);
}

void kws_network_products(const kws_network *w, kws_product_fn *fn, void *ctx)
{
	for (size_t i = 0; i < KWS_BLOCK * w->stride; i++)
		kws_stem_products(&w->stem, fn, ctx);
	one(&w->input, fn, ctx);
	for (size_t i = 0; i < w->n_layers; i++)
		for (size_t k = 0; w->layers[i]->products[k]; k++)
			one(w->layers[i]->products[k], fn, ctx);
	one(&w->fc1, fn, ctx);
	one(&w->fc2, fn, ctx);
	kws_embed_products(&w->embed, KWS_BLOCK, fn, ctx);
}
