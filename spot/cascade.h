/* cascade.h - the models inside a cascade, for programs that show more than its events. The
 * functions of a cascade are declared in the public interface. */
#ifndef KWS_SPOT_CASCADE_H
#define KWS_SPOT_CASCADE_H

#include "spot/ear.h"

/* The ear of the model that was added as number i, from 0: its scores, and kws_ear_configure(). */
kws_ear *kws_cascade_ear(const kws_cascade *c, size_t i);

#endif
