#include "gateway/web/sockets.h"

#include "runtime/log.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-daemon.h>
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

bool kws_web_address_is_local(const struct sockaddr *a)
{
	const struct sockaddr_in *four = (const struct sockaddr_in *)(const void *)a;
	const struct sockaddr_in6 *six = (const struct sockaddr_in6 *)(const void *)a;

	switch (a->sa_family) {
	case AF_UNIX: return true;
	case AF_INET: return ntohl(four->sin_addr.s_addr) >> 24 == IN_LOOPBACKNET;
	case AF_INET6:
		return IN6_IS_ADDR_LOOPBACK(&six->sin6_addr)
		       || (IN6_IS_ADDR_V4MAPPED(&six->sin6_addr)
			   && six->sin6_addr.s6_addr[12] == IN_LOOPBACKNET);
	default: return false;
	}
}

static enum kws_status take(kws_web_sockets *s, int fd, kws_error *err)
{
	struct sockaddr_storage a = { .ss_family = AF_UNSPEC };
	socklen_t len = sizeof a;

	if (sd_is_socket(fd, AF_UNSPEC, SOCK_STREAM, 1) <= 0
	    || getsockname(fd, (struct sockaddr *)&a, &len) != 0)
		return kws_fail(err, KWS_ERR_ARG,
				"systemd passes a descriptor that does not listen");
	fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
	s->local &= kws_web_address_is_local((const struct sockaddr *)&a);
	s->fd[s->n++] = fd;
	return KWS_OK;
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
	return take(s, fd, err);
}

enum kws_status kws_web_sockets_open(kws_web_sockets *s, const char *address, kws_error *err)
{
	const int n = sd_listen_fds(0);
	enum kws_status status = KWS_OK;

	*s = (kws_web_sockets){ .local = true, .passed = n > 0 };
	snprintf(s->name, sizeof s->name, "%.*s", KWS_WEB_ADDRESS - 1,
		 n > 0 ? "the socket of systemd" : address);
	if (n > KWS_WEB_SOCKETS)
		return kws_fail(err, KWS_ERR_ARG, "systemd passes %d sockets, at most %d", n,
				KWS_WEB_SOCKETS);
	for (int i = 0; i < n && status == KWS_OK; i++)
		status = take(s, SD_LISTEN_FDS_START + i, err);
	if (n <= 0 && *address)
		status = listen_on(s, address, err);
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
