/* queue.h - a bounded queue of items of one size between the main thread and one worker.
 *
 * push never waits for the worker: a full queue refuses the item and counts it. The lock is held
 * only while one item is copied. */
#ifndef KWS_RUNTIME_QUEUE_H
#define KWS_RUNTIME_QUEUE_H

#include "kws.h"

#include <stdbool.h>

typedef struct kws_queue kws_queue;

/* slots items of item_bytes each, both > 0. */
enum kws_status kws_queue_create(kws_queue **out, size_t item_bytes, size_t slots);
void kws_queue_destroy(kws_queue *q); /* nobody may use it any more */

/* Add a copy of item (at most item_bytes). False: full or closed; the item is counted as
 * dropped. */
bool kws_queue_push(kws_queue *q, const void *item);

/* Worker only: copy the oldest item out, waiting up to timeout_ms for one (< 0: for ever). 1: got
 * one; the worker MUST call kws_queue_done when it has finished with it; 0: timeout; -1: closed and
 * empty. */
int kws_queue_pop(kws_queue *q, void *item, int timeout_ms);
void kws_queue_done(kws_queue *q);

/* Allow no more pushes; the worker gets what is left, and then -1. */
void kws_queue_close(kws_queue *q);
bool kws_queue_closed(kws_queue *q);

/* Wait up to timeout_ms until everything pushed has been popped and done. True: it has. */
bool kws_queue_idle(kws_queue *q, int timeout_ms);

unsigned long kws_queue_dropped(kws_queue *q);

#endif
