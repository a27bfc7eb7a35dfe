/* control_request.h - one request while it is heard: control_request.c reads and answers it,
 * control_streams.c and control_set.c do what it asks for. */
#ifndef KWS_DAEMON_CONTROL_REQUEST_H
#define KWS_DAEMON_CONTROL_REQUEST_H

#include "daemon/control_parts.h"

typedef struct {
	kws_control *c;
	kws_control_client *own;
	kws_peer peer;
	const json_t *o;   /* what it said */
	const char *asked; /* which request; NULL: not known yet */
	json_t *told;	   /* members of the answer */
	char id[sizeof((kws_control_client *)0)->id];
	const char *code; /* of what is wrong; NULL: all is well */
	char error[512];
	const char *errors; /* one a line: error, or a longer text */
} kws_request;

typedef enum kws_control_heard kws_request_fn(kws_request *r);

kws_request_fn kws_request_subscribe, kws_request_unsubscribe;		/* control_streams.c */
kws_request_fn kws_request_set, kws_request_listen, kws_request_reload; /* control_set.c */

/* Its answer is that this is wrong with it. */
__attribute__((format(printf, 2, 3))) enum kws_control_heard
kws_request_wrong(kws_request *r, const char *format, ...);

/* Names are listed by an op of the control socket. The one that is want; NULL: there is none. */
typedef const char *kws_names_fn(void *ctx, size_t i);
const char *kws_request_find(const kws_request *r, kws_names_fn *names, const char *want);
/* The same of a member of `in'; "*" when it is not there. NULL: its value is wrong, and told. */
const char *kws_request_name(kws_request *r, const json_t *in, const char *key,
			     kws_names_fn *names);

/* Whether every key of o is in keys, a list that ends with NULL, or one of those that every request has.
 * False: told. */
bool kws_request_knows(kws_request *r, const json_t *o, const char *where, const char *const *keys);

#endif
