#include "daemon/log.h"

#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static atomic_int out = STDERR_FILENO;
static atomic_int limit = KWS_LOG_INFO;
static atomic_ulong dropped, unreported;

void kws_log_open(bool debug)
{
	int keep = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);

	if (keep < 0)
		return;
	atomic_store(&out, keep);
	if (debug)
		return;
	int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
	if (null < 0)
		return;
	dup2(null, STDERR_FILENO);
	close(null);
}

void kws_log_level(int level)
{
	atomic_store(&limit, level);
}

int kws_log_fd(void)
{
	return atomic_load(&out);
}

unsigned long kws_log_dropped(void)
{
	return atomic_load(&dropped);
}

/* A pipe or socket that is ready takes a line of less than PIPE_BUF bytes without waiting. */
static bool put(int fd, const char *line, size_t n)
{
	struct pollfd p = { .fd = fd, .events = POLLOUT };

	return poll(&p, 1, 0) == 1 && (p.revents & POLLOUT) && write(fd, line, n) == (ssize_t)n;
}

void kws_log(int level, const char *format, ...)
{
	char line[1024];
	int fd = atomic_load(&out), n;
	unsigned long lost;
	va_list ap;

	if (level > atomic_load(&limit))
		return;
	bool plain = isatty(fd);
	lost = atomic_exchange(&unreported, 0);
	if (lost) {
		n = snprintf(line, sizeof line, "%s%lu log lines lost\n", plain ? "kwsd: " : "<4>",
			     lost);
		if (!put(fd, line, (size_t)n))
			atomic_fetch_add(&unreported, lost);
	}
	if (plain)
		n = snprintf(line, sizeof line, "kwsd: ");
	else
		n = snprintf(line, sizeof line, "<%d>", level);
	va_start(ap, format);
	vsnprintf(line + n, sizeof line - (size_t)n - 1, format, ap);
	va_end(ap);
	for (char *c = line; (c = strchr(c, '\n'));)
		*c = ' ';
	n = (int)strlen(line);
	line[n++] = '\n';
	if (!put(fd, line, (size_t)n)) {
		atomic_fetch_add(&dropped, 1);
		atomic_fetch_add(&unreported, 1);
	}
}
