/* anchor.h - when a sample was heard, on the monotonic clock: nobody sets that one, so that what is late
 * against it is late, or lost. */
#ifndef KWS_DAEMON_ANCHOR_H
#define KWS_DAEMON_ANCHOR_H

#include <stdbool.h>

/* Sound cards run some 1e-5 fast or slow: seconds a day. So the anchor follows the clock: in every window
 * of 10 s the sample that reached us soonest says where the stream stands, and the anchor moves a quarter
 * of the way there. When even that one is a quarter of a second late, audio was lost without a word from
 * the device, and the anchor goes there at once. A file, or a pipe that runs ahead of time, keeps the time
 * at which it began. */
typedef struct {
	double offset;	     /* time of second 0 */
	double best, window; /* smallest offset seen in this window, and when the window began */
	bool started, may_run_ahead, follows;
} kws_anchor;

/* seconds of audio have been heard in all at this time. may_run_ahead: the source is no microphone. */
void kws_anchor_start(kws_anchor *a, bool may_run_ahead, double mono, double seconds);
/* seconds have been heard by now. Returns how many seconds were lost without a word; negative: audio comes
 * so much sooner than it did, by more than a second; nearly always 0. */
double kws_anchor_update(kws_anchor *a, double mono, double seconds);
/* The time of this second of the audio. */
double kws_anchor_time(const kws_anchor *a, double seconds);

#endif
