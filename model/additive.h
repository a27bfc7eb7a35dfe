/* additive.h - additive attention (Fastformer section 3.2; FastSelfAttention of the original), causal with constant state.
 *
 * Per head, over the frames so far, where frame j's weight is softmax_j(score_j - rate * (t - j)):
 *
 *   Q = sum of the weighted q, by the scores w_q q / sqrt(dim of a head)
 *   p = k Q
 *   K = sum of the weighted p, by the scores w_k p / sqrt(dim of a head)
 *   o = K q
 *
 * A p keeps the Q of its own frame: that makes the state constant. Each score reads all channels. The rate is how fast a
 * pool forgets, in nepers a frame; with a rate of 0 it holds all history, a frame weighs 1/t, and float32 hears nothing
 * new after some 1e7 frames. An endless stream wants rates above 0. */
#ifndef KWS_MODEL_ADDITIVE_H
#define KWS_MODEL_ADDITIVE_H

#include "model/attention.h"

enum { KWS_QUERIES, KWS_KEYS }; /* the two pools */
enum { KWS_MAX_HEADS = 64 };

typedef struct {
	size_t dim, heads;
	size_t ld, ld_s;  /* dim and heads, padded */
	double *score[2]; /* (heads, dim + 1) 1/sqrt(dim of a head) is in it, the bias is last */
	float *rate;	  /* (2, heads) */
} kws_additive;

/* Tensors prefix + {query_att, key_att}.{weight [heads, dim], bias}; forgets: also prefix + forget [2, heads], of the
 * queries and the keys, rate = log(1 + exp(forget)); else the rates are 0. heads MUST divide dim and
 * be KWS_MAX_HEADS at most. */
enum kws_status kws_additive_init(kws_additive *a, size_t dim, size_t heads, bool forgets,
				  kws_tensors *ts, const char *prefix, kws_error *err);
void kws_additive_free(kws_additive *a);

/* Floats of state, a multiple of 16, zeros at the start; and of scratch. */
size_t kws_additive_state(const kws_additive *a);
size_t kws_additive_scratch(const kws_additive *a);

/* Take t rows of x (t, ld) into a pool, one after the other; row i of y (t, ld) becomes row i of with (t, ld) times what
 * the pool then holds. y may be with. */
void kws_additive_pool(const kws_additive *a, int pool, float *state, float *scratch,
		       const float *x, const float *with, size_t t, float *y);
/* Rows of y = with times what the pool holds. */
void kws_additive_hold(const kws_additive *a, int pool, const float *state, const float *with,
		       size_t t, float *y);

/* The whole of it: q and k (t, ld) -> o (t, ld), t <= KWS_BLOCK. o may be k. */
void kws_additive_run(const kws_additive *a, float *state, float *scratch, const float *q,
		      const float *k, size_t t, float *o);

/* In the gated block: "heads" and "forget" among the layer's keys, tensors under additive.; q and k have hdim channels, the
 * queries are the values. */
extern const kws_attention_kind kws_additive_attention;

#endif
