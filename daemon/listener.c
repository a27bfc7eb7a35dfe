#include "daemon/listener.h"

#include "runtime/clock.h"
#include "runtime/log.h"
#include "daemon/pace.h"
#include "daemon/silence.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const double suspend_s = 1.0, splice_log_s = 60.0, drain_s = 0.1;

struct kws_listener {
	kws_conf_audio conf;
	kws_capture *capture;
	kws_hearing *hearing;
	kws_silence silence;

	/* the stream */
	unsigned stream, streams; /* number in capture; how many were opened */
	unsigned hz;
	bool open; /* a stream is being processed */
	char device[KWS_DEVICE_NAME];
	size_t hop;
	float *pcm;  /* (KWS_HEARING_BLOCK_HOPS * hop,) */
	double next; /* when to look again, monotonic */
	kws_pace pace;

	bool told;		 /* the log says that there is no audio */
	double created, lost_at; /* monotonic times; lost_at: of the last audio */
	double next_splice_log;
	double suspended_s; /* boot time minus monotonic time */
};

/* The name at the start of a log line. */
typedef struct {
	char text[KWS_CONF_NAME + 2];
} prefix;

static const char *who(const kws_listener *l, prefix *p)
{
	snprintf(p->text, sizeof p->text, "%s%s", l->conf.name, *l->conf.name ? ": " : "");
	return p->text;
}

/* ---- streams ---- */

static bool fit_rate(kws_listener *l, unsigned hz, kws_error *err)
{
	float *pcm =
		l->hz == hz ? l->pcm : calloc(KWS_HEARING_BLOCK_HOPS * (hz / 100), sizeof *pcm);

	if (!pcm)
		return kws_fail(err, KWS_ERR_NOMEM, "out of memory") == KWS_OK;
	if (pcm != l->pcm)
		free(l->pcm);
	l->pcm = pcm;
	l->hz = hz;
	l->hop = hz / 100;
	return true;
}

static void begin_stream(kws_listener *l, kws_device *d)
{
	kws_error err = { "" };
	prefix p;

	l->stream = kws_capture_stream(l->capture);
	if (!fit_rate(l, kws_device_rate(d), &err)
	    || kws_hearing_begin(l->hearing, l->hz, kws_device_name(d), &err) != KWS_OK) {
		bool news = strcmp(kws_capture_reason(l->capture), err.text) != 0;

		kws_log(news ? KWS_LOG_ERROR : KWS_LOG_DEBUG, "%s%s", who(l, &p), err.text);
		kws_capture_lose(l->capture, err.text);
		return;
	}
	kws_silence_stream(&l->silence);
	snprintf(l->device, sizeof l->device, "%s", kws_device_name(d));
	l->open = true;
	l->streams++;
}

static void end_stream(kws_listener *l)
{
	const bool wanted = l->conf.enabled; /* otherwise it is not a loss */
	const bool started = kws_hearing_anchor(l->hearing)->started;
	prefix p;

	l->open = false;
	kws_hearing_end(l->hearing);
	/* warn once per outage: streams that open but send nothing end here again and again, too */
	kws_log(!wanted		      ? KWS_LOG_INFO
		: started || !l->told ? KWS_LOG_WARNING
				      : KWS_LOG_DEBUG,
		"%saudio %s: %s: %s", who(l, &p), wanted ? "lost" : "off", l->device,
		kws_capture_reason(l->capture));
	l->told = true;
}

/* With the first samples of a stream, report the gap since the stream before. */
static void first_audio(kws_listener *l, kws_device *d, size_t n, double mono)
{
	/* the first n samples, and what came with them, were recorded before now */
	const bool pipe = kws_device_is_pipe(d);
	double waited = pipe ? 0.0 : (double)(kws_device_available(d) + n) / l->hz;
	double seconds = l->lost_at > 0.0 ? mono - l->lost_at - waited : 0.0;
	prefix p;

	if (l->lost_at > 0.0) {
		kws_gaps_add(kws_hearing_gaps(l->hearing), seconds > 0.0 ? seconds : 0.0,
			     kws_capture_reason(l->capture));
		kws_log(KWS_LOG_INFO, "%saudio is back: %s at %u Hz, %u channels, after %.2f s",
			who(l, &p), l->device, l->hz, kws_device_channels(d), seconds);
	} else {
		kws_log(KWS_LOG_INFO, "%slistening: %s at %u Hz, %u channels", who(l, &p),
			l->device, l->hz, kws_device_channels(d));
	}
	l->told = false;
	kws_anchor_start(kws_hearing_anchor(l->hearing), pipe, mono - waited,
			 kws_listener_heard_s(l));
}

