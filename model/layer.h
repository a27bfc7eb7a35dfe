/* layer.h - what every kind of layer offers. A new kind is one file pair that defines a kws_layer_kind, and one line in
 * the table of layer.c. */
#ifndef KWS_MODEL_LAYER_H
#define KWS_MODEL_LAYER_H

#include "model/linear.h"

#include <jansson.h>

typedef struct kws_layer kws_layer;

/* Rows of a block that belong to one stream, in its order. The spans of a block lie one behind the other. */
typedef struct {
	unsigned char *state; /* of the stream; a layer's own part begins some bytes into it */
	size_t n;	      /* rows, at least 1 */
} kws_span;

typedef struct {
	const char *name; /* "kind" in the model file */
	/* Read the layer's keys from conf (where names it in messages) and its tensors under prefix. */
	enum kws_status (*create)(kws_layer **out, const json_t *conf, const char *where,
				  size_t dim, kws_tensors *ts, const char *prefix, kws_error *err);
	void (*destroy)(kws_layer *l); /* copes with a half-built one */
	/* Rows x (kws_span_rows(s, n_s) <= KWS_BLOCK, kws_pad(dim)), in place, of one stream or of several; columns behind
	 * dim are and stay zero. The layer's own state lies `at` bytes into each stream's. */
	void (*run)(const kws_layer *l, const kws_span *s, size_t n_s, size_t at, float *scratch,
		    float *x);
	/* A layer that needs the whole clip looks at all its blocks x (t, kws_pad(dim)), l->looks times in order, before any
	 * is run. NULL in a kind that never does. */
	void (*look)(const kws_layer *l, size_t look, void *state, float *scratch, const float *x,
		     size_t t);
} kws_layer_kind;

/* The common part; a kind's own struct starts with it. */
struct kws_layer {
	const kws_layer_kind *kind;
	size_t state_bytes;    /* of one stream; all zero is the start */
	size_t scratch_floats; /* worked in during run; nothing is kept there, all finite at first */
	size_t max_frames;     /* 0: endless; else the longest clip */
	size_t looks;	       /* 0: causal; else max_frames is not 0 */
	const kws_linear *products
		[8]; /* every matrix product with weights, NULL behind the last: what a block costs at least */
};

/* By the "kind" of conf. KWS_ERR_VERSION if it is not known. */
enum kws_status kws_layer_create(kws_layer **out, const json_t *conf, const char *where, size_t dim,
				 kws_tensors *ts, const char *prefix, kws_error *err);
void kws_layer_destroy(kws_layer *l);

static inline size_t kws_span_rows(const kws_span *s, size_t n_s)
{
	size_t rows = 0;
	for (size_t i = 0; i < n_s; i++)
		rows += s[i].n;
	return rows;
}

#endif
