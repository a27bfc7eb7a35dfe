/* peaks.h - the highest scores of each word: one can choose a threshold from them without knowing
 * what was said.
 *
 * A peak is the highest score of a rise and fall. It begins when a score is double its last minimum
 * and at least 0.05, and ends when the score falls below half of the peak. */
#ifndef KWS_CLI_PEAKS_H
#define KWS_CLI_PEAKS_H

#include "kws.h"

#include <stdbool.h>

typedef struct kws_peaks kws_peaks;

/* The peaks of one word, each against the threshold at its end. */
typedef struct {
	size_t heard;	 /* peaks that reached the threshold */
	float least;	 /* the lowest of these; 2: none */
	float otherwise; /* the highest of the other peaks; 0: none */
} kws_peaks_word;

/* threshold (n_words,) is copied. NULL: out of memory. */
kws_peaks *kws_peaks_create(size_t n_words, const float *threshold);
void kws_peaks_destroy(kws_peaks *p);

/* Add the scores of one frame (n_words,). */
void kws_peaks_step(kws_peaks *p, const float *score);

/* The threshold of a word from now on. */
void kws_peaks_move(kws_peaks *p, size_t word, float threshold);

/* Call it last: peaks that have not fallen yet count, too. */
void kws_peaks_end(kws_peaks *p);

const kws_peaks_word *kws_peaks_of(const kws_peaks *p, size_t word);

/* The threshold half way between `otherwise' and `least' in log odds, rounded down to three
 * decimals; at least 0.3, never above `least'. Below 0: the word was not heard. */
float kws_peaks_threshold(const kws_peaks_word *w);

#endif
