/* anchor.h - when a sample was heard, on the monotonic clock. Nobody sets that clock, so audio that
 * is late by it is really late, or lost. */
#ifndef KWS_DAEMON_ANCHOR_H
#define KWS_DAEMON_ANCHOR_H

#include <stdbool.h>

/* Sound cards run about 1e-5 fast or slow: seconds a day. So the anchor follows the clock. In every
 * window of 10 s it takes the sample that arrived with the least delay, and moves a quarter of the
 * way towards it. If even this sample is more than 0.25 s late, audio was lost without a report
 * from the device, and the anchor jumps there at once. A file, or a pipe that runs ahead of time,
 * keeps the time of its start. */
typedef struct {
	double offset;	     /* time of second 0 */
	double best, window; /* smallest offset in this window, and when the window began */
	bool started, may_run_ahead, follows;
} kws_anchor;

/* At time mono, seconds of audio have been heard in all. may_run_ahead: the source is not a
 * microphone. */
void kws_anchor_start(kws_anchor *a, bool may_run_ahead, double mono, double seconds);
/* At time mono, seconds have been heard in all. Returns how many seconds were lost without a
 * report; negative: audio now comes that much sooner (more than a second); nearly always 0. */
double kws_anchor_update(kws_anchor *a, double mono, double seconds);
/* The time at which this second of the audio was heard. */
double kws_anchor_time(const kws_anchor *a, double seconds);

#endif
