#include "runtime/cause.h"
#include "runtime/log.h"
#include "daemon/sink/work.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

enum { RETRY_MS = 500 };

static const char no_reader[] = "a named pipe that nobody reads";

typedef struct {
	kws_sink_work *work;
	kws_conf_file conf;
	int fd;	     /* -1: not open */
	bool fresh;  /* nothing has been written to it yet */
	bool torn;   /* it ends with part of a line that will not be completed */
	size_t done; /* bytes of the current line already written: a full disk takes only a part */
	bool failing;
} file;

static bool is_pipe(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISFIFO(st.st_mode);
}

/* Open a file, character device or named pipe, without waiting. flags: O_CREAT or 0. Returns the
 * descriptor, or -1 with the reason in *why. */
static int open_for_lines(const kws_conf_file *c, int flags, const char **why)
{
	struct stat st;
	int fd = open(c->path, O_WRONLY | O_APPEND | O_NONBLOCK | O_CLOEXEC | O_NOCTTY | flags,
		      (mode_t)c->mode);

	if (fd < 0) {
		*why = errno != ENXIO	  ? kws_strerrno(errno)
		       : is_pipe(c->path) ? no_reader
					  : "is a socket or a device without a driver";
		return -1;
	}
	if (fstat(fd, &st) != 0)
		*why = kws_strerrno(errno);
	else if (S_ISREG(st.st_mode) || S_ISCHR(st.st_mode) || S_ISFIFO(st.st_mode))
		return fd;
	else
		*why = "is no file, named pipe or terminal";
	close(fd);
	return -1;
}

static bool reopen(file *f, const char **why)
{
	int fd = open_for_lines(&f->conf, O_CREAT, why);

	if (fd < 0)
		return false;
	if (f->fd >= 0)
		close(f->fd);
	f->fd = fd;
	f->fresh = true;
	return true;
}

/* Whether the open file still has its path: log rotation may have renamed or removed it. */
static bool still_there(const file *f)
{
	struct stat named, ours;

	return f->fd >= 0 && stat(f->conf.path, &named) == 0 && fstat(f->fd, &ours) == 0
	       && named.st_ino == ours.st_ino && named.st_dev == ours.st_dev;
}

/* Whether the file ends with part of a line, left by a daemon that was killed or by a full disk. */
static bool ends_torn(const file *f)
{
	struct stat named, ours;
	char last = '\n';
	int fd;

	if (fstat(f->fd, &ours) != 0 || !S_ISREG(ours.st_mode) || ours.st_size == 0)
		return false;
	fd = open(f->conf.path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return false; /* we may only write it */
	if (fstat(fd, &named) == 0 && named.st_ino == ours.st_ino && named.st_dev == ours.st_dev
	    && pread(fd, &last, 1, ours.st_size - 1) != 1)
		last = '\n';
	close(fd);
	return last != '\n';
}

/* Append a line. If called again with the same line, it continues where it stopped. */
static bool append(file *f, const char *line, size_t n, const char **why)
{
	size_t done;

	if (!still_there(f) && !reopen(f, why))
		return false;
	if (f->fresh) {
		f->torn = ends_torn(f);
		f->fresh = false;
		f->done = 0;
	}
	if (f->torn && kws_sink_write(f->work, f->fd, "\n", 1, &done))
		f->torn = false;
	if (!f->torn) {
		bool ok = kws_sink_write(f->work, f->fd, line + f->done, n - f->done, &done);

		f->done = ok ? 0 : f->done + done;
		if (ok)
			return true;
	}
	*why = errno == EAGAIN ? "nobody takes what is in the pipe" : kws_strerrno(errno);
	if (errno == EPIPE) { /* the next reader needs the whole line */
		*why = "nobody reads the pipe any more";
		f->torn |= f->done > 0;
		f->done = 0;
	}
	return false;
}

/* If the disk is full or the pipe has no reader, wait and try again: the queue keeps events while
 * it has room. */
static bool deliver(void *self, const kws_report *r)
{
	file *f = self;
	char line[KWS_EVENT_JSON + 1];
	size_t n = kws_report_json(r, line, KWS_EVENT_JSON);
	const char *why = "";

	line[n++] = '\n';
	while (!append(f, line, n, &why)) {
		if (!f->failing)
			kws_log(KWS_LOG_ERROR, "%s: %s; trying again, events wait in the queue",
				f->conf.path, why);
		f->failing = true;
		if (kws_sink_work_pause(f->work, RETRY_MS)) {
			f->torn |= f->done > 0;
			f->done = 0;
			return false;
		}
	}
	if (f->failing)
		kws_log(KWS_LOG_INFO, "%s: writing again", f->conf.path);
	f->failing = false;
	return true;
}

static void free_file(void *self)
{
	file *f = self;

	if (f->fd >= 0)
		close(f->fd);
	free(f);
}

static enum kws_status fail(const file *f, const char *why, kws_error *err)
{
	char title[KWS_CONF_TITLE];

	return kws_fail(err, KWS_ERR_IO, "%s path: %s: %s",
			kws_conf_title("file", f->conf.name, title), f->conf.path, why);
}

static enum kws_status open_file(void *self, kws_error *err)
{
	file *f = self;
	const char *why;

	if (f->fd >= 0 || reopen(f, &why) || why == no_reader)
		return KWS_OK;
	return fail(f, why, err);
}

static const kws_sink_deliver ops = { open_file, deliver, NULL, free_file };

/* Returns 0, or the errno that creating a file there would give. */
static int may_create_in(const char *folder)
{
	struct statvfs fs;

	if (statvfs(folder, &fs) == 0 && fs.f_flag & ST_RDONLY)
		return EROFS;
	return faccessat(AT_FDCWD, folder, W_OK | X_OK, AT_EACCESS) == 0 ? 0 : errno;
}

/* Open the file if it exists. Otherwise it is created when the sink is opened. */
static enum kws_status prepare(file *f, kws_error *err)
{
	char folder[sizeof f->conf.path];
	const char *why;
	kws_cause cause = { "" };
	int code;

	f->fd = open_for_lines(&f->conf, 0, &why);
	f->fresh = true;
	if (f->fd >= 0 || why == no_reader)
		return KWS_OK;
	if (errno == EACCES || errno == EPERM || errno == EROFS)
		return fail(f, kws_cause_of(&cause, errno, f->conf.path), err);
	if (access(f->conf.path, F_OK) == 0 || errno != ENOENT)
		return fail(f, why, err);
	memcpy(folder, f->conf.path, sizeof folder);
	code = may_create_in(dirname(folder));
	if (code)
		return fail(f, kws_cause_of(&cause, code, f->conf.path), err);
	return KWS_OK;
}

static enum kws_status create(kws_sink **sink, const void *c, kws_error *err)
{
	const kws_conf_file *conf = c;
	file *f = calloc(1, sizeof *f);
	enum kws_status status;

	*sink = NULL;
	if (!f)
		return kws_fail(err, KWS_ERR_NOMEM, "file: out of memory");
	f->fd = -1;
	f->conf = *conf;
	status = prepare(f, err);
	if (status != KWS_OK) {
		free_file(f);
		return status;
	}
	return kws_sink_work_create(sink, &kws_sink_file, conf->name, &ops, f, conf->queue,
				    &f->work, err);
}

const kws_sink_kind kws_sink_file = { "file", NULL, create };
