#include "daemon/hearing_parts.h"
#include "runtime/log.h"

#include <assert.h>
#include <string.h>

kws_seat *kws_hearing_seat(kws_hearing *h, const char *name)
{
	for (size_t i = 0; i < h->ears.n; i++)
		if (!strcmp(kws_engine_name(h->seat[i].engine), name))
			return &h->seat[i];
	return NULL;
}

/* Whether an engine that opens e is still in left. */
static bool waits(const kws_engine *e, kws_engine *const *left, size_t n)
{
	for (size_t i = 0; *kws_engine_after(e) && i < n; i++)
		if (left[i] && left[i] != e
		    && !strcmp(kws_engine_after(e), kws_engine_name(left[i])))
			return true;
	return false;
}

/* Sort so that each engine follows the one that opens it; otherwise keep the order. */
static void sort(kws_engine *const *in, kws_engine **out, size_t n)
{
	kws_engine *left[KWS_CONF_MODELS];

	memcpy(left, in, n * sizeof left[0]);
	for (size_t at = 0; at < n; at++) {
		size_t i = 0;

		while (i < n && (!left[i] || waits(left[i], left, n)))
			i++;
		assert(i < n); /* the configuration has no circle */
		out[at] = left[i];
		left[i] = NULL;
	}
}

/* The sample that the engine of this seat has reached; without an engine, the end of the
 * history. */
static uint64_t come_to(const kws_hearing *h, const kws_seat *s)
{
	uint64_t next = s ? kws_ear_next(kws_engine_ear(s->engine)) : UINT64_MAX;

	return next < h->history.end ? next : h->history.end;
}

/* Give a new engine the seat of old, which may be NULL. False: it cannot process the stream. */
static bool take_over(kws_hearing *h, kws_seat *s, kws_engine *engine, const kws_seat *old)
{
	const uint64_t back = (uint64_t)h->hz * KWS_HEARING_WARM_S, at = come_to(h, old);
	uint64_t room, from = at > back ? at - back : 0;
	kws_error err = { "" };

	if (old)
		*s = *old;
	else
		memset(s, 0, sizeof *s);
	s->engine = engine;
	if (old)
		kws_engine_inherit(engine, old->engine);
	kws_engine_listen(engine, kws_hearing_on_event, kws_hearing_on_frame, h);
	if (!h->open)
		return true;
	room = h->history.cap - (uint64_t)KWS_HEARING_LAG_HOPS * (h->hz / 100);
	if (from + room < h->history.end)
		from = h->history.end - room; /* the next samples must not overwrite these */
	if (kws_engine_start(engine, h->hz, from, &err) != KWS_OK) {
		kws_log(KWS_LOG_ERROR, "the new model cannot hear %u Hz: %s%s", h->hz, err.text,
			old ? "; the old one stays" : "");
		kws_engine_destroy(engine);
		return false;
	}
	kws_handover_begin(&s->past, (double)at / h->hz);
	h->behind = true;
	return true;
}

/* In a new engine the gate is closed: open it again with the events that have opened it before. */
static void open_again(kws_hearing *h, kws_engine *engine)
{
	const kws_seat *by =
		*kws_engine_after(engine) ? kws_hearing_seat(h, kws_engine_after(engine)) : NULL;
	unsigned n = by ? by->n_told : 0;

	for (unsigned i = n > KWS_HEARING_TOLD ? n - KWS_HEARING_TOLD : 0; i < n; i++)
		kws_ear_open(kws_engine_ear(engine), kws_engine_ear(by->engine),
			     &by->told[i % KWS_HEARING_TOLD].event,
			     by->told[i % KWS_HEARING_TOLD].id);
}

void kws_hearing_engines(kws_hearing *h, kws_engine *const *engine, size_t n)
{
	kws_engine *sorted[KWS_CONF_MODELS] = { NULL };
	kws_seat next[KWS_CONF_MODELS] = { 0 };
	bool kept[KWS_CONF_MODELS] = { false };
	size_t n_next = 0;

	sort(engine, sorted, n);
	for (size_t i = 0; i < n; i++) {
		kws_seat *old = kws_hearing_seat(h, kws_engine_name(sorted[i]));
		bool is_new = !old || old->engine != sorted[i];

		if (is_new && !take_over(h, &next[n_next], sorted[i], old)) {
			is_new = false;
			if (!old)
				continue;
		}
		if (!is_new)
			next[n_next] = *old;
		else if (h->open)
			open_again(h, sorted[i]);
		if (old && !is_new)
			kept[old - h->seat] = true;
		n_next++;
	}
	for (size_t i = 0; i < h->ears.n; i++)
		if (!kept[i])
			kws_engine_destroy(h->seat[i].engine);
	memcpy(h->seat, next, n_next * sizeof next[0]);
	h->ears.n = n_next;
	for (size_t i = 0; i < n_next; i++)
		h->ear[i] = kws_engine_ear(h->seat[i].engine);
}

kws_engine *kws_hearing_engine(kws_hearing *h, const char *name)
{
	const kws_seat *s = kws_hearing_seat(h, name);

	return s ? s->engine : NULL;
}
