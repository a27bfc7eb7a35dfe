/* control_request.h - one request while it is handled: control_request.c reads and answers it,
 * control_streams.c and control_set.c execute it. */
#ifndef KWS_DAEMON_CONTROL_REQUEST_H
#define KWS_DAEMON_CONTROL_REQUEST_H

#include "daemon/control_parts.h"

typedef struct {
	kws_control *c;
	kws_control_client *own;
	kws_peer peer;
	const json_t *o;   /* the request */
	const char *asked; /* its name; NULL: not known yet */
	json_t *told;	   /* members of the answer */
	char id[sizeof((kws_control_client *)0)->id];
	const char *code; /* of the error; NULL: success */
	char error[512];
	const char *errors; /* one per line: error, or a longer text */
} kws_request;

typedef enum kws_control_heard kws_request_fn(kws_request *r);

kws_request_fn kws_request_subscribe, kws_request_unsubscribe;		/* control_streams.c */
kws_request_fn kws_request_set, kws_request_listen, kws_request_reload; /* control_set.c */

/* Answer the request with this error. */
__attribute__((format(printf, 2, 3))) enum kws_control_heard
kws_request_wrong(kws_request *r, const char *format, ...);

/* An op of the control socket that lists names. Find the one equal to want; NULL: there is none. */
typedef const char *kws_names_fn(void *ctx, size_t i);
const char *kws_request_find(const kws_request *r, kws_names_fn *names, const char *want);
/* Find the value of member key of `in'; "*": there is no such member. NULL: the value is wrong, and
 * the error is set. */
const char *kws_request_name(kws_request *r, const json_t *in, const char *key,
			     kws_names_fn *names);

/* Whether every key of o is in keys (ends with NULL), or is one that every request has. False: the
 * error is set. */
bool kws_request_knows(kws_request *r, const json_t *o, const char *where, const char *const *keys);

#endif
