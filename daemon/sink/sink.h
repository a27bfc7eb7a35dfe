/* sink.h - an output for events. However slow, stuck or dead the other end is, push never waits.
 *
 * A new kind needs one file that defines kws_sink_NAME, and its line in KWS_SINK_KINDS. A sink is
 * made in two steps. create checks what the configuration names; it changes nothing outside the
 * process, so that a reload may still be refused. kws_sink_open then opens it. */
#ifndef KWS_DAEMON_SINK_SINK_H
#define KWS_DAEMON_SINK_SINK_H

#include "conf/conf.h"
#include "kws.h"
#include "spot/event.h"

typedef struct kws_sink kws_sink;

typedef struct {
	const char *kind, *name; /* of its section, [file log]; both live as long as the sink */
	unsigned long taken;	 /* events accepted */
	unsigned long dropped;	 /* events without room, counted for each reader */
	unsigned long failed;	 /* events that the other end refused; hooks that failed */
	unsigned long killed;	 /* hooks, or processes they left, that had to be killed */
	bool has_readers;
	unsigned readers; /* connected now */
} kws_sink_stats;

typedef struct {
	const char *section; /* of the configuration; if it repeats, there are several sinks */
	/* Whether it is on; c: the section's struct in all. NULL: the section's first key says. */
	bool (*wanted)(const kws_conf *all, const void *c);
	enum kws_status (*create)(kws_sink **out, const void *c, kws_error *err);
} kws_sink_kind;

/* In the order in which they get an event. They stop in reverse order: a hook may have to be
 * killed. */
#define KWS_SINK_KINDS(KIND)                                                                       \
	KIND(stdout)                                                                               \
	KIND(journal)                                                                              \
	KIND(file)                                                                                 \
	KIND(socket)                                                                               \
	KIND(hook)

#define KWS_SINK_DECLARE(name) extern const kws_sink_kind kws_sink_##name;
#define KWS_SINK_COUNT(name)   +1
KWS_SINK_KINDS(KWS_SINK_DECLARE)
enum { KWS_SINK_N_KINDS = 0 KWS_SINK_KINDS(KWS_SINK_COUNT) };
enum { KWS_SINKS_MOST = KWS_SINK_N_KINDS * KWS_CONF_SINKS };

/* Open it; MUST precede the first push. live, of the same kind, may be NULL; otherwise its readers
 * stay connected, now to s. On failure live has not changed. */
enum kws_status kws_sink_open(kws_sink *s, kws_sink *live, kws_error *err);

void kws_sink_push(kws_sink *s, const kws_report *r);
void kws_sink_stats_get(kws_sink *s, kws_sink_stats *st);

/* A descriptor to poll for input; -1: none. If it is ready, call kws_sink_serve. */
int kws_sink_fd(const kws_sink *s);
void kws_sink_serve(kws_sink *s);

/* Deliver what was pushed, for up to timeout_ms, and free s. wait: see kws_worker_stop. s may be
 * NULL. */
void kws_sink_stop(kws_sink *s, int timeout_ms, bool wait);

/* ---- for the sinks themselves ---- */

typedef struct {
	enum kws_status (*open)(kws_sink *s, kws_sink *live, kws_error *err);
	void (*push)(kws_sink *s, const kws_report *r);
	void (*stats)(kws_sink *s, kws_sink_stats *st);
	void (*serve)(kws_sink *s); /* NULL: there is no descriptor */
	void (*stop)(kws_sink *s, int timeout_ms, bool wait);
} kws_sink_ops;

struct kws_sink {
	const kws_sink_ops *ops;
	const kws_sink_kind *kind;
	char name[KWS_CONF_NAME];
	char label[KWS_CONF_TITLE]; /* "file log": for messages */
	int fd;
};

/* name: of the section; "": it has none. */
void kws_sink_init(kws_sink *s, const kws_sink_ops *ops, const kws_sink_kind *kind,
		   const char *name, int fd);

/* Field i of an event for the environment or the journal: "KWS_SCORE=0.93", never cut. False: there
 * is no field i. */
enum { KWS_SINK_FIELD = 288 };
bool kws_sink_field(const kws_report *r, size_t i, char text[KWS_SINK_FIELD]);

#endif
