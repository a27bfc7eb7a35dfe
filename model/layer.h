/* layer.h - what every kind of layer offers. A new kind is one file pair that defines a kws_layer_kind, and one line in
 * the table of layer.c. */
#ifndef KWS_MODEL_LAYER_H
#define KWS_MODEL_LAYER_H

#include "model/gemm.h"
#include "model/tensors.h"

#include <jansson.h>

typedef struct kws_layer kws_layer;

typedef struct {
	const char *name; /* "kind" in the model file */
	/* Read the layer's keys from conf (where names it in messages) and its tensors under prefix. */
	enum kws_status (*create)(kws_layer **out, const json_t *conf, const char *where,
				  size_t dim, kws_tensors *ts, const char *prefix, kws_error *err);
	void (*destroy)(kws_layer *l); /* copes with a half-built one */
	/* Some rows of x (KWS_BLOCK, kws_pad(dim)), in place; columns behind dim are and stay zero. */
	void (*run)(const kws_layer *l, void *state, float *scratch, float *x, kws_rows rows);
	/* A layer that needs the whole clip looks at all its blocks, l->looks times in order, before any is run. NULL in a
	 * kind that never does. */
	void (*look)(const kws_layer *l, size_t look, void *state, float *scratch, const float *x,
		     kws_rows rows);
} kws_layer_kind;

/* The common part; a kind's own struct starts with it. */
struct kws_layer {
	const kws_layer_kind *kind;
	size_t state_bytes;    /* of one stream; all zero is the start */
	size_t scratch_floats; /* worked in during run; nothing is kept there, all finite at first */
	size_t max_frames;     /* 0: endless; else the longest clip */
	size_t looks;	       /* 0: causal; else max_frames is not 0 */
	const kws_gemm *products
		[8]; /* every matrix product with weights, NULL behind the last: what a block costs at least */
};

/* By the "kind" of conf. KWS_ERR_VERSION if it is not known. */
enum kws_status kws_layer_create(kws_layer **out, const json_t *conf, const char *where, size_t dim,
				 kws_tensors *ts, const char *prefix, kws_error *err);
void kws_layer_destroy(kws_layer *l);

#endif
