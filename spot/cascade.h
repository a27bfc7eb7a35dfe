/* cascade.h - the models inside a cascade, for programs that show more than its events. The
 * functions of a cascade are declared in the public interface. */
#ifndef KWS_SPOT_CASCADE_H
#define KWS_SPOT_CASCADE_H

#include "spot/ear.h"

/* The ear of the model that was added as number i, from 0: its scores, and kws_ear_configure(). */
kws_ear *kws_cascade_ear(const kws_cascade *c, size_t i);

/* Before the first start: hear only what is worth it (spot/squelch.h). over_db:
 * 0..KWS_SQUELCH_MOST_DB; 0: everything. */
void kws_cascade_squelch(kws_cascade *c, double over_db);
/* Seconds that were skipped since the start. */
double kws_cascade_skipped_s(const kws_cascade *c);

#endif
