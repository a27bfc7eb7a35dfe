/* sink.h - where events go. However slow, stuck or dead the other end is, pushing never waits.
 *
 * One sink_*.c a kind. A sink is made in two steps. create checks what the configuration names and
 * says in err what is wrong; nothing that others can see changes, so that a reload may still be
 * refused. kws_sink_open makes it visible. */
#ifndef KWS_DAEMON_SINK_H
#define KWS_DAEMON_SINK_H

#include "daemon/conf.h"
#include "spot/event.h"
#include "kws.h"

typedef struct kws_sink kws_sink;

typedef struct {
	unsigned long taken;   /* events that found room */
	unsigned long dropped; /* events, times readers, that found none */
	unsigned long failed;  /* events that the other end refused, hooks that failed */
	unsigned long killed;  /* hooks, or what they left running, that had to be killed */
	unsigned readers;      /* connected now (socket) */
} kws_sink_stats;

enum kws_status kws_sink_stdout_create(kws_sink **out, const kws_conf_stdout *c, kws_error *err);
enum kws_status kws_sink_journal_create(kws_sink **out, const kws_conf_journal *c, kws_error *err);
enum kws_status kws_sink_file_create(kws_sink **out, const kws_conf_file *c, kws_error *err);
/* live: our own socket of the configuration before, or NULL; it is only looked at. */
enum kws_status kws_sink_socket_create(kws_sink **out, const kws_conf_socket *c,
				       const kws_sink *live, kws_error *err);
enum kws_status kws_sink_hook_create(kws_sink **out, const kws_conf_hook *c, kws_error *err);

/* Make it visible; MUST come before the first push. live, of the same kind, may be NULL: readers
 * that are connected to it stay connected, to s. On failure live is as it was. */
enum kws_status kws_sink_open(kws_sink *s, kws_sink *live, kws_error *err);

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
	enum kws_status (*open)(kws_sink *s, kws_sink *live, kws_error *err); /* may be NULL */
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
	/* On the owner's thread, before the first event. May be NULL. */
	enum kws_status (*open)(void *self, kws_error *err);
	/* Deliver r. May block, but heeds kws_worker_hurry. False: it could not be delivered. */
	bool (*deliver)(void *self, const kws_report *r);
	int (*tick)(void *self); /* see kws_worker_ops */
	void (*free)(void *self);
} kws_sink_deliver;

/* name: the section of the configuration. On failure self is freed by d->free. */
enum kws_status kws_sink_work_create(kws_sink **out, const char *name, const kws_sink_deliver *d,
				     void *self, unsigned slots, kws_sink_work **work,
				     kws_error *err);
bool kws_sink_work_hurry(kws_sink_work *w);
bool kws_sink_work_pause(kws_sink_work *w, int ms);
void kws_sink_work_failed(kws_sink_work *w); /* count one failure that showed later */
void kws_sink_work_killed(kws_sink_work *w);

/* Write all of text to fd, waiting while it is full. False: an error (errno), or in a hurry
 * (EAGAIN); *done says how many bytes went out. */
bool kws_sink_write(kws_sink_work *w, int fd, const char *text, size_t n, size_t *done);

#endif
