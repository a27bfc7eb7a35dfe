/* sink.h - where events go. However slow, stuck or dead the other end is, pushing never waits.
 *
 * One sink_*.c a kind; each create checks and opens what the configuration names, and says in err
 * what is wrong. */
#ifndef KWS_DAEMON_SINK_H
#define KWS_DAEMON_SINK_H

#include "daemon/conf.h"
#include "daemon/report.h"
#include "kws.h"

typedef struct kws_sink kws_sink;

typedef struct {
	unsigned long taken;   /* events that found room */
	unsigned long dropped; /* events, times readers, that found none */
	unsigned long failed;  /* events that the other end refused, hooks that failed */
	unsigned readers;      /* connected now (socket) */
} kws_sink_stats;

enum kws_status kws_sink_stdout_create(kws_sink **out, const kws_conf_stdout *c, kws_error *err);
enum kws_status kws_sink_journal_create(kws_sink **out, const kws_conf_journal *c, kws_error *err);
enum kws_status kws_sink_file_create(kws_sink **out, const kws_conf_file *c, kws_error *err);
enum kws_status kws_sink_socket_create(kws_sink **out, const kws_conf_socket *c, kws_error *err);
enum kws_status kws_sink_hook_create(kws_sink **out, const kws_conf_hook *c, kws_error *err);

const char *kws_sink_name(const kws_sink *s);
void kws_sink_push(kws_sink *s, const kws_report *r);
void kws_sink_stats_get(kws_sink *s, kws_sink_stats *st);

/* A descriptor to poll for input, or -1; when it is ready, call kws_sink_serve. */
int kws_sink_fd(const kws_sink *s);
void kws_sink_serve(kws_sink *s);

/* Deliver what was pushed, for up to timeout_ms, and free. wait: see kws_worker_stop. s may be
 * NULL. */
void kws_sink_stop(kws_sink *s, int timeout_ms, bool wait);

/* ---- for the sinks themselves ---- */

typedef struct {
	void (*push)(kws_sink *s, const kws_report *r);
	void (*stats)(kws_sink *s, kws_sink_stats *st);
	void (*serve)(kws_sink *s);
	void (*stop)(kws_sink *s, int timeout_ms, bool wait);
} kws_sink_ops;

struct kws_sink {
	const kws_sink_ops *ops;
	const char *name;
	int fd;
};

/* A sink whose work is done by a worker's thread. */
typedef struct kws_sink_work kws_sink_work;
typedef struct {
	/* Deliver r. May block, but heeds kws_worker_hurry. False: it could not be delivered. */
	bool (*deliver)(void *self, const kws_report *r);
	int (*tick)(void *self);
	void (*free)(void *self);
} kws_sink_deliver;

/* On failure self is freed by d->free. */
enum kws_status kws_sink_work_create(kws_sink **out, const char *name, const kws_sink_deliver *d,
				     void *self, unsigned slots, kws_sink_work **work);
bool kws_sink_work_hurry(kws_sink_work *w);
bool kws_sink_work_pause(kws_sink_work *w, int ms);
void kws_sink_work_failed(kws_sink_work *w); /* count one failure that showed later */

/* Write all of text to fd, waiting while it is full. False: an error (errno), or in a hurry
 * (EAGAIN); *done says how many bytes went out. */
bool kws_sink_write(kws_sink_work *w, int fd, const char *text, size_t n, size_t *done);

#endif
