/* copies.h - a take as it is and as it might have been heard (spot/augment.h), as points of an
 * embedding. */
#ifndef KWS_SPOT_COPIES_H
#define KWS_SPOT_COPIES_H

#include "spot/augment.h"
#include "spot/embedder.h"

enum { KWS_COPIES = 7 /* of a take; the first is clean */ };

/* All points of a copy, and which of them are the word and which its first half. */
typedef struct {
	float *all; /* (n, rank) */
	size_t n;
	size_t is, n_is, half, n_half; /* runs of them */
} kws_copy;

/* All copies of a take into c (KWS_COPIES,), all zeros before; others as kws_augment() has them.
 * KWS_ERR_NOMEM: free what is there. */
enum kws_status kws_copies_make(kws_copy *c, kws_embedder *e, const kws_said *take,
				const kws_said *others, size_t n_others, uint64_t seed,
				unsigned rate_hz);
void kws_copies_free(kws_copy *c);

#endif
