#include "daemon/loop.h"

#include "daemon/clock.h"
#include "daemon/ear.h"
#include "daemon/log.h"
#include "daemon/reload.h"
#include "daemon/vitals.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <sysexits.h>
#include <unistd.h>

/* SIGTERM to exit is a second at most; these are parts of it. */
enum { FLUSH_MS = 400, CLOSE_MS = 250, RETIRE_MS = 10000, LINE = 2048 };

enum {
	FD_TIMER,
	FD_SIGNAL,
	FD_RELOAD,
	FD_CAPTURE,
	FD_DATA,
	FD_SINK,
	N_FDS = FD_SINK + KWS_N_SINKS
};

struct kws_loop {
	const kws_setup_source *src;
	kws_conf conf;
	kws_ear *ear;
	kws_sink *sink[KWS_N_SINKS];
	kws_vitals vitals;
	struct pollfd fd[N_FDS];
	double next_stats;
	bool stop, hung;

	/* reload: next is the thread's until FD_RELOAD is ready */
	pthread_t builder;
	bool building, again;
	kws_setup next;
	kws_conf old;
	char old_hash[65];
	int errors;
	kws_error err;
	kws_reload count;
};

/* Not signalfd: OpenBLAS starts a thread before main, with no signal blocked, which would die of
 * them. */
static int signal_pipe[2] = { -1, -1 };

static void on_caught(int number)
{
	int keep = errno;
	unsigned char byte = (unsigned char)number;

	if (write(signal_pipe[1], &byte, 1) < 0)
		byte = 0; /* full: there are enough of them in it */
	errno = keep;
}

bool kws_loop_catch_signals(void)
{
	static const int ours[] = { SIGTERM, SIGINT, SIGHUP, SIGUSR1 };
	struct sigaction sa = { .sa_handler = on_caught, .sa_flags = SA_RESTART };

	if (pipe(signal_pipe) != 0)
		return false;
	for (int i = 0; i < 2; i++) {
		fcntl(signal_pipe[i], F_SETFD, FD_CLOEXEC);
		fcntl(signal_pipe[i], F_SETFL, O_NONBLOCK);
	}
	for (size_t i = 0; i < sizeof ours / sizeof ours[0]; i++)
		sigaction(ours[i], &sa, NULL);
	signal(SIGPIPE, SIG_IGN);
	return true;
}

int kws_loop_signal_fd(void)
{
	return signal_pipe[0];
}

static void on_report(void *ctx, const kws_report *r)
{
	kws_loop *l = ctx;
	char text[256];

	for (int i = 0; i < KWS_N_SINKS; i++)
		if (l->sink[i])
			kws_sink_push(l->sink[i], r);
	kws_report_text(r, text, sizeof text);
	kws_log(KWS_LOG_DEBUG, "event: %s", text);
}

static void log_stats(kws_loop *l)
{
	char text[LINE];

	kws_vitals_line(&l->vitals, l->ear, l->sink, KWS_N_SINKS, text, sizeof text);
	kws_log(KWS_LOG_INFO, "%s", text);
}

/* ---- reload: built by a thread beside the running daemon, swapped in between two hops ---- */

static void say(void *ctx, const char *text)
{
	(void)ctx;
	kws_log(KWS_LOG_ERROR, "%s", text);
}

static void *build(void *arg)
{
	kws_loop *l = arg;
	uint64_t one = 1;

	l->errors = kws_setup_conf(&l->next.conf, l->src, say, NULL);
	l->err.text[0] = 0;
	if (!l->errors && kws_setup_build(&l->next, &l->old, l->old_hash, &l->err) != KWS_OK) {
		kws_log(KWS_LOG_ERROR, "%s", l->err.text);
		l->errors = 1;
	}
	while (write(l->fd[FD_RELOAD].fd, &one, sizeof one) < 0 && errno == EINTR)
		continue;
	return NULL;
}

static void reload_done(kws_loop *l, bool taken)
{
	kws_vitals_reloaded(&l->vitals);
	l->count.done = l->count.begun;
	l->count.taken = taken;
	kws_reload_note(&l->count); /* last: who waits for it finds all else told */
}

static void begin_reload(kws_loop *l)
{
	if (l->building) {
		l->again = true;
		return;
	}
	l->old = l->conf;
	snprintf(l->old_hash, sizeof l->old_hash, "%s",
		 kws_model_hash(kws_engine_model(kws_ear_engine(l->ear))));
	l->count.begun++;
	kws_reload_note(&l->count);
	kws_vitals_reloading(&l->vitals);
	l->building = pthread_create(&l->builder, NULL, build, l) == 0;
	if (!l->building) {
		kws_log(KWS_LOG_ERROR,
			"reload: cannot start a thread; the old configuration stays");
		reload_done(l, false);
	}
}

static void watch_sinks(kws_loop *l)
{
	for (int i = 0; i < KWS_N_SINKS; i++) {
		l->fd[FD_SINK + i].fd = l->sink[i] ? kws_sink_fd(l->sink[i]) : -1;
		l->fd[FD_SINK + i].events = POLLIN;
	}
}

static void set_timer(kws_loop *l)
{
	struct itimerspec t = { .it_interval.tv_nsec = l->conf.service.poll_ms * 1000000L };

	t.it_value = t.it_interval;
	timerfd_settime(l->fd[FD_TIMER].fd, 0, &t, NULL);
}

static void swap(kws_loop *l)
{
	for (int i = 0; i < KWS_N_SINKS; i++) {
		if (l->next.keep[i])
			continue;
		kws_sink_stop(l->sink[i], RETIRE_MS, false);
		l->sink[i] = l->next.sink[i];
	}
	watch_sinks(l);
	l->conf = l->next.conf;
	kws_ear_swap(l->ear, &l->conf, l->next.engine);
	kws_log_level((int)l->conf.log.level);
	l->vitals.outage_s = l->conf.service.outage_s;
	l->next_stats = 0.0;
	set_timer(l);
}

