#include "daemon/cause.h"
#include "daemon/log.h"
#include "daemon/sink.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { RETRY_MS = 500 };

typedef struct {
	kws_sink_work *work;
	kws_conf_file conf;
	int fd;
	bool failing, torn; /* torn: the file ends in the middle of a line */
} file;

static bool reopen(file *f)
{
	int fd = open(f->conf.path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY,
		      (mode_t)f->conf.mode);

	if (fd < 0)
		return false;
	if (f->fd >= 0)
		close(f->fd);
	f->fd = fd;
	f->torn = false;
	return true;
}

/* The file may have been renamed or removed by a log rotation. */
static bool still_there(const file *f)
{
	struct stat named, ours;

	return f->fd >= 0 && stat(f->conf.path, &named) == 0 && fstat(f->fd, &ours) == 0
	       && named.st_ino == ours.st_ino && named.st_dev == ours.st_dev;
}

static bool append(file *f, const char *line, size_t n)
{
	size_t done;

	if (!still_there(f) && !reopen(f))
		return false;
	if (f->torn) {
		if (!kws_sink_write(f->work, f->fd, "\n", 1, &done))
			return false;
		f->torn = false;
	}
	if (kws_sink_write(f->work, f->fd, line, n, &done))
		return true;
	f->torn = done > 0;
	return false;
}

/* A full disk is waited for: the events are kept as long as the queue has room. */
static bool deliver(void *self, const kws_report *r)
{
	file *f = self;
	char line[KWS_REPORT_LINE + 1];
	size_t n = kws_report_json(r, line);

	line[n++] = '\n';
	while (!append(f, line, n)) {
		if (!f->failing)
			kws_log(KWS_LOG_ERROR, "%s: %s; trying again, events wait in the queue",
				f->conf.path, strerror(errno));
		f->failing = true;
		if (kws_sink_work_pause(f->work, RETRY_MS))
			return false;
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

static const kws_sink_deliver ops = { deliver, NULL, free_file };

enum kws_status kws_sink_file_create(kws_sink **sink, const kws_conf_file *c, kws_error *err)
{
	file *f = calloc(1, sizeof *f);
	kws_cause cause;

	*sink = NULL;
	if (!f)
		return kws_fail(err, KWS_ERR_NOMEM, "file.path: out of memory");
	f->fd = -1;
	f->conf = *c;
	if (!reopen(f)) {
		kws_fail(err, KWS_ERR_IO, "file.path: %s: %s", c->path,
			 kws_cause_of(&cause, errno, c->path));
		free(f);
		return KWS_ERR_IO;
	}
	if (kws_sink_work_create(sink, "file", &ops, f, c->queue, &f->work) != KWS_OK)
		return kws_fail(err, KWS_ERR_NOMEM, "file.path: out of memory");
	return KWS_OK;
}
