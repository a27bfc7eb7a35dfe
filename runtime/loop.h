/* loop.h - an event loop: one thread waits for descriptors and timers, and calls their functions.
 *
 * Everything here is for that one thread. A called function may add, modify and remove anything,
 * also itself and what is ready at the same moment: what was removed is not called any more. */
#ifndef KWS_RUNTIME_LOOP_H
#define KWS_RUNTIME_LOOP_H

#include "kws.h"

typedef struct kws_loop kws_loop;

enum { KWS_LOOP_READ = 1, KWS_LOOP_WRITE = 2 };

/* events: those of the requested ones that are ready. An error or a hang-up counts as all of them;
 * the next read or write shows which it was. */
typedef void kws_loop_fn(void *ctx, unsigned events);

enum kws_status kws_loop_create(kws_loop **out, kws_error *err);
void kws_loop_destroy(kws_loop *l); /* the descriptors stay open */

/* Call fn whenever fd is ready, until it is removed. fd MUST NOT be watched yet. events may be 0:
 * nothing for now. Remove fd before it is closed. KWS_ERR_NOMEM; KWS_ERR_IO: fd cannot be
 * polled. */
enum kws_status kws_loop_add(kws_loop *l, int fd, unsigned events, kws_loop_fn *fn, void *ctx,
			     kws_error *err);
void kws_loop_modify(kws_loop *l, int fd, unsigned events); /* fd MUST be watched */
void kws_loop_remove(kws_loop *l, int fd); /* does nothing if fd is -1 or not watched */

/* A timer. The memory is the caller's and must not move while the timer is set; all zero: not
 * set. */
typedef void kws_timer_fn(void *ctx);
typedef struct kws_timer {
	struct kws_timer *next;
	kws_timer_fn *fn;
	void *ctx;
	double at, every_s;
	unsigned round;
	bool set;
} kws_timer;

/* Call fn in after_s seconds, and then every every_s seconds; 0: only once. This replaces the
 * timer's former setting. A call that is so late that the next one is due is left out. */
void kws_loop_time(kws_loop *l, kws_timer *t, double after_s, double every_s, kws_timer_fn *fn,
		   void *ctx);
void kws_loop_cancel(kws_loop *l, kws_timer *t);

/* Wait until something is ready or due, at most most_ms (-1: for ever), and call its function. */
enum kws_status kws_loop_step(kws_loop *l, int most_ms, kws_error *err);
/* Step until kws_loop_stop is called. */
enum kws_status kws_loop_run(kws_loop *l, kws_error *err);
void kws_loop_stop(kws_loop *l);

#endif
