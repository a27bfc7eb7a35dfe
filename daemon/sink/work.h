/* work.h - a sink whose events are delivered by a worker's thread, because that may block. */
#ifndef KWS_DAEMON_SINK_WORK_H
#define KWS_DAEMON_SINK_WORK_H

#include "daemon/sink/sink.h"

typedef struct kws_sink_work kws_sink_work;
typedef struct {
	/* On the owner's thread, before the first event. May be NULL. */
	enum kws_status (*open)(void *self, kws_error *err);
	/* Deliver r. May block, but MUST obey kws_sink_work_hurry. False: not delivered. */
	bool (*deliver)(void *self, const kws_report *r);
	int (*tick)(void *self); /* see kws_worker_ops */
	void (*free)(void *self);
} kws_sink_deliver;

/* name: of the section; "": it has none. On failure d->free frees self. */
enum kws_status kws_sink_work_create(kws_sink **out, const kws_sink_kind *kind, const char *name,
				     const kws_sink_deliver *d, void *self, unsigned slots,
				     kws_sink_work **work, kws_error *err);
const char *kws_sink_work_label(const kws_sink_work *w); /* see kws_sink */
bool kws_sink_work_hurry(kws_sink_work *w);
bool kws_sink_work_pause(kws_sink_work *w, int ms);
void kws_sink_work_failed(kws_sink_work *w); /* count a failure that was found later */
void kws_sink_work_killed(kws_sink_work *w);

/* Write text (n,) to fd, waiting while it is full. False: an error (errno), or the time to finish
 * is over (EAGAIN). *done: the number of bytes written. */
bool kws_sink_write(kws_sink_work *w, int fd, const char *text, size_t n, size_t *done);

#endif
