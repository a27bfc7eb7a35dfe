/* worker.h - a thread behind a bounded queue, for everything that may block: files, pipes, the
 * journal, hooks, clips. */
#ifndef KWS_DAEMON_WORKER_H
#define KWS_DAEMON_WORKER_H

#include "kws.h"

#include <stdbool.h>

typedef struct kws_worker kws_worker;

/* All run on the worker's thread, free also on the owner's. */
typedef struct {
	/* Before the first item. May be NULL. */
	void (*begin)(void *self);
	/* One item. May block, but MUST come back soon after kws_worker_hurry turns true, if it
	 * can. */
	void (*item)(void *self, const void *item);
	/* Look after what is still going on. Returns in how many ms to call again, -1: nothing is
	 * going on. May be NULL. */
	int (*tick)(void *self);
	void (*free)(void *self);
} kws_worker_ops;

/* name stands before the text of err. self goes to the worker only on success. */
enum kws_status kws_worker_create(kws_worker **out, const char *name, const kws_worker_ops *ops,
				  void *self, size_t item_bytes, size_t slots, kws_error *err);

/* Never waits. False: the queue is full, and the drop is counted. */
bool kws_worker_push(kws_worker *w, const void *item);
unsigned long kws_worker_dropped(kws_worker *w);

/* Let the worker finish what it has, for up to timeout_ms, and free it. wait: come back only when
 * it is done or the time is over (a worker stuck in a system call is left behind then). Else it
 * ends in the background. Returns whether all was done. w is gone. */
bool kws_worker_stop(kws_worker *w, int timeout_ms, bool wait);

/* For the callbacks: the time to finish is over. */
bool kws_worker_hurry(kws_worker *w);
/* Sleep up to ms, or less when in a hurry. Returns kws_worker_hurry. */
bool kws_worker_pause(kws_worker *w, int ms);

#endif
