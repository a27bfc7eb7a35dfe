#include "runtime/clock.h"
#include "daemon/hearing_parts.h"
#include "runtime/log.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* The wall time of a monotonic time, by the wall clock as it is set now. */
static double wall_of(double mono)
{
	return mono - kws_clock_mono() + kws_clock_wall();
}

static void fill(const kws_hearing *h, const kws_engine *engine, kws_report *r, const kws_event *ev,
		 const kws_gate_word *after)
{
	const kws_model *m = kws_engine_model(engine);
	const char *spotter = kws_engine_name(engine);
	kws_event_context c = KWS_EVENT_CONTEXT;
	char stream[sizeof h->run + KWS_CONF_NAME + 1];

	snprintf(stream, sizeof stream, "%s%s%s", h->run, *spotter ? "/" : "", spotter);
	c.stream = stream;
	c.device = h->device;
	c.host = h->host;
	c.listener = h->name;
	c.spotter = spotter;
	c.after = after ? after->word : NULL;
	c.after_id = after ? after->id : NULL;
	c.origin = (uint64_t)llround(h->origin_s * kws_model_rate_hz(m));
	c.monotonic = kws_anchor_time(&h->anchor, 0.0);
	c.wall = wall_of(c.monotonic);
	c.gap_count = h->gaps.count;
	c.gap_s = h->gaps.seconds;
	c.gap_reason = h->gaps.reason;
	kws_report_fill(r, ev, m, &c);
}

static void keep_clip(kws_hearing *h, kws_report *r, const kws_event *ev, bool near)
{
	uint64_t hz = r->rate_hz;

	kws_clips_name(r->clip, wall_of(kws_anchor_time(&h->anchor, r->start_s)), h->name, r->word,
		       ev->score, near);
	kws_clips_want(h->clips, &h->list, r->clip, ev->start * h->hz / hz, ev->end * h->hz / hz);
}

/* Open the gates of the engines that wait for a word of this seat. */
static void open_gates(kws_hearing *h, kws_seat *s, const kws_event *ev, const char *id)
{
	kws_ear *by = kws_engine_ear(s->engine);

	for (size_t i = 0; i < h->ears.n; i++)
		if (*kws_engine_after(h->seat[i].engine)
		    && !strcmp(kws_engine_after(h->seat[i].engine), kws_engine_name(s->engine)))
			kws_ear_open(h->ear[i], by, ev, id);
}

static void tell_near_miss(kws_hearing *h, kws_seat *s, const kws_report *r, const kws_event *ev)
{
	s->near_misses++;
	kws_engine_count(s->engine, ev->word, ev->score, true);
	kws_log(KWS_LOG_DEBUG, "near miss: %s %.2f of %.2f at %.2f s", r->word, (double)ev->score,
		(double)ev->threshold, r->start_s);
	h->to->report(h->to->ctx, r, true);
}

void kws_hearing_on_event(void *ctx, kws_engine *engine, const kws_event *ev, bool near)
{
	kws_hearing *h = ctx;
	kws_seat *s = kws_hearing_seat(h, kws_engine_name(engine));
	const double hz = kws_model_rate_hz(kws_engine_model(engine));
	const double start_s = (double)ev->start / hz, end_s = (double)ev->end / hz;
	kws_report r;

	fill(h, engine, &r, ev, near ? NULL : kws_ear_after(kws_engine_ear(engine)));
	/* the engines whose gates it opens know it already, too */
	if (kws_handover_was_decided(&s->past, r.word, start_s, end_s, (double)ev->sample / hz,
				     near))
		return;
	if (h->clips && (!near || h->clips_conf.near_miss > 0.0f))
		keep_clip(h, &r, ev, near);
	if (near) {
		tell_near_miss(h, s, &r, ev);
		return;
	}
	kws_handover_told(&s->past, r.word, start_s, end_s);
	s->told[s->n_told % KWS_HEARING_TOLD].event = *ev;
	memcpy(s->told[s->n_told++ % KWS_HEARING_TOLD].id, r.id, sizeof r.id);
	kws_gaps_told(&h->gaps);
	s->events++;
	kws_engine_count(s->engine, ev->word, ev->score, false);
	open_gates(h, s, ev, r.id);
	h->to->report(h->to->ctx, &r, false);
}

void kws_hearing_on_frame(void *ctx, kws_engine *engine, const kws_frame *f, const float *score)
{
	const kws_hearing *h = ctx;
	const double hz = kws_model_rate_hz(kws_engine_model(engine));

	h->to->frame(h->to->ctx, h->name, kws_engine_name(engine), f, score,
		     h->origin_s + (double)f->sample / hz);
}
