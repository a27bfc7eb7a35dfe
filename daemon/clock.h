/* clock.h - the only place of the project that reads clocks, and the wall time of a sample. */
#ifndef KWS_DAEMON_CLOCK_H
#define KWS_DAEMON_CLOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

double kws_clock_mono(void); /* seconds, stands still while the machine is suspended */
double kws_clock_boot(void); /* seconds, goes on while the machine is suspended */
double kws_clock_wall(void); /* seconds since 1970, UTC */

/* "2026-03-01T12:00:00.250Z" for 1970 + t; n >= 32. */
void kws_clock_rfc3339(double t, char *text, size_t n);

/* When was sample s heard? Sound cards run some 1e-5 fast or slow: seconds a day. So the anchor follows the wall clock:
 * in every window of 10 s the sample that reached us soonest says where the stream stands, and the anchor moves a
 * quarter of the way there. A larger jump (a set clock, a suspend, lost samples) is taken over at once. A file, or a
 * pipe that is faster than time, keeps the wall time at which it began. */
typedef struct {
	double offset;       /* wall time of sample 0 */
	double first;        /* wall time of the stream's start */
	double best, window; /* smallest offset seen in this window, and when the window began */
	bool anchored, live;
} kws_anchor;

/* live: the source is a microphone. s samples at rate_hz came before, seconds in all. */
void kws_anchor_start(kws_anchor *a, bool live, double wall, double seconds);
/* seconds of audio have been read by now. Returns by how much the wall clock jumped against the audio: 0 nearly always. */
double kws_anchor_update(kws_anchor *a, double wall, double seconds);
double kws_anchor_wall(const kws_anchor *a, double seconds);

#endif
