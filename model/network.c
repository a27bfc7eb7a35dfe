#include "model/network.h"

#include "model/json.h"

#include <math.h>
#include <stdlib.h>

enum { MAX_LAYERS = 64 };

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

/* What of an embedding came with version 3. */
static enum kws_status check_embedding(const json_t *conf, unsigned version, kws_error *err)
{
	static const char *const keys[] = { "layers", "width", NULL };
	for (size_t i = 0; version < 3 && keys[i]; i++)
		if (json_object_get(json_object_get(conf, "embedding"), keys[i]))
			return kws_fail(err, KWS_ERR_FORMAT,
					"network: embedding: %s: want version 3, the file is of %u",
					keys[i], version);
	return KWS_OK;
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
	    || (s = check_embedding(conf, version, err))
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
	    || (s = kws_layer_list_init(&w->layers, json_object_get(conf, "layers"), MAX_LAYERS,
					w->dim, ts, "", err))
	    || (s = read_final_norm(w, conf, ts, err))
	    || (s = read_embed(w, conf, f->log_floor, ts, err))
	    || (s = kws_linear_read(&w->fc1, ts, "head.", "fc1", w->dim, &w->head, 1, err)))
		return s;
	const size_t n_classes = kws_network_n_classes(w);
	return kws_linear_read(&w->fc2, ts, "head.", "fc2", w->head, &n_classes, 1, err);
}

void kws_network_free(kws_network *w)
{
	kws_layer_list_free(&w->layers);
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
	for (size_t i = 0; i < w->layers.n; i++) {
		const size_t m = w->layers.each[i]->max_frames;
		if (m && (!max || m < max))
			max = m;
	}
	return max;
}

bool kws_network_whole_clip(const kws_network *w)
{
	for (size_t i = 0; i < w->layers.n; i++)
		if (w->layers.each[i]->looks)
			return true;
	return false;
}

void kws_network_products(const kws_network *w, kws_product_fn *fn, void *ctx)
{
	for (size_t i = 0; i < KWS_BLOCK * w->stride; i++)
		kws_stem_products(&w->stem, fn, ctx);
	kws_linear_products(&w->input, KWS_BLOCK, fn, ctx);
	kws_layer_list_products(&w->layers, KWS_BLOCK, fn, ctx);
	kws_linear_products(&w->fc1, KWS_BLOCK, fn, ctx);
	kws_linear_products(&w->fc2, KWS_BLOCK, fn, ctx);
	kws_embed_products(&w->embed, KWS_BLOCK, fn, ctx);
}
