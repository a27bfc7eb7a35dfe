#include "daemon/engine.h"

#include "daemon/clock.h"
#include "daemon/near.h"
#include "nearest.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

struct kws_engine {
	kws_model *model;
	kws_spotter *spotter;
	unsigned in_hz;
	size_t n_words;
	float *threshold; /* (n_words,) */
	kws_near *near;	  /* (n_words,) */
	float near_share; /* 0: off */
	kws_spotter_config cfg;
	unsigned refractory_ms;
	uint64_t skipped;
	kws_engine_fn *fn;
	void *ctx;
	float power, best; /* mean square, smoothed */
	double cost;
	char path[KWS_CONF_TEXT];
};

static uint64_t samples_of(const kws_engine *e, unsigned ms)
{
	return (uint64_t)ms * kws_model_features(e->model)->rate_hz / 1000;
}

static void on_event(void *ctx, const kws_event *ev)
{
	kws_engine *e = ctx;
	kws_event own = *ev;
	uint64_t dead = samples_of(e, KWS_DECIDE_DEAD_MS);
	uint64_t refractory = samples_of(e, e->refractory_ms);

	own.sample += e->skipped;
	own.start += e->skipped;
	own.end += e->skipped;
	for (size_t w = 0; w < e->n_words; w++)
		kws_near_event(&e->near[w],
			       ev->sample
				       + (w == ev->word && refractory > dead ? refractory : dead));
	e->fn(e->ctx, &own, false);
}

/* Tell of a near miss that is over at this sample. */
static void near_miss(kws_engine *e, size_t w, uint64_t sample)
{
	const kws_near *n = &e->near[w];
	kws_event ev = { .sample = sample + e->skipped,
			 .start = n->start + e->skipped,
			 .end = n->peak + e->skipped,
			 .word = (unsigned)w,
			 .score = n->score,
			 .threshold = e->threshold[w],
			 .level_dbfs = NAN,
			 .snr_db = NAN };

	e->fn(e->ctx, &ev, true);
}

static void on_frame(void *ctx, const kws_frame *f)
{
	kws_engine *e = ctx;
	const float *score = kws_spotter_score(e->spotter);

	for (size_t i = 0; i < f->stride; i++)
		e->power += 0.01f * (f->level[i] - e->power); /* 10 ms hops: a second */
	for (size_t w = 0; w < e->n_words; w++) {
		if (!kws_model_is_command(e->model, w))
			continue;
		if (score[w] > e->best)
			e->best = score[w];
		if (e->near_share > 0.0f
		    && kws_near_step(&e->near[w], f->sample, score[w],
				     e->near_share * e->threshold[w], e->threshold[w]))
			near_miss(e, w, f->sample);
	}
}

static enum kws_status no_such_word(const kws_model *m, const char *word, kws_error *err)
{
	kws_nearest near;

	kws_nearest_init(&near, word);
	for (size_t w = 0; w < kws_model_n_words(m); w++)
		if (kws_model_is_command(m, w))
			kws_nearest_offer(&near, kws_model_word(m, w));
	return kws_fail(err, KWS_ERR_ARG, "threshold.%s: the model %s has no such word%s", word,
			kws_model_name(m), kws_nearest_hint(&near));
}

enum kws_status kws_engine_configure(kws_engine *e, const kws_conf *c, kws_error *err)
{
	kws_conf_decision own;
	const kws_conf_decision *d = &own;
	const kws_decision *def = kws_model_decision(e->model);

	kws_conf_decision_for(c, c->model[0].name, &own);
	for (size_t i = 0; i < d->n_words; i++) {
		int w = kws_model_word_index(e->model, d->word[i].word);

		if (w < 0 || !kws_model_is_command(e->model, (size_t)w))
			return no_such_word(e->model, d->word[i].word, err);
	}
	for (size_t w = 0; w < e->n_words; w++)
		e->threshold[w] =
			d->threshold >= 0.0f ? d->threshold : kws_model_threshold(e->model, w);
	for (size_t i = 0; i < d->n_words; i++)
		e->threshold[kws_model_word_index(e->model, d->word[i].word)] =
			d->word[i].threshold;
	e->refractory_ms = d->refractory_ms >= 0 ? (unsigned)d->refractory_ms : def->refractory_ms;
	e->cfg = (kws_spotter_config){ .size = sizeof e->cfg,
				       .smooth_ms = d->smooth_ms,
				       .refractory_ms = d->refractory_ms,
				       .threshold = e->threshold,
				       .on_event = on_event,
				       .on_frame = on_frame,
				       .ctx = e };
	e->near_share = *c->clips.dir ? c->clips.near_miss : 0.0f;
	if (e->spotter)
		return kws_spotter_configure(e->spotter, &e->cfg, err);
	return KWS_OK;
}

static void ignore(void *ctx, const kws_event *ev, bool near)
{
	(void)ctx;
	(void)ev;
	(void)near;
}

/* The cheapest of some pieces of noise, in this thread's own processor time: how busy the machine is
 * counts little. What is far too slow is given up early. */
