#include "daemon/loop.h"

#include "daemon/clock.h"
#include "daemon/listener.h"
#include "daemon/log.h"
#include "daemon/reload.h"
#include "daemon/vitals.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <sysexits.h>
#include <unistd.h>

/* SIGTERM to exit is a second at most; these are parts of it. */
enum { FLUSH_MS = 400, CLOSE_MS = 250, RETIRE_MS = 10000, LINE = 2048 };

enum { FD_TIMER, FD_SIGNAL, FD_RELOAD, FD_CAPTURE, FD_DATA, FD_SINKS, N_FDS };

struct kws_loop {
	const kws_setup_source *src;
	kws_running now;
	kws_listener *listener;
	kws_vitals vitals;
	struct pollfd fd[N_FDS];
	double next_stats;
	bool stop;
	int status; /* to exit with */

	/* reload: next is the thread's, and now stays as it is, until FD_RELOAD is ready */
	pthread_t builder;
	bool building, again;
	kws_setup next;
	int errors;
	kws_error err;
	kws_reload count;
};

/* Not signalfd: libraries start threads with no signal blocked, which would die of them. A flag for
 * each signal, and a wake-up: however many come, none is lost. */
static const int heeded[] = { SIGTERM, SIGINT, SIGHUP, SIGUSR1 };
enum { N_HEEDED = sizeof heeded / sizeof heeded[0] };
static atomic_bool caught[N_HEEDED]; /* by whichever thread the signal came to */
static int signal_fd = -1;

static void on_caught(int number)
{
	const uint64_t one = 1;
	int keep = errno;

	for (int i = 0; i < N_HEEDED; i++)
		if (heeded[i] == number)
			atomic_store(&caught[i], true);
	if (write(signal_fd, &one, sizeof one) < 0)
		errno = keep; /* full of wake-ups */
	errno = keep;
}

enum kws_status kws_loop_catch_signals(kws_error *err)
{
	struct sigaction sa = { .sa_handler = on_caught, .sa_flags = SA_RESTART };
	sigset_t none;

	signal_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (signal_fd < 0)
		return kws_fail(err, KWS_ERR_NOMEM, "eventfd: %s", kws_strerrno(errno));
	for (int i = 0; i < N_HEEDED; i++)
		sigaction(heeded[i], &sa, NULL);
	signal(SIGPIPE, SIG_IGN);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL); /* whatever who started us has blocked */
	return KWS_OK;
}

bool kws_loop_stop_asked(void)
{
	uint64_t n;

	if (read(signal_fd, &n, sizeof n) < 0)
		n = 0; /* the flags say it */
	for (int i = 0; i < N_HEEDED; i++)
		if (atomic_load(&caught[i]) && (heeded[i] == SIGTERM || heeded[i] == SIGINT))
			return true;
	return false;
}

int kws_loop_signal_fd(void)
{
	return signal_fd;
}

static void on_report(void *ctx, const kws_report *r)
{
	kws_loop *l = ctx;
	char text[256];

	kws_sinks_push(l->now.sinks, r);
	kws_report_text(r, text, sizeof text);
	kws_log(KWS_LOG_DEBUG, "event: %s", text);
}

