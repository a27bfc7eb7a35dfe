#include "daemon/ear_parts.h"
#include "daemon/log.h"

#include <math.h>
#include <string.h>

/* A decision takes KWS_DECIDE_HOLD_MS at most: what the old engine had not decided by then is the
 * new one's. */
static const double undecided_s = 0.3;

/* Around a swap both engines may have heard the same word. */
static bool told_before(const kws_ear *e, const char *word, double start, double end)
{
	for (unsigned i = 0; i < N_RECENT; i++)
		if (!strcmp(e->recents[i].word, word) && start < e->recents[i].end
		    && e->recents[i].start < end)
			return true;
	return false;
}

/* Whether the engine before the last swap has told of it, or found it to be nothing. */
static bool was_decided(const kws_ear *e, const char *word, const kws_event *ev, bool near)
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

static void remember(kws_ear *e, const char *word, const kws_event *ev)
{
	const double hz = kws_model_features(kws_engine_model(e->engine))->rate_hz;
	kws_recent *r = &e->recents[e->n_recent++ % N_RECENT];

	snprintf(r->word, sizeof r->word, "%s", word);
	r->start = (double)ev->start / hz;
	r->end = (double)ev->end / hz;
}

static void fill(kws_ear *e, kws_report *r, const char *word, const kws_event *ev)
{
	const kws_model *m = kws_engine_model(e->engine);
	unsigned hz = kws_model_features(m)->rate_hz;
	uint64_t origin = (uint64_t)llround(e->origin_s * hz);

	memset(r, 0, sizeof *r);
	snprintf(r->word, sizeof r->word, "%s", word);
	r->score = (double)ev->score;
	r->threshold = (double)ev->threshold;
	r->rate_hz = hz;
	r->start_sample = origin + ev->start;
	r->end_sample = origin + ev->end;
	r->decided_sample = origin + ev->sample;
	r->start_s = (double)r->start_sample / hz;
	r->end_s = (double)r->end_sample / hz;
	kws_clock_rfc3339(kws_anchor_wall(&e->anchor, r->start_s), r->start_time,
			  sizeof r->start_time);
	kws_clock_rfc3339(kws_anchor_wall(&e->anchor, r->end_s), r->end_time, sizeof r->end_time);
	r->level_dbfs = (double)ev->level_dbfs;
	r->snr_db = (double)ev->snr_db;
	snprintf(r->model, sizeof r->model, "%s", kws_model_name(m));
	snprintf(r->model_hash, sizeof r->model_hash, "%s", kws_model_hash(m));
	snprintf(r->device, sizeof r->device, "%s", e->device);
	snprintf(r->host, sizeof r->host, "%s", e->host);
}

static void keep_clip(kws_ear *e, kws_report *r, const kws_event *ev, bool near)
{
	uint64_t hz = r->rate_hz;

	kws_clips_name(r->clip, kws_anchor_wall(&e->anchor, r->start_s), r->word, ev->score, near);
	kws_clips_want(e->clips, r->clip, ev->start * e->in_hz / hz, ev->end * e->in_hz / hz);
}

void kws_ear_on_event(void *ctx, const kws_event *ev, bool near)
{
	kws_ear *e = ctx;
	const char *word = kws_model_word(kws_engine_model(e->engine), ev->word);
	kws_report r;

	if (was_decided(e, word, ev, near))
		return;
	fill(e, &r, word, ev);
	if (e->clips)
		keep_clip(e, &r, ev, near);
	if (near) {
		e->stats.near_misses++;
		kws_log(KWS_LOG_DEBUG, "near miss: %s %.2f of %.2f at %.2f s", word,
			(double)ev->score, (double)ev->threshold, r.start_s);
		return;
	}
	remember(e, word, ev);
	r.gap_count = e->gap_count;
	r.gap_s = e->gap_s;
	memcpy(r.gap_reason, e->gap_reason, sizeof r.gap_reason);
	e->gap_count = 0;
	e->gap_s = 0.0;
	e->gap_reason[0] = 0;
	e->stats.events++;
	e->fn(e->ctx, &r);
}
