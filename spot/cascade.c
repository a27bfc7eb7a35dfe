#include "spot/cascade.h"

#include "spot/event.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct part part;
struct part {
	kws_cascade *cascade;
	char name[KWS_NAME]; /* "": it has none */
	kws_ear *ear;
	kws_spotter_config config; /* the caller's callbacks */
	const part *after;	   /* the part that opens it; NULL: not gated */
};

struct kws_cascade {
	part **parts; /* (n,) in the order in which they were added */
	size_t n;
	kws_ears ears;	   /* (n,) in the order in which they run; none before the first start */
	double squelch_db; /* 0: none */
	unsigned in_hz;
	kws_history history;
	kws_event_context known, context; /* of the stream; of the current event */
	bool started;
};

static enum kws_status no_memory(kws_error *err)
{
	return kws_fail(err, KWS_ERR_NOMEM, "%s", kws_strerror(KWS_ERR_NOMEM));
}

/* ---- callbacks ---- */

static void open_those_after(const part *p, const kws_event *ev)
{
	const kws_cascade *c = p->cascade;
	kws_report r;
	kws_report_fill(&r, ev, kws_ear_model(p->ear), &c->context);
	for (size_t i = 0; i < c->n; i++)
		if (c->parts[i]->after == p)
			kws_ear_open(c->parts[i]->ear, p->ear, ev, r.id);
}

static void on_event(void *ctx, const kws_event *ev)
{
	const part *p = ctx;
	kws_cascade *c = p->cascade;
	const kws_gate_word *after = kws_ear_after(p->ear);
	c->context = c->known;
	if (*p->name)
		c->context.spotter = p->name;
	if (after) {
		c->context.after = after->word;
		c->context.after_id = after->id;
	}
	if (p->config.on_event)
		p->config.on_event(p->config.ctx, ev);
	open_those_after(p, ev);
}

static void on_frame(void *ctx, const kws_frame *f)
{
	const part *p = ctx;
	p->config.on_frame(p->config.ctx, f);
}

/* ---- models ---- */

enum kws_status kws_cascade_create(kws_cascade **out, kws_error *err)
{
	*out = calloc(1, sizeof **out);
	return *out ? KWS_OK : no_memory(err);
}

static void destroy_part(part *p)
{
	if (!p)
		return;
	kws_ear_destroy(p->ear);
	free(p);
}

void kws_cascade_destroy(kws_cascade *c)
{
	if (!c)
		return;
	for (size_t i = 0; i < c->n; i++)
		destroy_part(c->parts[i]);
	free(c->parts);
	free(c->ears.ear);
	kws_squelch_destroy(c->ears.squelch);
	free(c->history.buf);
	free(c);
}

static part *find(const kws_cascade *c, const char *name)
{
	for (size_t i = 0; i < c->n; i++)
		if (*name && strcmp(c->parts[i]->name, name) == 0)
			return c->parts[i];
	return NULL;
}

static enum kws_status check_new(const kws_cascade *c, const char *name, kws_error *err)
{
	if (c->started)
		return kws_fail(err, KWS_ERR_ARG, "%s: models are added before the first start",
				name);
	if (*name && !kws_is_name(name, strlen(name)))
		return kws_fail(err, KWS_ERR_ARG, "%s: a name has 1 to %d of A-Z a-z 0-9 _ -", name,
				KWS_NAME - 1);
	if (find(c, name))
		return kws_fail(err, KWS_ERR_ARG, "%s: two models have that name", name);
	return KWS_OK;
}

static enum kws_status make_room(kws_cascade *c, kws_error *err)
{
	part **parts = realloc(c->parts, (c->n + 1) * sizeof *parts);
	if (!parts)
		return no_memory(err);
	c->parts = parts;
	kws_ear **ears = realloc(c->ears.ear, (c->n + 1) * sizeof *ears);
	if (!ears)
		return no_memory(err);
	c->ears.ear = ears;
	return KWS_OK;
}

enum kws_status kws_cascade_add(kws_cascade *c, const char *name, const kws_model *m,
				const kws_spotter_config *config, kws_error *err)
{
	static const kws_spotter_config as_the_model = KWS_SPOTTER_CONFIG;
	enum kws_status status = check_new(c, name ? name : "", err);
	if (status == KWS_OK)
		status = make_room(c, err);
	if (status != KWS_OK)
		return status;
	part *p = calloc(1, sizeof *p);
	if (!p)
		return no_memory(err);
	p->cascade = c;
	p->config = config ? *config : as_the_model;
	memcpy(p->name, name ? name : "", name ? strlen(name) : 0);
	kws_spotter_config own = p->config;
	own.on_event = on_event;
	own.on_frame = p->config.on_frame ? on_frame : NULL;
	own.ctx = p;
	status = kws_ear_create(&p->ear, m, &own, err);
	if (status != KWS_OK) {
		destroy_part(p);
		return status;
	}
	c->parts[c->n++] = p;
	return KWS_OK;
}

