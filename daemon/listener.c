#include "daemon/listener_parts.h"
#include "daemon/log.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const double suspend_s = 1.0;
static const double splice_log_s = 60.0, drain_s = 0.1;
/* How long the end of a stream may wait for an engine that is behind. */
static const double settle_s = 0.3;

uint64_t kws_listener_model_samples(const kws_listener *e, uint64_t n_in)
{
	return n_in * kws_model_features(kws_engine_model(e->engine))->rate_hz / e->in_hz;
}

double kws_listener_heard_s(const kws_listener *e)
{
	return e->in_hz ? e->origin_s + (double)e->n_in / e->in_hz : e->origin_s;
}

/* An engine that is behind tells of its events later. */
size_t kws_listener_clip_history(const kws_conf_clips *c, unsigned hz)
{
	return *c->dir ? kws_clips_history(c, hz) + (size_t)hz * WARM_S : 0;
}

/* ---- streams ---- */

static void gap(kws_listener *e, double seconds, const char *reason)
{
	e->gap_count++;
	e->gap_s += seconds;
	snprintf(e->gap_reason, sizeof e->gap_reason, "%s", reason);
	e->count.gaps++;
	e->count.gap_s += seconds;
}

static bool fit_rate(kws_listener *e, unsigned hz, kws_error *err)
{
	size_t clip = kws_listener_clip_history(&e->conf.clips, hz), n = (size_t)hz * HISTORY_S;

	n = n > clip ? n : clip;
	if (e->history.cap != n) {
		float *buf = calloc(n, sizeof *buf);

		if (!buf)
			return kws_fail(err, KWS_ERR_NOMEM, "out of memory") == KWS_OK;
		free(e->history.buf);
		kws_history_init(&e->history, buf, n);
	}
	if (e->in_hz != hz) {
		free(e->pcm);
		e->hop = hz / 100;
		e->pcm = calloc(e->hop, sizeof *e->pcm);
		kws_clips_stop(e->clips, 10000, false);
		e->clips = NULL;
	}
	e->in_hz = hz;
	if (!e->pcm)
		return kws_fail(err, KWS_ERR_NOMEM, "out of memory") == KWS_OK;
	return e->clips || !*e->conf.clips.dir
	       || kws_clips_create(&e->clips, &e->conf.clips, hz, err) == KWS_OK;
}

static void begin_stream(kws_listener *e, kws_device *d)
{
	kws_error err = { "" };

	e->origin_s = kws_listener_heard_s(e);
	e->n_in = e->fed = 0;
	e->stream = kws_capture_stream(e->capture);
	if (!fit_rate(e, kws_device_rate(d), &err)
	    || kws_engine_start(e->engine, e->in_hz, kws_listener_on_event, e, &err) != KWS_OK) {
		bool news = strcmp(kws_capture_reason(e->capture), err.text) != 0;

		kws_log(news ? KWS_LOG_ERROR : KWS_LOG_DEBUG, "%s", err.text);
		kws_capture_lose(e->capture, err.text);
		return;
	}
	e->history.end = 0;
	e->overflows = 0;
	e->dropped = 0;
	e->constant = 0;
	e->swapped_at = 0;
	memset(e->recents, 0, sizeof e->recents);
	e->anchor.started = false;
	snprintf(e->device, sizeof e->device, "%s", kws_device_name(d));
	e->open = true;
	e->count.streams++;
}

/* Let an engine that is behind hear more of what is in the history: hops of 10 ms. */
static void catch_up(kws_listener *e, size_t hops)
{
	while (hops-- && e->fed < e->n_in) {
		size_t n = e->n_in - e->fed < e->hop ? (size_t)(e->n_in - e->fed) : e->hop;

		kws_history_copy(&e->history, e->fed, n, e->pcm);
		kws_engine_process(e->engine, e->pcm, n);
		e->fed += n;
	}
}

static void hurry(kws_listener *e)
{
	double until = kws_clock_mono() + settle_s;

	while (e->fed < e->n_in && kws_clock_mono() < until)
		catch_up(e, 1);
}

