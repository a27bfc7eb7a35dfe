/* gaps.h - counts lost audio: how often, how long and why, in all and since the last event. */
#ifndef KWS_DAEMON_GAPS_H
#define KWS_DAEMON_GAPS_H

#include "audio/device.h"

/* All zero: nothing was lost. */
typedef struct {
	/* since the last event, which reported those before */
	unsigned count;
	double seconds;
	char reason[32]; /* of the last one; "": none */
	/* in all */
	unsigned total;
	double total_s;
	unsigned long overflows;
	unsigned long long dropped; /* samples */
	/* what the device of this stream has reported so far */
	unsigned long known_overflows;
	size_t known_dropped;
} kws_gaps;

void kws_gaps_add(kws_gaps *g, double seconds, const char *reason);
void kws_gaps_told(kws_gaps *g); /* an event has reported them */

void kws_gaps_stream(kws_gaps *g); /* a device was opened: it has reported nothing yet */
/* Whether a device at hz has lost audio since the last call; if so, how long and why, for
 * kws_gaps_add(). late_s: how far the audio is behind the clock: the loss by an overflow. */
bool kws_gaps_look(kws_gaps *g, const kws_device_state *st, unsigned hz, double late_s,
		   double *seconds, const char **reason);

#endif
