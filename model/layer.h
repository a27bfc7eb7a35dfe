/* layer.h - the interface of all kinds of layer. A new kind needs a pair of files that defines a
 * kws_layer_kind, and a line in the table of layer.c. */
#ifndef KWS_MODEL_LAYER_H
#define KWS_MODEL_LAYER_H

#include "model/linear.h"

#include <jansson.h>

typedef struct kws_layer kws_layer;

/* Consecutive rows of a block that belong to one stream. The spans of a block follow one
 * another. */
typedef struct {
	unsigned char *state; /* of the stream; each layer has its own part of it */
	size_t n;	      /* rows, at least 1 */
} kws_span;

typedef struct {
	const char *name; /* "kind" in the model file */
	/* Read the layer's keys from conf and its tensors under prefix; `where' names conf in
	 * messages. */
	enum kws_status (*create)(kws_layer **out, const json_t *conf, const char *where,
				  size_t dim, kws_tensors *ts, const char *prefix, kws_error *err);
	void (*destroy)(kws_layer *l); /* l may be half-built */
	/* Process the rows x (kws_span_rows(s, n_s) <= KWS_BLOCK, kws_pad(dim)) in place, of one
	 * stream or several. Columns from dim on are zero and stay zero. The layer's own state
	 * begins `at' bytes into each stream's state. */
	void (*run)(const kws_layer *l, const kws_span *s, size_t n_s, size_t at, float *scratch,
		    float *x);
	/* For a layer that needs the whole clip: look at all blocks x (t, kws_pad(dim)) in order,
	 * l->looks times, before any block is run. NULL if the kind never needs it. */
	void (*look)(const kws_layer *l, size_t look, void *state, float *scratch, const float *x,
		     size_t t);
} kws_layer_kind;

/* The common part. The struct of each kind begins with it. */
struct kws_layer {
	const kws_layer_kind *kind;
	size_t state_bytes;    /* of one stream; all zero at the start */
	size_t scratch_floats; /* used during run only; finite at first */
	size_t max_frames;     /* the longest clip; 0: endless */
	size_t looks;	       /* 0: causal; otherwise max_frames is not 0 */
	/* All matrix products with weights, NULL at the end: the least cost of a block. */
	const kws_linear *products[8];
};

/* Create the layer named by "kind" in conf. KWS_ERR_VERSION if the kind is unknown. */
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