/* Audio is missing in the middle of a stream. Do not warn each time: a machine that is too slow
 * loses some every second. */
static void add_gap(kws_listener *l, double seconds, const char *reason)
{
	double mono = kws_clock_mono();
	prefix p;

	kws_gaps_add(kws_hearing_gaps(l->hearing), seconds, reason);
	kws_log(mono >= l->next_splice_log ? KWS_LOG_WARNING : KWS_LOG_DEBUG,
		"%saudio lost: %s: %s, %.2f s; %u gaps so far", who(l, &p), l->device, reason,
		seconds, kws_hearing_gaps(l->hearing)->total);
	if (mono >= l->next_splice_log)
		l->next_splice_log = mono + splice_log_s;
}

static void check_losses(kws_listener *l, kws_device *d)
{
	kws_anchor *anchor = kws_hearing_anchor(l->hearing);
	double mono = kws_clock_mono(), heard_s = kws_listener_heard_s(l), seconds, jump;
	const char *reason;
	kws_device_state st;
	prefix p;

	kws_device_state_get(d, &st);
	if (kws_gaps_look(kws_hearing_gaps(l->hearing), &st, l->hz, mono - heard_s - anchor->offset,
			  &seconds, &reason)) {
		/* decide open words before the gap, and start anew after it */
		kws_hearing_splice(l->hearing);
		add_gap(l, seconds, reason);
		kws_anchor_start(anchor, kws_device_is_pipe(d), mono, heard_s);
		return;
	}
	jump = kws_anchor_update(anchor, mono, heard_s);
	if (jump > 0.0) /* lost some seconds ago; the audio after it was processed already */
		add_gap(l, jump, "lost unnoticed");
	if (jump < 0.0)
		kws_log(KWS_LOG_INFO, "%s%s: audio comes %.2f s sooner than before", who(l, &p),
			l->device, -jump);
}

/* ---- hops ---- */

static void check_silence(kws_listener *l, const kws_device *d, size_t n)
{
	double waited_s = 0.0;
	const bool was = l->silence.silent, pipe = kws_device_is_pipe(d);
	enum kws_silence_news news = kws_silence_step(&l->silence, l->pcm, n, l->hz, &waited_s);
	prefix p;

	if (news == KWS_SILENCE_OVER)
		kws_log(KWS_LOG_INFO, "%s%s: sound again", who(l, &p), l->device);
	if (news != KWS_SILENCE_LASTS)
		return;
	if (!was)
		kws_log(KWS_LOG_WARNING,
			"%s%s: digital silence: the same value for %.0f s (muted, or a dead "
			"link?)%s",
			who(l, &p), l->device, waited_s,
			pipe ? "" : "; opening it anew, less and less often");
	if (!pipe)
		kws_capture_lose(l->capture, "digital silence");
}

/* Read the next whole hops, at most this many, into pcm; if the source has ended, the rest, which
 * may be less than a hop. Returns the number of samples. */
static size_t next_block(kws_listener *l, kws_device *d, size_t most, bool ended)
{
	const size_t n = kws_device_available(d), hops = n / l->hop;

	if (hops)
		return kws_device_read(d, l->pcm, (hops < most ? hops : most) * l->hop);
	return ended && n ? kws_device_read(d, l->pcm, n) : 0;
}

/* How many hops may be processed next, when `done' were in this step. While an engine is behind,
 * single ones, and few. */
