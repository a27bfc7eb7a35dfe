/* observer.h - receives the events and frames of a listener. */
#ifndef KWS_DAEMON_OBSERVER_H
#define KWS_DAEMON_OBSERVER_H

#include "kws.h"
#include "spot/event.h"

/* Called while audio is processed, on the same thread: MUST NOT wait. */
typedef struct {
	/* An event, complete except for the sink's count of dropped events; near: a near miss. */
	void (*report)(void *ctx, const kws_report *r, bool near);
	/* Each network frame of this spotter on this listener, with the smoothed scores (n_words,)
	 * of its model. time_s: its end, in seconds as in events. */
	void (*frame)(void *ctx, const char *listener, const char *spotter, const kws_frame *f,
		      const float *score, double time_s);
	void *ctx;
} kws_observer;

#endif