static double measure(kws_engine *e)
{
	enum { PIECES = 10, HOPS = 20, HOP_MAX = 1920 };
	static const double enough_s = 0.5;
	double hop_s = 0.01, best = HUGE_VAL, spent = 0.0;
	float pcm[HOP_MAX];
	size_t n = e->in_hz / 100;
	unsigned noise = 1;

	for (int piece = 0; piece < PIECES && (piece < 2 || spent < enough_s); piece++) {
		double from = kws_clock_thread(), took = 0.0;
		int hops;

		for (hops = 0; hops < HOPS && took < 2.0 * HOPS * hop_s; hops++) {
			for (size_t i = 0; i < n; i++) {
				noise = noise * 1664525u + 1013904223u;
				pcm[i] = 1e-2f * ((float)(noise >> 8) / (float)(1u << 23) - 1.0f);
			}
			kws_engine_process(e, pcm, n);
			took = kws_clock_thread() - from;
		}
		best = fmin(best, took / (hops * hop_s));
		spent += took;
	}
	return best;
}

static enum kws_status check_cost(kws_engine *e, const char *path, kws_error *err)
{
	e->cost = measure(e);
	if (e->cost > KWS_ENGINE_MOST)
		return kws_fail(
			err, KWS_ERR_ARG,
			"model.path: %s: too slow for this machine: %.2f s of processor for "
			"a second of audio, at most %.1f",
			path, e->cost, KWS_ENGINE_MOST);
	return KWS_OK;
}

enum kws_status kws_engine_create(kws_engine **out, const kws_conf *c, kws_error *err)
{
	kws_engine *e = calloc(1, sizeof *e);
	enum kws_status status;

	*out = NULL;
	if (!e)
		return kws_fail(err, KWS_ERR_NOMEM, "out of memory");
	status = kws_model_open(&e->model, c->model[0].path, err);
	if (status != KWS_OK)
		goto fail;
	snprintf(e->path, sizeof e->path, "%s", c->model[0].path);
	e->n_words = kws_model_n_words(e->model);
	e->threshold = calloc(e->n_words, sizeof *e->threshold);
	e->near = calloc(e->n_words, sizeof *e->near);
	if (!e->threshold || !e->near) {
		status = kws_fail(err, KWS_ERR_NOMEM, "out of memory");
		goto fail;
	}
	status = kws_engine_configure(e, c, err);
	if (status == KWS_OK) /* whether the model can hear a stream at all */
		status = kws_engine_start(e, kws_model_features(e->model)->rate_hz, ignore, NULL,
					  err);
	if (status == KWS_OK)
		status = check_cost(e, c->model[0].path, err);
	if (status != KWS_OK)
		goto fail;
	*out = e;
	return KWS_OK;
fail:
	kws_engine_destroy(e);
	return status;
}

void kws_engine_destroy(kws_engine *e)
{
	if (!e)
		return;
	kws_spotter_destroy(e->spotter);
	kws_model_close(e->model);
	free(e->threshold);
	free(e->near);
	free(e);
}

enum kws_status kws_engine_start(kws_engine *e, unsigned in_hz, kws_engine_fn *fn, void *ctx,
				 kws_error *err)
{
	e->fn = fn;
	e->ctx = ctx;
	e->skipped = 0;
	e->power = e->best = 0.0f;
	memset(e->near, 0, e->n_words * sizeof *e->near);
	if (e->spotter && e->in_hz == in_hz) {
		kws_spotter_reset(e->spotter);
		return KWS_OK;
	}
	kws_spotter_destroy(e->spotter);
	e->in_hz = in_hz;
	return kws_spotter_create(&e->spotter, e->model, in_hz, &e->cfg, err);
}

void kws_engine_process(kws_engine *e, const float *pcm, size_t n)
{
	kws_spotter_process(e->spotter, pcm, n);
}

void kws_engine_flush(kws_engine *e)
{
	kws_spotter_flush(e->spotter);
	for (size_t w = 0; w < e->n_words; w++)
		if (kws_near_flush(&e->near[w]))
			near_miss(e, w, kws_spotter_heard(e->spotter));
}

void kws_engine_skip(kws_engine *e, uint64_t samples)
{
	e->skipped = samples;
}

const kws_model *kws_engine_model(const kws_engine *e)
{
	return e->model;
}

uint64_t kws_engine_heard(const kws_engine *e)
{
	return e->skipped + kws_spotter_heard(e->spotter);
}

float kws_engine_level(const kws_engine *e)
{
	return 10.0f * log10f(e->power + 1e-12f);
}

void kws_engine_stats(const kws_engine *e, kws_spotter_stats *st)
{
	*st = (kws_spotter_stats){ .name = "",
				   .path = e->path,
				   .model = e->model,
				   .threshold = e->threshold,
				   .best_score = e->best,
				   .cost = e->cost };
}

void kws_engine_forget_best(kws_engine *e)
{
	e->best = 0.0f;
}
