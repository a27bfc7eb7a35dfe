#include "runtime/worker.h"

#include "runtime/clock.h"
#include "runtime/queue.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

/* Only what is used of it takes memory. Hearing needs more than 256 KiB where sanitizers are built in. */
enum { STACK_BYTES = 1024 * 1024 };

struct kws_worker {
	kws_queue *q;
	const kws_worker_ops *ops;
	void *self, *item;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	bool stopping, finished, abandoned;
	double deadline;
};

static void release(kws_worker *w)
{
	w->ops->free(w->self);
	kws_queue_destroy(w->q);
	pthread_mutex_destroy(&w->lock);
	pthread_cond_destroy(&w->changed);
	free(w->item);
	free(w);
}

static void *run(void *arg)
{
	kws_worker *w = arg;
	int wait_ms = -1, got;

	if (w->ops->begin)
		w->ops->begin(w->self);
	while ((got = kws_queue_pop(w->q, w->item, wait_ms)) >= 0) {
		if (got) {
			w->ops->item(w->self, w->item);
			kws_queue_done(w->q);
		}
		wait_ms = w->ops->tick ? w->ops->tick(w->self) : -1;
	}
	while (w->ops->tick && (wait_ms = w->ops->tick(w->self)) >= 0)
		kws_worker_pause(w, wait_ms);

	pthread_mutex_lock(&w->lock);
	w->finished = true;
	bool abandoned = w->abandoned;
	kws_clock_wake(&w->changed);
	pthread_mutex_unlock(&w->lock);
	if (abandoned)
		release(w);
	return NULL;
}

enum kws_status kws_worker_create(kws_worker **out, const char *name, const kws_worker_ops *ops,
				  void *self, size_t item_bytes, size_t slots, kws_error *err)
{
	kws_worker *w = calloc(1, sizeof *w);
	pthread_attr_t attr;
	int failed;

	*out = NULL;
	if (!w)
		return kws_fail(err, KWS_ERR_NOMEM, "%s: out of memory", name);
	w->ops = ops;
	w->self = self;
	w->item = malloc(item_bytes);
	if (!w->item || kws_queue_create(&w->q, item_bytes, slots) != KWS_OK) {
		kws_fail(err, KWS_ERR_NOMEM, "%s: out of memory", name);
		goto fail;
	}
	kws_clock_cond_init(&w->changed);
	pthread_mutex_init(&w->lock, NULL);
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, STACK_BYTES);
	failed = kws_clock_start(&w->thread, &attr, run, w);
	pthread_attr_destroy(&attr);
	if (failed) {
		kws_fail(err, KWS_ERR_NOMEM, "%s: " KWS_NO_THREAD, name, strerror(failed));
		goto fail;
	}
	*out = w;
	return KWS_OK;
fail:
	kws_queue_destroy(w->q);
	free(w->item);
	free(w);
	return KWS_ERR_NOMEM;
}

bool kws_worker_push(kws_worker *w, const void *item)
{
	return kws_queue_push(w->q, item);
}

unsigned long kws_worker_dropped(kws_worker *w)
{
	return kws_queue_dropped(w->q);
}

bool kws_worker_hurry(kws_worker *w)
{
	pthread_mutex_lock(&w->lock);
	bool hurry = w->stopping && kws_clock_mono() >= w->deadline;
	pthread_mutex_unlock(&w->lock);
	return hurry;
}

bool kws_worker_pause(kws_worker *w, int ms)
{
	for (; ms > 0 && !kws_worker_hurry(w); ms -= 20)
		kws_clock_sleep(1e-3 * (ms < 20 ? ms : 20));
	return kws_worker_hurry(w);
}

bool kws_worker_stop(kws_worker *w, int timeout_ms, bool wait)
{
	if (!w)
		return true;
	pthread_mutex_lock(&w->lock);
	w->stopping = true;
	w->deadline = kws_clock_mono() + 1e-3 * timeout_ms;
	kws_queue_close(w->q);
	const double until = w->deadline + 0.05; /* a moment for callbacks that obey hurry */
	while (wait && !w->finished && kws_clock_wait(&w->changed, &w->lock, until))
		continue;
	bool finished = w->finished;
	w->abandoned = !finished;
	pthread_t thread = w->thread;
	pthread_mutex_unlock(&w->lock);
	if (!finished) {
		pthread_detach(thread); /* from here on, the thread owns w */
		return false;
	}
	pthread_join(thread, NULL);
	release(w);
	return true;
}
