/* anchor.h - the wall time of a sample. */
#ifndef KWS_DAEMON_ANCHOR_H
#define KWS_DAEMON_ANCHOR_H

#include <stdbool.h>

/* When was a sample heard? Sound cards run some 1e-5 fast or slow: seconds a day. So the anchor
 * follows the wall clock: in every window of 10 s the sample that reached us soonest says where the
 * stream stands, and the anchor moves a quarter of the way there. A difference of more than a
 * second (a set clock, lost samples) is taken over at once. A file, or a pipe that runs ahead of
 * time, keeps the wall time at which it began. */
typedef struct {
	double offset;	     /* wall time of second 0 */
	double best, window; /* smallest offset seen in this window, and when the window began */
	bool started, may_run_ahead, follows;
} kws_anchor;

/* seconds of audio have been heard in all at this wall time. may_run_ahead: the source is no
 * microphone. */
void kws_anchor_start(kws_anchor *a, bool may_run_ahead, double wall, double seconds);
/* seconds have been heard by now. Returns by how much wall time jumped against the audio: 0 nearly
 * always. */
double kws_anchor_update(kws_anchor *a, double wall, double seconds);
double kws_anchor_wall(const kws_anchor *a, double seconds);

#endif
