/* copies.h - a take and augmented copies of it (spot/augment.h), as points of an embedding. */
#ifndef KWS_SPOT_COPIES_H
#define KWS_SPOT_COPIES_H

#include "spot/augment.h"
#include "spot/bank.h"
#include "spot/embedder.h"

enum { KWS_COPIES = 7 /* of each take; the first one is clean */ };

/* All points of a copy, and which of them are the word and its first half. */
typedef struct {
	float *all; /* (n, rank) */
	size_t n;
	size_t is, n_is, half, n_half; /* first point and number: the word; its first half */
} kws_copy;

/* Make all copies of a take in c (KWS_COPIES,), which is all zero before. others: as for
 * kws_augment(); bank: for its sounds. KWS_ERR_NOMEM: the caller must still free c. */
enum kws_status kws_copies_make(kws_copy *c, kws_embedder *e, const kws_bank *bank,
				const kws_said *take, const kws_said *others, size_t n_others,
				uint64_t seed, unsigned rate_hz);
void kws_copies_free(kws_copy *c);

#endif
