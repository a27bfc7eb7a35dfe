/* network.h - the architecture of a model with its packed weights. It is immutable; runner.h runs
 * it. */
#ifndef KWS_MODEL_NETWORK_H
#define KWS_MODEL_NETWORK_H

#include "model/embed.h"
#include "model/layer_list.h"
#include "model/model.h"
#include "model/norm.h"
#include "model/stem.h"

typedef struct {
	size_t n_mels, n_words; /* words: those of the embedding's heads come last */
	float *mean, *scale;	/* (n_mels,) normalisation of the features; NULL: none */
	size_t stack, stride, dim;
	kws_stem stem;	  /* n_steps 0: none */
	size_t n_frame;	  /* floats of a stacked frame: from the stem, or features */
	size_t step;	  /* feature frames per network frame: stride, times the stem's */
	kws_linear input; /* stack * n_frame -> dim */
	kws_layer_list layers;
	bool has_final_norm;
	kws_norm final_norm;
	size_t pool, head;
	kws_linear fc1, fc2; /* dim -> head -> n_words less those of the embedding's heads */
	kws_embed embed;     /* every 0: none */
} kws_network;

/* conf: the metadata entry "network", of a file of this version. A failed init leaves what
 * kws_network_free() copes with. */
enum kws_status kws_network_init(kws_network *w, const json_t *conf, unsigned version,
				 const kws_features *f, bool affine, size_t n_words,
				 kws_tensors *ts, kws_error *err);
void kws_network_free(kws_network *w);

/* Words that the network's own head tells apart: their probabilities sum to 1. Each word behind
 * them has one of its own. */
static inline size_t kws_network_n_classes(const kws_network *w)
{
	return w->n_words - w->embed.n_heads;
}

/* The longest clip, in network frames, that all layers can process; 0: endless. */
size_t kws_network_max_frames(const kws_network *w);

/* Whether a layer needs the whole clip before it gives output. kws_network_max_frames() is then not
 * 0. */
bool kws_network_whole_clip(const kws_network *w);

/* Call fn for every matrix product that KWS_BLOCK network frames need, in order, with its number of
 * rows. */
void kws_network_products(const kws_network *w, kws_product_fn *fn, void *ctx);

/* The network inside a model. */
const kws_network *kws_model_network(const kws_model *m);

#endif
