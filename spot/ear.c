#include "spot/ear.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct kws_ear {
	const kws_model *model;
	kws_spotter *spotter;
	unsigned in_hz;
	kws_spotter_config config; /* the caller's; threshold is our copy, or NULL */
	float *threshold;	   /* (n_words,) */
	uint64_t begin;		   /* where the spotter began, in samples at the model's rate */
	uint64_t fed;		   /* it has processed the input up to this sample */
	uint64_t lost;
	bool asleep; /* the squelch is closed */
	bool gated;
	double within_s;
	kws_gate gate;
	const kws_gate_word *after;
};

static unsigned rate_hz(const kws_ear *e)
{
	return kws_model_rate_hz(e->model);
}

/* Convert a sample position from the model's rate to the stream's. */
static uint64_t input_sample(const kws_ear *e, uint64_t sample)
{
	return sample * e->in_hz / rate_hz(e);
}

/* ---- callbacks ---- */

static void on_event(void *ctx, const kws_event *ev)
{
	kws_ear *e = ctx;
	kws_event own = *ev;
	own.sample += e->begin;
	own.start += e->begin;
	own.end += e->begin;
	if (e->gated) {
		e->after = kws_gate_count(&e->gate, input_sample(e, own.start),
					  input_sample(e, own.end));
		if (!e->after)
			return;
	}
	if (e->config.on_event)
		e->config.on_event(e->config.ctx, &own);
}

static void on_frame(void *ctx, const kws_frame *f)
{
	kws_ear *e = ctx;
	kws_frame own = *f;
	own.sample += e->begin;
	e->config.on_frame(e->config.ctx, &own);
}

/* The spotter's configuration: the caller's values with our own callbacks. */
static kws_spotter_config own_config(kws_ear *e)
{
	kws_spotter_config own = e->config;
	own.on_event = on_event;
	own.on_frame = e->config.on_frame ? on_frame : NULL;
	own.ctx = e;
	return own;
}

/* ---- create ---- */

static void keep(kws_ear *e, const kws_spotter_config *config)
{
	const size_t n = kws_model_n_words(e->model);
	e->config.smooth_ms = config->smooth_ms;
	e->config.refractory_ms = config->refractory_ms;
	e->config.threshold = NULL;
	if (!config->threshold)
		return;
	memcpy(e->threshold, config->threshold, n * sizeof *e->threshold);
	e->config.threshold = e->threshold;
}

enum kws_status kws_ear_create(kws_ear **out, const kws_model *m, const kws_spotter_config *config,
			       kws_error *err)
{
	kws_ear *e = calloc(1, sizeof *e);
	enum kws_status status = KWS_ERR_NOMEM;
	*out = NULL;
	if (e)
		e->threshold = calloc(kws_model_n_words(m), sizeof *e->threshold);
	if (!e || !e->threshold) {
		kws_fail(err, status, "%s", kws_strerror(status));
		goto fail;
	}
	e->model = m;
	e->config = *config;
	/* the spotter checks the configuration; it can always start at the model's own rate */
	status = kws_ear_start(e, rate_hz(e), 0, err);
	if (status != KWS_OK)
		goto fail;
	keep(e, config);
	*out = e;
	return KWS_OK;
fail:
	kws_ear_destroy(e);
	return status;
}

void kws_ear_destroy(kws_ear *e)
{
	if (!e)
		return;
	kws_spotter_destroy(e->spotter);
	free(e->threshold);
	free(e);
}

enum kws_status kws_ear_configure(kws_ear *e, const kws_spotter_config *config, kws_error *err)
{
	const enum kws_status status = kws_spotter_configure(e->spotter, config, err);
	if (status == KWS_OK)
		keep(e, config);
	return status;
}

void kws_ear_gate(kws_ear *e, double within_s)
{
	if (e->gated)
		kws_gate_configure(&e->gate, e->in_hz, within_s);
	else
		kws_gate_init(&e->gate, e->in_hz, within_s);
	e->gated = true;
	e->within_s = within_s;
}

