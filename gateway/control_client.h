/* control_client.h - a client of kwsd's control socket (docs/control.md), in a loop.
 *
 * It connects, and connects again whenever the daemon was away: first after a quarter of a second,
 * then after up to five. Requests get their answers by function. Never waits. */
#ifndef KWS_GATEWAY_CONTROL_CLIENT_H
#define KWS_GATEWAY_CONTROL_CLIENT_H

#include "conf/conf.h"
#include "runtime/loop.h"

#include <jansson.h>

typedef struct kws_control_client kws_control_client;

/* None of them may destroy the client. */
typedef struct {
	/* Connected: the time to subscribe. */
	void (*connected)(void *ctx);
	/* A line that is no answer: {"event": {...}}, {"level": {...}}, ... Borrowed. */
	void (*line)(void *ctx, const json_t *line);
	/* Not connected any more, after `connected'. Requests without an answer have got theirs:
	 * NULL. why: a text. */
	void (*lost)(void *ctx, const char *why);
} kws_control_client_ops;

enum { KWS_CONTROL_CLIENT_PATH = 108 };

/* The control socket of the configuration. [control] path = auto, or off, is the first of
 * $KWS_CONTROL and /run/kwsd/control: RUNTIME_DIRECTORY is the gateway's own. */
void kws_control_client_path(const kws_conf *c, char path[KWS_CONTROL_CLIENT_PATH]);

/* The first attempt to connect is made by the loop. ops and ctx MUST outlive the client. */
enum kws_status kws_control_client_create(kws_control_client **out, kws_loop *loop,
					  const char *path, const kws_control_client_ops *ops,
					  void *ctx, kws_error *err);
void kws_control_client_destroy(kws_control_client *c);

/* answer: borrowed; its member "ok" says whether the request was done. NULL: the connection was
 * lost before the answer came. */
typedef void kws_control_answer_fn(void *ctx, const json_t *answer);

/* Send a request; the reference is taken, and "id" is set. fn may be NULL: then an error is only
 * logged. False: not connected, or out of memory; fn is not called. */
bool kws_control_client_request(kws_control_client *c, json_t *request, kws_control_answer_fn *fn,
				void *ctx);

bool kws_control_client_connected(const kws_control_client *c);

#endif
