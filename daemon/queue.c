#include "daemon/queue.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

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
	pthread_condattr_t attr;
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
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&q->filled, &attr);
	pthread_cond_init(&q->idle, &attr);
	pthread_condattr_destroy(&attr);
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
		pthread_cond_signal(&q->filled);
	} else {
		q->dropped++;
	}
	pthread_mutex_unlock(&q->lock);
	return taken;
}

/* Wait for c until the deadline. False: it has passed. */
static bool wait_until(kws_queue *q, pthread_cond_t *c, const struct timespec *until)
{
	if (!until)
		return pthread_cond_wait(c, &q->lock) == 0;
	return pthread_cond_timedwait(c, &q->lock, until) != ETIMEDOUT;
}

static struct timespec after_ms(int ms)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	t.tv_sec += ms / 1000;
	t.tv_nsec += ms % 1000 * 1000000L;
	if (t.tv_nsec >= 1000000000L) {
		t.tv_nsec -= 1000000000L;
		t.tv_sec++;
	}
	return t;
}

int kws_queue_pop(kws_queue *q, void *item, int timeout_ms)
{
	struct timespec until = after_ms(timeout_ms > 0 ? timeout_ms : 0);
	int got = 1;

	pthread_mutex_lock(&q->lock);
	while (!q->n && !q->closed)
		if (!wait_until(q, &q->filled, timeout_ms < 0 ? NULL : &until))
			break;
	if (q->n) {
		memcpy(item, q->slot + q->first * q->item_bytes, q->item_bytes);
		q->first = (q->first + 1) % q->slots;
		q->n--;
		if (!q->n)
			q->first = 0; /* so that room that is never needed is never touched */
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
		pthread_cond_broadcast(&q->idle);
	pthread_mutex_unlock(&q->lock);
}

void kws_queue_close(kws_queue *q)
{
	pthread_mutex_lock(&q->lock);
	q->closed = true;
	pthread_cond_broadcast(&q->filled);
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
	struct timespec until = after_ms(timeout_ms);
	bool idle;

	pthread_mutex_lock(&q->lock);
	while (!(idle = !q->n && !q->busy))
		if (!wait_until(q, &q->idle, &until))
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
