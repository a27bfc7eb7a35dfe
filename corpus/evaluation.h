/* evaluation.h - measures a model on recordings: its curve of misses against false alarms, and the
 * details at single points of the curve. */
#ifndef KWS_CORPUS_EVALUATION_H
#define KWS_CORPUS_EVALUATION_H

#include "corpus/measured.h"

enum { KWS_EVALUATION_TARGETS = 8 };

typedef struct {
	/* False alarms per hour for which the threshold was chosen; NAN: the model's thresholds. */
	double target;
	float threshold;	/* of all words; NAN: each word its own */
	const kws_count *count; /* (n_words + 1,); NULL: no threshold up to 1 reaches the target */
	kws_measured_hit *hit;	/* (n_hits,) by rising latency; all words */
	size_t n_hits;
} kws_evaluation_point;

typedef struct {
	const kws_model *model;
	const kws_material *terms; /* without recordings */
	const kws_measured *measured;
	double hours;		/* hours in which false alarms are counted */
	const kws_count *curve; /* (KWS_DET_GRID, n_words + 1) */
	/* The first has the model's thresholds. */
	kws_evaluation_point point[KWS_EVALUATION_TARGETS + 1];
	size_t n_points;
} kws_evaluation; /* starts as all zeros */

/* target (n_targets,): false alarms per hour, at most KWS_EVALUATION_TARGETS. model, terms and measured
 * MUST outlive e. KWS_ERR_NOMEM. */
enum kws_status kws_evaluate(kws_evaluation *e, const kws_model *model, const kws_material *terms,
			     const kws_measured *measured, const double *target, size_t n_targets);
void kws_evaluation_free(kws_evaluation *e);

/* A count as shares and rates, with their 95 % intervals. */
typedef struct {
	double miss, miss_lo, miss_hi; /* shares; NAN, 0, 1 if nothing was said */
	double rate, rate_lo, rate_hi; /* false alarms per hour; NAN if hours is 0 */
} kws_rates;

kws_rates kws_rates_of(const kws_count *c, double hours);

/* The q-quantile of the latencies of a word (n_words: all words), by nearest rank. NAN: there is
 * none. */
double kws_evaluation_latency(const kws_evaluation_point *p, size_t word, size_t n_words, double q);

#endif
