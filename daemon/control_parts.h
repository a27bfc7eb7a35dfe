/* control_parts.h - shared by the files of the control socket: control.c has its clients and
 * streams, control_request.c handles requests. */
#ifndef KWS_DAEMON_CONTROL_PARTS_H
#define KWS_DAEMON_CONTROL_PARTS_H

#include "daemon/control.h"
#include "daemon/scope.h"

#include <assert.h>

/* Bytes: the longest line of a client; the longest answer, which always finds room; the longest
 * "id". */
enum { KWS_CONTROL_LINE = 64 * 1024, KWS_CONTROL_ANSWER = 128 * 1024, KWS_CONTROL_ID = 64 };

enum kws_stream {
	KWS_STREAM_EVENTS,
	KWS_STREAM_NEAR_MISSES,
	KWS_STREAM_SCORES,
	KWS_STREAM_LEVELS,
	KWS_STREAM_MEL,
	KWS_STREAMS
};

static_assert(KWS_CONTROL_LINE + KWS_CONTROL_ANSWER == KWS_CONF_CONTROL_KB * 1024,
	      "kws_conf_check() counts all that a client may take");

extern const char *const kws_stream_names[KWS_STREAMS];

typedef struct {
	bool on;
	double rate_hz; /* lines per second, for each listener and spotter; 0: all */
	double next;	/* events: not before this time */
	char listener[KWS_CONF_NAME], spotter[KWS_CONF_NAME]; /* "*": all */
} kws_subscription;

/* The state of a client; all zero when it connects. */
typedef struct {
	kws_subscription to[KWS_STREAMS];
	unsigned long lost_events;
	const char *asked;		 /* the request that will be answered later; NULL: none */
	char id[6 * KWS_CONTROL_ID + 8]; /* its id, as JSON; "": none */
} kws_control_client;

struct kws_control {
	const kws_control_ops *ops;
	void *ctx;
	kws_conf_control conf;
	kws_server *server;	      /* NULL: off */
	int fd;			      /* of an epoll set */
	bool closing;		      /* to be turned off when everything is answered */
	unsigned wanted[KWS_STREAMS]; /* subscribed clients */
	unsigned since[KWS_STREAMS];  /* changes when the first one subscribes */
	struct {
		kws_scope *scope;
		bool has_levels;
	} ear[KWS_CONF_AUDIOS * KWS_CONF_MODELS];
	size_t n_ears;
	char errors[KWS_CONTROL_ERRORS];
	char answer[KWS_CONTROL_ANSWER];
};

/* Subscribe, change or end a subscription. */
void kws_control_subscribe(kws_control *c, kws_control_client *own, enum kws_stream stream,
			   const kws_subscription *s);

enum kws_control_heard { KWS_HEARD_ANSWERED, KWS_HEARD_LATER, KWS_HEARD_BUSY };

/* Handle a request (n,) of a client. ANSWERED: c->answer (*len,) is one line. LATER:
 * kws_control_reloaded() will answer it. BUSY: bring it again later. */
enum kws_control_heard kws_control_hear(kws_control *c, kws_control_client *own, kws_peer peer,
					const char *line, size_t n, size_t *len);

/* The name of a result in an answer; NULL: success. */
const char *kws_control_code(enum kws_control_result result);

/* Write an answer to c->answer. code: "request", "refused", "in part" or "failed", with errors, one
 * per line; NULL: success. asked, id: of the request; NULL and "" if unknown. Returns its
 * length. */
size_t kws_control_tell(kws_control *c, const char *asked, const char *id, const char *code,
			const char *errors);

#endif
