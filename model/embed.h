/* embed.h - words of one's own: an embedding of the last second, and a small head for each word.
 *
 * Every `every` network frames become a row of `dim` values: a linear map of what the last layer
 * makes of them and, where the embedding has a stem of its own, of its last `stack` frames, one
 * of which is made for each row. An embedding with layers of its own maps all that to `width`
 * values, runs the layers on these, a step for each row, and maps what they make to the row. The
 * last `window` rows become a point of `rank` values, linear too and then brought to the length
 * sqrt(rank), so that loudness and noise turn it but do not shorten it. Each head makes one logit of
 * a point: Linear, silu, Linear. Between two rows the logits stay; rows before the start are zeros.
 *
 * Nothing here changes what the network itself says. */
#ifndef KWS_MODEL_EMBED_H
#define KWS_MODEL_EMBED_H

#include "model/layer_list.h"
#include "model/stem.h"

#include <jansson.h>

enum { KWS_MAX_HEADS = 64, KWS_MAX_HIDDEN = 64 };

typedef struct {
	size_t every;	/* 0: the network has no embedding */
	size_t n_hops;	/* feature frames of a row */
	size_t n_mels;	/* floats of a feature frame */
	size_t n_layer; /* floats of the last layer */
	kws_stem stem;	/* n_steps 0: none; else a frame of it for each row */
	size_t bands, stack;
	float *mean, *scale;		 /* (bands,) normalisation of its first so many bands */
	size_t n_in;			 /* floats that a row is made of */
	size_t dim, window, rank, width; /* width: 0: no layers of its own */
	size_t n_heads;
	struct {
		size_t hidden, at; /* where its part of n_hidden begins */
	} head[KWS_MAX_HEADS];
	size_t n_hidden;       /* of all heads, each padded */
	kws_linear row;	       /* n_in -> dim, or width */
	kws_layer_list layers; /* of rows; n 0: none */
	kws_linear out;	       /* width -> dim */
	kws_linear point;      /* window * dim -> rank */
	kws_linear fc1;	       /* rank -> n_hidden */
	float *fc2, *bias;     /* (n_hidden,), (n_heads,) */
	size_t state_floats;   /* of one stream */
	size_t scratch_floats; /* all finite at first */
} kws_embed;

/* conf: the entry "embedding" of the network, heads: its entry "heads" or NULL. quiet (n_mels,):
 * a feature frame of silence, as the network gets it; step of them are a network frame, of which
 * the last layer makes n_layer floats. A failed init leaves what kws_embed_free() copes with. */
enum kws_status kws_embed_init(kws_embed *e, const json_t *conf, const json_t *heads,
			       const float *quiet, size_t n_mels, size_t step, size_t n_layer,
			       kws_tensors *ts, kws_error *err);
void kws_embed_free(kws_embed *e);

/* state (state_floats,) of the start. */
void kws_embed_reset(const kws_embed *e, float *state);

/* Rows that n network frames complete, the first of them number `frame` of the stream. */
static inline size_t kws_embed_rows(const kws_embed *e, size_t frame, size_t n)
{
	return (frame + n) / e->every - frame / e->every;
}

/* What the embedding's own stem makes of n network frames, at most KWS_BLOCK, number `frame` the
 * first: features (n * step, n_mels) -> out (kws_embed_rows(), stem.n_out). Does nothing without
 * one. */
void kws_embed_hear(const kws_embed *e, float *state, float *scratch, size_t frame, size_t n,
		    const float *features, float *out);

/* The same frames once the network has heard them. */
typedef struct {
	size_t frame, n;
	const float *stem;  /* what kws_embed_hear() made */
	const float *layer; /* (n, ld) */
	size_t ld;
} kws_embed_frames;

/* logits (n, n_heads) of the frames; rows: NULL, or where the rows (kws_embed_rows(), dim) go.
 * Returns how many they are. */
size_t kws_embed_run(const kws_embed *e, float *state, float *scratch, const kws_embed_frames *f,
		     float *logits, float *rows);

/* x (window - 1 + n, dim), oldest first -> point (n, ld) with ld = kws_pad(rank), each of length
 * sqrt(rank). */
void kws_embed_points(const kws_embed *e, const float *x, size_t n, float *point);

/* Call fn for every product, of so many rows, that n frames take. */
void kws_embed_products(const kws_embed *e, size_t n, kws_product_fn *fn, void *ctx);

#endif
