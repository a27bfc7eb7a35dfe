#include "daemon/vitals.h"

#include "daemon/clock.h"
#include "daemon/log.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

static const double status_every_s = 5.0;

void kws_vitals_init(kws_vitals *v, unsigned outage_s)
{
	uint64_t us = 0;

	memset(v, 0, sizeof *v);
	v->started = v->quiet_since = kws_clock_mono();
	v->outage_s = outage_s;
	if (sd_watchdog_enabled(0, &us) > 0)
		v->watchdog_s = 1e-6 * (double)us;
}

static void tell_status(kws_vitals *v, kws_listener *listener, double mono)
{
	const kws_listener_stats *st = kws_listener_stats_get(listener);
	kws_capture *c = kws_listener_capture(listener);
	kws_device *d = kws_capture_device(c);
	char text[256];

	if (d && v->quiet_since >= mono)
		snprintf(text, sizeof text, "%s %s at %u Hz; %lu events, %u gaps%s",
			 v->ready ? "Listening to" : "Opening", kws_device_name(d),
			 kws_device_rate(d), st->events, st->gaps,
			 st->silent ? "; digital silence: muted?" : "");
	else if (*kws_capture_reason(c))
		snprintf(text, sizeof text,
			 "No audio for %.0f s: %.120s; %u attempts; %lu events, %u gaps",
			 mono - v->quiet_since, kws_capture_reason(c), kws_capture_attempts(c),
			 st->events, st->gaps);
	else
		snprintf(text, sizeof text, "Opening the microphone");
	if (!strcmp(text, v->status))
		return;
	memcpy(v->status, text, sizeof text);
	kws_clean(text); /* a new line would be a message of its own to systemd */
	sd_notifyf(0, "STATUS=%s", text);
}

void kws_vitals_step(kws_vitals *v, kws_listener *listener, double mono)
{
	const kws_listener_stats *st = kws_listener_stats_get(listener);
	bool advanced = st->heard_s > v->heard_s, first = advanced && !v->ready;

	if (advanced) {
		v->heard_s = st->heard_s;
		v->quiet_since = mono;
	}
	if (first) {
		v->ready = true;
		kws_log(KWS_LOG_DEBUG, "ready after %.3f s", mono - v->started);
	}
	if (first || mono >= v->next_status) {
		/* between two hops is no silence */
		double since = v->quiet_since;
		v->quiet_since = mono - since < 0.5 ? mono : since;
		tell_status(v, listener, mono);
		v->quiet_since = since;
		v->next_status = mono + status_every_s;
	}
	if (first)
		sd_notify(0, "READY=1");
	/* An outage is no hang: the device is being looked for. But after outage_s a new process is
	 * worth a try. */
	if (v->watchdog_s > 0.0 && mono >= v->next_ping
	    && (advanced || (v->ready && mono - v->quiet_since < v->outage_s))) {
		sd_notify(0, "WATCHDOG=1");
		v->next_ping = mono + v->watchdog_s / 4.0;
	}
}

void kws_vitals_reloading(const kws_vitals *v)
{
	if (v->ready)
		sd_notifyf(0, "RELOADING=1\nMONOTONIC_USEC=%.0f", 1e6 * kws_clock_mono());
}

void kws_vitals_reloaded(const kws_vitals *v)
{
	if (v->ready)
		sd_notify(0, "READY=1");
}

void kws_vitals_stopping(void)
{
	sd_notify(0, "STOPPING=1\nSTATUS=Stopping");
}

/* ---- the line ---- */

typedef struct {
	char *out;
	size_t at, len;
} line;

__attribute__((format(printf, 2, 3))) static void add(line *l, const char *format, ...)
{
	va_list ap;

	if (l->at >= l->len)
		return;
	va_start(ap, format);
	int n = vsnprintf(l->out + l->at, l->len - l->at, format, ap);
	va_end(ap);
	l->at += n > 0 ? (size_t)n : 0;
}

static double resident_mb(void)
{
	FILE *f = fopen("/proc/self/statm", "re");
	char text[64] = "";
	long pages = 0;

	if (!f)
		return 0.0;
	if (fgets(text, sizeof text, f)) {
		char *second = strchr(text, ' ');
		pages = second ? strtol(second, NULL, 10) : 0;
	}
	fclose(f);
	return (double)pages * (double)sysconf(_SC_PAGESIZE) / 1e6;
}

void kws_vitals_line(const kws_vitals *v, kws_listener *listener, const kws_sinks *sinks, char *out,
		     size_t len)
{
	const kws_listener_stats *st = kws_listener_stats_get(listener);
	kws_device *d = kws_capture_device(kws_listener_capture(listener));
	line l = { out, 0, len };
	kws_sink_stats k;
	struct rusage ru;

	getrusage(RUSAGE_SELF, &ru);
	double cpu = (double)(ru.ru_utime.tv_sec + ru.ru_stime.tv_sec)
		     + 1e-6 * (double)(ru.ru_utime.tv_usec + ru.ru_stime.tv_usec);
	add(&l, "stats: up_s=%.1f heard_s=%.2f device=\"%s\" rate_hz=%u streams=%u",
	    kws_clock_mono() - v->started, st->heard_s, d ? kws_device_name(d) : "",
	    d ? kws_device_rate(d) : 0, st->streams);
	add(&l, " events=%lu near_misses=%lu gaps=%u gap_s=%.2f overflows=%lu dropped_samples=%llu",
	    st->events, st->near_misses, st->gaps, st->gap_s, st->overflows, st->dropped);
	add(&l,
	    " level_dbfs=%.1f best_score=%.3f cpu_s=%.2f rss_mb=%.1f context_switches=%ld "
	    "log_lost=%lu",
	    (double)kws_engine_level(kws_listener_engine(listener)),
	    (double)kws_engine_best(kws_listener_engine(listener)), cpu, resident_mb(), ru.ru_nvcsw,
	    kws_log_dropped());
	for (size_t i = 0; kws_sinks_stats(sinks, i, &k); i++) {
		add(&l, " %s%s%s=taken:%lu,dropped:%lu,failed:%lu", k.kind, *k.name ? "." : "",
		    k.name, k.taken, k.dropped, k.failed);
		if (k.has_readers)
			add(&l, ",readers:%u", k.readers);
		if (k.killed)
			add(&l, ",killed:%lu", k.killed);
	}
	if (kws_listener_clips(listener)) {
		kws_clips_stats s;

		kws_clips_stats_get(kws_listener_clips(listener), &s);
		add(&l, " clips=written:%lu,dropped:%lu,failed:%lu,removed:%lu", s.written,
		    s.dropped, s.failed, s.removed);
	}
}
