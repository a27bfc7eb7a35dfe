#include "runtime/loop.h"

#include "runtime/clock.h"

#include <assert.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

enum { AT_ONCE = 64, FIRST_SLOTS = 64 };

/* A descriptor that is closed and opened again has the same number, but another generation: events
 * of the old one do not reach the new one. */
typedef struct {
	kws_loop_fn *fn; /* NULL: not watched */
	void *ctx;
	unsigned events, generation;
} slot;

struct kws_loop {
	int epoll;
	slot *slots; /* (n_slots,) indexed by descriptor */
	size_t n_slots;
	kws_timer *timers; /* in no order: they are few */
	unsigned round;	   /* number of the step: a timer is called once in each */
	bool stop;
};

enum kws_status kws_loop_create(kws_loop **out, kws_error *err)
{
	kws_loop *l = calloc(1, sizeof *l);

	*out = NULL;
	if (!l)
		return kws_fail(err, KWS_ERR_NOMEM, "out of memory");
	l->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (l->epoll < 0) {
		free(l);
		return kws_fail(err, KWS_ERR_NOMEM, "epoll: %s", kws_strerrno(errno));
	}
	*out = l;
	return KWS_OK;
}

void kws_loop_destroy(kws_loop *l)
{
	if (!l)
		return;
	close(l->epoll);
	free(l->slots);
	free(l);
}

/* ---- descriptors ---- */

static slot *slot_of(kws_loop *l, int fd)
{
	return fd >= 0 && (size_t)fd < l->n_slots && l->slots[fd].fn ? &l->slots[fd] : NULL;
}

static bool reach(kws_loop *l, int fd)
{
	size_t n = l->n_slots ? l->n_slots : FIRST_SLOTS;
	slot *more;

	while (n <= (size_t)fd)
		n *= 2;
	if (n == l->n_slots)
		return true;
	more = realloc(l->slots, n * sizeof *more);
	if (!more)
		return false;
	memset(more + l->n_slots, 0, (n - l->n_slots) * sizeof *more);
	l->slots = more;
	l->n_slots = n;
	return true;
}

/* Update the epoll set. The kernel reports hang-ups even if no events are requested, so then the
 * descriptor is not in the set. */
static int watch(kws_loop *l, int fd, unsigned before)
{
	const slot *s = &l->slots[fd];
	struct epoll_event e = { .data.u64 = (uint64_t)s->generation << 32 | (unsigned)fd };

	e.events = (s->events & KWS_LOOP_READ ? EPOLLIN : 0)
		   | (s->events & KWS_LOOP_WRITE ? EPOLLOUT : 0);
	if (!before && !s->events)
		return 0;
	return epoll_ctl(l->epoll,
			 !before      ? EPOLL_CTL_ADD
			 : !s->events ? EPOLL_CTL_DEL
				      : EPOLL_CTL_MOD,
			 fd, &e);
}

enum kws_status kws_loop_add(kws_loop *l, int fd, unsigned events, kws_loop_fn *fn, void *ctx,
			     kws_error *err)
{
	assert(fd >= 0 && fn && !slot_of(l, fd));
	if (!reach(l, fd))
		return kws_fail(err, KWS_ERR_NOMEM, "out of memory");
	l->slots[fd] = (slot){ fn, ctx, events, l->slots[fd].generation + 1 };
	if (watch(l, fd, 0) != 0) {
		int code = errno;

		l->slots[fd].fn = NULL;
		return kws_fail(err, code == EPERM || code == EBADF ? KWS_ERR_IO : KWS_ERR_NOMEM,
				"epoll: %s", kws_strerrno(code));
	}
	return KWS_OK;
}

void kws_loop_modify(kws_loop *l, int fd, unsigned events)
{
	slot *s = slot_of(l, fd);
	unsigned before;

	assert(s);
	before = s->events;
	s->events = events;
	if (before != events && watch(l, fd, before) != 0)
		s->events =
			0; /* it cannot be watched for this; only if the kernel is out of memory */
}

void kws_loop_remove(kws_loop *l, int fd)
{
	slot *s = slot_of(l, fd);

	if (!s)
		return;
	s->fn = NULL;
	if (s->events)
		epoll_ctl(l->epoll, EPOLL_CTL_DEL, fd, &(struct epoll_event){ 0 });
}

/* ---- timers ---- */

void kws_loop_time(kws_loop *l, kws_timer *t, double after_s, double every_s, kws_timer_fn *fn,
		   void *ctx)
{
	if (!t->set) {
		t->next = l->timers;
		l->timers = t;
	}
	t->fn = fn;
	t->ctx = ctx;
	t->at = kws_clock_mono() + after_s;
	t->every_s = every_s;
	t->round = l->round;
	t->set = true;
}

void kws_loop_cancel(kws_loop *l, kws_timer *t)
{
	kws_timer **p = &l->timers;

	if (!t->set)
		return;
	while (*p != t)
		p = &(*p)->next;
	*p = t->next;
	t->set = false;
}

/* The timer that is due first, except those that were called or set in this round. */
static kws_timer *first_due(const kws_loop *l, double now)
{
	kws_timer *first = NULL;

	for (kws_timer *t = l->timers; t; t = t->next)
		if (t->round != l->round && t->at <= now && (!first || t->at < first->at))
			first = t;
	return first;
}

static void call_timers(kws_loop *l)
{
	double now = kws_clock_mono();
	kws_timer *t;

	while ((t = first_due(l, now))) {
		t->round = l->round;
		if (t->every_s > 0.0)
			t->at = t->at + t->every_s > now ? t->at + t->every_s : now + t->every_s;
		else
			kws_loop_cancel(l, t);
		t->fn(t->ctx);
	}
}

/* The monotonic time until which there is nothing to do: in most_ms at the latest. */
static double until(const kws_loop *l, int most_ms)
{
	double t = most_ms < 0 ? HUGE_VAL : kws_clock_mono() + 1e-3 * most_ms;

	for (const kws_timer *timer = l->timers; timer; timer = timer->next)
		t = fmin(t, timer->at);
	return t;
}

/* ---- the loop ---- */

static void call(kws_loop *l, const struct epoll_event *e)
{
	int fd = (int)(e->data.u64 & 0xffffffff);
	const slot *s = slot_of(l, fd);
	unsigned ready;

	if (!s || s->generation != (unsigned)(e->data.u64 >> 32))
		return;
	ready = (e->events & EPOLLIN ? KWS_LOOP_READ : 0u)
		| (e->events & EPOLLOUT ? KWS_LOOP_WRITE : 0u);
	if (e->events & (EPOLLERR | EPOLLHUP))
		ready = KWS_LOOP_READ | KWS_LOOP_WRITE;
	if (ready & s->events)
		s->fn(s->ctx, ready & s->events);
}

enum kws_status kws_loop_step(kws_loop *l, int most_ms, kws_error *err)
{
	struct epoll_event e[AT_ONCE];
	int n = kws_clock_poll(l->epoll, e, AT_ONCE, until(l, most_ms));

	if (n < 0 && errno != EINTR)
		return kws_fail(err, KWS_ERR_IO, "epoll: %s", kws_strerrno(errno));
	l->round++;
	for (int i = 0; i < n; i++)
		call(l, &e[i]);
	call_timers(l);
	return KWS_OK;
}

enum kws_status kws_loop_run(kws_loop *l, kws_error *err)
{
	enum kws_status status = KWS_OK;

	for (l->stop = false; !l->stop && status == KWS_OK;)
		status = kws_loop_step(l, -1, err);
	return status;
}

void kws_loop_stop(kws_loop *l)
{
	l->stop = true;
}
