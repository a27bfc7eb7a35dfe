/* tally.h - counts of what was heard, by its size: scores of a word, times of a hop. */
#ifndef KWS_DAEMON_TALLY_H
#define KWS_DAEMON_TALLY_H

#include <stdbool.h>

enum { KWS_TALLY_STEPS = 12 };

/* Upper limits of the steps, ascending. */
extern const double kws_tally_scores[KWS_TALLY_STEPS];	/* 0.1 to 1 */
extern const double kws_tally_seconds[KWS_TALLY_STEPS]; /* 20 us to 100 ms */

/* All zero: nothing counted. */
typedef struct {
	unsigned long count[KWS_TALLY_STEPS + 1]; /* of each step; the last: above all limits */
	double sum;
} kws_tally;

/* Count x in the first step whose limit it does not exceed. */
void kws_tally_add(kws_tally *t, const double limit[KWS_TALLY_STEPS], double x);

/* One word on one listener. */
typedef struct {
	unsigned long events, near_misses;
	kws_tally scores; /* of both */
} kws_word_tally;

void kws_word_tally_add(kws_word_tally *t, float score, bool near);

#endif
