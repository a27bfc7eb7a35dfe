/* The head of a word, and heads without some of its takes, which tell how many takes are missed. */
#include "model/network.h"
#include "spot/enrol.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
	TRIED = 3, /* copies of each held-out take that are tested */
	RARE = 20, /* one of so many tries may be nearer to the threshold */
};

static const float PART = 1.0f / 3.0f;

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

static enum kws_status head_without(const kws_enrol *e, size_t without, float above, kws_head *h,
				    kws_alarms *a)
{
	const enum kws_status status = fit_without(e, without, h);
	return status ? status
		      : kws_alarms_limit(h, e->bank, e->judge, pace_of(e),
					 (double)e->config.per_hour, above, a);
}

enum kws_status kws_enrol_head(kws_enrol *e, float above, kws_head *h, kws_alarms *a)
{
	return head_without(e, KWS_ENROL_FOLDS, above, h, a);
}

/* How far the highest score of a copy of a take is above the threshold, in logits. It is tested
 * until half a second after the word. scores (c->n,) is scratch. */
static float margin(const kws_enrol *e, const kws_head *h, const kws_alarms *a, const kws_copy *c,
		    float *scores)
{
	const size_t after = kws_model_rate_hz(e->model) / 4 / kws_embedder_step(e->embedder);
	const size_t to = c->is + c->n_is + after < c->n ? c->is + c->n_is + after : c->n;
	float highest = 0.0f;
	kws_head_run(h, c->all, c->n, scores);
	kws_alarms_smooth(scores, c->n, pace_of(e), scores);
	for (size_t i = c->is; i < to; i++)
		highest = fmaxf(highest, scores[i]);
	return kws_logit(highest) - kws_logit(a->threshold);
}

/* What was tried so far. */
typedef struct {
	float *margins;
	size_t n;
} tried;

static enum kws_status try_take(const kws_enrol *e, const kws_enrol_one *take, const kws_head *h,
				const kws_alarms *a, tried *t)
{
	for (size_t k = 0; k < TRIED; k++) {
		const kws_copy *c = &take->copies[k];
		float *scores = calloc(c->n + 1, sizeof *scores);
		if (!scores)
			return KWS_ERR_NOMEM;
		t->margins[t->n++] = margin(e, h, a, c, scores);
		free(scores);
	}
	return KWS_OK;
}

static enum kws_status try_fold(kws_enrol *e, size_t fold, tried *t)
{
	kws_head h = { 0 };
	kws_alarms a;
	enum kws_status status = head_without(e, fold, 0.0f, &h, &a);
	for (size_t i = 0, spoken = 0; !status && i < e->n_takes; i++)
		if (kws_enrol_is(e, i, KWS_TAKE_SPOKEN) && spoken++ % KWS_ENROL_FOLDS == fold)
			status = try_take(e, &e->takes[i], &h, &a, t);
	kws_head_free(&h);
	return status;
}

/* A part of the way to the margin that all but one of RARE tries have; 0 where so many are missed. */
static float room(tried *t)
{
	qsort(t->margins, t->n, sizeof *t->margins, kws_falling);
	return t->n ? fmaxf(0.0f, PART * t->margins[t->n - 1 - t->n / RARE]) : 0.0f;
}

enum kws_status kws_enrol_try_out(kws_enrol *e, kws_enrol_report *report, float *above)
{
	tried t = { .margins = calloc(e->n_takes * TRIED + 1, sizeof *t.margins) };
	enum kws_status status = t.margins ? KWS_OK : KWS_ERR_NOMEM;
	for (size_t fold = 0; !status && fold < KWS_ENROL_FOLDS && fold < report->n_takes; fold++)
		status = try_fold(e, fold, &t);
	*above = status ? 0.0f : room(&t);
	report->n_tried = status ? 0 : t.n;
	for (size_t i = 0; i < report->n_tried; i++)
		report->n_missed += t.margins[i] < *above;
	free(t.margins);
	return status;
}
