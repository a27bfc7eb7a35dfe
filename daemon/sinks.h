/* sinks.h - the sinks that run, as the configuration names them: pushed to, watched, replaced and
 * ended as one. */
#ifndef KWS_DAEMON_SINKS_H
#define KWS_DAEMON_SINKS_H

#include "daemon/sink/sink.h"

typedef struct kws_sinks kws_sinks;

/* Create what c asks for. now: what runs; where its section has not changed, a sink stays as it is.
 * now is only looked at, and MUST be unchanged until the swap; NULL at the start. Nothing changes
 * that others can see: no file, no socket. */
enum kws_status kws_sinks_create(kws_sinks **out, const kws_conf *c, kws_sinks *now,
				 kws_error *err);

/* At the start: make them visible. On failure only kws_sinks_stop may follow. */
enum kws_status kws_sinks_open(kws_sinks *s, kws_error *err);

/* On reload: next takes the place of what runs, and is gone. What is not wanted any more has up to
 * timeout_ms to deliver what it holds, in the background. A sink that cannot be opened after all
 * stays as it was, and the next reload tries again; the log says so. Returns whether there was
 * none. */
bool kws_sinks_swap(kws_sinks *now, kws_sinks *next, int timeout_ms);

void kws_sinks_push(kws_sinks *s, const kws_report *r);

/* Sink i of those that run; false: there are no more. */
bool kws_sinks_stats(const kws_sinks *s, size_t i, kws_sink_stats *st);

/* One descriptor, the same through all swaps, to poll for input; when it is ready, call
 * kws_sinks_serve. */
int kws_sinks_fd(const kws_sinks *s);
void kws_sinks_serve(kws_sinks *s);

/* Deliver what was pushed, for up to timeout_ms in all, and free; or free what was only created.
 * s may be NULL. */
void kws_sinks_stop(kws_sinks *s, int timeout_ms);

#endif
