/* additive.h - additive attention (Fastformer section 3.2; FastSelfAttention of the original code),
 * causal, with state of constant size.
 *
 * Per head, over the frames so far, where the weight of frame j is softmax_j(score_j - rate * (t -
 * j)):
 *
 *   Q = weighted sum of q, with the scores w_q q / sqrt(dim of a head)
 *   p = k Q
 *   K = weighted sum of p, with the scores w_k p / sqrt(dim of a head)
 *   o = K q
 *
 * Each p uses the Q of its own frame, so the state has constant size. Each score reads all
 * channels. The rate says how fast a pool forgets, in nepers per frame. With a rate of 0 a pool
 * keeps all history, a frame weighs 1/t, and in float32 new frames have no effect after some 1e7
 * frames. An endless stream needs rates above 0. */
#ifndef KWS_MODEL_ADDITIVE_H
#define KWS_MODEL_ADDITIVE_H

#include "model/attention.h"

enum { KWS_QUERIES, KWS_KEYS }; /* the two pools */
enum { KWS_MAX_HEADS = 64 };

typedef struct {
	size_t dim, heads;
	size_t ld, ld_s;  /* dim and heads, padded */
	double *score[2]; /* includes 1/sqrt(dim of a head); the bias is last */
	float *rate;	  /* (2, heads) */
} kws_additive;

/* Tensors: prefix + {query_att, key_att}.{weight [heads, dim], bias}. With forgets also prefix +
 * forget [2, heads], for the queries and the keys: rate = log(1 + exp(forget)); otherwise the rates
 * are 0. heads MUST divide dim and be at most KWS_MAX_HEADS. */
enum kws_status kws_additive_init(kws_additive *a, size_t dim, size_t heads, bool forgets,
				  kws_tensors *ts, const char *prefix, kws_error *err);
void kws_additive_free(kws_additive *a);

/* Floats of state (a multiple of 16, zero at the start) and of scratch. */
size_t kws_additive_state(const kws_additive *a);
size_t kws_additive_scratch(const kws_additive *a);

/* Add t rows of x (t, ld) to a pool, one after the other. Row i of y (t, ld) becomes row i of with
 * (t, ld) times the pool's content at that moment. y may be with. */
void kws_additive_pool(const kws_additive *a, int pool, float *state, float *scratch,
		       const float *x, const float *with, size_t t, float *y);
/* Rows of y = rows of with times the pool's content. */
void kws_additive_hold(const kws_additive *a, int pool, const float *state, const float *with,
		       size_t t, float *y);

/* The whole attention: q and k (t, ld) -> o (t, ld), t <= KWS_BLOCK. o may be k. */
void kws_additive_run(const kws_additive *a, float *state, float *scratch, const float *q,
		      const float *k, size_t t, float *o);

/* For the gated block. The layer has the keys "heads" and "forget" and tensors under additive.; q
 * and k have hdim channels, and the queries are the values. */
extern const kws_attention_kind kws_additive_attention;

#endif