static size_t hops_allowed(const kws_listener *l, size_t done)
{
	enum { MAX_HOPS = 200 };
	const bool behind = kws_hearing_is_behind(l->hearing);
	const size_t most = behind ? KWS_HEARING_LAG_HOPS : MAX_HOPS;

	if (done >= most)
		return 0;
	return behind ? 1 : KWS_HEARING_BLOCK_HOPS;
}

/* Fetch the audio once, and process what is in the ring, but at most 2 s of audio at a time, and for
 * at most 0.1 s on a machine that is slow or busy: signals and sockets need their turn, too. Returns
 * the number of hops. */
static size_t drain(kws_listener *l, kws_device *d)
{
	size_t n, hops, most;
	double until = kws_clock_mono() + drain_s;
	kws_device_state st;

	kws_device_fetch(d);
	kws_device_state_get(d, &st);
	for (hops = 0; (most = hops_allowed(l, hops)) && (!hops || kws_clock_mono() < until)
		       && (n = next_block(l, d, most, st.ended)) > 0;
	     hops += (n + l->hop - 1) / l->hop) {
		if (!kws_hearing_anchor(l->hearing)->started)
			first_audio(l, d, n, kws_clock_mono());
		kws_hearing_feed(l->hearing, l->pcm, n);
		check_silence(l, d, n);
		if (kws_capture_device(l->capture) != d)
			return hops; /* the device was closed meanwhile */
	}
	kws_hearing_catch_up(l->hearing);
	if (!hops)
		return 0;
	l->lost_at = kws_clock_mono();
	check_losses(l, d);
	return hops;
}

static void check_suspend(kws_listener *l)
{
	double mono = kws_clock_mono(), ahead = kws_clock_boot() - mono;
	prefix p;

	if (ahead - l->suspended_s > suspend_s) {
		kws_log(KWS_LOG_WARNING, "%sthe machine was suspended for %.1f s", who(l, &p),
			ahead - l->suspended_s);
		kws_capture_lose(l->capture, "suspended");
	}
	l->suspended_s = ahead;
}

/* ---- when to look ---- */

/* Seconds until the next look, after one that found so many hops. */
static double wait_s(kws_listener *l, kws_device *d, size_t found)
{
	static const double opening_s = 0.005, busy_s = 0.02, idle_s = 0.05, off_s = 0.2;

	if (!d || !l->open)
		return l->conf.enabled ? idle_s : off_s;
	/* a pipe may be faster than real time: then each pause would be one more behind */
	if (kws_hearing_is_behind(l->hearing) || kws_device_available(d) >= l->hop)
		return kws_device_is_pipe(d) ? 0.0 : busy_s;
	if (kws_device_is_pipe(d))
		return idle_s;
	if (!kws_hearing_anchor(l->hearing)->started)
		return opening_s;
	return kws_pace_next(&l->pace, l->conf.latency_ms, 0.01 * (double)found,
			     kws_hearing_is_quiet(l->hearing));
}

double kws_listener_next(const kws_listener *l)
{
	return l->next;
}

enum kws_capture_state kws_listener_step(kws_listener *l)
{
	const double began = kws_clock_mono();
	kws_device *d = kws_capture_device(l->capture);
	enum kws_capture_state state;
	size_t found = 0;

	if (d && l->open)
		found = drain(l, d);
	check_suspend(l);
	state = kws_capture_step(l->capture, kws_clock_mono());
	d = kws_capture_device(l->capture);
	if (l->open && !d)
		end_stream(l);
	else if (d && kws_capture_stream(l->capture) != l->stream)
		begin_stream(l, d);
	l->next = began + wait_s(l, d, found);
	return state == KWS_CAPTURE_ENDED && kws_hearing_is_behind(l->hearing) ? KWS_CAPTURE_RUNNING
									       : state;
}

void kws_listener_finish(kws_listener *l)
{
	kws_device *d = kws_capture_device(l->capture);

	if (!l->open || !d)
		return;
	/* only what is there now, not what a fast pipe sends next */
	kws_hearing_hurry(l->hearing);
	drain(l, d);
	l->open = false;
	kws_hearing_end(l->hearing);
}

/* ---- create and the rest ---- */

static void release(kws_listener *l)
{
	kws_hearing_destroy(l->hearing);
	free(l->pcm);
	free(l);
}

