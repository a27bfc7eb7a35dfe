#include "descriptors.h"
#include "runtime/log.h"
#include "daemon/sink/work.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef struct {
	kws_sink_work *work;
	int fd;
	bool failing;
} out;

static bool deliver(void *self, const kws_report *r)
{
	out *o = self;
	char line[KWS_EVENT_JSON + 1];
	size_t n = kws_report_json(r, line, KWS_EVENT_JSON), done;

	line[n++] = '\n';
	bool ok = kws_sink_write(o->work, o->fd, line, n, &done);
	if (!ok && !o->failing)
		kws_log(KWS_LOG_WARNING, "stdout: %s",
			errno == EAGAIN ? "nobody reads it" : strerror(errno));
	o->failing = !ok;
	return ok;
}

static void free_out(void *self)
{
	out *o = self;

	if (o->fd >= 0)
		close(o->fd);
	free(o);
}

static const kws_sink_deliver ops = { NULL, deliver, NULL, free_out };

/* auto: on if standard output is open and the journal does not get the events already. */
static bool wanted(const kws_conf *all, const void *c)
{
	const kws_conf_stdout *conf = c;

	return conf->enabled == KWS_YES
	       || (conf->enabled == KWS_AUTO && !kws_sink_journal.wanted(all, &all->journal)
		   && kws_start_has_stdout());
}

static enum kws_status create(kws_sink **sink, const void *c, kws_error *err)
{
	const kws_conf_stdout *conf = c;
	out *o = calloc(1, sizeof *o);

	*sink = NULL;
	if (!o)
		return kws_fail(err, KWS_ERR_NOMEM, "stdout: out of memory");
	if (!kws_start_has_stdout()) {
		free(o);
		return kws_fail(err, KWS_ERR_IO, "[stdout] enabled: standard output is closed");
	}
	o->fd = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
	if (o->fd < 0) {
		int code = errno;

		free_out(o);
		return kws_fail(err, KWS_ERR_IO, "[stdout] enabled: %s", kws_strerrno(code));
	}
	return kws_sink_work_create(sink, &kws_sink_stdout, "", &ops, o, conf->queue, &o->work,
				    err);
}

const kws_sink_kind kws_sink_stdout = { "stdout", wanted, create };
