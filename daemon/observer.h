/* observer.h - where what the daemon hears may be listened to while it runs: frames and near misses. Nobody
 * listens most of the time, and that costs nothing. */
#ifndef KWS_DAEMON_OBSERVER_H
#define KWS_DAEMON_OBSERVER_H

#include "kws.h"
#include "spot/event.h"

/* All of one thread, and called from within the audio: no waiting. A function that is NULL is not
 * called. */
typedef struct {
	/* Each event, and each near miss when near. */
	void (*report)(void *ctx, const kws_report *r, bool near);
	/* Each network frame of a spotter on a listener, with the smoothed scores (n_words,) of its model.
	 * Its level and mel are the same for all spotters of a listener with the same features. */
	void (*frame)(void *ctx, const char *listener, const char *spotter, const kws_model *m,
		      const kws_frame *f, const float *score);
	void *ctx;
} kws_observer;

#endif
