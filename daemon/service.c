#include "daemon/service.h"

#include "daemon/clock.h"
#include "daemon/log.h"
#include "daemon/loop.h"
#include "daemon/notify.h"
#include "daemon/reload.h"
#include "daemon/signals.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sysexits.h>
#include <unistd.h>

/* SIGTERM to exit is a second at most; these are parts of it. */
enum { FLUSH_MS = 400, CLOSE_MS = 250, RETIRE_MS = 10000, LINE = 4096 };

struct kws_service {
	const kws_setup_source *src;
	kws_running now;
	kws_loop *loop;
	kws_listener *listener;
	kws_notify notify;
	kws_timer tick, stats;
	double started;
	int data_fd; /* of the listener's device, on the loop; -1: none */
	int status;  /* to exit with */

	/* reload: next is the thread's, and now stays as it is, until built is ready */
	pthread_t builder;
	int built;
	bool building, again;
	kws_setup next;
	int errors;
	kws_error err;
	kws_reload count;
};

static void on_report(void *ctx, const kws_report *r)
{
	kws_service *s = ctx;
	char text[256];

	kws_sinks_push(s->now.sinks, r);
	kws_report_text(r, text, sizeof text);
	kws_log(KWS_LOG_DEBUG, "event: %s", text);
}

/* ---- what is told ---- */

void kws_service_snapshot(kws_service *s, kws_snapshot *out)
{
	kws_clips *clips = kws_listener_clips(s->listener);

	memset(out, 0, sizeof *out);
	kws_snapshot_process(out);
	out->configuration = s->src->path ? s->src->path : "";
	out->up_s = kws_clock_mono() - s->started;
	out->reloads = s->count.done;
	out->reload = s->err.text;
	out->n_listeners = 1;
	kws_listener_stats_get(s->listener, &out->listener[0]);
	while (out->n_sinks < KWS_SNAPSHOT_SINKS
	       && kws_sinks_stats(s->now.sinks, out->n_sinks, &out->sink[out->n_sinks]))
		out->n_sinks++;
	out->has_clips = clips != NULL;
	if (clips)
		kws_clips_stats_get(clips, &out->clips);
}

