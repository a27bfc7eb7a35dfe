#include "runtime/clock.h"
#include "runtime/log.h"
#include "runtime/pages.h"
#include "daemon/service_parts.h"
#include "runtime/signals.h"

#include <errno.h>
#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sysexits.h>
#include <unistd.h>

/* From SIGTERM to the exit it takes at most 1 s; these are parts of it. */
enum { FLUSH_MS = 400, CLOSE_MS = 250 };

/* ---- events and frames ---- */

static void on_report(void *ctx, const kws_report *r, bool near)
{
	kws_service *s = ctx;
	char text[256];

	if (near) {
		kws_control_near_miss(s->now.control, r);
		return;
	}
	kws_sinks_push(s->now.sinks, r);
	kws_control_event(s->now.control, r);
	kws_report_text(r, text, sizeof text);
	kws_log(KWS_LOG_DEBUG, "event: %s", text);
}

static void on_frame(void *ctx, const char *listener, const char *spotter, const kws_frame *f,
		     const float *score, double time_s)
{
	const kws_service *s = ctx;

	kws_control_frame(s->now.control, listener, spotter, f, score, time_s);
}

/* Tell the control socket which spotters run. */
static void tell_ears(kws_service *s)
{
	kws_control_ear ear[KWS_CONF_AUDIOS * KWS_CONF_MODELS];
	kws_error err = { "" };
	size_t n = 0;

	for (size_t a = 0; a < KWS_CONF_AUDIOS; a++) {
		kws_spotter_stats st[KWS_CONF_MODELS];
		kws_listener *l = s->now.listener[a];
		size_t n_spotters = l ? kws_hearing_stats(kws_listener_hearing(l), st) : 0;

		/* the first spotter is never gated, so it always has frames */
		for (size_t i = 0; i < n_spotters; i++)
			ear[n++] = (kws_control_ear){ kws_listener_name(l), st[i].name, st[i].model,
						      i == 0 };
	}
	if (kws_control_ears(s->now.control, ear, n, &err) != KWS_OK)
		kws_log(KWS_LOG_ERROR, "control: %s: not all can be looked at", err.text);
}

/* ---- status ---- */

void kws_service_snapshot(kws_service *s, kws_snapshot *out)
{
	memset(out, 0, sizeof *out);
	kws_snapshot_process(out);
	out->configuration = s->src->path ? s->src->path : "";
	out->configuration_hash = "";
	out->up_s = kws_clock_mono() - s->started;
	out->reloads = s->reloads;
	out->reload = s->building ? "" : s->errors;
	for (size_t i = 0; i < KWS_CONF_AUDIOS; i++)
		if (s->now.listener[i])
			kws_listener_stats_get(s->now.listener[i],
					       &out->listener[out->n_listeners++]);
	while (kws_sinks_stats(s->now.sinks, out->n_sinks, &out->sink[out->n_sinks]))
		out->n_sinks++;
	kws_control_stats_get(s->now.control, &out->control);
	out->has_clips = s->now.clips != NULL;
	if (s->now.clips)
		kws_clips_stats_get(s->now.clips, &out->clips);
}

static void log_stats(void *ctx)
{
	kws_service *s = ctx;
	kws_snapshot shot;
	char text[KWS_LOG_LINE];

	kws_service_snapshot(s, &shot);
	for (size_t i = 0; kws_snapshot_line(&shot, i, text); i++)
		kws_log(KWS_LOG_INFO, "%s", text);
	for (size_t i = 0; i < KWS_CONF_AUDIOS; i++)
		if (s->now.listener[i])
			kws_hearing_forget_best(kws_listener_hearing(s->now.listener[i]));
}

static void tell_status(kws_service *s)
{
	kws_snapshot shot;
	char text[KWS_NOTIFY_STATUS];

	kws_service_snapshot(s, &shot);
	kws_snapshot_status(&shot, text, sizeof text);
	kws_notify_status(&s->notify, text);
}

/* ---- the audio ---- */

void kws_service_end(kws_service *s, int status)
{
	s->status = status;
	kws_loop_stop(s->loop);
}

/* Whether the source has ended for good: this process will get no more audio from it. */
static bool is_over(enum kws_capture_state state)
{
	return state == KWS_CAPTURE_ENDED || state == KWS_CAPTURE_REFUSED
	       || state == KWS_CAPTURE_HUNG;
}

/* End the process if all enabled listeners are over. If one hangs while others still run, it is
 * given up, with an error in the log: the library may still serve the others. If it can open no
 * device any more, the process ends when the last one is lost. */
static void check_over(kws_service *s)
{
	bool enabled = false, hung = false, refused = false;

	for (size_t i = 0; i < KWS_CONF_AUDIOS; i++) {
		const kws_service_place *p = &s->place[i];

		if (!p->listener || !kws_listener_enabled(p->listener))
			continue;
		if (!is_over(p->state))
			return;
		enabled = true;
		hung |= p->state == KWS_CAPTURE_HUNG;
		refused |= p->state == KWS_CAPTURE_REFUSED;
	}
	if (enabled)
		kws_service_end(s, hung ? EX_TEMPFAIL : refused ? EX_CONFIG : EX_OK);
}