/* The stream ends here for the engine: what is open is decided. */
static void settle(kws_listener *e)
{
	hurry(e);
	if (e->fed < e->n_in)
		kws_log(KWS_LOG_WARNING,
			"the new model is too far behind: the last %.2f s before the end of the "
			"stream were not heard",
			(double)(e->n_in - e->fed) / e->in_hz);
	e->fed = e->n_in;
	kws_engine_flush(e->engine);
}

static void end_stream(kws_listener *e)
{
	e->open = false;
	settle(e);
	if (e->clips)
		kws_clips_step(e->clips, &e->history, true);
	/* once an outage: also streams that open and then send nothing end here, again and again */
	kws_log(e->anchor.started || !e->told ? KWS_LOG_WARNING : KWS_LOG_DEBUG,
		"audio lost: %s: %s", e->device, kws_capture_reason(e->capture));
	e->told = true;
}

/* The first samples of a stream say what happened since the one before. */
static void first_audio(kws_listener *e, kws_device *d, double mono)
{
	/* what has come with the first hop was heard before now */
	double waited =
		kws_device_is_pipe(d) ? 0.0 : (double)(kws_device_available(d) + e->hop) / e->in_hz;
	double seconds = e->lost_at > 0.0 ? mono - e->lost_at - waited : 0.0;

	if (e->lost_at > 0.0) {
		gap(e, seconds > 0.0 ? seconds : 0.0, kws_capture_reason(e->capture));
		kws_log(KWS_LOG_INFO, "audio is back: %s at %u Hz, %u channels, after %.2f s",
			e->device, e->in_hz, kws_device_channels(d), seconds);
	} else {
		kws_log(KWS_LOG_INFO, "listening: %s at %u Hz, %u channels", e->device, e->in_hz,
			kws_device_channels(d));
	}
	e->told = false;
	kws_anchor_start(&e->anchor, kws_device_is_pipe(d), kws_clock_wall() - waited,
			 kws_listener_heard_s(e));
}

/* Audio is missing in the middle of a stream: hear what follows as a new beginning. */
static void splice(kws_listener *e, double seconds, const char *reason)
{
	settle(e);
	kws_engine_start(e->engine, e->in_hz, kws_listener_on_event, e, NULL);
	kws_engine_skip(e->engine, kws_listener_model_samples(e, e->n_in));
	gap(e, seconds, reason);
	/* a machine that is too slow loses some every second */
	double mono = kws_clock_mono();
	kws_log(mono >= e->next_splice_log ? KWS_LOG_WARNING : KWS_LOG_DEBUG,
		"audio lost: %s: %s, %.2f s; %u gaps so far", e->device, reason, seconds,
		e->count.gaps);
	if (mono >= e->next_splice_log)
		e->next_splice_log = mono + splice_log_s;
}

static void check_losses(kws_listener *e, kws_device *d)
{
	double wall = kws_clock_wall(), late = wall - kws_listener_heard_s(e) - e->anchor.offset;
	kws_device_state st;

	kws_device_state_get(d, &st);
	if (st.dropped != e->dropped) {
		splice(e, (double)(st.dropped - e->dropped) / e->in_hz, "the ring was full");
		e->count.dropped += st.dropped - e->dropped;
	} else if (st.overflows != e->overflows) {
		splice(e, late > 0.0 ? late : 0.0, "overflow");
		e->count.overflows += st.overflows - e->overflows;
	} else {
		double jump = kws_anchor_update(&e->anchor, wall, kws_listener_heard_s(e));
		if (jump > 0.0 || jump < 0.0)
			kws_log(KWS_LOG_WARNING,
				"the wall clock and the audio differ by %+.2f s: a set clock or "
				"lost audio",
				jump);
		return;
	}
	e->dropped = st.dropped;
	e->overflows = st.overflows;
	kws_anchor_start(&e->anchor, kws_device_is_pipe(d), wall, kws_listener_heard_s(e));
}

/* ---- hops ---- */

