#include "daemon/engine.h"

#include "conf/words.h"
#include "spot/near.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct kws_engine {
	char name[KWS_CONF_NAME], after[KWS_CONF_NAME];
	kws_shared_model *shared;
	const kws_model *model;
	kws_ear *ear;
	size_t n_words;
	float *threshold;      /* (n_words,) */
	kws_near *near;	       /* (n_words,) */
	kws_word_tally *tally; /* (n_words,) */
	float near_share;      /* 0: off */
	unsigned refractory_ms;
	uint64_t next; /* end of the next frame if nothing is skipped, samples */
	kws_engine_fn *fn;
	kws_engine_frame_fn *frame;
	void *ctx;
	float best;
};

static uint64_t samples_of(const kws_engine *e, unsigned ms)
{
	return (uint64_t)ms * kws_model_rate_hz(e->model) / 1000;
}

static void on_event(void *ctx, const kws_event *ev)
{
	kws_engine *e = ctx;

	kws_near_events(e->near, e->n_words, ev, kws_model_rate_hz(e->model), e->refractory_ms);
	if (e->fn)
		e->fn(e->ctx, e, ev, false);
}

/* Report a near miss that has ended at this sample. */
static void near_miss(kws_engine *e, size_t w, uint64_t sample)
{
	const kws_near *n = &e->near[w];
	kws_event ev = { .sample = sample,
			 .start = n->start,
			 .end = n->peak,
			 .word = (unsigned)w,
			 .score = n->score,
			 .threshold = e->threshold[w],
			 .level_dbfs = NAN,
			 .snr_db = NAN };

	if (e->fn)
		e->fn(e->ctx, e, &ev, true);
}

static void on_frame(void *ctx, const kws_frame *f)
{
	kws_engine *e = ctx;
	const float *score = kws_ear_score(e->ear);

	/* start anew: a gate has opened, or audio was skipped */
	if (f->sample != e->next)
		memset(e->near, 0, e->n_words * sizeof *e->near);
	e->next = f->sample + f->stride * samples_of(e, 10);
	for (size_t w = 0; w < e->n_words; w++) {
		if (!kws_model_is_command(e->model, w))
			continue;
		if (score[w] > e->best)
			e->best = score[w];
		if (kws_near_step(&e->near[w], f->sample, score[w], e->near_share * e->threshold[w],
				  e->threshold[w]))
			near_miss(e, w, f->sample);
	}
	if (e->frame)
		e->frame(e->ctx, e, f, score);
}

static kws_spotter_config wishes(kws_engine *e, const kws_conf *c)
{
	const kws_decision *def = kws_model_decision(e->model);
	kws_conf_decision d;

	kws_conf_decision_for(c, e->name, &d);
	kws_conf_thresholds(c, e->name, e->model, e->threshold);
	e->refractory_ms = d.refractory_ms >= 0 ? (unsigned)d.refractory_ms : def->refractory_ms;
	e->near_share = c->clips.near_miss > 0.0f ? c->clips.near_miss : KWS_NEAR_SHARE;
	return (kws_spotter_config){ .size = sizeof(kws_spotter_config),
				     .smooth_ms = d.smooth_ms,
				     .refractory_ms = d.refractory_ms,
				     .threshold = e->threshold,
				     .on_event = on_event,
				     .on_frame = on_frame,
				     .ctx = e };
}

enum kws_status kws_engine_create(kws_engine **out, kws_shared_model *m, const kws_conf *c,
				  const kws_conf_model *conf, kws_error *err)
{
	kws_engine *e = calloc(1, sizeof *e);
	enum kws_status status = KWS_ERR_NOMEM;

	*out = NULL;
	if (!e)
		return kws_fail(err, status, "out of memory");
	e->shared = kws_shared_model_share(m);
	e->model = kws_shared_model_get(m);
	snprintf(e->name, sizeof e->name, "%s", conf->name);
	snprintf(e->after, sizeof e->after, "%s", conf->after);
	e->n_words = kws_model_n_words(e->model);
	e->threshold = calloc(e->n_words, sizeof *e->threshold);
	e->near = calloc(e->n_words, sizeof *e->near);
	e->tally = calloc(e->n_words, sizeof *e->tally);
	if (e->threshold && e->near && e->tally) {
		const kws_spotter_config own = wishes(e, c);

		status = kws_ear_create(&e->ear, e->model, &own, err);
	} else {
		kws_fail(err, status, "out of memory");
	}
	if (status != KWS_OK) {
		kws_engine_destroy(e);
		return status;
	}
	if (*e->after)
		kws_ear_gate(e->ear, (double)conf->within_s);
	*out = e;
	return KWS_OK;
}

void kws_engine_destroy(kws_engine *e)
{
	if (!e)
		return;
	kws_ear_destroy(e->ear);
	kws_shared_model_release(e->shared);
	free(e->threshold);
	free(e->near);
	free(e->tally);
	free(e);
}

void kws_engine_listen(kws_engine *e, kws_engine_fn *fn, kws_engine_frame_fn *frame, void *ctx)
{
	e->fn = fn;
	e->frame = frame;
	e->ctx = ctx;
}

enum kws_status kws_engine_start(kws_engine *e, unsigned in_hz, uint64_t from, kws_error *err)
{
	enum kws_status status = kws_ear_start(e->ear, in_hz, from, err);

	if (status == KWS_OK)
		memset(e->near, 0, e->n_words * sizeof *e->near);
	return status;
}

void kws_engine_settled(kws_engine *e)
{
	for (size_t w = 0; w < e->n_words; w++)
		if (kws_near_flush(&e->near[w]))
			near_miss(e, w, e->next);
}

void kws_engine_configure(kws_engine *e, const kws_conf *c, const kws_conf_model *conf)
{
	const kws_spotter_config own = wishes(e, c);

	/* cannot fail: the configuration has the same ranges */
	(void)kws_ear_configure(e->ear, &own, NULL);
	if (*e->after)
		kws_ear_gate(e->ear, (double)conf->within_s);
}

const char *kws_engine_name(const kws_engine *e)
{
	return e->name;
}

const char *kws_engine_after(const kws_engine *e)
{
	return e->after;
}

const kws_shared_model *kws_engine_shared(const kws_engine *e)
{
	return e->shared;
}

const kws_model *kws_engine_model(const kws_engine *e)
{
	return e->model;
}

kws_ear *kws_engine_ear(kws_engine *e)
{
	return e->ear;
}

void kws_engine_count(kws_engine *e, size_t word, float score, bool near)
{
	kws_word_tally_add(&e->tally[word], score, near);
}

void kws_engine_inherit(kws_engine *e, const kws_engine *from)
{
	for (size_t w = 0; w < e->n_words; w++) {
		const int old = kws_model_word_index(from->model, kws_model_word(e->model, w));

		if (old >= 0)
			e->tally[w] = from->tally[old];
	}
}

void kws_engine_stats(const kws_engine *e, kws_spotter_stats *st)
{
	*st = (kws_spotter_stats){ .name = e->name,
				   .path = kws_shared_model_path(e->shared),
				   .after = e->after,
				   .model = e->model,
				   .threshold = e->threshold,
				   .tally = e->tally,
				   .best_score = e->best,
				   .cost = kws_shared_model_cost(e->shared),
				   .open = kws_ear_next(e->ear) != UINT64_MAX };
}

void kws_engine_forget_best(kws_engine *e)
{
	e->best = 0.0f;
}
