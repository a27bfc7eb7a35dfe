#include "daemon/sink/work.h"

#include "runtime/log.h"
#include "runtime/worker.h"

#include <errno.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The part that the worker's thread uses. It may outlive the sink. */
struct kws_sink_work {
	char label[KWS_CONF_TITLE];
	const kws_sink_deliver *d;
	void *self;
	kws_worker *worker;
	atomic_ulong failed, killed;
	unsigned long late; /* events not delivered because the sink was stopped */
};

typedef struct {
	kws_sink base;
	kws_sink_work *work;
	kws_worker *worker;
	unsigned long taken, lost; /* lost: since the last one taken */
} work_sink;

static void work_item(void *self, const void *item)
{
	kws_sink_work *w = self;

	if (w->d->deliver(w->self, item))
		return;
	atomic_fetch_add(&w->failed, 1);
	w->late += kws_worker_hurry(w->worker);
}

static int work_tick(void *self)
{
	kws_sink_work *w = self;

	return w->d->tick ? w->d->tick(w->self) : -1;
}

static void work_free(void *self)
{
	kws_sink_work *w = self;

	if (w->late)
		kws_log(KWS_LOG_WARNING, "%s: %lu events were not delivered before the end",
			w->label, w->late);
	w->d->free(w->self);
	free(w);
}

static const kws_worker_ops work_ops = { NULL, work_item, work_tick, work_free };

static enum kws_status work_open(kws_sink *s, kws_sink *live, kws_error *err)
{
	kws_sink_work *w = ((work_sink *)s)->work;

	(void)live;
	return w->d->open ? w->d->open(w->self, err) : KWS_OK;
}

static void work_push(kws_sink *s, const kws_report *r)
{
	work_sink *ws = (work_sink *)s;
	kws_report own = *r;

	own.dropped = ws->lost;
	if (kws_worker_push(ws->worker, &own)) {
		ws->taken++;
		ws->lost = 0;
	} else {
		ws->lost++;
	}
}

static void work_stats(kws_sink *s, kws_sink_stats *st)
{
	work_sink *ws = (work_sink *)s;

	st->taken = ws->taken;
	st->dropped = kws_worker_dropped(ws->worker);
	st->failed = atomic_load(&ws->work->failed);
	st->killed = atomic_load(&ws->work->killed);
}

static void work_stop(kws_sink *s, int timeout_ms, bool wait)
{
	work_sink *ws = (work_sink *)s;

	if (!kws_worker_stop(ws->worker, timeout_ms, wait) && wait)
		kws_log(KWS_LOG_WARNING,
			"%s: did not end in time; events that waited there may be lost",
			ws->base.label);
	free(ws);
}

static const kws_sink_ops work_sink_ops = { work_open, work_push, work_stats, NULL, work_stop };

enum kws_status kws_sink_work_create(kws_sink **out, const kws_sink_kind *kind, const char *name,
				     const kws_sink_deliver *d, void *self, unsigned slots,
				     kws_sink_work **work, kws_error *err)
{
	work_sink *ws = calloc(1, sizeof *ws);
	kws_sink_work *w = calloc(1, sizeof *w);
	enum kws_status status;

	*out = NULL;
	*work = w; /* set before the thread starts */
	if (!ws || !w) {
		status = kws_fail(err, KWS_ERR_NOMEM, "%s: out of memory", kind->section);
		goto fail;
	}
	kws_sink_init(&ws->base, &work_sink_ops, kind, name, -1);
	memcpy(w->label, ws->base.label, sizeof w->label);
	w->d = d;
	w->self = self;
	status = kws_worker_create(&ws->worker, w->label, &work_ops, w, sizeof(kws_report), slots,
				   err);
	if (status != KWS_OK)
		goto fail;
	w->worker = ws->worker; /* the thread uses it only after the first push */
	ws->work = w;
	*out = &ws->base;
	return KWS_OK;
fail:
	d->free(self);
	free(ws);
	free(w);
	return status;
}

const char *kws_sink_work_label(const kws_sink_work *w)
{
	return w->label;
}

bool kws_sink_work_hurry(kws_sink_work *w)
{
	return kws_worker_hurry(w->worker);
}

bool kws_sink_work_pause(kws_sink_work *w, int ms)
{
	return kws_worker_pause(w->worker, ms);
}

void kws_sink_work_failed(kws_sink_work *w)
{
	atomic_fetch_add(&w->failed, 1);
}

void kws_sink_work_killed(kws_sink_work *w)
{
	atomic_fetch_add(&w->killed, 1);
}

bool kws_sink_write(kws_sink_work *w, int fd, const char *text, size_t n, size_t *done)
{
	*done = 0;
	while (*done < n) {
		struct pollfd p = { .fd = fd, .events = POLLOUT };
		int ready = poll(&p, 1, 100);

		if (ready == 0 && kws_sink_work_hurry(w)) {
			errno = EAGAIN;
			return false;
		}
		if (ready <= 0)
			continue;
		ssize_t k = write(fd, text + *done, n - *done);
		if (k < 0 && errno != EAGAIN && errno != EINTR)
			return false;
		if (k > 0)
			*done += (size_t)k;
	}
	return true;
}
