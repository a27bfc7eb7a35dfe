/* The bounded queue and the worker behind it. Two threads: the ordering is only proof under TSan.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "runtime/clock.h"
#include "runtime/queue.h"
#include "runtime/worker.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

static void test_order_and_bound(void **state)
{
	kws_queue *q;
	int v;

	(void)state;
	assert_int_equal(kws_queue_create(&q, sizeof v, 3), KWS_OK);
	for (int round = 0; round < 5; round++) { /* the ring's seam is passed at every place */
		for (int i = 0; i < 3; i++)
			assert_true(kws_queue_push(q, &i));
		v = 99;
		assert_false(kws_queue_push(q, &v));
		assert_int_equal(kws_queue_dropped(q), round + 1);
		for (int i = 0; i < 3; i++) {
			assert_int_equal(kws_queue_pop(q, &v, 0), 1);
			assert_int_equal(v, i);
			assert_false(kws_queue_idle(q, 0));
			kws_queue_done(q);
		}
		assert_true(kws_queue_idle(q, 0));
		assert_int_equal(kws_queue_pop(q, &v, 0), 0);
		assert_int_equal(kws_queue_pop(q, &v, 5), 0);
		v = round; /* shift the seam */
		kws_queue_push(q, &v);
		kws_queue_pop(q, &v, 0);
		kws_queue_done(q);
	}
	kws_queue_destroy(q);
	kws_queue_destroy(NULL);
}

static void test_close_keeps_what_was_pushed(void **state)
{
	kws_queue *q;
	int v = 7;

	(void)state;
	assert_int_equal(kws_queue_create(&q, sizeof v, 2), KWS_OK);
	kws_queue_push(q, &v);
	kws_queue_close(q);
	assert_true(kws_queue_closed(q));
	assert_false(kws_queue_push(q, &v));
	assert_int_equal(kws_queue_pop(q, &v, -1), 1);
	kws_queue_done(q);
	assert_int_equal(kws_queue_pop(q, &v, -1), -1);
	kws_queue_destroy(q);
}

enum { MANY = 20000 };

static void *consume(void *arg)
{
	kws_queue *q = arg;
	int v, last = -1;
	intptr_t seen = 0;

	while (kws_queue_pop(q, &v, -1) == 1) {
		if (v <= last)
			return (void *)(intptr_t)-1;
		last = v;
		seen++;
		kws_queue_done(q);
	}
	return (void *)seen;
}

static void test_two_threads(void **state)
{
	kws_queue *q;
	pthread_t t;
	void *seen;
	intptr_t taken = 0;

	(void)state;
	assert_int_equal(kws_queue_create(&q, sizeof(int), 8), KWS_OK);
	assert_int_equal(pthread_create(&t, NULL, consume, q), 0);
	for (int i = 0; i < MANY; i++)
		taken += kws_queue_push(q, &i);
	assert_true(kws_queue_idle(q, 10000));
	kws_queue_close(q);
	pthread_join(t, &seen);
	assert_int_equal((intptr_t)seen, taken);
	assert_int_equal(taken + (intptr_t)kws_queue_dropped(q), MANY);
	kws_queue_destroy(q);
}

/* ---- worker ---- */

typedef struct {
	atomic_int done, freed, ticks, stuck;
	kws_worker *w;
} job;

static void add(void *self, const void *item)
{
	job *j = self;

	while (atomic_load(&j->stuck)) {
		struct timespec t = { .tv_nsec = 1000000 };
		nanosleep(&t, NULL);
	}
	atomic_fetch_add(&j->done, *(const int *)item);
}

static int tick(void *self)
{
	job *j = self;

	return atomic_fetch_add(&j->ticks, 1) < 3 ? 1 : -1;
}

static void let_go(void *self)
{
	job *j = self;

	atomic_fetch_add(&j->freed, 1);
}

static const kws_worker_ops ops = { NULL, add, NULL, let_go },
			    ticking = { NULL, add, tick, let_go };

static void test_worker_does_all_before_it_stops(void **state)
{
	job j = { .done = 0 };
	int v = 1;

	(void)state;
	assert_int_equal(kws_worker_create(&j.w, "test", &ops, &j, sizeof v, 64, NULL), KWS_OK);
	for (int i = 0; i < 50; i++)
		assert_true(kws_worker_push(j.w, &v));
	assert_true(kws_worker_stop(j.w, 5000, true));
	assert_int_equal(atomic_load(&j.done), 50);
	assert_int_equal(atomic_load(&j.freed), 1);
	assert_true(kws_worker_stop(NULL, 0, true));
}

static void test_worker_finishes_ticking(void **state)
{
	job j = { .done = 0 };

	(void)state;
	assert_int_equal(kws_worker_create(&j.w, "test", &ticking, &j, sizeof(int), 4, NULL),
			 KWS_OK);
	assert_true(kws_worker_stop(j.w, 5000, true));
	assert_true(atomic_load(&j.ticks) >= 4);
	assert_int_equal(atomic_load(&j.freed), 1);
}

/* A stuck worker is left behind, does not keep its owner, and frees itself when it comes back. */
static void test_stuck_worker(void **state)
{
	job j = { .stuck = 1 };
	int v = 1, taken = 0;

	(void)state;
	assert_int_equal(kws_worker_create(&j.w, "test", &ops, &j, sizeof v, 4, NULL), KWS_OK);
	for (int i = 0; i < 20; i++)
		taken += kws_worker_push(j.w, &v);
	assert_in_range(taken, 4, 5);
	assert_int_equal(kws_worker_dropped(j.w), 20 - taken);
	assert_false(kws_worker_stop(j.w, 10, true));
	assert_int_equal(atomic_load(&j.freed), 0);
	atomic_store(&j.stuck, 0);
	for (int i = 0; i < 5000 && !atomic_load(&j.freed); i++) {
		struct timespec t = { .tv_nsec = 1000000 };
		nanosleep(&t, NULL);
	}
	assert_int_equal(atomic_load(&j.freed), 1);
	assert_int_equal(atomic_load(&j.done), taken);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_order_and_bound),
		cmocka_unit_test(test_close_keeps_what_was_pushed),
		cmocka_unit_test(test_two_threads),
		cmocka_unit_test(test_worker_does_all_before_it_stops),
		cmocka_unit_test(test_worker_finishes_ticking),
		cmocka_unit_test(test_stuck_worker),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
