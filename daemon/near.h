/* near.h - near misses of one word: its score came near the threshold, and it was no event.
 *
 * A near miss is a rise that a lower threshold would have made an event. It begins when the score
 * reaches the bar, a share of the threshold, and is over when the score has fallen below
 * KWS_NEAR_OVER of the bar. It is none when the score reaches the threshold, or when any word is
 * hit before it is over.
 *
 * After each of these, and at the start, the score has to fall below KWS_NEAR_OVER of the bar
 * before another can begin: the fall behind an event is no near miss. A rise that begins where the
 * decision allows no event (in the refractory of the word, or in the dead time behind another; see
 * spot/decide.h) is none either. */
#ifndef KWS_DAEMON_NEAR_H
#define KWS_DAEMON_NEAR_H

#include <stdbool.h>
#include <stdint.h>

#define KWS_NEAR_OVER 0.75f
/* The share of the threshold, where the configuration names none. */
#define KWS_NEAR_SHARE 0.5f

/* All zero: at the start of a stream. */
typedef struct {
	bool armed, open;
	uint64_t quiet_until; /* no near miss begins before this sample */
	uint64_t start, peak; /* samples: the score reached the bar; it was highest */
	float score;	      /* the highest */
} kws_near;

/* The stream has moved on to this sample with this score. threshold above 1: the word is off, and
 * so are its near misses. True: a near miss is over; start, peak and score say which. */
bool kws_near_step(kws_near *n, uint64_t sample, float score, float bar, float threshold);

/* A word was hit, this one or another. No near miss of this word begins before quiet_until. */
void kws_near_event(kws_near *n, uint64_t quiet_until);

/* The stream has ended. As kws_near_step(). */
bool kws_near_flush(kws_near *n);

#endif
