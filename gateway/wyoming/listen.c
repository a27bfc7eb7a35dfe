#include "gateway/wyoming/listen.h"

#include "gateway/sockets.h"
#include "runtime/log.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BACKLOG = 128 };

/* ---- addresses ---- */

static enum kws_status wrong(const char *text, size_t n, const char *why, kws_error *err)
{
	return kws_fail(err, KWS_ERR_ARG, "[wyoming] uri: %.*s: %s", (int)n, text, why);
}

static bool is_port(const char *text, size_t n)
{
	unsigned long port = 0;

	for (size_t i = 0; i < n; i++) {
		if (text[i] < '0' || text[i] > '9' || n > 5)
			return false;
		port = 10 * port + (unsigned long)(text[i] - '0');
	}
	return port > 0 && port < 65536;
}

/* rest (n,): HOST:PORT. */
static bool read_tcp(kws_uri *u, const char *rest, size_t n)
{
	const char *colon = NULL;
	size_t host;

	for (size_t i = 0; i < n; i++)
		if (rest[i] == ':')
			colon = rest + i;
	if (!colon || !is_port(colon + 1, n - (size_t)(colon - rest) - 1))
		return false;
	snprintf(u->port, sizeof u->port, "%.*s", (int)(rest + n - colon - 1), colon + 1);
	host = (size_t)(colon - rest);
	if (host >= 2 && rest[0] == '[' && rest[host - 1] == ']') {
		rest++;
		host -= 2;
	} else if (memchr(rest, ':', host)) {
		return false; /* an IPv6 address without its brackets */
	}
	snprintf(u->host, sizeof u->host, "%.*s", (int)host, rest);
	return host > 0 && host < sizeof u->host;
}

enum kws_status kws_uri_read(kws_uri *u, const char *text, size_t n, kws_error *err)
{
	static const char *const schemes[] = { "tcp://", "unix://", "stdio://" };

	memset(u, 0, sizeof *u);
	for (size_t i = 0; i < 3; i++) {
		const size_t k = strlen(schemes[i]);

		if (n < k || strncmp(text, schemes[i], k) != 0)
			continue;
		u->kind = (enum kws_uri_kind)i;
		if (u->kind == KWS_URI_TCP && !read_tcp(u, text + k, n - k))
			return wrong(text, n, "want tcp://HOST:PORT or tcp://[ADDRESS]:PORT", err);
		if (u->kind == KWS_URI_UNIX && (n == k || text[k] != '/'))
			return wrong(text, n, "want unix:// and an absolute path", err);
		if (u->kind == KWS_URI_UNIX && n - k >= sizeof u->path)
			return wrong(text, n, "the path is too long", err);
		if (u->kind == KWS_URI_UNIX)
			snprintf(u->path, sizeof u->path, "%.*s", (int)(n - k), text + k);
		if (u->kind == KWS_URI_STDIO && n != k)
			return wrong(text, n, "nothing follows stdio://", err);
		return KWS_OK;
	}
	return wrong(text, n, "want tcp://HOST:PORT, unix:///PATH or stdio://", err);
}

enum kws_status kws_uris_read(kws_uri *u, size_t *n, const char *text, kws_error *err)
{
	bool stdio = false;

	*n = 0;
	for (size_t k; *(text += strspn(text, " ")); text += k) {
		enum kws_status status;

		k = strcspn(text, " ");
		if (*n == KWS_LISTEN_ADDRESSES)
			return kws_fail(err, KWS_ERR_ARG, "[wyoming] uri: more than %d addresses",
					KWS_LISTEN_ADDRESSES);
		status = kws_uri_read(&u[*n], text, k, err);
		if (status != KWS_OK)
			return status;
		stdio |= u[(*n)++].kind == KWS_URI_STDIO;
	}
	if (!*n)
		return kws_fail(err, KWS_ERR_ARG, "[wyoming] uri: empty: there is nothing to do");
	if (stdio && *n > 1)
		return kws_fail(err, KWS_ERR_ARG,
				"[wyoming] uri: stdio:// serves one client and "
				"goes with no other address");
	return KWS_OK;
}