static void tell_hung(const kws_listener *l)
{
	const char *name = kws_listener_name(l);

	kws_log(KWS_LOG_ERROR, "%s%sthe device hangs (%s): only a new process can hear it", name,
		*name ? ": " : "", kws_listener_reason(l));
}

static void on_data(void *ctx, unsigned events);

/* The descriptor of a stream is closed soon after the listener has given up the stream, so remove
 * it from the loop at once. */
static void watch_data(kws_service_place *p)
{
	int fd = p->listener ? kws_listener_data_fd(p->listener) : -1;

	if (fd == p->data_fd)
		return;
	kws_loop_remove(p->service->loop, p->data_fd);
	p->data_fd = fd;
	/* if it cannot be added, the timer still looks after the audio */
	if (fd >= 0
	    && kws_loop_add(p->service->loop, fd, KWS_LOOP_READ, on_data, p, NULL) != KWS_OK)
		p->data_fd = -1;
}

/* Tell systemd that audio advances. */
static void beat(void *ctx)
{
	kws_service *s = ctx;
	const bool was_ready = s->notify.ready;
	bool wanted = false;
	double heard_s = 0.0;

	for (size_t i = 0; i < KWS_CONF_AUDIOS; i++) {
		const kws_listener *l = s->place[i].listener;

		if (!l || !kws_listener_enabled(l))
			continue;
		wanted = true;
		heard_s += kws_listener_heard_s(l);
	}
	if (kws_notify_step(&s->notify, wanted, heard_s, kws_clock_mono()))
		tell_status(s);
	if (s->notify.ready && !was_ready)
		kws_pages_forget();
}

static void look(void *ctx);

static void step(kws_service_place *p)
{
	const enum kws_capture_state state = kws_listener_step(p->listener), was = p->state;

	p->state = state;
	watch_data(p);
	if (state == KWS_CAPTURE_HUNG && was != KWS_CAPTURE_HUNG)
		tell_hung(p->listener);
	if (is_over(state) && !is_over(was))
		check_over(p->service);
	beat(p->service);
	kws_loop_time(p->service->loop, &p->look, kws_listener_next(p->listener) - kws_clock_mono(),
		      0.0, look, p);
}

static void look(void *ctx)
{
	step(ctx);
}

static void on_data(void *ctx, unsigned events)
{
	(void)events;
	step(ctx);
}

void kws_service_watch(kws_service *s)
{
	for (size_t i = 0; i < KWS_CONF_AUDIOS; i++) {
		kws_service_place *p = &s->place[i];
		kws_listener *l = s->now.listener[i];

		if (p->listener == l)
			continue;
		kws_loop_remove(s->loop, p->fd);
		kws_loop_remove(s->loop, p->data_fd);
		kws_loop_cancel(s->loop, &p->look);
		*p = (kws_service_place){ .service = s, .listener = l, .fd = -1, .data_fd = -1 };
	}
	for (size_t i = 0; i < KWS_CONF_AUDIOS; i++) {
		kws_service_place *p = &s->place[i];

		if (!p->listener || p->fd >= 0)
			continue;
		p->fd = kws_listener_fd(p->listener);
		if (kws_loop_add(s->loop, p->fd, KWS_LOOP_READ, on_data, p, NULL) != KWS_OK)
			p->fd = -1;
		kws_loop_time(s->loop, &p->look, 0.0, 0.0, look, p);
	}
	tell_ears(s);
}

void kws_service_heed(kws_service *s)
{
	/* without a listener there are no looks, which beat more often */
	const double watchdog_s = s->notify.watchdog_s, stats_s = s->now.conf.log.stats_s;

	kws_loop_time(s->loop, &s->tick, 0.0, watchdog_s > 0.0 ? fmin(1.0, watchdog_s / 4) : 1.0,
		      beat, s);
	if (stats_s > 0.0)
		kws_loop_time(s->loop, &s->stats, stats_s, stats_s, log_stats, s);
	else
		kws_loop_cancel(s->loop, &s->stats);
	kws_log_level((int)s->now.conf.log.level);
	s->notify.outage_s = s->now.conf.service.outage_s;
	check_over(s);
}

/* ---- create, run and stop ---- */

static void on_signal(void *ctx, unsigned events)
{
	kws_service *s = ctx;
	int number;

	(void)events;
	while ((number = kws_signals_next()))
		switch (number) {
		case SIGHUP: kws_service_reload(s); break;
		case SIGUSR1: log_stats(s); break;
		default: kws_service_end(s, EX_OK); break;
		}
}

static void on_sinks(void *ctx, unsigned events)
{
	kws_service *s = ctx;

	(void)events;
	kws_sinks_serve(s->now.sinks);
}

