/* augment.h - augmented copies of a take, as in other rooms and with other microphones: speed,
 * room, noise, voices, gain. */
#ifndef KWS_SPOT_AUGMENT_H
#define KWS_SPOT_AUGMENT_H

#include "kws.h"
#include "spot/random.h"

/* A word with its surroundings: pcm (n,) has the word in start..end. */
typedef struct {
	float *pcm;
	size_t n, start, end;
} kws_said;

/* Make copy number `copy' of a take; 0 is the clean take with silence around it. others
 * (n_others,): takes for babble noise, played backwards so that it contains no words. The caller
 * must free() out->pcm. KWS_ERR_NOMEM. */
enum kws_status kws_augment(kws_random *r, const kws_said *take, const kws_said *others,
			    size_t n_others, unsigned copy, unsigned rate_hz, kws_said *out);

#endif
