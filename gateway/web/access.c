#include "gateway/web/access.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <nettle/base64.h>
#include <nettle/memops.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

/* ---- Host and Origin ---- */

/* ":PORT" or nothing. */
static bool is_port(const char *text)
{
	const size_t digits = *text == ':' ? strspn(text + 1, "0123456789") : 0;

	return !*text || (digits >= 1 && digits <= 5 && !text[1 + digits]);
}

bool kws_access_host_name(const char *host, char name[KWS_ACCESS_NAME])
{
	static const char in_names[] = "abcdefghijklmnopqrstuvwxyz0123456789-._";
	static const char in_addresses[] = "abcdef0123456789:.";
	const bool bracket = *host == '[';
	size_t n = 0;

	for (host += bracket; n < KWS_ACCESS_NAME - 1 && host[n]; n++) {
		name[n] = (char)tolower((unsigned char)host[n]);
		if (!strchr(bracket ? in_addresses : in_names, name[n]))
			break;
	}
	name[n] = 0;
	if (bracket && host[n] != ']')
		return false;
	return n && is_port(host + n + bracket);
}

static bool is_address(const char *name)
{
	struct in6_addr a;

	return inet_pton(AF_INET, name, &a) == 1 || inet_pton(AF_INET6, name, &a) == 1;
}

static bool is_listed(const char *hosts, const char *name)
{
	const size_t n = strlen(name);

	for (const char *at = hosts; *at; at += strcspn(at, " "), at += strspn(at, " "))
		if (strcspn(at, " ") == n && !strncasecmp(at, name, n))
			return true;
	return false;
}

/* NAME or NAME.local. */
static bool is_machine(const char *machine, const char *name)
{
	const size_t n = strlen(machine);

	return n && !strncasecmp(machine, name, n) && (!name[n] || !strcmp(name + n, ".local"));
}

static bool is_here(const kws_access *a, const char *host)
{
	char name[KWS_ACCESS_NAME];

	return kws_access_host_name(host, name)
	       && (is_address(name) || !strcmp(name, "localhost") || is_machine(a->machine, name)
		   || is_listed(a->hosts, name));
}

/* "http://HOST" or "https://HOST", of the host that was asked. */
static bool is_same_origin(const char *origin, const char *host)
{
	const char *at = strstr(origin, "://");

	return at && (!strncmp(origin, "http:", 5) || !strncmp(origin, "https:", 6))
	       && !strcasecmp(at + 3, host);
}

static bool is_foreign(const kws_access_request *r)
{
	if (r->origin)
		return !is_same_origin(r->origin, r->host);
	return r->site && !r->page && strcmp(r->site, "same-origin") != 0
	       && strcmp(r->site, "none") != 0;
}

/* ---- the token ---- */

bool kws_access_token(const char *text, size_t n, char token[KWS_ACCESS_TOKEN + 1])
{
	while (n && isspace((unsigned char)text[n - 1]))
		n--;
	if (n < KWS_ACCESS_LEAST || n > KWS_ACCESS_TOKEN)
		return false;
	for (size_t i = 0; i < n; i++)
		if (text[i] <= ' ' || text[i] > '~')
			return false;
	memcpy(token, text, n);
	token[n] = 0;
	return true;
}

/* In a time that does not depend on how much of it is right. */
static bool is_token(const kws_access *a, const char *said, size_t n)
{
	char padded[KWS_ACCESS_TOKEN + 1] = "";

	if (n > KWS_ACCESS_TOKEN)
		return false;
	memcpy(padded, said, n);
	return memeql_sec(padded, a->token, sizeof padded);
}

/* The password in base64 of "NAME:PASSWORD". */
static bool is_basic(const kws_access *a, const char *coded)
{
	enum { LONGEST = 512 };
	uint8_t plain[BASE64_DECODE_LENGTH(LONGEST)];
	struct base64_decode_ctx ctx;
	size_t n = sizeof plain;
	const size_t len = strlen(coded);
	const char *colon;

	base64_decode_init(&ctx);
	if (len > LONGEST || !base64_decode_update(&ctx, &n, plain, len, coded)
	    || !base64_decode_final(&ctx))
		return false;
	colon = memchr(plain, ':', n);
	return colon && is_token(a, colon + 1, n - (size_t)(colon + 1 - (const char *)plain));
}

static bool has_token(const kws_access *a, const char *authorization)
{
	if (!authorization)
		return false;
	if (!strncasecmp(authorization, "Bearer ", 7))
		return is_token(a, authorization + 7, strlen(authorization + 7));
	return !strncasecmp(authorization, "Basic ", 6) && is_basic(a, authorization + 6);
}

unsigned kws_access_check(const kws_access *a, const kws_access_request *r, const char **why)
{
	if (!r->host) {
		*why = "the request has no Host";
		return 400;
	}
	if (!is_here(a, r->host)) {
		*why = "Host is no name of this machine; [web] hosts lists others";
		return 421;
	}
	if (is_foreign(r)) {
		*why = "another site's page asks";
		return 403;
	}
	if (*a->token && !has_token(a, r->authorization)) {
		*why = "the token is missing, or wrong";
		return 401;
	}
	if (!*a->token && (!r->local || r->proxied)) {
		*why = "without a token, only this machine may ask, and not through a proxy";
		return 403;
	}
	return 0;
}
