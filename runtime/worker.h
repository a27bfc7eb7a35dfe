/* worker.h - a thread with a bounded queue, for everything that may block: files, pipes, the
 * journal, hooks, clips. */
#ifndef KWS_RUNTIME_WORKER_H
#define KWS_RUNTIME_WORKER_H

#include "kws.h"

#include <stdbool.h>

typedef struct kws_worker kws_worker;

/* All run on the worker's thread; free may also run on the owner's. */
typedef struct {
	/* Before the first item. May be NULL. */
	void (*begin)(void *self);
	/* One item. May block, but MUST return soon after kws_worker_hurry turns true, if it
	 * can. */
	void (*item)(void *self, const void *item);
	/* Look after unfinished work. Returns the ms until the next call; -1: all is finished. May
	 * be NULL. */
	int (*tick)(void *self);
	void (*free)(void *self);
} kws_worker_ops;

/* name is put before the text of err. The worker owns self only on success. */
enum kws_status kws_worker_create(kws_worker **out, const char *name, const kws_worker_ops *ops,
				  void *self, size_t item_bytes, size_t slots, kws_error *err);

/* Never waits. False: the queue is full; the item is dropped and counted. */
bool kws_worker_push(kws_worker *w, const void *item);
unsigned long kws_worker_dropped(kws_worker *w);

/* Let the worker finish its items, for up to timeout_ms, and free it. wait: return only when it has
 * finished or the time is over (a worker stuck in a system call is then left running). Otherwise it
 * ends in the background. Returns whether it has finished. w must not be used any more. */
bool kws_worker_stop(kws_worker *w, int timeout_ms, bool wait);

/* For the callbacks: whether the time to finish is over. */
bool kws_worker_hurry(kws_worker *w);
/* Sleep for ms, or until kws_worker_hurry is true. Returns kws_worker_hurry. */
bool kws_worker_pause(kws_worker *w, int ms);

#endif
