#include "runtime/log.h"

#include "kws.h"

#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static atomic_int out = STDERR_FILENO;
static atomic_int limit = KWS_LOG_INFO;
static atomic_ulong dropped, unreported;
static const char *program = "kwsd";

void kws_log_name(const char *name)
{
	program = name;
}

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

/* A pipe or socket that is ready takes a line shorter than PIPE_BUF without waiting. */
static bool put(int fd, const char *line, size_t n)
{
	struct pollfd p = { .fd = fd, .events = POLLOUT };

	return poll(&p, 1, 0) == 1 && (p.revents & POLLOUT) && write(fd, line, n) == (ssize_t)n;
}

/* JOURNAL_STREAM has the device and inode of the stream that systemd has connected. A shell in a
 * terminal may have inherited the variable, so compare them. */
bool kws_log_is_journal(int fd)
{
	const char *stream = getenv("JOURNAL_STREAM");
	char own[64];
	struct stat st;

	if (!stream || fstat(fd, &st) != 0)
		return false;
	snprintf(own, sizeof own, "%llu:%llu", (unsigned long long)st.st_dev,
		 (unsigned long long)st.st_ino);
	return !strcmp(own, stream);
}

static const char *word_of(int level)
{
	return level <= KWS_LOG_ERROR	  ? "error"
	       : level <= KWS_LOG_WARNING ? "warning"
	       : level <= KWS_LOG_INFO	  ? "info"
					  : "debug";
}

/* Write the prefix of a line. Returns its length. */
static int begin(char *line, size_t n, int fd, int level)
{
	return kws_log_is_journal(fd) ? snprintf(line, n, "<%d>", level)
				      : snprintf(line, n, "%s: %s: ", program, word_of(level));
}

void kws_log(int level, const char *format, ...)
{
	static const char cut[] = "...";
	char line[KWS_LOG_LINE];
	int fd = atomic_load(&out), n, room, len;
	unsigned long lost;
	va_list ap;

	if (level > atomic_load(&limit))
		return;
	lost = atomic_exchange(&unreported, 0);
	if (lost) {
		n = begin(line, sizeof line, fd, KWS_LOG_WARNING);
		n += snprintf(line + n, sizeof line - (size_t)n, "%lu log lines lost\n", lost);
		if (!put(fd, line, (size_t)n))
			atomic_fetch_add(&unreported, lost);
	}
	n = begin(line, sizeof line, fd, level);
	room = (int)sizeof line - n - 1;
	va_start(ap, format);
	len = vsnprintf(line + n, (size_t)room, format, ap);
	va_end(ap);
	if (len >= room)
		memcpy(line + sizeof line - 1 - sizeof cut, cut, sizeof cut);
	kws_clean(line);
	n = (int)strlen(line);
	line[n++] = '\n';
	if (!put(fd, line, (size_t)n)) {
		atomic_fetch_add(&dropped, 1);
		atomic_fetch_add(&unreported, 1);
	}
}
