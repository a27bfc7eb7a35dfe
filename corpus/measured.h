/* measured.h - what was counted in recordings: misses and false alarms at every threshold of a curve
 * (corpus/det.h), how late the hits came, and how high the scores were. The probabilities are then
 * no longer needed. What was measured adds up: that of all recordings together is the sum of theirs, exactly,
 * in whatever order and on however many machines they were made. */
#ifndef KWS_CORPUS_MEASURED_H
#define KWS_CORPUS_MEASURED_H

#include "corpus/det.h"

#include <jansson.h>

/* The rows of counts: the thresholds of the curve, and behind them the model's own. */
enum { KWS_MEASURED_OWN = KWS_DET_GRID, KWS_MEASURED_ROWS };

/* A word that is hit in rows first to last, this many seconds after its end. */
typedef struct {
	size_t word, first, last;
	double latency;
} kws_measured_hit;

typedef struct {
	size_t n_words;
	kws_count *count; /* (KWS_MEASURED_ROWS, n_words + 1) */
	kws_measured_hit *hit;
	size_t n_hits, cap;
	size_t of_words[KWS_DET_BINS], of_rest[KWS_DET_BINS]; /* kws_det_histogram() */
	size_t n_labelled, n_unlabelled;		      /* recordings */
	uint64_t labelled, unlabelled;			      /* samples in them */
	size_t n_respelt, n_others;			      /* words of their truth files */
} kws_measured;						      /* starts as all zeros */

/* An empty one. KWS_ERR_NOMEM. */
enum kws_status kws_measured_init(kws_measured *t, size_t n_words);
void kws_measured_free(kws_measured *t);

/* Count the recordings of m; own (n_words,): the model's thresholds. KWS_ERR_NOMEM. Free t in any
 * case. */
enum kws_status kws_measured_make(kws_measured *t, const kws_material *m, const float *own);

/* KWS_ERR_NOMEM: sum is incomplete. */
enum kws_status kws_measured_add(kws_measured *sum, const kws_measured *t);

/* What was measured in one recording, as a part of its result (corpus/results.h), to the last bit.
 * NULL: memory was short. */
json_t *kws_measured_json(const kws_measured *t);

/* The reverse; free t in any case. KWS_ERR_FORMAT: it is none of a recording counted by these terms;
 * KWS_ERR_NOMEM. */
enum kws_status kws_measured_parse(kws_measured *t, const json_t *from, const kws_material *terms);

/* Hours of all recordings. */
double kws_measured_heard(const kws_measured *t, const kws_material *terms);

/* Hours in which false alarms are counted. */
double kws_measured_hours(const kws_measured *t, const kws_material *terms);

#endif
