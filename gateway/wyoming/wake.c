#include "gateway/wyoming/wake_parts.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCKS_A_SECOND = 25 };

/* ---- events ---- */

/* Several models may have one word: what the second hears of the same moment is not said again. */
static bool is_again(const kws_wake *w, const heard *h)
{
	const reported *last = &w->last[h->word];

	return last->has && last->part != h->part && h->start < last->end;
}

static void report(kws_wake *w, const heard *h)
{
	if (is_again(w, h))
		return;
	w->last[h->word] = (reported){ true, h->part, h->end };
	w->fn(w->ctx, h->word, kws_timeline_at(&w->time, h->start));
}

/* As the gates of a cascade: the middle of the word is not before the end of the one that opens, and
 * its start not too long after. */
static bool is_let_in(const kws_wake *w, const heard *h)
{
	const kws_roster_part *p = &w->roster->part[h->part];
	const ear *opener = p->after >= 0 ? w->ears[p->after] : NULL;

	return !opener
	       || (opener->open && 0.5 * (h->start + h->end) >= opener->end
		   && h->start <= opener->end + 1e3 * p->within_s);
}

/* Whether the ear from which this one took over has decided it. */
static bool was_decided(const kws_wake *w, const ear *e, const heard *h)
{
	return kws_handover_was_decided(&e->handover, w->roster->word[h->word], 1e-3 * h->start,
					1e-3 * h->end, 1e-3 * h->decided, false);
}

static void count(kws_wake *w, const heard *h)
{
	ear *e = w->ears[h->part];

	if (h->word == KWS_ROSTER_NO_WORD || was_decided(w, e, h) || !is_let_in(w, h))
		return;
	kws_handover_told(&e->handover, w->roster->word[h->word], 1e-3 * h->start, 1e-3 * h->end);
	e->open = true;
	e->end = h->end;
	report(w, h);
}

static int by_time(const void *a, const void *b)
{
	const heard *x = a, *y = b;

	if (x->decided != y->decided)
		return x->decided < y->decided ? -1 : 1;
	return (x->part > y->part) - (x->part < y->part);
}

void kws_wake_settle(kws_wake *w)
{
	qsort(w->event, w->n_events, sizeof *w->event, by_time);
	for (size_t i = 0; i < w->n_events; i++)
		count(w, &w->event[i]);
	w->n_events = 0;
}

static void on_event(void *ctx, const kws_event *ev)
{
	const ear *e = ctx;
	kws_wake *w = e->wake;
	const kws_roster_part *p = &w->roster->part[e->part];
	const double ms = 1e3 / kws_model_rate_hz(p->model);

	if (w->n_events == KWS_WAKE_EVENTS)
		kws_wake_settle(w);
	w->event[w->n_events++] =
		(heard){ e->part, p->word[ev->word], e->from + ms * (double)ev->sample,
			 e->from + ms * (double)ev->start, e->from + ms * (double)ev->end };
}

/* ---- create ---- */

void kws_wake_ear_close(ear *e)
{
	if (e)
		kws_spotter_destroy(e->spotter);
	free(e);
}

kws_spotter_config kws_wake_ear_config(const kws_roster_part *p, ear *e)
{
	kws_spotter_config config = KWS_SPOTTER_CONFIG;

	config.smooth_ms = p->smooth_ms;
	config.refractory_ms = p->refractory_ms;
	config.threshold = p->threshold;
	config.on_event = on_event;
	config.ctx = e;
	return config;
}

enum kws_status kws_wake_ear_open(ear **out, kws_wake *w, const kws_roster_part *p, kws_error *err)
{
	ear *e = calloc(1, sizeof *e);
	enum kws_status status;

	*out = NULL;
	if (!e)
		return kws_fail(err, KWS_ERR_NOMEM, "out of memory");
	const kws_spotter_config config = kws_wake_ear_config(p, e);
	e->wake = w;
	status = kws_spotter_create_in(&e->spotter, p->group, w->pcm.format.rate_hz, &config, err);
	if (status == KWS_OK)
		*out = e;
	else
		kws_wake_ear_close(e);
	return status;
}

