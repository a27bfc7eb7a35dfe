/* endpoint.h - estimates where the word of a hit starts and ends, its level, and the background
 * level.
 *
 * The estimate uses only the power of each hop. A hop counts as voiced when it is at least 6 dB
 * above the background and at most 25 dB below the loudest hop of the search range. Gaps of up to
 * 100 ms (the closure of "stop") do not end a stretch. The word is the last stretch of 60 ms or
 * more that begins at least 100 ms before the score crossed its threshold: a word that began later
 * could not have been recognised yet. If there is no such stretch (a poor SNR), the word is the
 * loudest 400 ms. The background is that of spot/voice.h. */
#ifndef KWS_SPOT_ENDPOINT_H
#define KWS_SPOT_ENDPOINT_H

#include "spot/decide.h"
#include "spot/voice.h"

typedef struct kws_endpoint kws_endpoint;

/* window: how many samples before the crossing the search begins. KWS_ERR_ARG, KWS_ERR_NOMEM. */
enum kws_status kws_endpoint_create(kws_endpoint **out, unsigned rate_hz, size_t hop,
				    size_t window);
void kws_endpoint_destroy(kws_endpoint *e);
void kws_endpoint_reset(kws_endpoint *e);

/* Add the mean squares of the next n hops, level (n,), all finite. */
void kws_endpoint_push(kws_endpoint *e, const float *level, size_t n);

/* The newest stretch of voice, as the decision needs it. */
kws_stretch kws_endpoint_stretch(const kws_endpoint *e);

/* Fill the whole event from a hit that was decided just now. Words do not overlap: a word starts
 * after the end of the previous one. */
void kws_endpoint_find(kws_endpoint *e, const kws_hit *hit, kws_event *ev);

#endif
