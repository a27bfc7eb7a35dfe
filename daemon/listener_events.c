#include "daemon/listener_parts.h"
#include "daemon/log.h"

#include <math.h>
#include <string.h>

/* A decision takes KWS_DECIDE_HOLD_MS at most: what the old engine had not decided by then is the
 * new one's. */
static const double undecided_s = 0.3;

/* Around a swap both engines may have heard the same word. */
static bool told_before(const kws_listener *e, const char *word, double start, double end)
{
	for (unsigned i = 0; i < N_RECENT; i++)
		if (!strcmp(e->recents[i].word, word) && start < e->recents[i].end
		    && e->recents[i].start < end)
			return true;
	return false;
}

/* Whether the engine before the last swap has told of it, or found it to be nothing. */
static bool was_decided(const kws_listener *e, const char *word, const kws_event *ev, bool near)
{
	const double hz = kws_model_features(kws_engine_model(e->engine))->rate_hz,
		     at = (double)e->swapped_at / e->in_hz, decided = (double)ev->sample / hz,
		     start = (double)ev->start / hz;

	if (!e->swapped_at)
		return false;
	if (decided + (near ? 0.0 : undecided_s) < at)
		return true;
	return start < at && told_before(e, word, start, (double)ev->end / hz);
}

static void remember(kws_listener *e, const char *word, const kws_event *ev)
{
	const double hz = kws_model_features(kws_engine_model(e->engine))->rate_hz;
	kws_recent *r = &e->recents[e->n_recent++ % N_RECENT];

	snprintf(r->word, sizeof r->word, "%s", word);
	r->start = (double)ev->start / hz;
	r->end = (double)ev->end / hz;
}

static void fill(const kws_listener *e, kws_report *r, const kws_event *ev)
{
	const kws_model *m = kws_engine_model(e->engine);
	kws_event_context c = KWS_EVENT_CONTEXT;

	c.stream = e->run;
	c.device = e->device;
	c.host = e->host;
	c.origin = (uint64_t)llround(e->origin_s * kws_model_rate_hz(m));
	c.wall = kws_anchor_wall(&e->anchor, 0.0);
	c.monotonic = c.wall - kws_clock_wall() + kws_clock_mono();
	c.gap_count = e->gap_count;
	c.gap_s = e->gap_s;
	c.gap_reason = e->gap_reason;
	kws_report_fill(r, ev, m, &c);
}

static void keep_clip(kws_listener *e, kws_report *r, const kws_event *ev, bool near)
{
	uint64_t hz = r->rate_hz;

	kws_clips_name(r->clip, kws_anchor_wall(&e->anchor, r->start_s), r->word, ev->score, near);
	kws_clips_want(e->clips, r->clip, ev->start * e->in_hz / hz, ev->end * e->in_hz / hz);
}

void kws_listener_on_event(void *ctx, const kws_event *ev, bool near)
{
	kws_listener *e = ctx;
	const char *word = kws_model_word(kws_engine_model(e->engine), ev->word);
	kws_report r;

	if (was_decided(e, word, ev, near))
		return;
	fill(e, &r, ev);
	if (e->clips)
		keep_clip(e, &r, ev, near);
	if (near) {
		e->count.near_misses++;
		kws_log(KWS_LOG_DEBUG, "near miss: %s %.2f of %.2f at %.2f s", word,
			(double)ev->score, (double)ev->threshold, r.start_s);
		return;
	}
	remember(e, word, ev);
	e->gap_count = 0;
	e->gap_s = 0.0;
	e->gap_reason[0] = 0;
	e->count.events++;
	e->fn(e->ctx, &r);
}
