/* fastself.h - FastSelfAttention of the original Fastformer (wuch15/Fastformer), in which queries
 * and values are the same:
 *
 *   q = W_q x   k = W_k x   o = additive attention of q and k (additive.h)   r = W_t o + q
 *
 * Causal: each frame pools the frames before it. For whole clips, as in the original: each frame
 * gets the pools of the whole clip. All blocks are then looked at twice before any is run: once for
 * the pool of the queries, once for that of the keys. */
#ifndef KWS_MODEL_FASTSELF_H
#define KWS_MODEL_FASTSELF_H

#include "model/additive.h"
#include "model/layer.h"

typedef struct {
	kws_additive additive;
	kws_linear query, key, transform;
	bool causal;
} kws_fastself;

enum { KWS_FASTSELF_LOOKS = 2 };

/* Tensors: prefix + {query, key, transform}.{weight [dim, dim], bias}, and those of
 * kws_additive_init(). */
enum kws_status kws_fastself_init(kws_fastself *f, size_t dim, size_t heads, bool forgets,
				  bool causal, kws_tensors *ts, const char *prefix, kws_error *err);
void kws_fastself_free(kws_fastself *f);

/* Floats of state (zero at the start) and of scratch. */
size_t kws_fastself_state(const kws_fastself *f);
size_t kws_fastself_scratch(const kws_fastself *f);

/* If not causal: look at x (t, kws_pad(dim)), t <= KWS_BLOCK. Look 0 takes all blocks of the clip
 * in order, then look 1. */
void kws_fastself_look(const kws_fastself *f, size_t look, float *state, float *scratch,
		       const float *x, size_t t);
/* Rows x of the spans -> r, both (rows, kws_pad(dim)). r MUST NOT be x. */
void kws_fastself_run(const kws_fastself *f, const kws_span *s, size_t n_s, size_t at,
		      float *scratch, const float *x, float *r);

#endif
