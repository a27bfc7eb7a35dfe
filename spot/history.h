/* history.h - the last seconds of a stream, at its own rate, for ears that are behind and for
 * clips. */
#ifndef KWS_SPOT_HISTORY_H
#define KWS_SPOT_HISTORY_H

#include "kws.h"

typedef struct {
	float *buf; /* (cap,), the caller's */
	size_t cap;
	uint64_t end; /* samples of the stream appended so far */
} kws_history;

void kws_history_init(kws_history *h, float *buf, size_t cap);
void kws_history_append(kws_history *h, const float *pcm, size_t n);
/* The first sample that is still held. */
uint64_t kws_history_begin(const kws_history *h);
/* The samples from `from' on, which MUST be held, as far as they are contiguous in memory: at most
 * *n, and *n is set to their number. */
const float *kws_history_at(const kws_history *h, uint64_t from, size_t *n);
/* Copy samples [from, from + n) of the stream to dst; samples that are not held, any more or yet,
 * become 0. Returns how many were held. */
size_t kws_history_copy(const kws_history *h, uint64_t from, size_t n, float *dst);

#endif
