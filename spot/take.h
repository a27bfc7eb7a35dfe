/* take.h - examines one recording of one word: where the word is, and which faults it has. */
#ifndef KWS_SPOT_TAKE_H
#define KWS_SPOT_TAKE_H

#include "kws.h"

/* pcm (n,) at rate_hz: the whole take. Fills *t, except likeness; t->faults is 0 if the take is
 * good. */
void kws_take_judge(const float *pcm, size_t n, unsigned rate_hz, kws_take *t);

#endif
