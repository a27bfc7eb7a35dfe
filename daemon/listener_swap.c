#include "daemon/listener_parts.h"
#include "daemon/log.h"

#include <stdlib.h>
#include <string.h>

/* The new engine takes over at once, but for what it hears: that begins some seconds earlier, in the
 * history, and drain() lets it catch up. */
static void warm(kws_listener *e, kws_engine *next)
{
	kws_engine *old = e->engine;
	uint64_t back = (uint64_t)e->in_hz * WARM_S, room = e->history.cap - LAG_HOPS * e->hop;
	kws_error err = { "" };

	if (e->open && kws_engine_start(next, e->in_hz, kws_listener_on_event, e, &err) != KWS_OK) {
		kws_log(KWS_LOG_ERROR, "the new model cannot hear %u Hz: %s; the old one stays",
			e->in_hz, err.text);
		kws_engine_destroy(next);
		return;
	}
	e->engine = next;
	kws_engine_destroy(old);
	if (!e->open)
		return;
	e->swapped_at = e->fed; /* n_in, unless the old one itself was still behind */
	e->fed = e->fed > back ? e->fed - back : 0;
	if (e->fed + room < e->n_in)
		e->fed = e->n_in - room; /* what comes next must not overwrite it */
	kws_engine_skip(next, kws_listener_model_samples(e, e->fed));
}

/* A longer history, with what there is. Without memory the old one stays, and clips are cut short.
 */
static void grow_history(kws_listener *e, size_t need)
{
	float *buf = need > e->history.cap ? calloc(need, sizeof *buf) : NULL;
	kws_history longer;

	if (!buf)
		return;
	kws_history_init(&longer, buf, need);
	longer.end = kws_history_begin(&e->history);
	while (longer.end < e->history.end) {
		size_t n = e->history.end - longer.end < e->hop
				   ? (size_t)(e->history.end - longer.end)
				   : e->hop;

		kws_history_copy(&e->history, longer.end, n, e->pcm);
		kws_history_append(&longer, e->pcm, n);
	}
	free(e->history.buf);
	e->history = longer;
}

/* near_miss is the engine's */
static bool same_clips(const kws_conf_clips *a, const kws_conf_clips *b)
{
	return !strcmp(a->dir, b->dir) && a->quota_mb == b->quota_mb && a->pre_ms == b->pre_ms
	       && a->post_ms == b->post_ms && a->queue == b->queue;
}

void kws_listener_swap(kws_listener *e, const kws_conf *c, kws_engine *engine)
{
	bool clips = !same_clips(&e->conf.clips, &c->clips);

	e->conf = *c;
	e->patience_s = c->audio[0].silence_s;
	if (clips) {
		kws_clips_stop(e->clips, 10000, false);
		e->clips = NULL;
	}
	if (engine)
		warm(e, engine);
	else
		kws_engine_configure(e->engine, c, NULL);
	if (clips && e->in_hz && *c->clips.dir) {
		kws_error err = { "" };

		grow_history(e, kws_listener_clip_history(&c->clips, e->in_hz));
		if (kws_clips_create(&e->clips, &c->clips, e->in_hz, &err) != KWS_OK)
			kws_log(KWS_LOG_ERROR, "%s", err.text);
	}
	kws_capture_configure(e->capture, &c->audio[0]);
}
