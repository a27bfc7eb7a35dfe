/* endpoint.h - where the word of a hit starts and ends, how loud it is, and over what background.
 *
 * An estimate from the power of each hop alone. Hops are voiced that are 6 dB over the background
 * and at most 25 dB below the loudest of the search range; gaps up to 100 ms (the closure of
 * "stop") do not end a stretch. The word is the last stretch of 60 ms or more that begins 100 ms or
 * more before the score crossed its threshold: of a word that began later too little was heard.
 * Where there is none (a poor SNR), it is the loudest 400 ms. The background is that of
 * spot/voice.h. */
#ifndef KWS_SPOT_ENDPOINT_H
#define KWS_SPOT_ENDPOINT_H

#include "spot/decide.h"
#include "spot/voice.h"

typedef struct kws_endpoint kws_endpoint;

/* window: the search begins that many samples before the crossing. KWS_ERR_ARG, KWS_ERR_NOMEM. */
enum kws_status kws_endpoint_create(kws_endpoint **out, unsigned rate_hz, size_t hop,
				    size_t window);
void kws_endpoint_destroy(kws_endpoint *e);
void kws_endpoint_reset(kws_endpoint *e);

/* The mean square of the next n hops, level (n,), finite. */
void kws_endpoint_push(kws_endpoint *e, const float *level, size_t n);

/* The newest stretch of voice, for the decision. */
kws_stretch kws_endpoint_stretch(const kws_endpoint *e);

/* Fill the whole event from a hit decided now. Words do not overlap: it starts after the end of the
 * one before. */
void kws_endpoint_find(kws_endpoint *e, const kws_hit *hit, kws_event *ev);

#endif
