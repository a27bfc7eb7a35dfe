#include "runtime/queue.h"

#include "runtime/clock.h"

#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

struct kws_queue {
	pthread_mutex_t lock;
	pthread_cond_t filled, idle;
	char *slot;
	size_t item_bytes, slots, first, n;
	unsigned long dropped;
	bool closed, busy;
};

enum kws_status kws_queue_create(kws_queue **out, size_t item_bytes, size_t slots)
{
	kws_queue *q = calloc(1, sizeof *q);

	*out = NULL;
	if (!q)
		return KWS_ERR_NOMEM;
	q->item_bytes = item_bytes;
	q->slots = slots;
	q->slot = calloc(slots, item_bytes);
	if (!q->slot) {
		free(q);
		return KWS_ERR_NOMEM;
	}
	pthread_mutex_init(&q->lock, NULL);
	kws_clock_cond_init(&q->filled);
	kws_clock_cond_init(&q->idle);
	*out = q;
	return KWS_OK;
}

void kws_queue_destroy(kws_queue *q)
{
	if (!q)
		return;
	pthread_mutex_destroy(&q->lock);
	pthread_cond_destroy(&q->filled);
	pthread_cond_destroy(&q->idle);
	free(q->slot);
	free(q);
}

bool kws_queue_push(kws_queue *q, const void *item)
{
	bool taken;

	pthread_mutex_lock(&q->lock);
	taken = !q->closed && q->n < q->slots;
	if (taken) {
		memcpy(q->slot + (q->first + q->n) % q->slots * q->item_bytes, item, q->item_bytes);
		q->n++;
		kws_clock_wake(&q->filled);
	} else {
		q->dropped++;
	}
	pthread_mutex_unlock(&q->lock);
	return taken;
}

int kws_queue_pop(kws_queue *q, void *item, int timeout_ms)
{
	const double until =
		timeout_ms < 0 ? (double)INFINITY : kws_clock_mono() + 1e-3 * timeout_ms;
	int got = 1;

	pthread_mutex_lock(&q->lock);
	while (!q->n && !q->closed)
		if (!kws_clock_wait(&q->filled, &q->lock, until))
			break;
	if (q->n) {
		memcpy(item, q->slot + q->first * q->item_bytes, q->item_bytes);
		q->first = (q->first + 1) % q->slots;
		q->n--;
		if (!q->n)
			q->first = 0; /* memory of unused slots is then never touched */
		q->busy = true;
	} else {
		got = q->closed ? -1 : 0;
	}
	pthread_mutex_unlock(&q->lock);
	return got;
}

void kws_queue_done(kws_queue *q)
{
	pthread_mutex_lock(&q->lock);
	q->busy = false;
	if (!q->n)
		kws_clock_wake(&q->idle);
	pthread_mutex_unlock(&q->lock);
}

void kws_queue_close(kws_queue *q)
{
	pthread_mutex_lock(&q->lock);
	q->closed = true;
	kws_clock_wake(&q->filled);
	pthread_mutex_unlock(&q->lock);
}

bool kws_queue_closed(kws_queue *q)
{
	pthread_mutex_lock(&q->lock);
	bool closed = q->closed;
	pthread_mutex_unlock(&q->lock);
	return closed;
}

bool kws_queue_idle(kws_queue *q, int timeout_ms)
{
	const double until = kws_clock_mono() + 1e-3 * timeout_ms;
	bool idle;

	pthread_mutex_lock(&q->lock);
	while (!(idle = !q->n && !q->busy))
		if (!kws_clock_wait(&q->idle, &q->lock, until))
			break;
	pthread_mutex_unlock(&q->lock);
	return idle;
}

unsigned long kws_queue_dropped(kws_queue *q)
{
	pthread_mutex_lock(&q->lock);
	unsigned long n = q->dropped;
	pthread_mutex_unlock(&q->lock);
	return n;
}
