/* peaks.h - how high the scores of each word rose: what a threshold can be chosen from without
 * knowing what was said.
 *
 * A peak is the highest score of a rise and fall: it begins where a score doubles its last low and
 * reaches 0.05, and ends where the score falls below half of it. */
#ifndef KWS_CLI_PEAKS_H
#define KWS_CLI_PEAKS_H

#include "kws.h"

#include <stdbool.h>

typedef struct kws_peaks kws_peaks;

/* What one word reached, with the threshold that was in force. */
typedef struct {
	size_t heard;	 /* peaks that reached the threshold */
	float least;	 /* the lowest of these; 2 without one */
	float otherwise; /* the highest of the peaks that did not; 0 without one */
} kws_peaks_word;

/* threshold (n_words,) is copied. NULL: out of memory. */
kws_peaks *kws_peaks_create(size_t n_words, const float *threshold);
void kws_peaks_destroy(kws_peaks *p);

/* The scores of one frame (n_words,). */
void kws_peaks_step(kws_peaks *p, const float *score);

/* To be called last: peaks that have not fallen yet count, too. */
void kws_peaks_end(kws_peaks *p);

const kws_peaks_word *kws_peaks_of(const kws_peaks *p, size_t word);

/* The threshold half way between `otherwise' and `least' in log odds, 0.3 at least, never above
 * `least'; down to three decimals. Below 0: the word was not heard. */
float kws_peaks_threshold(const kws_peaks_word *w);

#endif