static void release(kws_service *s)
{
	if (s->built >= 0)
		close(s->built);
	kws_models_release(&s->now.models);
	kws_loop_destroy(s->loop);
	free(s);
}

/* Those whose devices hang end when these come back. */
static void close_listeners(kws_service *s)
{
	const double until = kws_clock_mono() + 1e-3 * CLOSE_MS;

	for (size_t i = 0; i < KWS_CONF_AUDIOS; i++) {
		const double left = until - kws_clock_mono();
		kws_listener *l = s->now.listener[i];

		if (!kws_listener_destroy(l, left > 0.1 ? (int)(1e3 * left) : 100))
			kws_listener_retire(l);
	}
}

static int finish(kws_service *s)
{
	const int status = s->status;

	kws_notify_stopping();
	if (status == EX_TEMPFAIL)
		kws_log(KWS_LOG_ERROR, "no device can be heard any more: leaving it to a new "
				       "process");
	for (size_t i = 0; i < KWS_CONF_AUDIOS; i++)
		if (s->now.listener[i])
			kws_listener_finish(s->now.listener[i]);
	log_stats(s);
	kws_sinks_stop(s->now.sinks, FLUSH_MS);
	kws_control_stop(s->now.control, 0);
	/* first, so that clips are written even if a device hangs */
	kws_clips_stop(s->now.clips, CLOSE_MS, true);
	close_listeners(s);
	if (kws_service_drop_reload(s))
		release(s);
	return status;
}

int kws_service_run(kws_service *s)
{
	kws_error err = { "" };

	if (kws_loop_run(s->loop, &err) != KWS_OK) {
		kws_log(KWS_LOG_ERROR, "%s", err.text);
		s->status = EX_OSERR;
	}
	return finish(s);
}

static void on_control(void *ctx, unsigned events)
{
	kws_service *s = ctx;

	(void)events;
	kws_control_serve(s->now.control);
}

static enum kws_status prepare(kws_service *s, kws_error *err)
{
	enum kws_status status = kws_loop_create(&s->loop, err);

	if (status == KWS_OK)
		s->built = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (status == KWS_OK && s->built < 0)
		status = kws_fail(err, KWS_ERR_NOMEM, "eventfd: %s", kws_strerrno(errno));
	if (status == KWS_OK)
		status = kws_loop_add(s->loop, s->built, KWS_LOOP_READ, kws_service_reload_ready, s,
				      err);
	if (status == KWS_OK)
		status = kws_loop_add(s->loop, kws_signals_fd(), KWS_LOOP_READ, on_signal, s, err);
	if (status == KWS_OK)
		status = kws_loop_add(s->loop, kws_sinks_fd(s->now.sinks), KWS_LOOP_READ, on_sinks,
				      s, err);
	if (status == KWS_OK)
		status = kws_control_create(&s->now.control, &kws_service_control, s, err);
	if (status == KWS_OK)
		status = kws_loop_add(s->loop, kws_control_fd(s->now.control), KWS_LOOP_READ,
				      on_control, s, err);
	return status;
}

/* As a reload when nothing runs. */
static enum kws_status begin(kws_service *s, kws_setup *setup, kws_error *err)
{
	kws_listener *gone[KWS_CONF_AUDIOS];

	if (!kws_setup_swap(setup, &s->now, &s->observer, gone, 0))
		return kws_fail(err, KWS_ERR_NOMEM, "what the log says could not be opened");
	kws_service_watch(s);
	kws_service_heed(s);
	return KWS_OK;
}

static void drop(kws_service *s)
{
	close_listeners(s);
	kws_clips_stop(s->now.clips, 0, true);
	kws_sinks_stop(s->now.sinks, 0);
	kws_control_stop(s->now.control, 0);
	release(s);
}

enum kws_status kws_service_create(kws_service **out, const kws_conf_source *src, kws_setup *setup,
				   kws_error *err)
{
	kws_service *s = calloc(1, sizeof *s);
	enum kws_status status;

	*out = NULL;
	if (!s) {
		kws_setup_drop(setup);
		return kws_fail(err, KWS_ERR_NOMEM, "out of memory");
	}
	s->src = src;
	s->built = -1;
	s->started = kws_clock_mono();
	s->now.sinks = setup->sinks;
	s->observer = (kws_observer){ on_report, on_frame, s };
	for (size_t i = 0; i < KWS_CONF_AUDIOS; i++)
		s->place[i] = (kws_service_place){ .service = s, .fd = -1, .data_fd = -1 };
	kws_notify_init(&s->notify, setup->conf.service.outage_s, s->started);
	status = prepare(s, err);
	if (status == KWS_OK)
		status = begin(s, setup, err);
	if (status != KWS_OK) {
		setup->sinks = NULL; /* s owns them */
		kws_setup_drop(setup);
		drop(s);
		return status;
	}
	*out = s;
	return KWS_OK;
}