/* ---- hear ---- */

/* Begin the spotter's stream anew at this sample. */
static void begin_at(kws_ear *e, uint64_t from)
{
	kws_spotter_reset(e->spotter);
	e->fed = from;
	e->begin = from * rate_hz(e) / e->in_hz;
}

enum kws_status kws_ear_start(kws_ear *e, unsigned in_hz, uint64_t from, kws_error *err)
{
	if (!e->spotter || e->in_hz != in_hz) {
		const kws_spotter_config own = own_config(e);
		kws_spotter *spotter;
		const enum kws_status status =
			kws_spotter_create(&spotter, e->model, in_hz, &own, err);
		if (status != KWS_OK)
			return status;
		kws_spotter_destroy(e->spotter);
		e->spotter = spotter;
	}
	e->in_hz = in_hz;
	e->lost = 0;
	e->asleep = false;
	begin_at(e, from);
	if (e->gated)
		kws_gate_init(&e->gate, in_hz, e->within_s);
	return KWS_OK;
}

void kws_ear_open(kws_ear *e, const kws_ear *by, const kws_event *ev, const char *id)
{
	kws_gate_word word = { .end = input_sample(by, ev->end) };
	if (!e->gated)
		return;
	snprintf(word.word, sizeof word.word, "%s", kws_model_word(by->model, ev->word));
	snprintf(word.id, sizeof word.id, "%s", id ? id : "");
	if (kws_gate_word_heard(&e->gate, &word, input_sample(by, ev->sample)) && !e->asleep)
		begin_at(e, e->gate.from);
}

static bool is_closed(const kws_ear *e)
{
	return e->asleep || (e->gated && !e->gate.open);
}

void kws_ear_skip(kws_ear *e, uint64_t to)
{
	if (is_closed(e))
		return;
	kws_spotter_flush(e->spotter);
	begin_at(e, to);
}

bool kws_ear_hear(kws_ear *e, const kws_history *h, uint64_t to, size_t *hops)
{
	const size_t hop = e->in_hz / 100;
	const uint64_t held = kws_history_begin(h);
	if (is_closed(e))
		return true;
	if (e->gated && e->gate.until < to)
		to = e->gate.until;
	if (e->fed < held) {
		e->lost += held - e->fed;
		kws_ear_skip(e, held);
	}
	while (e->fed < to) {
		size_t n = *hops < (to - e->fed) / hop ? *hops * hop : (size_t)(to - e->fed);
		if (!*hops)
			return false;
		const float *pcm = kws_history_at(h, e->fed, &n);
		kws_spotter_process(e->spotter, pcm, n);
		e->fed += n;
		*hops -= (n + hop - 1) / hop;
	}
	if (e->gated && e->fed >= e->gate.until) {
		kws_spotter_flush(e->spotter);
		kws_gate_close(&e->gate);
	}
	return true;
}

uint64_t kws_ear_next(const kws_ear *e)
{
	return is_closed(e) ? UINT64_MAX : e->fed;
}

uint64_t kws_ear_lost(const kws_ear *e)
{
	return e->lost;
}

const kws_model *kws_ear_model(const kws_ear *e)
{
	return e->model;
}

const float *kws_ear_score(const kws_ear *e)
{
	return kws_spotter_score(e->spotter);
}

uint64_t kws_ear_heard(const kws_ear *e)
{
	return e->begin + kws_spotter_heard(e->spotter);
}

const kws_gate_word *kws_ear_after(const kws_ear *e)
{
	return e->after;
}

/* ---- several ears on one stream ---- */

/* Decide the words that are still open. */
static void sleep(kws_ear *e)
{
	if (!is_closed(e))
		kws_spotter_flush(e->spotter);
	e->asleep = true;
}

/* Begin anew at this sample. The time of a gate went on meanwhile. */
static void wake(kws_ear *e, uint64_t from)
{
	if (!e->asleep)
		return;
	e->asleep = false;
	if (e->gated && e->gate.open && e->gate.until <= from)
		kws_gate_close(&e->gate);
	if (!is_closed(e))
		begin_at(e, from);
}

