#include "tests/fake/clock.h"

#include "runtime/clock.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { MOST_CALLS = 64, HURRY_S = 60 };

typedef struct waiter {
	const void *what; /* NULL: waits only for the time */
	double until;
	bool woken, late;
	bool counts; /* in busy: it is not the test's own thread */
	pthread_cond_t go;
	struct waiter *next;
} waiter;

typedef struct {
	double at;
	uint64_t number;
	fake_clock_fn *fn;
	void *ctx;
} call;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* protects all below */
static pthread_cond_t all_wait = PTHREAD_COND_INITIALIZER;
static double mono, asleep, wall_offset;
static unsigned busy; /* threads started by kws_clock_start that do not wait */
static waiter *waiters;
static call calls[MOST_CALLS];
static size_t n_calls;
static uint64_t n_set;
static _Thread_local bool is_started;

static double now(enum kws_clock_id id)
{
	struct timespec t;
	double s = 0.0;

	pthread_mutex_lock(&lock);
	switch (id) {
	case KWS_CLOCK_MONO: s = mono; break;
	case KWS_CLOCK_BOOT: s = mono + asleep; break;
	case KWS_CLOCK_WALL: s = mono + asleep + wall_offset; break;
	case KWS_CLOCK_THREAD:
		clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
		s = (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
	}
	pthread_mutex_unlock(&lock);
	return s;
}

/* ---- threads; the lock is held, unless said otherwise ---- */

static void less_busy(void)
{
	if (--busy == 0)
		pthread_cond_signal(&all_wait);
}

static void wake_one(waiter *w, bool late)
{
	if (w->woken)
		return;
	w->woken = true;
	w->late = late;
	busy += w->counts;
	pthread_cond_signal(&w->go);
}

static void wake_all(const void *what)
{
	for (waiter *w = waiters; w; w = w->next)
		if (w->what == what)
			wake_one(w, false);
}

static void enlist(waiter *w)
{
	waiter **at = &waiters;

	while (*at)
		at = &(*at)->next;
	*at = w;
}

static void leave(const waiter *w)
{
	waiter **at = &waiters;

	while (*at != w)
		at = &(*at)->next;
	*at = w->next;
}

/* A started thread waits until the time `until', or until `what' is woken. Returns whether it was
 * woken in time. */
static bool wait_as_one_of_many(const void *what, pthread_mutex_t *with, double until)
{
	waiter w = { .what = what, .until = until, .counts = true };

	pthread_mutex_lock(&lock);
	pthread_cond_init(&w.go, NULL);
	enlist(&w);
	less_busy();
	if (with)
		pthread_mutex_unlock(with);
	while (!w.woken)
		pthread_cond_wait(&w.go, &lock);
	leave(&w);
	pthread_mutex_unlock(&lock);
	pthread_cond_destroy(&w.go);
	if (with)
		pthread_mutex_lock(with);
	return !w.late;
}

typedef struct {
	void *(*run)(void *arg);
	void *arg;
} start_of;

static void *begin(void *arg)
{
	start_of s = *(start_of *)arg;

	free(arg);
	is_started = true;
	void *result = s.run(s.arg);
	pthread_mutex_lock(&lock);
	less_busy();
	pthread_mutex_unlock(&lock);
	return result;
}

static int start(pthread_t *thread, const pthread_attr_t *attr, void *(*run)(void *arg), void *arg)
{
	start_of *s = malloc(sizeof *s);

	if (!s)
		return ENOMEM;
	*s = (start_of){ run, arg };
	pthread_mutex_lock(&lock);
	busy++;
	pthread_mutex_unlock(&lock);
	const int failed = pthread_create(thread, attr, begin, s);
	if (!failed)
		return 0;
	free(s);
	pthread_mutex_lock(&lock);
	less_busy();
	pthread_mutex_unlock(&lock);
	return failed;
}

/* ---- how time passes: on the test's own thread, with the lock held ---- */

static void give_up(const char *why)
{
	fprintf(stderr, "fake clock: %s, at %.3f s\n", why, mono);
	pthread_mutex_unlock(&lock); /* for handlers of SIGABRT */
	abort();
}

static void until_all_wait(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	t.tv_sec += HURRY_S;
	while (busy)
		if (pthread_cond_timedwait(&all_wait, &lock, &t) == ETIMEDOUT)
			give_up("a thread does not come to wait");
}

static const call *next_call(void)
{
	const call *c = NULL;

	for (size_t i = 0; i < n_calls; i++)
		if (!c || calls[i].at < c->at
		    || (calls[i].at <= c->at && calls[i].number < c->number))
			c = &calls[i];
	return c;
}

static double next_moment(double until)
{
	const call *c = next_call();

	if (c && c->at < until)
		until = c->at;
	for (const waiter *w = waiters; w; w = w->next)
		if (!w->woken && w->until < until)
			until = w->until;
	return until;
}

/* Make one call that is due now, or wake the threads that are. False: nothing is due. */
static bool serve(void)
{
	const call *next = next_call();
	bool any = false;

	if (next && next->at <= mono) {
		const call c = *next;

		calls[next - calls] = calls[--n_calls];
		pthread_mutex_unlock(&lock);
		c.fn(c.ctx);
		pthread_mutex_lock(&lock);
		return true;
	}
	for (waiter *w = waiters; w; w = w->next)
		if (!w->woken && w->until <= mono) {
			wake_one(w, true);
			any = true;
		}
	return any;
}

/* Move the time one step towards `until' while all others wait. False: it is reached, or me (may be
 * NULL) was woken. */
static bool step(const waiter *me, double until)
{
	until_all_wait();
	if (me && me->woken)
		return false;
	if (serve())
		return true;
	if (mono >= until)
		return false;
	const double next = next_moment(until);
	if (isinf(next))
		give_up("everybody waits for ever");
	mono = next;
	return true;
}

/* The test's own thread waits like the others, and moves the time meanwhile. */
static bool wait_and_move(const void *what, pthread_mutex_t *with, double until)
{
	waiter w = { .what = what, .until = HUGE_VAL };

	pthread_mutex_lock(&lock);
	pthread_cond_init(&w.go, NULL);
	enlist(&w);
	if (with)
		pthread_mutex_unlock(with);
	while (step(&w, until))
		continue;
	leave(&w);
	pthread_mutex_unlock(&lock);
	pthread_cond_destroy(&w.go);
	if (with)
		pthread_mutex_lock(with);
	return w.woken;
}

static bool wait(pthread_cond_t *c, pthread_mutex_t *with, double until)
{
	return is_started ? wait_as_one_of_many(c, with, until) : wait_and_move(c, with, until);
}

static void wake(pthread_cond_t *c)
{
	pthread_mutex_lock(&lock);
	wake_all(c);
	pthread_mutex_unlock(&lock);
}

static void rest(double s)
{
	const double until = now(KWS_CLOCK_MONO) + s;

	if (is_started)
		wait_as_one_of_many(NULL, NULL, until);
	else
		fake_clock_pass(s);
}

static int wait_for_events(int epoll, struct epoll_event *events, int n, double until)
{
	int ready;

	pthread_mutex_lock(&lock);
	do {
		until_all_wait();
		ready = epoll_wait(epoll, events, n, 0);
	} while (ready == 0 && step(NULL, until));
	pthread_mutex_unlock(&lock);
	return ready;
}

static const kws_clock fake = { now, start, wait, wake, rest, wait_for_events };

/* ---- for the test ---- */

void fake_clock_start(double wall)
{
	mono = 1000.0;
	asleep = 0.0;
	wall_offset = wall - mono;
	busy = 0;
	waiters = NULL;
	n_calls = 0;
	kws_clock_use(&fake);
}

void fake_clock_stop(void)
{
	kws_clock_use(NULL);
}

void fake_clock_pass(double s)
{
	pthread_mutex_lock(&lock);
	const double until = mono + s;
	while (step(NULL, until))
		continue;
	pthread_mutex_unlock(&lock);
}

void fake_clock_settle(void)
{
	pthread_mutex_lock(&lock);
	until_all_wait();
	pthread_mutex_unlock(&lock);
}

void fake_clock_at(double at, fake_clock_fn *fn, void *ctx)
{
	pthread_mutex_lock(&lock);
	if (n_calls == MOST_CALLS)
		abort();
	calls[n_calls++] = (call){ at, n_set++, fn, ctx };
	pthread_mutex_unlock(&lock);
}

void fake_clock_set_wall(double by_s)
{
	pthread_mutex_lock(&lock);
	wall_offset += by_s;
	pthread_mutex_unlock(&lock);
}

void fake_clock_suspend(double s)
{
	pthread_mutex_lock(&lock);
	asleep += s;
	pthread_mutex_unlock(&lock);
}

void fake_clock_hang(const void *what)
{
	wait_as_one_of_many(what, NULL, HUGE_VAL);
}

void fake_clock_release(const void *what)
{
	pthread_mutex_lock(&lock);
	wake_all(what);
	pthread_mutex_unlock(&lock);
}
