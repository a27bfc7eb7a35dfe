/* access.h - who may use the web page: rules on the head of a request, without any I/O.
 *
 * - Host MUST name this machine: an address, localhost, its own name, or one of the configuration.
 *   A page elsewhere whose name was made to lead here (DNS rebinding) has another.
 * - Origin, if there is one, MUST be this page.
 * - Without a token, only this machine is served, and nothing that a proxy passes on. With one,
 *   everybody must have it: as "Authorization: Bearer TOKEN", or as the password of Basic. */
#ifndef KWS_WEB_ACCESS_H
#define KWS_WEB_ACCESS_H

#include <stdbool.h>
#include <stddef.h>

enum { KWS_ACCESS_LEAST = 16, KWS_ACCESS_TOKEN = 128, KWS_ACCESS_NAME = 254 };

typedef struct {
	char token[KWS_ACCESS_TOKEN + 1]; /* "": none */
	const char *hosts;		  /* more names, separated by blanks */
	const char *machine;		  /* name of this machine */
} kws_access;

/* Headers are NULL if they are missing. */
typedef struct {
	const char *host, *origin, *site; /* site: Sec-Fetch-Site */
	const char *authorization;
	bool proxied; /* has Forwarded, X-Forwarded-For or Via */
	bool local;   /* came from this machine */
	bool page;    /* asks for the page itself, to which other sites may link */
} kws_access_request;

/* 0: it may pass. Otherwise the status of the answer: 400, 401, 403 or 421; why: a text. */
unsigned kws_access_check(const kws_access *a, const kws_access_request *r, const char **why);

/* Read a token from text (n,), without white space at its end. False: it is not KWS_ACCESS_LEAST to
 * KWS_ACCESS_TOKEN characters, all printable ASCII and no blanks. */
bool kws_access_token(const char *text, size_t n, char token[KWS_ACCESS_TOKEN + 1]);

/* The name in a Host header, "NAME", "NAME:PORT", "[ADDRESS]:PORT", without brackets and in small
 * letters. False: it is none of these. */
bool kws_access_host_name(const char *host, char name[KWS_ACCESS_NAME]);

#endif