void kws_ears_start(kws_ears *s)
{
	s->at = 0;
	if (s->squelch)
		kws_squelch_begin(s->squelch, 0);
}

/* The end of the hop in which this sample is. */
static uint64_t hop_end(const kws_ears *s, uint64_t at)
{
	const uint64_t hop = s->ear[0]->in_hz / 100;
	return (at / hop + 1) * hop;
}

/* The squelch opens or closes at `to'. */
static void obey(kws_ears *s, const kws_history *h, uint64_t to)
{
	const bool open = kws_squelch_is_open(s->squelch);
	for (size_t i = 0; i < s->n; i++) {
		size_t all = SIZE_MAX;
		if (open) {
			wake(s->ear[i], kws_squelch_from(s->squelch));
			continue;
		}
		/* it may have been opened by the flush of one before it */
		kws_ear_hear(s->ear[i], h, to, &all);
		sleep(s->ear[i]);
	}
}

/* Let the squelch take the next hop, or several if that does not change the order of the ears'
 * turns. Returns what it has reached. */
static uint64_t look_ahead(kws_ears *s, const kws_history *h)
{
	enum { MOST_HOP = 1920 }; /* 10 ms at 192 kHz */
	kws_squelch *q = s->squelch;
	bool changed = false;
	for (uint64_t at; !changed && (at = hop_end(s, kws_squelch_at(q))) <= h->end;) {
		float pcm[MOST_HOP];
		const size_t n = (size_t)(at - kws_squelch_at(q));
		kws_history_copy(h, kws_squelch_at(q), n, pcm);
		changed = kws_squelch_take(q, pcm, n);
		if (changed)
			obey(s, h, at);
		if (s->n > 1 && kws_squelch_is_open(q))
			break;
	}
	return kws_squelch_at(q);
}

/* Where the turns that begin at s->at end; s->at: nowhere yet. */
static uint64_t next_turn(kws_ears *s, const kws_history *h)
{
	const uint64_t to = s->n == 1 ? h->end : hop_end(s, s->at);
	if (s->squelch)
		return kws_squelch_at(s->squelch) > s->at ? kws_squelch_at(s->squelch)
							  : look_ahead(s, h);
	return to <= h->end ? to : s->at;
}

bool kws_ears_hear(kws_ears *s, const kws_history *h, size_t hops)
{
	for (uint64_t to; s->n && (to = next_turn(s, h)) > s->at; s->at = to)
		for (size_t i = 0; i < s->n; i++) {
			if (!kws_ear_hear(s->ear[i], h, to, &hops))
				return false;
			/* one that is new, and has caught up */
			if (s->squelch && !kws_squelch_is_open(s->squelch))
				sleep(s->ear[i]);
		}
	return true;
}

/* Those that are awake begin at this sample already. */
static void restart(kws_ears *s, uint64_t at)
{
	for (size_t i = 0; i < s->n; i++)
		wake(s->ear[i], at);
	s->at = at;
	if (s->squelch)
		kws_squelch_begin(s->squelch, at);
}

void kws_ears_skip(kws_ears *s, uint64_t to)
{
	for (size_t i = 0; i < s->n; i++)
		kws_ear_skip(s->ear[i], to);
	restart(s, to);
}

void kws_ears_squelch(kws_ears *s, kws_squelch *q)
{
	for (size_t i = 0; i < s->n; i++)
		wake(s->ear[i], s->at);
	s->squelch = q;
	if (q)
		kws_squelch_begin(q, s->at);
}

void kws_ears_settle(kws_ears *s, const kws_history *h)
{
	kws_ears_hear(s, h, SIZE_MAX);
	for (size_t i = 0; i < s->n; i++) {
		size_t hops = SIZE_MAX;
		kws_ear_hear(s->ear[i], h, h->end, &hops);
		kws_ear_skip(s->ear[i], h->end);
	}
	restart(s, h->end);
}
