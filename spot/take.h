/* take.h - one recording of one word: where the word is in it, and what is wrong with it. */
#ifndef KWS_SPOT_TAKE_H
#define KWS_SPOT_TAKE_H

#include "kws.h"

/* pcm (n,) at rate_hz, the whole take. Fills all of *t but likeness; t->faults is 0 when the
 * take is good. */
void kws_take_judge(const float *pcm, size_t n, unsigned rate_hz, kws_take *t);

#endif
