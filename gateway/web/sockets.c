#include "gateway/web/sockets.h"

#include "gateway/sockets.h"
#include "runtime/log.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* What the kernel holds for a reader that does not read; clients inherit it. */
enum { SEND_BYTES = 128 * 1024, BACKLOG = 64 };

bool kws_web_address_read(const char *text, struct sockaddr_storage *out, socklen_t *len)
{
	struct sockaddr_in *four = (struct sockaddr_in *)out;
	struct sockaddr_in6 *six = (struct sockaddr_in6 *)out;
	const char *colon = strrchr(text, ':');
	char host[KWS_WEB_ADDRESS];
	unsigned long port;
	size_t n;

	if (!colon || strspn(colon + 1, "0123456789") != strlen(colon + 1) || !colon[1])
		return false;
	port = strtoul(colon + 1, NULL, 10);
	n = (size_t)(colon - text);
	if (port < 1 || port > 65535 || n >= sizeof host)
		return false;
	memset(out, 0, sizeof *out);
	if (n > 2 && text[0] == '[' && text[n - 1] == ']') {
		snprintf(host, sizeof host, "%.*s", (int)n - 2, text + 1);
		six->sin6_family = AF_INET6;
		six->sin6_port = htons((uint16_t)port);
		*len = sizeof *six;
		return inet_pton(AF_INET6, host, &six->sin6_addr) == 1;
	}
	snprintf(host, sizeof host, "%.*s", (int)n, text);
	four->sin_family = AF_INET;
	four->sin_port = htons((uint16_t)port);
	*len = sizeof *four;
	return inet_pton(AF_INET, host, &four->sin_addr) == 1;
}

static bool is_local(int fd)
{
	struct sockaddr_storage a = { .ss_family = AF_UNSPEC };
	socklen_t len = sizeof a;

	return getsockname(fd, (struct sockaddr *)&a, &len) == 0
	       && kws_sockets_is_local((const struct sockaddr *)&a);
}

static enum kws_status listen_on(kws_web_sockets *s, const char *address, kws_error *err)
{
	const int one = 1, bytes = SEND_BYTES;
	struct sockaddr_storage a;
	socklen_t len;
	int fd;

	if (!kws_web_address_read(address, &a, &len))
		return kws_fail(err, KWS_ERR_ARG,
				"[web] listen: %s: want an address and a port: 127.0.0.1:8591, "
				"[::1]:8591, 0.0.0.0:8591",
				address);
	fd = socket(a.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return kws_fail(err, KWS_ERR_IO, "[web] listen: %s: %s", address,
				kws_strerrno(errno));
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
	setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof bytes);
	if (bind(fd, (struct sockaddr *)&a, len) != 0 || listen(fd, BACKLOG) != 0) {
		const int code = errno;

		close(fd);
		return kws_fail(err, KWS_ERR_IO, "[web] listen: %s: %s", address,
				kws_strerrno(code));
	}
	s->fd[s->n++] = fd;
	return KWS_OK;
}

enum kws_status kws_web_sockets_open(kws_web_sockets *s, const char *address, kws_error *err)
{
	enum kws_status status;

	*s = (kws_web_sockets){ .local = true };
	status = kws_sockets_passed(s->fd, KWS_WEB_SOCKETS, &s->n, err);
	s->passed = s->n > 0;
	snprintf(s->name, sizeof s->name, "%.*s", KWS_WEB_ADDRESS - 1,
		 s->passed ? "the socket of systemd" : address);
	if (status == KWS_OK && !s->passed && *address)
		status = listen_on(s, address, err);
	for (size_t i = 0; i < s->n; i++)
		s->local &= is_local(s->fd[i]);
	if (status != KWS_OK)
		kws_web_sockets_close(s);
	return status;
}

/* What systemd has passed stays open: a reload takes it again. */
void kws_web_sockets_close(kws_web_sockets *s)
{
	while (s->n)
		if (!s->passed)
			close(s->fd[--s->n]);
		else
			s->n--;
}