/* ---- sockets ---- */

static enum kws_status listen_at(kws_listen *l, const kws_uri *u, const struct addrinfo *a,
				 kws_error *err)
{
	const int one = 1, fd = socket(a->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (l->n == KWS_LISTEN_SOCKETS || fd < 0)
		return kws_fail(err, KWS_ERR_IO, "[wyoming] uri: tcp://%s:%s: %s", u->host, u->port,
				fd < 0 ? kws_strerrno(errno) : "too many addresses");
	l->fd[l->n++] = fd;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
	/* 0.0.0.0 has its own socket, if it is wanted */
	if (a->ai_family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof one);
	if (bind(fd, a->ai_addr, a->ai_addrlen) != 0 || listen(fd, BACKLOG) != 0)
		return kws_fail(err, KWS_ERR_IO, "[wyoming] uri: tcp://%s:%s: %s", u->host, u->port,
				kws_strerrno(errno));
	if (!kws_sockets_is_local(a->ai_addr))
		kws_log(KWS_LOG_INFO,
			"tcp://%s:%s can be reached from the network, and asks for no password",
			u->host, u->port);
	return KWS_OK;
}

static enum kws_status open_tcp(kws_listen *l, const kws_uri *u, kws_error *err)
{
	const struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE };
	struct addrinfo *all = NULL;
	const int code = getaddrinfo(u->host, u->port, &hints, &all);
	enum kws_status status = KWS_OK;

	if (code)
		return kws_fail(err, KWS_ERR_IO, "[wyoming] uri: tcp://%s:%s: %s", u->host, u->port,
				code == EAI_SYSTEM ? kws_strerrno(errno) : gai_strerror(code));
	for (const struct addrinfo *a = all; a && status == KWS_OK; a = a->ai_next)
		status = listen_at(l, u, a, err);
	freeaddrinfo(all);
	return status;
}

static enum kws_status open_unix(kws_listen *l, const kws_uri *u, const kws_conf_wyoming *c,
				 kws_error *err)
{
	const kws_door_config config = { "wyoming", u->path, c->group, c->mode };
	kws_door *d = &l->door[l->n_doors];
	enum kws_status status = kws_door_prepare(d, &config, err);

	if (status == KWS_OK)
		status = kws_door_open(d, err);
	if (status != KWS_OK)
		return status;
	l->n_doors++;
	l->fd[l->n++] = d->fd;
	return KWS_OK;
}

enum kws_status kws_listen_open(kws_listen *l, const kws_conf_wyoming *c, kws_error *err)
{
	kws_uri u[KWS_LISTEN_ADDRESSES] = { 0 };
	enum kws_status status;
	size_t n = 0;

	memset(l, 0, sizeof *l);
	status = kws_sockets_passed(l->fd, KWS_LISTEN_SOCKETS, &l->n, err);
	l->is_passed = l->n > 0;
	if (status == KWS_OK && !l->is_passed)
		status = kws_uris_read(u, &n, c->uri, err);
	for (size_t i = 0; i < n && status == KWS_OK; i++)
		switch (u[i].kind) {
		case KWS_URI_TCP: status = open_tcp(l, &u[i], err); break;
		case KWS_URI_UNIX: status = open_unix(l, &u[i], c, err); break;
		case KWS_URI_STDIO: l->is_stdio = true; break;
		}
	if (status != KWS_OK)
		kws_listen_close(l);
	return status;
}

void kws_listen_close(kws_listen *l)
{
	for (size_t i = 0; i < l->n; i++) {
		bool is_door = false;

		for (size_t k = 0; k < l->n_doors; k++)
			is_door |= l->door[k].fd == l->fd[i];
		if (!is_door)
			close(l->fd[i]);
	}
	for (size_t k = 0; k < l->n_doors; k++)
		kws_door_close(&l->door[k]);
	memset(l, 0, sizeof *l);
}
