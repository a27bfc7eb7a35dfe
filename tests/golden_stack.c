#include "tests/golden_stack.h"

#include "tests/golden_judge.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *golden_meta(const kws_tensors *ts, const char *key)
{
	const char *s = kws_tensors_meta(ts, key);
	return s ? s : "";
}

/* Build the JSON that the model file would hold, from the metadata. */
static json_t *mega_conf(kws_tensors *ts)
{
	const long chunk = atol(golden_meta(ts, "chunk"));
	json_t *o = json_pack("{s:s, s:i, s:i, s:i, s:I, s:s, s:s, s:s, s:b}", "kind", "mega",
			      "zdim", atoi(golden_meta(ts, "zdim")), "hdim",
			      atoi(golden_meta(ts, "hdim")), "ndim", atoi(golden_meta(ts, "ndim")),
			      "chunk", (json_int_t)(chunk > 0 ? chunk : -1), "attention",
			      golden_meta(ts, "attention"), "rel_pos_bias",
			      golden_meta(ts, "rel_pos_bias"), "norm",
			      *golden_meta(ts, "norm") ? golden_meta(ts, "norm") : "layernorm",
			      "prenorm", strcmp(golden_meta(ts, "prenorm"), "false") != 0);
	if (chunk <= 0) { /* where the metadata does not say: as long as the input */
		const kws_tensor *x = kws_tensors_find(ts, "x");
		const long most = atol(golden_meta(ts, "max_positions"));
		json_object_set_new(o, "max_positions",
				    json_integer(most > 0 || !x ? most : (json_int_t)x->shape[0]));
	}
	return o;
}

static json_t *nffn_conf(const kws_tensors *ts)
{
	return json_pack("{s:s, s:i, s:s, s:b}", "kind", "nffn", "ffn",
			 atoi(golden_meta(ts, "ffn")), "norm", golden_meta(ts, "norm"), "prenorm",
			 strcmp(golden_meta(ts, "prenorm"), "false") != 0);
}

static enum kws_status add_layer(kws_tensors *ts, stack *st, json_t *conf, const char *prefix,
				 kws_error *err)
{
	const enum kws_status s =
		kws_layer_create(&st->layers[st->n_layers], conf, prefix, st->dim, ts, prefix, err);
	json_decref(conf);
	if (!s)
		st->n_layers++;
	return s;
}

/* prefix.mega_layer and, where the feed-forward width is not 0, prefix.nffn */
static enum kws_status add_decoder_layer(kws_tensors *ts, stack *st, const char *prefix,
					 kws_error *err)
{
	char name[96];
	snprintf(name, sizeof name, "%smega_layer.", prefix);
	const enum kws_status s = add_layer(ts, st, mega_conf(ts), name, err);
	if (s || atoi(golden_meta(ts, "ffn")) <= 0)
		return s;
	snprintf(name, sizeof name, "%snffn.", prefix);
	return add_layer(ts, st, nffn_conf(ts), name, err);
}

static enum kws_status add_final_norm(kws_tensors *ts, stack *st, kws_error *err)
{
	size_t kind = 0;
	if (!kws_tensors_find(ts, "w.final_norm.norm.weight")
	    && !kws_tensors_find(ts, "w.final_norm.norm.scalar"))
		return KWS_OK;
	while (kws_norm_names[kind] && strcmp(kws_norm_names[kind], golden_meta(ts, "norm")) != 0)
		kind++;
	if (!kws_norm_names[kind])
		return kws_fail(err, KWS_ERR_VERSION, "norm %s", golden_meta(ts, "norm"));
	st->has_norm = true;
	return kws_norm_init(&st->norm, kind, KWS_EPS, st->dim, ts, "w.final_norm.norm.", err);
}

enum kws_status stack_build(stack *st, kws_tensors *ts, size_t dim, kws_error *err)
{
	const char *kind = golden_meta(ts, "kind");
	int n = 0;
	*st = (stack){ .dim = dim, .ld = kws_pad(dim) };
	if (strcmp(kind, "MultiHeadEMA") == 0) {
		st->has_ema = true;
		return kws_ema_init(&st->ema, st->dim, (size_t)atol(golden_meta(ts, "ndim")), ts,
				    "w.", err);
	}
	if (strcmp(kind, "MovingAverageGatedAttention") == 0)
		return add_layer(ts, st, mega_conf(ts), "w.", err);
	if (strncmp(kind, "MegaDecoderLayer", 16) == 0)
		return add_decoder_layer(ts, st, "w.", err);
	if (sscanf(kind, "%d x MegaDecoderLayer", &n) == 1 && n >= 1 && n <= 64) {
		enum kws_status s = KWS_OK;
		for (int i = 0; !s && i < n; i++) {
			char prefix[32];
			snprintf(prefix, sizeof prefix, "w.layers.%d.", i);
			s = add_decoder_layer(ts, st, prefix, err);
		}
		return s ? s : add_final_norm(ts, st, err);
	}
	return kws_fail(err, KWS_ERR_VERSION, "kind %.64s is not known", kind);
}

void stack_free(stack *st)
{
	kws_ema_free(&st->ema);
	kws_fastself_free(&st->fast);
	kws_norm_free(&st->norm);
	for (size_t i = 0; i < st->n_layers; i++)
		kws_layer_destroy(st->layers[i]);
}

enum kws_status stack_build_fast(stack *st, kws_tensors *ts, size_t dim, bool causal, bool forgets,
				 kws_error *err)
{
	*st = (stack){ .dim = dim, .ld = kws_pad(dim) };
	const size_t heads = (size_t)atol(golden_meta(ts, "heads"));
	const kws_tensor *decay = kws_tensors_find(ts, "decay");
	if (heads < 1 || heads > KWS_MAX_HEADS || st->dim % heads
	    || (forgets && (!decay || decay->n != 2)))
		return kws_fail(err, KWS_ERR_FORMAT, "heads or decay do not fit");
	st->has_fast = true;
	const enum kws_status s =
		kws_fastself_init(&st->fast, st->dim, heads, false, causal, ts, "w.", err);
	for (size_t i = 0; !s && forgets && i < 2 * heads; i++)
		st->fast.additive.rate[i] = (float)golden_value(decay, i / heads);
	return s;
}
