/* evaluation.h - how good a model is on recordings: its curve of misses against false alarms, and what it does at single
 * points of it. */
#ifndef KWS_CORPUS_EVALUATION_H
#define KWS_CORPUS_EVALUATION_H

#include "corpus/recordings.h"

enum { KWS_EVALUATION_TARGETS = 8 };

typedef struct {
	double target; /* false alarms an hour that the threshold was chosen for; NAN: the model's thresholds */
	float threshold;  /* of all words; NAN: each its own */
	kws_count *count; /* (n_words + 1,) NULL: no threshold up to 1 keeps to the target */
	double *latency;  /* (n_latency,) seconds, rising; of all words */
	size_t *word;	  /* (n_latency,) */
	size_t n_latency, cap;
} kws_evaluation_point;

typedef struct {
	const kws_recordings *on;
	double hours;	  /* in which false alarms are counted */
	kws_count *curve; /* (KWS_DET_GRID, n_words + 1) */
	kws_evaluation_point
		point[KWS_EVALUATION_TARGETS + 1]; /* the first: the model's thresholds */
	size_t n_points;
} kws_evaluation; /* starts as all zeros */

/* target (n_targets,), KWS_EVALUATION_TARGETS at most: false alarms an hour. on MUST outlive e. KWS_ERR_NOMEM. */
enum kws_status kws_evaluate(kws_evaluation *e, const kws_recordings *on, const double *target,
			     size_t n_targets);
void kws_evaluation_free(kws_evaluation *e);

/* A count as shares and rates, with their 95 % intervals. */
typedef struct {
	double miss, miss_lo, miss_hi; /* shares; NAN, 0, 1 when nothing was said */
	double rate, rate_lo, rate_hi; /* false alarms an hour; NAN when no hours were heard */
} kws_rates;

kws_rates kws_rates_of(const kws_count *c, double hours);

/* The q-quantile of the latencies of a word (n_words: of all), nearest rank. NAN: there is none. */
double kws_evaluation_latency(const kws_evaluation_point *p, size_t word, size_t n_words, double q);

#endif