enum kws_status kws_cascade_gate(kws_cascade *c, const char *name, const char *after,
				 double within_s, kws_error *err)
{
	part *p = find(c, name), *by = find(c, after);
	if (c->started || !p || !by)
		return kws_fail(err, KWS_ERR_ARG, "%s: %s", p ? after : name,
				c->started ? "gates are set before the first start"
					   : "no model has that name");
	if (!(within_s >= 0.0 && within_s <= KWS_GATE_LONGEST_S))
		return kws_fail(err, KWS_ERR_ARG, "%s: within %g s is not in 0..%.0f", name,
				within_s, KWS_GATE_LONGEST_S);
	for (const part *at = by; at; at = at->after)
		if (at == p)
			return kws_fail(err, KWS_ERR_ARG, "%s after %s: a circle", name, after);
	p->after = by;
	kws_ear_gate(p->ear, within_s);
	return KWS_OK;
}

/* ---- the stream ---- */

/* The number of gates before this part. */
static size_t depth(const part *p)
{
	size_t n = 0;
	for (; p->after; p = p->after)
		n++;
	return n;
}

/* Put each part after the one that opens it; otherwise keep the order. Returns the largest
 * depth. */
static size_t order(kws_cascade *c)
{
	size_t n = 0, deep = 0;
	for (size_t d = 0; n < c->n; d++)
		for (size_t i = 0; i < c->n; i++)
			if (depth(c->parts[i]) == d) {
				c->ears.ear[n++] = c->parts[i]->ear;
				deep = d;
			}
	return deep;
}

/* At most 1 s of audio is added at a time. Each gate that opens, and the squelch, goes back by a
 * little more than one second more. */
static bool fit_history(kws_cascade *c, unsigned in_hz, size_t deep)
{
	const size_t gates = deep + (c->squelch_db > 0.0);
	const size_t cap = (size_t)in_hz * (gates ? gates + 2 : 1);
	if (c->history.cap != cap) {
		float *buf = calloc(cap, sizeof *buf);
		if (!buf)
			return false;
		free(c->history.buf);
		c->history.buf = buf;
	}
	kws_history_init(&c->history, c->history.buf, cap);
	return true;
}

static bool fit_squelch(kws_cascade *c, unsigned in_hz)
{
	kws_squelch_destroy(c->ears.squelch);
	c->ears.squelch = NULL;
	return !(c->squelch_db > 0.0)
	       || kws_squelch_create(&c->ears.squelch, in_hz, c->squelch_db) == KWS_OK;
}

void kws_cascade_squelch(kws_cascade *c, double over_db)
{
	assert(!c->started);
	c->squelch_db = over_db;
}

double kws_cascade_skipped_s(const kws_cascade *c)
{
	return c->ears.squelch ? (double)kws_squelch_skipped(c->ears.squelch) / c->in_hz : 0.0;
}

enum kws_status kws_cascade_start(kws_cascade *c, unsigned in_hz, const kws_event_context *context,
				  kws_error *err)
{
	static const kws_event_context nothing = KWS_EVENT_CONTEXT;
	enum kws_status status = KWS_OK;
	c->started = true;
	c->ears.n = 0;
	c->known = nothing;
	if (context)
		memcpy(&c->known, context,
		       context->size < sizeof c->known ? context->size : sizeof c->known);
	c->known.size = sizeof c->known;
	for (size_t i = 0; i < c->n && status == KWS_OK; i++)
		status = kws_ear_start(c->parts[i]->ear, in_hz, 0, err);
	if (status != KWS_OK)
		return status;
	if (!fit_history(c, in_hz, order(c)) || !fit_squelch(c, in_hz))
		return no_memory(err);
	c->in_hz = in_hz;
	c->ears.n = c->n;
	kws_ears_start(&c->ears);
	return KWS_OK;
}

void kws_cascade_process(kws_cascade *c, const float *pcm, size_t n)
{
	for (size_t k; n && c->ears.n; n -= k, pcm += k) {
		k = n < c->in_hz ? n : c->in_hz;
		kws_history_append(&c->history, pcm, k);
		kws_ears_hear(&c->ears, &c->history, SIZE_MAX);
	}
}

void kws_cascade_flush(kws_cascade *c)
{
	if (c->ears.n)
		kws_ears_settle(&c->ears, &c->history);
}

const kws_event_context *kws_cascade_context(const kws_cascade *c)
{
	return &c->context;
}

kws_ear *kws_cascade_ear(const kws_cascade *c, size_t i)
{
	return c->parts[i]->ear;
}
