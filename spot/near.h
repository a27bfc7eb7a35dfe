/* near.h - near misses of one word: its score came near the threshold without an event.
 *
 * A near miss is a rise that would have been an event with a lower threshold, or if it had not fallen
 * while the decision waited until it is sure (spot/decide.h). It begins when the score reaches the
 * bar, a fraction of the threshold, and ends when the score has fallen below KWS_NEAR_OVER times the
 * bar. It does not count if any word is hit before it ends, or at the end of a rise over the
 * threshold: that is known one step later.
 *
 * After each of these, and at the start, the score must fall below KWS_NEAR_OVER times the bar
 * before another near miss can begin: the fall after an event is not a near miss. Nor is a rise
 * that begins where the decision allows no event (in the refractory time of the word, or in the
 * dead time after another word; see spot/decide.h). */
#ifndef KWS_SPOT_NEAR_H
#define KWS_SPOT_NEAR_H

#include "kws.h"

#include <stdbool.h>
#include <stdint.h>

#define KWS_NEAR_OVER 0.75f
/* The bar as a fraction of the threshold, if the configuration gives none. */
#define KWS_NEAR_SHARE 0.5f

/* All zero: at the start of a stream. */
typedef struct {
	bool armed, open;
	bool reached;	      /* the threshold, in this rise */
	bool ended;	      /* such a rise did, with the last step */
	uint64_t quiet_until; /* no near miss begins before this sample */
	uint64_t start, peak; /* samples at which the score reached the bar, and was highest */
	float score;	      /* the highest */
} kws_near;

/* The stream has reached this sample with this score, and what was decided before it is known.
 * threshold above 1: the word and its near misses are off. True: a near miss has ended; start, peak
 * and score describe it. */
bool kws_near_step(kws_near *n, uint64_t sample, float score, float bar, float threshold);

/* A word was hit, this or another. No near miss of this word begins before quiet_until. */
void kws_near_event(kws_near *n, uint64_t quiet_until);

/* The same for all words (n_words,) of a model at rate_hz that has decided this event. */
void kws_near_events(kws_near *n, size_t n_words, const kws_event *ev, unsigned rate_hz,
		     unsigned refractory_ms);

/* The stream has ended. As kws_near_step(). */
bool kws_near_flush(kws_near *n);

#endif
