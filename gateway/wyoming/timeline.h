/* timeline.h - which time of the client a moment in its audio has.
 *
 * Clients give each chunk a timestamp. By the protocol it is in milliseconds, but some send
 * nanoseconds, some a constant, and many none. The timestamps are trusted as long as they advance as
 * the audio does; otherwise the time is counted from the beginning of the audio. */
#ifndef KWS_WYOMING_TIMELINE_H
#define KWS_WYOMING_TIMELINE_H

#include <stdbool.h>
#include <stdint.h>

/* All zero: the audio has not begun. */
typedef struct {
	double offset_ms;    /* of the client's clock to the audio's; 0: not trusted */
	double last_ms;	     /* length of the audio before the last timestamp */
	int64_t last;	     /* timestamp */
	bool begun, trusted; /* there was a timestamp; two of them agree with the audio */
} kws_timeline;

/* A chunk begins after heard_ms of audio; it has a timestamp, 0..2^53, or not. */
void kws_timeline_chunk(kws_timeline *t, double heard_ms, bool has, int64_t timestamp);

/* The time of a moment, ms since the audio began, in whole ms. */
int64_t kws_timeline_at(const kws_timeline *t, double ms);

#endif
