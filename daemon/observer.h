/* observer.h - who is told of what a listener hears. */
#ifndef KWS_DAEMON_OBSERVER_H
#define KWS_DAEMON_OBSERVER_H

#include "kws.h"
#include "spot/event.h"

/* Called from within the audio, on its thread: no waiting. */
typedef struct {
	/* An event, complete but for the sink's own dropped; or a near miss, which is no event. */
	void (*report)(void *ctx, const kws_report *r, bool near);
	/* Each network frame of a spotter on a listener, by their names, with the smoothed scores (n_words,)
	 * of its model. time_s: its end, in seconds as events count them. */
	void (*frame)(void *ctx, const char *listener, const char *spotter, const kws_frame *f,
		      const float *score, double time_s);
	void *ctx;
} kws_observer;

#endif