static void log_stats(kws_loop *l)
{
	char text[LINE];

	kws_vitals_line(&l->vitals, l->listener, l->now.sinks, text, sizeof text);
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
	if (!l->errors && kws_setup_build(&l->next, &l->now, &l->err) != KWS_OK) {
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
	int failed;

	if (l->building) {
		l->again = true;
		return;
	}
	snprintf(l->now.model_hash, sizeof l->now.model_hash, "%s",
		 kws_model_hash(kws_engine_model(kws_listener_engine(l->listener))));
	l->count.begun++;
	kws_reload_note(&l->count);
	kws_vitals_reloading(&l->vitals);
	failed = kws_clock_start(&l->builder, NULL, build, l);
	l->building = !failed;
	if (failed) {
		kws_log(KWS_LOG_ERROR, "reload refused: " KWS_NO_THREAD, strerror(failed));
		reload_done(l, false);
	}
}

static void set_timer(kws_loop *l)
{
	struct itimerspec t = { .it_interval.tv_nsec = l->now.conf.service.poll_ms * 1000000L };

	t.it_value = t.it_interval;
	timerfd_settime(l->fd[FD_TIMER].fd, 0, &t, NULL);
}

static bool swap(kws_loop *l)
{
	bool all = kws_setup_swap(&l->next, &l->now, RETIRE_MS);

	kws_listener_swap(l->listener, &l->now.conf, l->next.engine);
	kws_log_level((int)l->now.conf.log.level);
	l->vitals.outage_s = l->now.conf.service.outage_s;
	l->next_stats = 0.0;
	set_timer(l);
	return all;
}

static void end_reload(kws_loop *l)
{
	uint64_t n;
	bool taken = false;

	if (read(l->fd[FD_RELOAD].fd, &n, sizeof n) < 0)
		return;
	pthread_join(l->builder, NULL);
	l->building = false;
	if (l->errors) {
		kws_log(KWS_LOG_ERROR, "reload refused: the old configuration and model stay");
	} else {
		const char *what = l->next.engine ? "configuration and model" : "configuration";

		taken = swap(l);
		kws_log(KWS_LOG_INFO, "reloaded%s: %s; model %s %.12s", taken ? "" : " in part",
			what, kws_model_name(kws_engine_model(kws_listener_engine(l->listener))),
			kws_model_hash(kws_engine_model(kws_listener_engine(l->listener))));
	}
	reload_done(l, taken);
	if (l->again) {
		l->again = false;
		begin_reload(l);
	}
}

/* ---- the loop ---- */

static void on_signal(kws_loop *l)
{
	uint64_t n;

	if (read(signal_fd, &n, sizeof n) < 0)
		n = 0; /* the flags say it, also what came before there was a loop */
	for (int i = 0; i < N_HEEDED; i++) {
		/* cleared before it is heeded: the next one counts again */
		if (!atomic_exchange(&caught[i], false))
			continue;
		switch (heeded[i]) {
		case SIGHUP: begin_reload(l); break;
		case SIGUSR1: log_stats(l); break;
		default: l->stop = true; break;
		}
	}
}

static void end(kws_loop *l, int status)
{
	l->stop = true;
	l->status = status;
}

static void tick(kws_loop *l)
{
	double mono = kws_clock_mono();

	switch (kws_listener_step(l->listener)) {
	case KWS_CAPTURE_ENDED: end(l, EX_OK); break;
	case KWS_CAPTURE_REFUSED: end(l, EX_CONFIG); break;
	case KWS_CAPTURE_HUNG: end(l, EX_TEMPFAIL); break;
	default: break;
	}
	kws_vitals_step(&l->vitals, l->listener, mono);
	l->fd[FD_DATA].fd = kws_capture_data_fd(kws_listener_capture(l->listener));
	if (l->now.conf.log.stats_s && mono >= l->next_stats) {
		if (l->next_stats > 0.0)
			log_stats(l);
		l->next_stats = mono + l->now.conf.log.stats_s;
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
	if (!l->errors)
		kws_setup_drop(&l->next);
}

static int finish(kws_loop *l)
{
	kws_vitals_stopping();
	if (l->status == EX_TEMPFAIL)
		kws_log(KWS_LOG_ERROR, "the device hangs (%s); leaving it to a new process",
			kws_capture_reason(kws_listener_capture(l->listener)));
	else
		kws_listener_finish(l->listener);
	log_stats(l);
	kws_sinks_stop(l->now.sinks, FLUSH_MS);
	bool closed = kws_listener_destroy(l->listener, CLOSE_MS);
	drop_reload(l);
	const int status = l->status;
	if (!closed || l->building)
		return status;
	for (int i = 0; i < FD_CAPTURE; i++)
		close(l->fd[i].fd);
	free(l);
	return status;
}

int kws_loop_run(kws_loop *l)
{
	tick(l);
	on_signal(l);
	while (!l->stop) {
		uint64_t n;

		if (poll(l->fd, N_FDS, -1) < 0 && errno != EINTR) {
			/* EINVAL: also descriptors that are not in use count against the limit */
			kws_log(KWS_LOG_ERROR, "poll: %s",
				kws_strerrno(errno == EINVAL ? EMFILE : errno));
			end(l, EX_OSERR);
			break;
		}
		if (l->fd[FD_TIMER].revents && read(l->fd[FD_TIMER].fd, &n, sizeof n) < 0)
			n = 0;
		if (l->fd[FD_SIGNAL].revents)
			on_signal(l);
		if (l->fd[FD_SINKS].revents)
			kws_sinks_serve(l->now.sinks);
		tick(l);
		if (l->fd[FD_RELOAD].revents)
			end_reload(l);
	}
	return finish(l);
}

static enum kws_status make_fds(kws_loop *l, kws_error *err)
{
	for (int i = 0; i < N_FDS; i++)
		l->fd[i] = (struct pollfd){ .fd = -1, .events = POLLIN };
	l->fd[FD_SIGNAL].fd = signal_fd;
	l->fd[FD_TIMER].fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	if (l->fd[FD_TIMER].fd < 0)
		return kws_fail(err, KWS_ERR_NOMEM, "timerfd: %s", kws_strerrno(errno));
	l->fd[FD_RELOAD].fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (l->fd[FD_RELOAD].fd < 0)
		return kws_fail(err, KWS_ERR_NOMEM, "eventfd: %s", kws_strerrno(errno));
	return KWS_OK;
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
	l->now.conf = setup->conf;
	l->now.sinks = setup->sinks;
	status = make_fds(l, err);
	if (status == KWS_OK)
		status = kws_listener_create(&l->listener, &l->now.conf, setup->engine, on_report,
					     l, err);
	if (status != KWS_OK) {
		for (int i = 0; i < FD_CAPTURE; i++)
			if (l->fd[i].fd >= 0 && i != FD_SIGNAL)
				close(l->fd[i].fd);
		free(l);
		return status;
	}
	l->fd[FD_CAPTURE].fd = kws_capture_fd(kws_listener_capture(l->listener));
	l->fd[FD_SINKS].fd = kws_sinks_fd(l->now.sinks);
	set_timer(l);
	kws_vitals_init(&l->vitals, l->now.conf.service.outage_s);
	kws_reload_note(&l->count);
	*out = l;
	return KWS_OK;
}