static void end_reload(kws_loop *l)
{
	uint64_t n;

	if (read(l->fd[FD_RELOAD].fd, &n, sizeof n) < 0)
		return;
	pthread_join(l->builder, NULL);
	l->building = false;
	if (l->errors) {
		kws_log(KWS_LOG_ERROR, "reload refused: the old configuration and model stay");
	} else {
		const char *what = l->next.engine ? "configuration and model" : "configuration";

		swap(l);
		kws_log(KWS_LOG_INFO, "reloaded: %s; model %s %.12s", what,
			kws_model_name(kws_engine_model(kws_ear_engine(l->ear))),
			kws_model_hash(kws_engine_model(kws_ear_engine(l->ear))));
	}
	reload_done(l, !l->errors);
	if (l->again) {
		l->again = false;
		begin_reload(l);
	}
}

/* ---- the loop ---- */

static void on_signal(kws_loop *l)
{
	unsigned char number;

	while (read(signal_pipe[0], &number, 1) == 1) {
		switch (number) {
		case SIGHUP: begin_reload(l); break;
		case SIGUSR1: log_stats(l); break;
		default: l->stop = true; break;
		}
	}
}

static void tick(kws_loop *l)
{
	double mono = kws_clock_mono();

	switch (kws_ear_step(l->ear)) {
	case KWS_CAPTURE_ENDED: l->stop = true; break;
	case KWS_CAPTURE_HUNG: l->stop = l->hung = true; break;
	default: break;
	}
	kws_vitals_step(&l->vitals, l->ear, mono);
	l->fd[FD_DATA].fd = kws_capture_data_fd(kws_ear_capture(l->ear));
	if (l->conf.log.stats_s && mono >= l->next_stats) {
		if (l->next_stats > 0.0)
			log_stats(l);
		l->next_stats = mono + l->conf.log.stats_s;
	}
}

/* A reload that comes too late. One that does not come soon is left behind. */
static void drop_reload(kws_loop *l)
{
	enum { SOON_MS = 50 };

	if (!l->building || poll(&l->fd[FD_RELOAD], 1, SOON_MS) != 1)
		return;
	pthread_join(l->builder, NULL);
	l->building = false;
	if (l->errors)
		return;
	for (int i = 0; i < KWS_N_SINKS; i++)
		kws_sink_stop(l->next.sink[i], 0, true);
	kws_engine_destroy(l->next.engine);
}

static int finish(kws_loop *l)
{
	kws_vitals_stopping();
	if (l->hung)
		kws_log(KWS_LOG_ERROR, "the device hangs (%s); leaving it to a new process",
			kws_capture_reason(kws_ear_capture(l->ear)));
	else
		kws_ear_finish(l->ear);
	log_stats(l);
	double until = kws_clock_mono() + 1e-3 * FLUSH_MS;
	for (int i = KWS_N_SINKS - 1; i >= 0; i--) { /* hooks first: they may have to be killed */
		double left = until - kws_clock_mono();
		kws_sink_stop(l->sink[i], left > 0.0 ? (int)(1e3 * left) : 0, true);
	}
	bool closed = kws_ear_destroy(l->ear, CLOSE_MS);
	drop_reload(l);
	if (!closed || l->building)
		return l->hung ? EX_TEMPFAIL : EX_OK;
	for (int i = 0; i < FD_CAPTURE; i++)
		close(l->fd[i].fd);
	free(l);
	return EX_OK;
}

int kws_loop_run(kws_loop *l)
{
	tick(l);
	while (!l->stop) {
		uint64_t n;

		if (poll(l->fd, N_FDS, -1) < 0 && errno != EINTR)
			break;
		if (l->fd[FD_TIMER].revents && read(l->fd[FD_TIMER].fd, &n, sizeof n) < 0)
			n = 0;
		if (l->fd[FD_SIGNAL].revents)
			on_signal(l);
		for (int i = 0; i < KWS_N_SINKS; i++)
			if (l->sink[i] && l->fd[FD_SINK + i].fd >= 0 && l->fd[FD_SINK + i].revents)
				kws_sink_serve(l->sink[i]);
		tick(l);
		if (l->fd[FD_RELOAD].revents)
			end_reload(l);
	}
	return finish(l);
}

enum kws_status kws_loop_create(kws_loop **out, const kws_setup_source *src, kws_setup *setup,
				kws_error *err)
{
	kws_loop *l = calloc(1, sizeof *l);
	enum kws_status status;

	*out = NULL;
	if (!l)
		return kws_fail(err, KWS_ERR_NOMEM, "out of memory");
	l->src = src;
	l->conf = setup->conf;
	memcpy(l->sink, setup->sink, sizeof l->sink);
	for (int i = 0; i < N_FDS; i++)
		l->fd[i] = (struct pollfd){ .fd = -1, .events = POLLIN };
	l->fd[FD_TIMER].fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	l->fd[FD_SIGNAL].fd = signal_pipe[0];
	l->fd[FD_RELOAD].fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	status = kws_ear_create(&l->ear, &l->conf, setup->engine, on_report, l, err);
	if (status != KWS_OK) {
		free(l);
		return status;
	}
	l->fd[FD_CAPTURE].fd = kws_capture_fd(kws_ear_capture(l->ear));
	watch_sinks(l);
	set_timer(l);
	kws_vitals_init(&l->vitals, l->conf.service.outage_s);
	kws_reload_note(&l->count);
	*out = l;
	return KWS_OK;
}
