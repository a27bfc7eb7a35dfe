/* augment.h - augmented copies of a take, as in other rooms and with other microphones: speed,
 * room, noise, voices, gain. */
#ifndef KWS_SPOT_AUGMENT_H
#define KWS_SPOT_AUGMENT_H

#include "kws.h"
#include "spot/random.h"

#include <stdbool.h>

/* A word with its surroundings: pcm (n,) has the word in start..end. */
typedef struct {
	float *pcm;
	size_t n, start, end;
} kws_said;

/* What degrades a copy besides speed, room and gain. */
enum { KWS_AUGMENT_VOICE = 1 /* before the word */, KWS_AUGMENT_NOISE = 2 };

/* Make a copy of a take. clean: it is the take itself, with silence around it; what: bits from above.
 * others (n_others,): takes for babble noise, played backwards so that it contains no words. The caller
 * must free() out->pcm. KWS_ERR_NOMEM. */
enum kws_status kws_augment(kws_random *r, const kws_said *take, const kws_said *others,
			    size_t n_others, bool clean, unsigned what, unsigned rate_hz,
			    kws_said *out);

#endif