enum kws_status kws_wake_create(kws_wake **out, kws_roster *r, const kws_pcm_format *f,
				kws_wake_fn *fn, void *ctx, kws_error *err)
{
	kws_wake *w = calloc(1, sizeof *w);
	enum kws_status status = KWS_OK;

	*out = NULL;
	if (!w)
		return kws_fail(err, KWS_ERR_NOMEM, "out of memory");
	w->roster = kws_roster_share(r);
	w->fn = fn;
	w->ctx = ctx;
	kws_pcm_init(&w->pcm, f);
	w->room = f->rate_hz / BLOCKS_A_SECOND;
	w->block = calloc(w->room, sizeof *w->block);
	w->n_past = (size_t)f->rate_hz * KWS_HANDOVER_WARM_S;
	w->past = calloc(w->n_past, sizeof *w->past);
	w->last = calloc(r->n_words + 1, sizeof *w->last);
	if (!w->block || !w->past || !w->last)
		status = kws_fail(err, KWS_ERR_NOMEM, "out of memory");
	for (size_t i = 0; i < r->n_parts && status == KWS_OK; i++) {
		status = kws_wake_ear_open(&w->ears[i], w, &r->part[i], err);
		if (w->ears[i])
			w->ears[i]->part = i;
	}
	if (status != KWS_OK) {
		kws_wake_destroy(w);
		return status;
	}
	*out = w;
	return KWS_OK;
}

void kws_wake_destroy(kws_wake *w)
{
	if (!w)
		return;
	for (size_t i = 0; i < w->roster->n_parts; i++)
		kws_wake_ear_close(w->ears[i]);
	kws_roster_release(w->roster);
	free(w->block);
	free(w->past);
	free(w->last);
	free(w);
}

void kws_wake_restart(kws_wake *w)
{
	const kws_pcm_format f = w->pcm.format;

	kws_pcm_init(&w->pcm, &f);
	w->n = w->n_events = 0;
	w->taken = w->heard = 0;
	w->time = (kws_timeline){ 0 };
	memset(w->last, 0, w->roster->n_words * sizeof *w->last);
	for (size_t i = 0; i < w->roster->n_parts; i++) {
		ear *e = w->ears[i];

		kws_spotter_reset(e->spotter);
		*e = (ear){ .wake = w, .part = i, .spotter = e->spotter };
	}
}

const kws_roster *kws_wake_roster(const kws_wake *w)
{
	return w->roster;
}

const kws_pcm_format *kws_wake_format(const kws_wake *w)
{
	return &w->pcm.format;
}

/* ---- audio ---- */

void kws_wake_chunk(kws_wake *w, bool has, int64_t timestamp)
{
	const double heard_ms = 1e3 * (double)w->taken / w->pcm.format.rate_hz;

	kws_timeline_chunk(&w->time, heard_ms, has, timestamp);
}

size_t kws_wake_take(kws_wake *w, const char *bytes, size_t n)
{
	size_t used;
	const size_t k = kws_pcm_take(&w->pcm, bytes, n, &used, w->block + w->n, w->room - w->n);

	w->n += k;
	w->taken += k;
	return used;
}

bool kws_wake_waits(const kws_wake *w)
{
	return w->n > 0;
}

bool kws_wake_is_full(const kws_wake *w)
{
	return w->n == w->room;
}

/* An input for a spotter, and the group that it belongs to. */
typedef struct {
	const kws_group *group;
	kws_spotter_input in;
} wish;

/* Hear those of all (*n,) that are of the first one's group, and take them out. */
static void hear_group(wish *all, size_t *n)
{
	kws_spotter_input in[KWS_WAKE_TOGETHER * KWS_CONF_MODELS];
	const kws_group *group = all[0].group;
	size_t n_in = 0, left = 0;

	for (size_t i = 0; i < *n; i++)
		if (all[i].group == group)
			in[n_in++] = all[i].in;
		else
			all[left++] = all[i];
	*n = left;
	kws_spotter_process_all(in, n_in);
}

/* The block was heard. */
static void keep(kws_wake *w)
{
	const size_t at = (size_t)(w->heard % w->n_past);
	const size_t straight = w->n < w->n_past - at ? w->n : w->n_past - at;

	memcpy(w->past + at, w->block, straight * sizeof *w->past);
	memcpy(w->past, w->block + straight, (w->n - straight) * sizeof *w->past);
	w->heard += w->n;
	w->n = 0;
}

void kws_wake_hear(kws_wake *const *w, size_t n)
{
	wish all[KWS_WAKE_TOGETHER * KWS_CONF_MODELS];
	size_t n_all = 0;

	assert(n <= KWS_WAKE_TOGETHER);
	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < w[i]->roster->n_parts; k++)
			all[n_all++] = (wish){ w[i]->roster->part[k].group,
					       { w[i]->ears[k]->spotter, w[i]->block, w[i]->n } };
	while (n_all)
		hear_group(all, &n_all);
	for (size_t i = 0; i < n; i++) {
		keep(w[i]);
		kws_wake_settle(w[i]);
	}
}

void kws_wake_end(kws_wake *w)
{
	assert(!w->n);
	for (size_t i = 0; i < w->roster->n_parts; i++)
		kws_spotter_flush(w->ears[i]->spotter);
	kws_wake_settle(w);
}
