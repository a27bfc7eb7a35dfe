/* The head of a word, and heads without some of its takes, which tell how many takes are missed. */
#include "model/network.h"
#include "spot/enrol.h"

#include <stdlib.h>
#include <string.h>

enum { TRIED = 3 /* copies of each held-out take that are tested */ };

/* ---- the points of a fit ---- */

/* Points while they are collected. */
typedef struct {
	float *at;
	size_t n;
} points;

/* Add n points; to->at NULL: only count them. */
static void add(points *to, const float *from, size_t n, size_t rank)
{
	if (to->at)
		memcpy(to->at + to->n * rank, from, n * rank * sizeof *from);
	to->n += n;
}

/* Make room for what was counted, and count anew. */
static bool make_room(points *p, size_t rank)
{
	p->at = calloc(p->n * rank + 1, sizeof *p->at);
	p->n = 0;
	return p->at;
}

typedef struct {
	points is, synthetic, half, wrong;
} collected;

static void collect(collected *c, const kws_enrol *e, size_t without)
{
	for (size_t i = 0, spoken = 0; i < e->n_takes; i++) {
		const enum kws_take_kind kind = e->takes[i].kind;
		if (!kws_enrol_is(e, i, kind)
		    || (kind == KWS_TAKE_SPOKEN && spoken++ % KWS_ENROL_FOLDS == without))
			continue;
		for (size_t k = 0; k < KWS_COPIES; k++) {
			const kws_copy *x = &e->takes[i].copies[k];
			if (kind == KWS_TAKE_WRONG) {
				add(&c->wrong, x->all, x->n, e->rank);
				continue;
			}
			add(kind == KWS_TAKE_SPOKEN ? &c->is : &c->synthetic,
			    x->all + x->is * e->rank, x->n_is, e->rank);
			add(&c->half, x->all + x->half * e->rank, x->n_half, e->rank);
		}
	}
}

/* Fit h to all takes except those of one fold; spoken take i is in fold i % FOLDS. without FOLDS: to
 * all. */
static enum kws_status fit_without(const kws_enrol *e, size_t without, kws_head *h)
{
	collected c = { 0 };
	collect(&c, e, without);
	enum kws_status status = make_room(&c.is, e->rank) && make_room(&c.synthetic, e->rank)
						 && make_room(&c.half, e->rank)
						 && make_room(&c.wrong, e->rank)
					 ? kws_head_create(h, e->rank)
					 : KWS_ERR_NOMEM;
	if (!status) {
		collect(&c, e, without);
		const kws_fit_points all = { .is = { c.is.at, c.is.n },
					     .synthetic = { c.synthetic.at, c.synthetic.n },
					     .halves = { c.half.at, c.half.n },
					     .wrong = { c.wrong.at, c.wrong.n },
					     .bank = e->fit };
		status = kws_fit(h, &all, e->config.seed + without);
	}
	free(c.is.at);
	free(c.synthetic.at);
	free(c.half.at);
	free(c.wrong.at);
	return status;
}

/* ---- thresholds and trials ---- */

static kws_pace pace_of(const kws_enrol *e)
{
	const kws_network *w = kws_model_network(e->model);
	const size_t frame_ms = w->step * 10; /* a hop is 10 ms */
	const size_t smooth = kws_model_decision(e->model)->smooth_ms / frame_ms;
	return (kws_pace){ smooth ? smooth : 1, w->embed.every };
}

static enum kws_status head_without(const kws_enrol *e, size_t without, kws_head *h, kws_alarms *a)
{
	const enum kws_status status = fit_without(e, without, h);
	return status ? status
		      : kws_alarms_limit(h, e->bank, e->judge, pace_of(e),
					 (double)e->config.per_hour, a);
}

enum kws_status kws_enrol_head(kws_enrol *e, kws_head *h, kws_alarms *a)
{
	return head_without(e, KWS_ENROL_FOLDS, h, a);
}

/* Whether the head misses a copy of a take. It is tested until half a second after the word. */
static bool misses(const kws_enrol *e, const kws_head *h, const kws_alarms *a, const kws_copy *c,
		   float *scores)
{
	const size_t after = kws_model_rate_hz(e->model) / 4 / kws_embedder_step(e->embedder);
	const size_t to = c->is + c->n_is + after < c->n ? c->is + c->n_is + after : c->n;
	kws_head_run(h, c->all, c->n, scores);
	kws_alarms_smooth(scores, c->n, pace_of(e), scores);
	for (size_t i = c->is; i < to; i++)
		if (scores[i] >= a->threshold)
			return false;
	return true;
}

static enum kws_status try_take(const kws_enrol *e, const kws_enrol_one *take, const kws_head *h,
				const kws_alarms *a, kws_enrol_report *report)
{
	for (size_t k = 0; k < TRIED; k++) {
		const kws_copy *c = &take->copies[k];
		float *scores = calloc(c->n + 1, sizeof *scores);
		if (!scores)
			return KWS_ERR_NOMEM;
		report->n_missed += misses(e, h, a, c, scores);
		report->n_tried++;
		free(scores);
	}
	return KWS_OK;
}

static enum kws_status try_fold(kws_enrol *e, size_t fold, kws_enrol_report *report)
{
	kws_head h = { 0 };
	kws_alarms a;
	enum kws_status status = head_without(e, fold, &h, &a);
	for (size_t i = 0, spoken = 0; !status && i < e->n_takes; i++)
		if (kws_enrol_is(e, i, KWS_TAKE_SPOKEN) && spoken++ % KWS_ENROL_FOLDS == fold)
			status = try_take(e, &e->takes[i], &h, &a, report);
	kws_head_free(&h);
	return status;
}

enum kws_status kws_enrol_try_out(kws_enrol *e, kws_enrol_report *report)
{
	enum kws_status status = KWS_OK;
	for (size_t fold = 0; !status && fold < KWS_ENROL_FOLDS && fold < report->n_takes; fold++)
		status = try_fold(e, fold, report);
	return status;
}
