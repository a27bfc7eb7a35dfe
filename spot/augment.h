/* augment.h - copies of a take as other rooms, microphones and days would have heard it: speed,
 * room, noise, voices, gain. */
#ifndef KWS_SPOT_AUGMENT_H
#define KWS_SPOT_AUGMENT_H

#include "kws.h"
#include "spot/random.h"

/* A word in its surroundings: pcm (n,) with the word in start..end. */
typedef struct {
	float *pcm;
	size_t n, start, end;
} kws_said;

/* Copy number `copy` of a take; 0 is the take as it is, with silence around it. others
 * (n_others,): takes of which babble is made, played backwards, so that nothing in it is a word.
 * out->pcm is the caller's to free(). KWS_ERR_NOMEM. */
enum kws_status kws_augment(kws_random *r, const kws_said *take, const kws_said *others,
			    size_t n_others, unsigned copy, unsigned rate_hz, kws_said *out);

#endif
