/* fanout.h - one stream of messages to many readers, each at its own pace.
 *
 * The last messages lie in one ring, whatever the number of readers; each reader is a place in it.
 * One that is so slow that its place was overwritten is told so, and must begin anew. One
 * thread. */
#ifndef KWS_WEB_FANOUT_H
#define KWS_WEB_FANOUT_H

#include "kws.h"

#include <stdint.h>
#include <sys/types.h>

typedef struct kws_fanout kws_fanout;

/* bytes: size of the ring. */
enum kws_status kws_fanout_create(kws_fanout **out, size_t bytes, kws_error *err);
void kws_fanout_destroy(kws_fanout *f);

/* Append text (n,), at most half of the ring. */
void kws_fanout_put(kws_fanout *f, const char *text, size_t n);

/* The place behind all that was put so far. */
uint64_t kws_fanout_end(const kws_fanout *f);

/* Copy what follows the place *at to out, at most n bytes, and move the place. Returns the number of
 * bytes; 0: nothing is there yet; -1: overwritten. */
ssize_t kws_fanout_read(const kws_fanout *f, uint64_t *at, char *out, size_t n);

#endif
