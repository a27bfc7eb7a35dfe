/* control_parts.h - what the files of the control socket share: control.c has its clients and streams,
 * control_request.c hears requests. */
#ifndef KWS_DAEMON_CONTROL_PARTS_H
#define KWS_DAEMON_CONTROL_PARTS_H

#include "daemon/control.h"
#include "daemon/scope.h"

#include <assert.h>

/* A line of a client; an answer, which always finds that much room; what stands in "id". */
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
	double rate_hz; /* lines a second, of each listener and spotter; 0: all */
	double next;	/* events: not before this time */
	char listener[KWS_CONF_NAME], spotter[KWS_CONF_NAME]; /* "*": of all */
} kws_subscription;

/* What is noted of a client; all zero when it comes. */
typedef struct {
	kws_subscription to[KWS_STREAMS];
	unsigned long lost_events;
	const char *asked;		 /* NULL, or the request that will be answered later */
	char id[6 * KWS_CONTROL_ID + 8]; /* its id, as JSON; "": none */
} kws_control_client;

struct kws_control {
	const kws_control_ops *ops;
	void *ctx;
	kws_conf_control conf;
	kws_server *server;	      /* NULL: off */
	int fd;			      /* of an epoll set */
	bool closing;		      /* to be turned off when all is answered */
	unsigned wanted[KWS_STREAMS]; /* clients */
	unsigned since[KWS_STREAMS];  /* changes when the first one comes */
	struct {
		kws_scope *scope;
		bool has_levels;
	} ear[KWS_CONF_AUDIOS * KWS_CONF_MODELS];
	size_t n_ears;
	char errors[KWS_CONTROL_ERRORS];
	char answer[KWS_CONTROL_ANSWER];
};

/* Subscribe, or not any more. */
void kws_control_subscribe(kws_control *c, kws_control_client *own, enum kws_stream stream,
			   const kws_subscription *s);

enum kws_control_heard { KWS_HEARD_ANSWERED, KWS_HEARD_LATER, KWS_HEARD_BUSY };

/* A request (n,) of a client. ANSWERED: c->answer (*len,) is one line. LATER: kws_control_reloaded() will
 * answer it. BUSY: it is to come again. */
enum kws_control_heard kws_control_hear(kws_control *c, kws_control_client *own, kws_peer peer,
					const char *line, size_t n, size_t *len);

/* What a result is called in an answer; NULL: all is well. */
const char *kws_control_code(enum kws_control_result result);

/* The answer into c->answer: code "request", "refused", "in part" or "failed", and errors, one a line;
 * NULL: all is well. asked, id: of the request; NULL and "" when they are not known. Returns its length. */
size_t kws_control_tell(kws_control *c, const char *asked, const char *id, const char *code,
			const char *errors);

#endif