enum kws_status kws_listener_create(kws_listener **out, const kws_conf_audio *c,
				    const kws_observer *to, kws_error *err)
{
	kws_listener *l = calloc(1, sizeof *l);
	enum kws_status status;

	*out = NULL;
	if (!l)
		return kws_fail(err, KWS_ERR_NOMEM, "out of memory");
	l->conf = *c;
	kws_silence_init(&l->silence, c->silence_s);
	l->created = kws_clock_mono();
	l->suspended_s = kws_clock_boot() - l->created;
	status = kws_hearing_create(&l->hearing, c->name, to, err);
	if (status == KWS_OK) {
		kws_hearing_squelch(l->hearing, (double)c->squelch_db);
		status = kws_capture_create(&l->capture, c, err);
	}
	if (status == KWS_OK)
		*out = l;
	else
		release(l);
	return status;
}

bool kws_listener_destroy(kws_listener *l, int timeout_ms)
{
	if (!l)
		return true;
	if (!kws_capture_destroy(l->capture, timeout_ms))
		return false;
	release(l);
	return true;
}

void kws_listener_retire(kws_listener *l)
{
	kws_capture_retire(l->capture);
	release(l);
}

void kws_listener_configure(kws_listener *l, const kws_conf_audio *c)
{
	kws_hearing_squelch(l->hearing, (double)c->squelch_db);
	if (l->conf.silence_s != c->silence_s)
		kws_silence_configure(&l->silence, c->silence_s);
	l->conf = *c;
	kws_capture_configure(l->capture, c);
}

kws_hearing *kws_listener_hearing(kws_listener *l)
{
	return l->hearing;
}

static void add_spotters(const kws_listener *l, kws_listener_stats *st)
{
	st->n_spotters = kws_hearing_stats(l->hearing, st->spotter);
	for (size_t i = 0; i < st->n_spotters; i++) {
		st->events += st->spotter[i].events;
		st->near_misses += st->spotter[i].near_misses;
	}
}

void kws_listener_stats_get(kws_listener *l, kws_listener_stats *st)
{
	kws_device *d = kws_capture_device(l->capture);
	const kws_gaps *gaps = kws_hearing_gaps(l->hearing);

	*st = (kws_listener_stats){ .name = l->conf.name,
				    .state = kws_capture_state_name(l->capture),
				    .device = d ? kws_device_name(d) : "",
				    .reason = kws_capture_reason(l->capture),
				    .rate_hz = d ? kws_device_rate(d) : 0,
				    .channels = d ? kws_device_channels(d) : 0,
				    .attempts = kws_capture_attempts(l->capture),
				    .heard_s = kws_listener_heard_s(l),
				    .quiet_s = kws_clock_mono()
					       - (l->lost_at > 0.0 ? l->lost_at : l->created),
				    .streams = l->streams,
				    .gaps = gaps->total,
				    .gap_s = gaps->total_s,
				    .overflows = gaps->overflows,
				    .dropped = gaps->dropped,
				    .hops = *kws_hearing_hops(l->hearing),
				    .level_dbfs = kws_hearing_level(l->hearing),
				    .enabled = l->conf.enabled,
				    .silent = l->silence.silent,
				    .squelched = kws_hearing_is_squelched(l->hearing),
				    .skipped_s = kws_hearing_skipped_s(l->hearing) };
	if (d)
		kws_device_findings(d, &st->sound);
	add_spotters(l, st);
}

const char *kws_listener_name(const kws_listener *l)
{
	return l->conf.name;
}

bool kws_listener_enabled(const kws_listener *l)
{
	return l->conf.enabled;
}

double kws_listener_heard_s(const kws_listener *l)
{
	return kws_hearing_heard_s(l->hearing);
}

const char *kws_listener_reason(const kws_listener *l)
{
	return kws_capture_reason(l->capture);
}

int kws_listener_fd(const kws_listener *l)
{
	return kws_capture_fd(l->capture);
}

int kws_listener_data_fd(kws_listener *l)
{
	return kws_capture_data_fd(l->capture);
}
