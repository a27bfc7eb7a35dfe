/* loop.h - one thread that waits for descriptors and times, and calls who asked to be called.
 *
 * Everything here is for that one thread. A function that is called may add, modify and remove whatever
 * it likes, also itself and what is ready at the same moment: what was removed is not called any
 * more. */
#ifndef KWS_DAEMON_LOOP_H
#define KWS_DAEMON_LOOP_H

#include "kws.h"

typedef struct kws_loop kws_loop;

enum { KWS_LOOP_READ = 1, KWS_LOOP_WRITE = 2 };

/* events: those of the ones asked for that are ready. An error or a hang-up counts as all of them: the
 * next read or write says which. */
typedef void kws_loop_fn(void *ctx, unsigned events);

enum kws_status kws_loop_create(kws_loop **out, kws_error *err);
void kws_loop_destroy(kws_loop *l); /* the descriptors stay open: they are their owners' */

/* Call fn whenever fd is ready, until it is removed. fd is not watched yet. events may be 0: nothing for
 * now. Remove it before it is closed. KWS_ERR_NOMEM, or KWS_ERR_IO: it cannot be waited for. */
enum kws_status kws_loop_add(kws_loop *l, int fd, unsigned events, kws_loop_fn *fn, void *ctx,
			     kws_error *err);
void kws_loop_modify(kws_loop *l, int fd, unsigned events); /* fd is watched */
void kws_loop_remove(kws_loop *l, int fd); /* one that is not watched, and -1: nothing happens */

/* A time to be called at. The memory is the caller's and stays where it is while the timer is set; all
 * zero: it is not set. */
typedef void kws_timer_fn(void *ctx);
typedef struct kws_timer {
	struct kws_timer *next;
	kws_timer_fn *fn;
	void *ctx;
	double at, every_s;
	unsigned round;
	bool set;
} kws_timer;

/* Call fn in after_s seconds, and from then on every every_s; 0: only once. What it was set to before
 * counts no more. A turn that comes so late that the next is due is left out. */
void kws_loop_time(kws_loop *l, kws_timer *t, double after_s, double every_s, kws_timer_fn *fn,
		   void *ctx);
void kws_loop_cancel(kws_loop *l, kws_timer *t);

/* Wait until something is ready or due, at most most_ms (-1: for ever), and call for it. */
enum kws_status kws_loop_step(kws_loop *l, int most_ms, kws_error *err);
/* Step until somebody stops it. */
enum kws_status kws_loop_run(kws_loop *l, kws_error *err);
void kws_loop_stop(kws_loop *l);

#endif
