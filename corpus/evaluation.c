#include "corpus/evaluation.h"

#include "corpus/bounds.h"

#include <math.h>
#include <stdlib.h>

static int by_latency(const void *a, const void *b)
{
	const double x = ((const kws_measured_hit *)a)->latency,
		     y = ((const kws_measured_hit *)b)->latency;
	return (x > y) - (x < y);
}

/* The point of a row of what was measured. */
static enum kws_status add_point(kws_evaluation *e, double target, size_t row)
{
	const kws_measured *t = e->measured;
	kws_evaluation_point *p = &e->point[e->n_points++];
	*p = (kws_evaluation_point){ .target = target, .threshold = NAN };
	if (row < KWS_MEASURED_OWN)
		p->threshold = kws_det_threshold(row);
	p->count = &t->count[row * (t->n_words + 1)];
	p->hit = calloc(p->count[t->n_words].hits + 1, sizeof *p->hit);
	if (!p->hit)
		return KWS_ERR_NOMEM;
	for (size_t i = 0; i < t->n_hits && p->n_hits < p->count[t->n_words].hits; i++)
		if (t->hit[i].first <= row && row <= t->hit[i].last)
			p->hit[p->n_hits++] = t->hit[i];
	qsort(p->hit, p->n_hits, sizeof *p->hit, by_latency);
	return KWS_OK;
}

static enum kws_status add_target(kws_evaluation *e, double target)
{
	const size_t n_words = e->measured->n_words;
	const size_t row = kws_det_operate(e->curve, n_words, n_words, target * e->hours);
	if (row < KWS_DET_GRID)
		return add_point(e, target, row);
	e->point[e->n_points++] = (kws_evaluation_point){ .target = target };
	return KWS_OK;
}

enum kws_status kws_evaluate(kws_evaluation *e, const kws_model *model, const kws_material *terms,
			     const kws_measured *measured, const double *target, size_t n_targets)
{
	*e = (kws_evaluation){ .model = model,
			       .terms = terms,
			       .measured = measured,
			       .hours = kws_measured_hours(measured, terms),
			       .curve = measured->count };
	enum kws_status status = add_point(e, (double)NAN, KWS_MEASURED_OWN);
	for (size_t i = 0; status == KWS_OK && i < n_targets; i++)
		status = add_target(e, target[i]);
	return status;
}

void kws_evaluation_free(kws_evaluation *e)
{
	for (size_t i = 0; i < e->n_points; i++)
		free(e->point[i].hit);
	*e = (kws_evaluation){ 0 };
}

kws_rates kws_rates_of(const kws_count *c, double hours)
{
	kws_rates r = { (double)NAN, 0.0, 1.0, (double)NAN, (double)NAN, (double)NAN };
	if (c->said)
		r.miss = (double)(c->said - c->hits) / (double)c->said;
	kws_wilson_interval(c->said - c->hits, c->said, &r.miss_lo, &r.miss_hi);
	if (hours > 0.0) {
		r.rate = (double)c->false_alarms / hours;
		kws_poisson_interval(c->false_alarms, hours, &r.rate_lo, &r.rate_hi);
	}
	return r;
}

double kws_evaluation_latency(const kws_evaluation_point *p, size_t word, size_t n_words, double q)
{
	size_t n = 0, rank;
	for (size_t i = 0; i < p->n_hits; i++)
		n += word == n_words || p->hit[i].word == word;
	if (n == 0)
		return (double)NAN;
	rank = (size_t)ceil(q * (double)n);
	for (size_t i = 0; i < p->n_hits; i++)
		if ((word == n_words || p->hit[i].word == word) && rank-- <= 1)
			return p->hit[i].latency;
	return (double)NAN;
}
