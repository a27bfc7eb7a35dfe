#include "daemon/reload.h"

#include "daemon/log.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

enum { PATH = 512, WAIT_MS = 30000, LOOK_MS = 20 };

/* False: there is no runtime folder. */
static bool file_name(char path[PATH], const char *suffix)
{
	const char *dir = getenv("RUNTIME_DIRECTORY");

	if (!dir || *dir != '/')
		return false;
	return snprintf(path, PATH, "%.*s/reload%s", (int)strcspn(dir, ":"), dir, suffix) < PATH;
}

void kws_reload_note(const kws_reload *r)
{
	char path[PATH], tmp[PATH], line[96];
	int n, fd;

	if (!file_name(path, "") || !file_name(tmp, ".new"))
		return;
	n = snprintf(line, sizeof line, "%ld %u %u %d\n", (long)getpid(), r->begun, r->done,
		     r->taken);
	fd = open(tmp, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0644);
	if (fd < 0)
		return;
	bool whole = write(fd, line, (size_t)n) == n;
	if (close(fd) != 0 || !whole || rename(tmp, path) != 0)
		unlink(tmp);
}

static bool look(long pid, kws_reload *r)
{
	char path[PATH], line[96] = "";
	int fd = file_name(path, "") ? open(path, O_RDONLY | O_CLOEXEC) : -1;
	long of = 0;
	int taken = 0;

	if (fd < 0)
		return false;
	ssize_t n = read(fd, line, sizeof line - 1);
	close(fd);
	if (n < 0 || sscanf(line, "%ld %u %u %d", &of, &r->begun, &r->done, &taken) != 4
	    || of != pid)
		return false;
	r->taken = taken;
	return true;
}

int kws_reload_ask(const char *text)
{
	char *end;
	long pid = strtol(text, &end, 10);
	kws_reload r;

	if (end == text || *end || pid < 2) {
		kws_log(KWS_LOG_ERROR, "--reload: %s is no process", text);
		return EX_USAGE;
	}
	if (!look(pid, &r)) {
		kws_log(KWS_LOG_ERROR,
			"--reload: RUNTIME_DIRECTORY names no folder where kwsd %ld tells of its "
			"reloads; send it SIGHUP, and read its log",
			pid);
		return EX_UNAVAILABLE;
	}
	unsigned ours = r.begun + 1;
	if (kill((pid_t)pid, SIGHUP) != 0) {
		kws_log(KWS_LOG_ERROR, "--reload: %ld: %s", pid, strerror(errno));
		return EX_UNAVAILABLE;
	}
	for (int ms = 0; ms < WAIT_MS; ms += LOOK_MS) {
		struct timespec t = { .tv_nsec = LOOK_MS * 1000000L };

		nanosleep(&t, NULL);
		if (look(pid, &r) && r.done >= ours) {
			if (!r.taken)
				kws_log(KWS_LOG_ERROR,
					"reload refused; the log of kwsd %ld says why", pid);
			return r.taken ? EX_OK : EX_CONFIG;
		}
		if (kill((pid_t)pid, 0) != 0) {
			kws_log(KWS_LOG_ERROR, "kwsd %ld ended before it had reloaded", pid);
			return EX_UNAVAILABLE;
		}
	}
	kws_log(KWS_LOG_ERROR, "kwsd %ld has not reloaded within %d s", pid, WAIT_MS / 1000);
	return EX_TEMPFAIL;
}
