/* voice.h - follows the background level and finds stretches of voice above it, using only the
 * power of each hop.
 *
 * background: the smallest 50 ms mean power in the last 3 s.
 *
 * stretch: a stretch of voice after a pause. A hop belongs to it when it is at least 8 dB above the
 * background and at most 15 dB below the loudest hop of the last window. Pauses of up to 100 ms
 * (the closure of "stop") do not end a stretch; anything shorter than 60 ms is a click, and no
 * stretch. This is stricter than the search for the start and end of a word (spot/endpoint.h),
 * because here it matters whether there was a pause. */
#ifndef KWS_SPOT_VOICE_H
#define KWS_SPOT_VOICE_H

#include "kws.h"

#include <stddef.h>
#include <stdint.h>

typedef struct kws_voice kws_voice;

/* The newest stretch: its number, counted from 1, and the sample where it ends so far. All 0: there
 * has been no stretch. */
typedef struct {
	uint64_t count, end;
} kws_stretch;

/* window: samples. KWS_ERR_ARG, KWS_ERR_NOMEM. */
enum kws_status kws_voice_create(kws_voice **out, unsigned rate_hz, size_t hop, size_t window);
void kws_voice_destroy(kws_voice *v);
void kws_voice_reset(kws_voice *v);

/* Add the mean squares of the next n hops, level (n,), all finite. */
void kws_voice_push(kws_voice *v, const float *level, size_t n);

kws_stretch kws_voice_stretch(const kws_voice *v);
float kws_voice_background(const kws_voice *v); /* mean square, at least -100 dBFS */

/* ms as a number of hops, at least 1. */
size_t kws_voice_hops(unsigned ms, unsigned rate_hz, size_t hop);

#endif
