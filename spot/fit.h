/* fit.h - fits the head of one word (model/embed.h): points of the word against points of other
 * sounds. */
#ifndef KWS_SPOT_FIT_H
#define KWS_SPOT_FIT_H

#include "kws.h"

enum { KWS_FIT_HIDDEN = 32 };

float kws_logistic(float x); /* 1 / (1 + exp(-x)) */
float kws_logit(float p);    /* log(p / (1 - p)), of p within 1e-6..1 - 1e-6 */

/* For qsort(): floats, highest first. */
int kws_falling(const void *a, const void *b);

/* A linear layer, SiLU, and a linear layer to one logit. */
typedef struct {
	size_t rank;
	float *w1;		  /* (rank, KWS_FIT_HIDDEN) */
	float b1[KWS_FIT_HIDDEN]; /* */
	float w2[KWS_FIT_HIDDEN];
	float b2;
} kws_head;

enum kws_status kws_head_create(kws_head *h, size_t rank); /* KWS_ERR_NOMEM */
void kws_head_free(kws_head *h);

/* points (n, rank) -> logits (n,) */
void kws_head_run(const kws_head *h, const float *points, size_t n, float *logits);

typedef struct {
	const float *at; /* (n, rank), each of length sqrt(rank) */
	size_t n;
} kws_points;

/* What a head is fitted to. is and bank MUST NOT be empty; the others may be. */
typedef struct {
	kws_points is;	      /* at the ends of the word */
	kws_points synthetic; /* the same, by a synthetic voice: a part of the positives */
	kws_points halves;    /* of the word's first half: negatives */
	kws_points wrong;     /* of sounds that were taken for the word: negatives */
	kws_points bank;      /* of other sounds: negatives */
} kws_fit_points;

/* Uses AdamW. Positives are mixed with negatives. After the first quarter, the negatives of the bank
 * that the head takes for the word are used more often. The same points and seed give the same
 * head. KWS_ERR_NOMEM. */
enum kws_status kws_fit(kws_head *h, const kws_fit_points *p, uint64_t seed);

#endif
