/* reply.h - what the server sends: Wyoming events, and the bytes that wait to be sent.
 *
 * The bytes are those that the protocol's own library makes. */
#ifndef KWS_WYOMING_REPLY_H
#define KWS_WYOMING_REPLY_H

#include "kws.h"

#include <jansson.h>

/* Bytes that wait; all zero: none. They are reset to that when all are sent. */
typedef struct {
	char *bytes;
	size_t first, n, room; /* bytes[first .. first + n) wait */
	bool lost;	       /* out of memory: what was sent since is not whole */
} kws_out;

void kws_out_free(kws_out *o);
void kws_out_put(kws_out *o, const char *bytes, size_t n);
void kws_out_sent(kws_out *o, size_t n); /* the first n have been sent */

/* An event of this type; data: an object, whose reference is taken, or NULL: none. */
void kws_reply(kws_out *o, const char *type, json_t *data);

/* context: of the client's detect, or NULL. */
void kws_reply_detection(kws_out *o, const char *name, int64_t ms, json_t *context);
void kws_reply_not_detected(kws_out *o, json_t *context);
void kws_reply_pong(kws_out *o, json_t *text); /* text: borrowed; NULL: null */
void kws_reply_error(kws_out *o, const char *text, const char *code);

/* A word that can be detected. */
typedef struct {
	const char *name;    /* its id */
	const char *phrase;  /* what to say */
	const char *version; /* of its model */
} kws_reply_word;

/* Who we are. */
typedef struct {
	const char *name, *author, *url, *version;
	const char *description; /* NULL: null */
	const char *languages;	 /* of the words, separated by blanks or commas */
} kws_reply_program;

/* words (n,). All texts MUST be UTF-8. */
void kws_reply_info(kws_out *o, const kws_reply_program *p, const kws_reply_word *words, size_t n);

#endif
