/* sockets.h - the other end of a Unix socket, for tests. */
#ifndef KWS_TESTS_SOCKETS_H
#define KWS_TESTS_SOCKETS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* Connect; -1: nobody listens there. */
static inline int visit(const char *path)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	snprintf(a.sun_path, sizeof a.sun_path, "%s", path);
	if (connect(fd, (struct sockaddr *)&a, sizeof a) != 0) {
		close(fd);
		return -1;
	}
	return fd;
}

/* Somebody else, who listens under a name. */
static inline int squat(const char *path)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	snprintf(a.sun_path, sizeof a.sun_path, "%s", path);
	assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof a), 0);
	assert_int_equal(listen(fd, 8), 0);
	return fd;
}

/* What has come by now, at most n - 1 bytes of it, as a text. */
static inline size_t read_for_now(int fd, char *text, size_t n)
{
	size_t at = 0;
	ssize_t k;

	while (at < n - 1 && (k = recv(fd, text + at, n - 1 - at, MSG_DONTWAIT)) > 0)
		at += (size_t)k;
	text[at] = 0;
	return at;
}

#endif
