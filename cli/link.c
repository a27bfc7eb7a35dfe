#include "cli/link.h"

#include "find_model.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

enum { MOST = 1 << 20, PIECE = 1 << 16, LOOK_MS = 50 };

void kws_link_path(const char *path, char *out, size_t n)
{
	const char *named = getenv("KWS_CONTROL");

	if (path || (named && *named)) {
		snprintf(out, n, "%s", path ? path : named);
		return;
	}
	if (kws_find_of_service("RUNTIME_DIRECTORY", "control", out, n))
		return;
	/* kwsd of the session, if it runs */
	if (!kws_find_of_service("XDG_RUNTIME_DIR", "kwsd/control", out, n)
	    || access(out, F_OK) != 0)
		snprintf(out, n, "/run/kwsd/control");
}

static double now_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

bool kws_link_open(kws_link *l, const char *path, double timeout_s)
{
	const double until = now_s() + timeout_s;
	struct sockaddr_un to = { .sun_family = AF_UNIX };

	*l = (kws_link){ .fd = -1 };
	if (strlen(path) >= sizeof to.sun_path) {
		errno = ENAMETOOLONG;
		return false;
	}
	snprintf(to.sun_path, sizeof to.sun_path, "%s", path);
	l->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (l->fd < 0)
		return false;
	/* EAGAIN: the queue of waiting connections is full */
	while (connect(l->fd, (struct sockaddr *)&to, sizeof to) != 0) {
		const int code = errno == EAGAIN && now_s() >= until ? ETIMEDOUT : errno;

		if (code != EAGAIN && code != EINTR) {
			kws_link_close(l);
			errno = code;
			return false;
		}
		poll(NULL, 0, LOOK_MS);
	}
	return true;
}

void kws_link_close(kws_link *l)
{
	if (l->fd >= 0)
		close(l->fd);
	free(l->line);
	*l = (kws_link){ .fd = -1 };
}

bool kws_link_send(kws_link *l, json_t *request)
{
	char *text = json_dumps(request, JSON_COMPACT);
	const size_t n = text ? strlen(text) : 0;
	size_t at = 0;

	json_decref(request);
	if (!text) {
		errno = ENOMEM;
		return false;
	}
	text[n] = '\n'; /* replaces the 0 */
	while (at <= n) {
		struct pollfd p = { .fd = l->fd, .events = POLLOUT };
		ssize_t k = send(l->fd, text + at, n + 1 - at, MSG_NOSIGNAL);

		if (k > 0)
			at += (size_t)k;
		else if (k < 0 && errno != EAGAIN && errno != EINTR)
			break;
		else
			poll(&p, 1, LOOK_MS);
	}
	free(text);
	return at > n;
}

/* Read more bytes. Returns their number, 0 at the end, or -1. */
static ssize_t read_more(kws_link *l, double until)
{
	struct pollfd p = { .fd = l->fd, .events = POLLIN };
	const double left_s = until - now_s();
	char *longer;

	if (until >= 0.0 && left_s <= 0.0) {
		errno = ETIMEDOUT;
		return -1;
	}
	if (poll(&p, 1, until < 0.0 ? -1 : left_s < 1e6 ? (int)(1e3 * left_s) + 1 : -1) <= 0) {
		errno = EINTR; /* look again */
		return -1;
	}
	longer = l->n + PIECE < MOST ? realloc(l->line, l->n + PIECE + 1) : NULL;
	if (!longer) {
		errno = l->n + PIECE < MOST ? ENOMEM : EMSGSIZE;
		return -1;
	}
	l->line = longer;
	return recv(l->fd, l->line + l->n, PIECE, 0);
}

const char *kws_link_receive(kws_link *l, double timeout_s)
{
	const double until = timeout_s < 0.0 ? -1.0 : now_s() + timeout_s;

	for (;;) {
		char *from = l->line ? l->line + l->at : NULL,
		     *end = from ? memchr(from, '\n', l->n - l->at) : NULL;

		if (end) {
			*end = 0;
			l->at = (size_t)(end + 1 - l->line);
			return from;
		}
		if (from && l->at) {
			memmove(l->line, from, l->n - l->at);
			l->n -= l->at;
			l->at = 0;
		}
		const ssize_t k = read_more(l, until);
		if (k == 0)
			errno = 0;
		if (k == 0 || (k < 0 && errno != EINTR && errno != EAGAIN))
			return NULL;
		l->n += k > 0 ? (size_t)k : 0;
	}
}