static void log_stats(void *ctx)
{
	kws_service *s = ctx;
	kws_snapshot shot;
	char text[LINE];

	kws_service_snapshot(s, &shot);
	kws_snapshot_line(&shot, text, sizeof text);
	kws_log(KWS_LOG_INFO, "%s", text);
	kws_listener_forget_best(s->listener);
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

static void end(kws_service *s, int status)
{
	s->status = status;
	kws_loop_stop(s->loop);
}

static void tick(void *ctx);

static void on_data(void *ctx, unsigned events)
{
	(void)events;
	tick(ctx);
}

/* A stream's descriptor is closed soon after its listener has given it up: off the loop at once. */
static void watch_data(kws_service *s)
{
	int fd = kws_capture_data_fd(kws_listener_capture(s->listener));

	if (fd == s->data_fd)
		return;
	kws_loop_remove(s->loop, s->data_fd);
	s->data_fd = fd;
	/* without it, the time to look at the audio comes anyway */
	if (fd >= 0 && kws_loop_add(s->loop, fd, KWS_LOOP_READ, on_data, s, NULL) != KWS_OK)
		s->data_fd = -1;
}

static void tick(void *ctx)
{
	kws_service *s = ctx;
	double mono = kws_clock_mono();

	switch (kws_listener_step(s->listener)) {
	case KWS_CAPTURE_ENDED: end(s, EX_OK); break;
	case KWS_CAPTURE_REFUSED: end(s, EX_CONFIG); break;
	case KWS_CAPTURE_HUNG: end(s, EX_TEMPFAIL); break;
	default: break;
	}
	watch_data(s);
	if (kws_notify_step(&s->notify, true, kws_listener_heard_s(s->listener), mono))
		tell_status(s);
}

static void set_timers(kws_service *s)
{
	double poll_s = 1e-3 * s->now.conf.service.poll_ms, stats_s = s->now.conf.log.stats_s;

	kws_loop_time(s->loop, &s->tick, poll_s, poll_s, tick, s);
	if (stats_s > 0.0)
		kws_loop_time(s->loop, &s->stats, stats_s, stats_s, log_stats, s);
	else
		kws_loop_cancel(s->loop, &s->stats);
}

/* ---- reload: built by a thread beside the running daemon, swapped in between two hops ---- */

/* The first one is the answer to who asked. */
static void say(void *ctx, const char *text)
{
	kws_service *s = ctx;

	kws_log(KWS_LOG_ERROR, "%s", text);
	if (!*s->err.text)
		snprintf(s->err.text, sizeof s->err.text, "%s", text);
}

static void *build(void *arg)
{
	kws_service *s = arg;
	uint64_t one = 1;

	s->err.text[0] = 0;
	s->errors = kws_setup_conf(&s->next.conf, s->src, say, s);
	if (!s->errors && kws_setup_build(&s->next, &s->now, &s->err) != KWS_OK) {
		kws_log(KWS_LOG_ERROR, "%s", s->err.text);
		s->errors = 1;
	}
	while (write(s->built, &one, sizeof one) < 0 && errno == EINTR)
		continue;
	return NULL;
}

static void reload_done(kws_service *s, bool taken)
{
	kws_notify_reloaded(&s->notify);
	s->count.done = s->count.begun;
	s->count.taken = taken;
	kws_reload_note(&s->count); /* last: who waits for it finds all else told */
}

static void begin_reload(kws_service *s)
{
	int failed;

	if (s->building) {
		s->again = true;
		return;
	}
	snprintf(s->now.model_hash, sizeof s->now.model_hash, "%s",
		 kws_model_hash(kws_engine_model(kws_listener_engine(s->listener))));
	s->count.begun++;
	kws_reload_note(&s->count);
	kws_notify_reloading(&s->notify, kws_clock_mono());
	failed = kws_clock_start(&s->builder, NULL, build, s);
	s->building = !failed;
	if (failed) {
		kws_log(KWS_LOG_ERROR, "reload refused: " KWS_NO_THREAD, strerror(failed));
		reload_done(s, false);
	}
}

static bool swap(kws_service *s)
{
	bool all = kws_setup_swap(&s->next, &s->now, RETIRE_MS);

	kws_listener_swap(s->listener, &s->now.conf, s->next.engine);
	kws_log_level((int)s->now.conf.log.level);
	s->notify.outage_s = s->now.conf.service.outage_s;
	set_timers(s);
	return all;
}

static void end_reload(void *ctx, unsigned events)
{
	kws_service *s = ctx;
	uint64_t n;
	bool taken = false;

	(void)events;
	if (read(s->built, &n, sizeof n) < 0)
		return;
	pthread_join(s->builder, NULL);
	s->building = false;
	if (s->errors) {
		kws_log(KWS_LOG_ERROR, "reload refused: the old configuration and model stay");
	} else {
		const char *what = s->next.engine ? "configuration and model" : "configuration";

		taken = swap(s);
		kws_log(KWS_LOG_INFO, "reloaded%s: %s; model %s %.12s", taken ? "" : " in part",
			what, kws_model_name(kws_engine_model(kws_listener_engine(s->listener))),
			kws_model_hash(kws_engine_model(kws_listener_engine(s->listener))));
	}
	reload_done(s, taken);
	if (s->again) {
		s->again = false;
		begin_reload(s);
	}
}

/* A reload that comes too late. One that does not come soon is left behind. */
static void drop_reload(kws_service *s)
{
	enum { SOON_MS = 50 };
	struct pollfd built = { .fd = s->built, .events = POLLIN };

	if (!s->building || poll(&built, 1, SOON_MS) != 1)
		return;
	pthread_join(s->builder, NULL);
	s->building = false;
	if (!s->errors)
		kws_setup_drop(&s->next);
}

/* ---- from the beginning to the end ---- */

static void on_signal(void *ctx, unsigned events)
{
	kws_service *s = ctx;
	int number;

	(void)events;
	while ((number = kws_signals_next()))
		switch (number) {
		case SIGHUP: begin_reload(s); break;
		case SIGUSR1: log_stats(s); break;
		default: end(s, EX_OK); break;
		}
}

static void release(kws_service *s)
{
	if (s->built >= 0)
		close(s->built);
	kws_loop_destroy(s->loop);
	free(s);
}

static int finish(kws_service *s)
{
	const int status = s->status;
	bool closed;

	kws_notify_stopping();
	if (status == EX_TEMPFAIL)
		kws_log(KWS_LOG_ERROR, "the device hangs (%s); leaving it to a new process",
			kws_capture_reason(kws_listener_capture(s->listener)));
	else
		kws_listener_finish(s->listener);
	log_stats(s);
	kws_sinks_stop(s->now.sinks, FLUSH_MS);
	closed = kws_listener_destroy(s->listener, CLOSE_MS);
	drop_reload(s);
	if (closed && !s->building)
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

static void on_sinks(void *ctx, unsigned events)
{
	kws_service *s = ctx;

	(void)events;
	kws_sinks_serve(s->now.sinks);
}

static enum kws_status prepare(kws_service *s, kws_error *err)
{
	enum kws_status status = kws_loop_create(&s->loop, err);

	s->built = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (status == KWS_OK && s->built < 0)
		status = kws_fail(err, KWS_ERR_NOMEM, "eventfd: %s", kws_strerrno(errno));
	if (status == KWS_OK)
		status = kws_loop_add(s->loop, s->built, KWS_LOOP_READ, end_reload, s, err);
	if (status == KWS_OK)
		status = kws_loop_add(s->loop, kws_signals_fd(), KWS_LOOP_READ, on_signal, s, err);
	if (status == KWS_OK)
		status = kws_loop_add(s->loop, kws_sinks_fd(s->now.sinks), KWS_LOOP_READ, on_sinks,
				      s, err);
	return status;
}

enum kws_status kws_service_create(kws_service **out, const kws_setup_source *src, kws_setup *setup,
				   kws_error *err)
{
	kws_service *s = calloc(1, sizeof *s);
	enum kws_status status;

	*out = NULL;
	if (!s)
		return kws_fail(err, KWS_ERR_NOMEM, "out of memory");
	s->src = src;
	s->data_fd = -1;
	s->started = kws_clock_mono();
	s->now.conf = setup->conf;
	s->now.sinks = setup->sinks;
	status = prepare(s, err);
	if (status == KWS_OK)
		status = kws_listener_create(&s->listener, &s->now.conf, setup->engine, on_report,
					     s, err);
	if (status != KWS_OK) {
		release(s);
		return status;
	}
	/* an order that was done is looked at as new audio is */
	status = kws_loop_add(s->loop, kws_capture_fd(kws_listener_capture(s->listener)),
			      KWS_LOOP_READ, on_data, s, err);
	set_timers(s);
	kws_loop_time(s->loop, &s->tick, 0.0, 1e-3 * s->now.conf.service.poll_ms, tick, s);
	kws_notify_init(&s->notify, s->now.conf.service.outage_s, s->started);
	kws_reload_note(&s->count);
	*out = s;
	return KWS_OK;
}
