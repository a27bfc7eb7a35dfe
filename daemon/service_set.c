/* Single keys that are changed while the daemon runs. */
#include "daemon/log.h"
#include "daemon/service_parts.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* The first thing that is wrong is the answer. */
static void note(void *ctx, const char *text)
{
	kws_error *err = ctx;

	if (err && !*err->text)
		snprintf(err->text, sizeof err->text, "%s", text);
}

/* c with the assignment. */
static enum kws_status change(kws_conf *c, const kws_models *models, const char *assignment,
			      kws_error *err)
{
	if (err)
		err->text[0] = 0;
	if (kws_conf_set_live(c, assignment, note, err) || kws_conf_check(c, "set", note, err))
		return KWS_ERR_ARG;
	return kws_models_check(models, c, err);
}

static enum kws_status failed(kws_error *err, const char *path, int code)
{
	return kws_fail(err, KWS_ERR_IO, "control.state: %s: %s", path, kws_strerrno(code));
}

/* Under another name first: a file that is there is whole. */
static enum kws_status write_kept(const kws_conf *said, const kws_conf *kept, const char *path,
				  kws_error *err)
{
	char tmp[KWS_CONF_TEXT + 8];
	int fd, code = 0;
	FILE *f;

	snprintf(tmp, sizeof tmp, "%s.new", path);
	fd = open(tmp, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0640);
	f = fd >= 0 ? fdopen(fd, "w") : NULL;
	if (!f) {
		code = errno;
		if (fd >= 0)
			close(fd);
		return failed(err, path, code);
	}
	fputs("# Written by kwsd, for what was set while it ran: `kws ctl set --keep`.\n", f);
	kws_conf_print_kept(said, kept, f);
	if (ferror(f) || fflush(f) != 0 || fsync(fd) != 0)
		code = errno ? errno : EIO;
	if (fclose(f) != 0 && !code)
		code = errno;
	if (!code && rename(tmp, path) != 0)
		code = errno;
	if (!code)
		return KWS_OK;
	unlink(tmp);
	return failed(err, path, code);
}

static enum kws_status keep(kws_service *s, const char *assignment, kws_error *err)
{
	kws_conf *kept = malloc(sizeof *kept);
	char path[KWS_CONF_TEXT];
	enum kws_status status;

	if (!kept)
		return kws_fail(err, KWS_ERR_NOMEM, "out of memory");
	*kept = s->now.kept;
	kws_setup_state_path(kept, path);
	if (!*path)
		status = kws_fail(err, KWS_ERR_ARG,
				  "control.state: names no file, so nothing can be kept");
	else
		status = change(kept, &s->now.models, assignment, err);
	if (status == KWS_OK)
		status = write_kept(&s->now.said, kept, path, err);
	if (status == KWS_OK)
		s->now.kept = *kept;
	free(kept);
	return status;
}

/* What may change without a reload: thresholds and times of decisions, and which listeners hear. */
static void apply(kws_service *s)
{
	const kws_conf *c = &s->now.conf;

	for (size_t a = 0; a < c->n_audio; a++) {
		kws_listener *l = s->now.listener[a];

		if (!l)
			continue;
		for (size_t i = 0; i < c->n_model; i++) {
			kws_engine *e =
				kws_hearing_engine(kws_listener_hearing(l), c->model[i].name);

			if (e)
				kws_engine_configure(e, c, &c->model[i]);
		}
		if (kws_listener_enabled(l) != (bool)c->audio[a].enabled)
			kws_listener_configure(l, &c->audio[a]);
	}
	kws_service_heed(s);
}

enum kws_status kws_service_set(kws_service *s, const char *assignment, bool kept, kws_error *err)
{
	kws_conf *next;
	enum kws_status status;

	/* the builder looks at what is in force */
	if (s->building)
		return kws_fail(err, KWS_ERR_ARG, "a reload is going on: try again");
	next = malloc(sizeof *next);
	if (!next)
		return kws_fail(err, KWS_ERR_NOMEM, "out of memory");
	*next = s->now.conf;
	status = change(next, &s->now.models, assignment, err);
	if (status == KWS_OK && kept)
		status = keep(s, assignment, err);
	if (status == KWS_OK) {
		s->now.conf = *next;
		kws_log(KWS_LOG_INFO, "set: %s%s", assignment, kept ? ", kept" : "");
		apply(s);
	}
	free(next);
	return status;
}