static void check_silence(kws_listener *e, const kws_device *d, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		/* equal, and not merely close: a converter that works has noise */
		e->constant = e->pcm[i] < e->last || e->pcm[i] > e->last ? 0 : e->constant + 1;
		e->last = e->pcm[i];
	}
	if (e->constant < n && e->silent) {
		kws_log(KWS_LOG_INFO, "%s: sound again", e->device);
		e->silent = false;
	}
	if (e->constant < n)
		e->patience_s = e->conf.audio[0].silence_s;
	if (!e->conf.audio[0].silence_s || (double)e->constant < e->patience_s * e->in_hz)
		return;
	if (!e->silent)
		kws_log(KWS_LOG_WARNING,
			"%s: digital silence: the same value for %.0f s (muted, or a dead link?)%s",
			e->device, e->patience_s,
			kws_device_is_pipe(d) ? "" : "; opening it anew, less and less often");
	e->silent = true;
	e->constant = 0;
	e->patience_s = fmin(2.0 * e->patience_s, fmax(3600.0, e->conf.audio[0].silence_s));
	if (!kws_device_is_pipe(d))
		kws_capture_lose(e->capture, "digital silence");
}

static void hear(kws_listener *e, kws_device *d, size_t n)
{
	kws_history_append(&e->history, e->pcm, n);
	e->n_in += n;
	if (e->fed + n == e->n_in) {
		kws_engine_process(e->engine, e->pcm, n);
		e->fed = e->n_in;
	}
	if (e->clips)
		kws_clips_step(e->clips, &e->history, false);
	check_silence(e, d, n);
}

/* The next hop into pcm, or, when the source has ended, the rest, which may be less. Returns how
 * many samples. */
static size_t next_hop(kws_listener *e, kws_device *d, bool ended)
{
	size_t n = kws_device_read(d, e->pcm, e->hop);

	if (n || !ended)
		return n;
	n = kws_device_available(d);
	return n && n < e->hop ? kws_device_read(d, e->pcm, n) : 0;
}

/* What is in the ring, but no more than two seconds at a time, and for a tenth of a second at most
 * on a machine that is slow or busy: a file's reader puts back at once what we take, and signals and
 * sockets want to be served, too. */
static void drain(kws_listener *e, kws_device *d)
{
	enum { MAX_HOPS = 200 };
	size_t n, hops, most = e->fed < e->n_in ? LAG_HOPS : MAX_HOPS;
	double until = kws_clock_mono() + drain_s;
	kws_device_state st;

	kws_device_state_get(d, &st);
	for (hops = 0; hops < most && (!hops || kws_clock_mono() < until)
		       && (n = next_hop(e, d, st.ended)) > 0;
	     hops++) {
		if (!e->anchor.started)
			first_audio(e, d, kws_clock_mono());
		hear(e, d, n);
		if (kws_capture_device(e->capture) != d)
			return; /* given up in the middle */
	}
	catch_up(e, CATCH_UP_HOPS);
	if (!hops)
		return;
	e->lost_at = kws_clock_mono();
	check_losses(e, d);
}

static void check_suspend(kws_listener *e)
{
	double mono = kws_clock_mono(), ahead = kws_clock_boot() - mono;

	if (ahead - e->suspended_s > suspend_s) {
		kws_log(KWS_LOG_WARNING, "the machine was suspended for %.1f s",
			ahead - e->suspended_s);
		kws_capture_lose(e->capture, "suspended");
	}
	e->suspended_s = ahead;
}

enum kws_capture_state kws_listener_step(kws_listener *e)
{
	kws_device *d = kws_capture_device(e->capture);
	enum kws_capture_state state;

	if (d && e->open)
		drain(e, d);
	check_suspend(e);
	state = kws_capture_step(e->capture, kws_clock_mono());
	d = kws_capture_device(e->capture);
	if (e->open && !d)
		end_stream(e);
	else if (d && kws_capture_stream(e->capture) != e->stream)
		begin_stream(e, d);
	return state == KWS_CAPTURE_ENDED && e->fed < e->n_in ? KWS_CAPTURE_RUNNING : state;
}

