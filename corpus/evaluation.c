#include "corpus/evaluation.h"

#include "corpus/bounds.h"

#include <math.h>
#include <stdlib.h>

static void on_hit(void *ctx, size_t word, double latency)
{
	kws_evaluation_point *p = ctx;
	if (p->n_latency == p->cap)
		return;
	/* Keep the list sorted: it has one entry for each hit, nearly in random order. */
	size_t at = p->n_latency++;
	for (; at > 0 && p->latency[at - 1] > latency; at--) {
		p->latency[at] = p->latency[at - 1];
		p->word[at] = p->word[at - 1];
	}
	p->latency[at] = latency;
	p->word[at] = word;
}

/* Measure at these thresholds (n_words,). */
static enum kws_status add_point(kws_evaluation *e, double target, const float *threshold,
				 float common)
{
	const kws_material *m = &e->on->material;
	kws_evaluation_point *p = &e->point[e->n_points++];
	*p = (kws_evaluation_point){ .target = target, .threshold = common, .cap = e->on->n_said };
	p->count = calloc(m->n_words + 1, sizeof *p->count);
	p->latency = calloc(p->cap + 1, sizeof *p->latency);
	p->word = calloc(p->cap + 1, sizeof *p->word);
	return p->count && p->latency && p->word ? kws_det_count(m, threshold, p->count, on_hit, p)
						 : KWS_ERR_NOMEM;
}

/* The point of the curve for a target; threshold (n_words,) is scratch. */
static enum kws_status add_target(kws_evaluation *e, double target, float *threshold)
{
	const size_t n_words = e->on->material.n_words;
	const size_t g = kws_det_operate(e->curve, n_words, n_words, target * e->hours);
	if (g == KWS_DET_GRID) {
		e->point[e->n_points++] = (kws_evaluation_point){ .target = target };
		return KWS_OK;
	}
	for (size_t w = 0; w < n_words; w++)
		threshold[w] = kws_det_threshold(g);
	return add_point(e, target, threshold, kws_det_threshold(g));
}

enum kws_status kws_evaluate(kws_evaluation *e, const kws_recordings *on, const double *target,
			     size_t n_targets)
{
	const kws_material *m = &on->material;
	*e = (kws_evaluation){ .on = on, .hours = kws_det_hours(m) };
	float *threshold = calloc(m->n_words, sizeof *threshold);
	e->curve = calloc(KWS_DET_GRID * (m->n_words + 1), sizeof *e->curve);
	enum kws_status status = threshold && e->curve ? kws_det_curve(m, e->curve) : KWS_ERR_NOMEM;
	for (size_t w = 0; status == KWS_OK && w < m->n_words; w++)
		threshold[w] = kws_model_threshold(on->model, w);
	if (status == KWS_OK)
		status = add_point(e, (double)NAN, threshold, NAN);
	for (size_t i = 0; status == KWS_OK && i < n_targets; i++)
		status = add_target(e, target[i], threshold);
	free(threshold);
	return status;
}

void kws_evaluation_free(kws_evaluation *e)
{
	for (size_t i = 0; i < e->n_points; i++) {
		free(e->point[i].count);
		free(e->point[i].latency);
		free(e->point[i].word);
	}
	free(e->curve);
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
	for (size_t i = 0; i < p->n_latency; i++)
		n += word == n_words || p->word[i] == word;
	if (n == 0)
		return (double)NAN;
	rank = (size_t)ceil(q * (double)n);
	for (size_t i = 0; i < p->n_latency; i++)
		if ((word == n_words || p->word[i] == word) && rank-- <= 1)
			return p->latency[i];
	return (double)NAN;
}
