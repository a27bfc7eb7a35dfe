/* sinks.h - all sinks of the configuration: push to, poll, replace and stop them together. */
#ifndef KWS_DAEMON_SINKS_H
#define KWS_DAEMON_SINKS_H

#include "daemon/sink/sink.h"

typedef struct kws_sinks kws_sinks;

/* Create the sinks of c. now: those that run; a sink stays if its section has not changed. now is
 * only read, and MUST NOT change until the swap; NULL at the start. Nothing changes outside the
 * process: no file, no socket. */
enum kws_status kws_sinks_create(kws_sinks **out, const kws_conf *c, kws_sinks *now,
				 kws_error *err);

/* At the start: open them. On failure only kws_sinks_stop may follow. */
enum kws_status kws_sinks_open(kws_sinks *s, kws_error *err);

/* On reload: now takes over the sinks of next, which is freed. Sinks that are not used any more
 * have up to timeout_ms to deliver what they hold, in the background. A sink that cannot be opened
 * after all stays as it was, with a line in the log; the next reload tries again. Returns whether
 * all could be opened. */
bool kws_sinks_swap(kws_sinks *now, kws_sinks *next, int timeout_ms);

void kws_sinks_push(kws_sinks *s, const kws_report *r);

/* Running sink i; false: there are no more. */
bool kws_sinks_stats(const kws_sinks *s, size_t i, kws_sink_stats *st);

/* Poll it for input; if it is ready, call kws_sinks_serve. A swap does not change it. */
int kws_sinks_fd(const kws_sinks *s);
void kws_sinks_serve(kws_sinks *s);

/* Deliver what was pushed, for up to timeout_ms in all, and free s, which may be NULL or not
 * opened. */
void kws_sinks_stop(kws_sinks *s, int timeout_ms);

#endif