void kws_listener_finish(kws_listener *e)
{
	kws_device *d = kws_capture_device(e->capture);

	if (!e->open || !d)
		return;
	/* what is there now, and not what a fast pipe goes on to send */
	hurry(e);
	drain(e, d);
	e->open = false;
	settle(e);
	if (e->clips)
		kws_clips_step(e->clips, &e->history, true);
}

/* ---- create and the rest ---- */

enum kws_status kws_listener_create(kws_listener **out, const kws_conf *c, kws_engine *engine,
				    kws_listener_fn *fn, void *ctx, kws_error *err)
{
	kws_listener *e = calloc(1, sizeof *e);
	enum kws_status status;

	*out = NULL;
	if (!e)
		return kws_fail(err, KWS_ERR_NOMEM, "out of memory");
	e->conf = *c;
	e->fn = fn;
	e->ctx = ctx;
	e->patience_s = c->audio[0].silence_s;
	e->created = kws_clock_mono();
	e->suspended_s = kws_clock_boot() - kws_clock_mono();
	if (gethostname(e->host, sizeof e->host - 1) != 0)
		snprintf(e->host, sizeof e->host, "unknown");
	kws_clean(e->host);
	snprintf(e->run, sizeof e->run, "%s %ld %.9f %.9f", e->host, (long)getpid(),
		 kws_clock_wall(), kws_clock_mono());
	status = kws_capture_create(&e->capture, &c->audio[0], err);
	if (status != KWS_OK) {
		free(e);
		return status;
	}
	e->engine = engine;
	*out = e;
	return KWS_OK;
}

bool kws_listener_destroy(kws_listener *e, int timeout_ms)
{
	double until = kws_clock_mono() + 1e-3 * timeout_ms, left;

	if (!e)
		return true;
	kws_clips_stop(e->clips, timeout_ms,
		       true); /* first: it is there also when the device hangs */
	e->clips = NULL;
	left = until - kws_clock_mono();
	if (!kws_capture_destroy(e->capture, left > 0.1 ? (int)(1e3 * left) : 100))
		return false;
	kws_engine_destroy(e->engine);
	free(e->history.buf);
	free(e->pcm);
	free(e);
	return true;
}

void kws_listener_stats_get(kws_listener *e, kws_listener_stats *st)
{
	kws_device *d = kws_capture_device(e->capture);

	*st = (kws_listener_stats){ .name = "",
				    .state = kws_capture_state_name(e->capture),
				    .device = d ? kws_device_name(d) : "",
				    .reason = kws_capture_reason(e->capture),
				    .rate_hz = d ? kws_device_rate(d) : 0,
				    .channels = d ? kws_device_channels(d) : 0,
				    .attempts = kws_capture_attempts(e->capture),
				    .heard_s = kws_listener_heard_s(e),
				    .quiet_s = kws_clock_mono()
					       - (e->lost_at > 0.0 ? e->lost_at : e->created),
				    .streams = e->count.streams,
				    .gaps = e->count.gaps,
				    .gap_s = e->count.gap_s,
				    .overflows = e->count.overflows,
				    .dropped = e->count.dropped,
				    .events = e->count.events,
				    .near_misses = e->count.near_misses,
				    .level_dbfs = kws_engine_level(e->engine),
				    .enabled = true,
				    .silent = e->silent,
				    .n_spotters = 1 };
	kws_engine_stats(e->engine, &st->spotter[0]);
	st->spotter[0].events = e->count.events;
	st->spotter[0].near_misses = e->count.near_misses;
}

void kws_listener_forget_best(kws_listener *e)
{
	kws_engine_forget_best(e->engine);
}

kws_capture *kws_listener_capture(kws_listener *e)
{
	return e->capture;
}

kws_engine *kws_listener_engine(kws_listener *e)
{
	return e->engine;
}

kws_clips *kws_listener_clips(kws_listener *e)
{
	return e->clips;
}
