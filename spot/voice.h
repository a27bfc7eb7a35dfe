/* voice.h - the background, and stretches of voice over it, as they come: from the power of each
 * hop alone.
 *
 * background: the least power of a 50 ms mean in the last 3 s.
 *
 * stretch: of voice, after a pause. A hop counts to it when it is 8 dB over the background and at
 * most 15 dB below the loudest of the last window. Pauses up to 100 ms (the closure of "stop") do
 * not end a stretch; less than 60 ms, a click, is none. That is stricter than where a word starts
 * and ends (spot/endpoint.h): what counts here is whether there was a pause. */
#ifndef KWS_SPOT_VOICE_H
#define KWS_SPOT_VOICE_H

#include "kws.h"

#include <stddef.h>
#include <stdint.h>

typedef struct kws_voice kws_voice;

/* The newest stretch: how many there have been with it, and the sample where it ends so far. All 0:
 * there has been none. */
typedef struct {
	uint64_t count, end;
} kws_stretch;

/* window: samples. KWS_ERR_ARG, KWS_ERR_NOMEM. */
enum kws_status kws_voice_create(kws_voice **out, unsigned rate_hz, size_t hop, size_t window);
void kws_voice_destroy(kws_voice *v);
void kws_voice_reset(kws_voice *v);

/* The mean square of the next n hops, level (n,), finite. */
void kws_voice_push(kws_voice *v, const float *level, size_t n);

kws_stretch kws_voice_stretch(const kws_voice *v);
float kws_voice_background(const kws_voice *v); /* mean square, -100 dBFS at the least */

/* That many ms in hops, 1 at the least. */
size_t kws_voice_hops(unsigned ms, unsigned rate_hz, size_t hop);

#endif
