#include "runtime/clock.h"

#include <errno.h>
#include <math.h>
#include <time.h>

/* ---- the real clock ---- */

static double now(enum kws_clock_id id)
{
	static const clockid_t clocks[] = {
		[KWS_CLOCK_MONO] = CLOCK_MONOTONIC,
		[KWS_CLOCK_BOOT] = 7, /* CLOCK_BOOTTIME of Linux, which POSIX headers do not name */
		[KWS_CLOCK_WALL] = CLOCK_REALTIME,
		[KWS_CLOCK_THREAD] = CLOCK_THREAD_CPUTIME_ID,
	};
	struct timespec t;

	clock_gettime(clocks[id], &t);
	return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static struct timespec timespec_of(double s)
{
	struct timespec t = { .tv_sec = (time_t)s };

	t.tv_nsec = (long)(1e9 * (s - (double)t.tv_sec));
	return t;
}

static bool wait(pthread_cond_t *c, pthread_mutex_t *lock, double until)
{
	if (isinf(until))
		return pthread_cond_wait(c, lock) == 0;
	const struct timespec t = timespec_of(until > 0.0 ? until : 0.0);
	return pthread_cond_timedwait(c, lock, &t) != ETIMEDOUT;
}

static void wake(pthread_cond_t *c)
{
	pthread_cond_broadcast(c);
}

static void rest(double s)
{
	const struct timespec t = timespec_of(s > 0.0 ? s : 0.0);

	nanosleep(&t, NULL);
}

static int wait_for_events(int epoll, struct epoll_event *events, int n, double until)
{
	const double left =
		isinf(until) ? -1e-3 : fmin(fmax(until - now(KWS_CLOCK_MONO), 0.0), 1e6);

	return epoll_wait(epoll, events, n, (int)ceil(1e3 * left));
}

static const kws_clock real = { now, pthread_create, wait, wake, rest, wait_for_events };
static const kws_clock *in_use = &real;

void kws_clock_use(const kws_clock *c)
{
	in_use = c ? c : &real;
}

/* ---- the clock in use ---- */

double kws_clock_thread(void)
{
	return in_use->now(KWS_CLOCK_THREAD);
}

double kws_clock_mono(void)
{
	return in_use->now(KWS_CLOCK_MONO);
}

double kws_clock_boot(void)
{
	return in_use->now(KWS_CLOCK_BOOT);
}

double kws_clock_wall(void)
{
	return in_use->now(KWS_CLOCK_WALL);
}

int kws_clock_start(pthread_t *thread, const pthread_attr_t *attr, void *(*run)(void *arg),
		    void *arg)
{
	return in_use->start(thread, attr, run, arg);
}

void kws_clock_cond_init(pthread_cond_t *c)
{
	pthread_condattr_t attr;

	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(c, &attr);
	pthread_condattr_destroy(&attr);
}

bool kws_clock_wait(pthread_cond_t *c, pthread_mutex_t *lock, double until)
{
	return in_use->wait(c, lock, until);
}

void kws_clock_wake(pthread_cond_t *c)
{
	in_use->wake(c);
}

void kws_clock_sleep(double s)
{
	in_use->sleep(s);
}

int kws_clock_poll(int epoll, struct epoll_event *events, int n, double until)
{
	return in_use->poll(epoll, events, n, until);
}
