/* Operations for the control socket: status, change single keys, reload. */
#include "runtime/log.h"
#include "daemon/service_parts.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

void kws_service_note(void *errors, const char *text)
{
	char *all = errors;
	size_t n = strlen(all);

	snprintf(all + n, KWS_CONTROL_ERRORS - n, "%s%s", n ? "\n" : "", text);
}

/* Apply n assignments to c. False: one is wrong; errors has the reasons. */
static bool change(kws_conf *c, const kws_models *models, const char *const *set, size_t n,
		   char errors[KWS_CONTROL_ERRORS])
{
	kws_error err = { "" };
	int wrong = 0;

	for (size_t i = 0; i < n; i++)
		wrong += kws_conf_set_live(c, set[i], kws_service_note, errors);
	if (!wrong)
		wrong += kws_conf_check(c, "set", kws_service_note, errors);
	if (!wrong && kws_models_check(models, c, &err) != KWS_OK) {
		kws_service_note(errors, err.text);
		wrong = 1;
	}
	return !wrong;
}

static enum kws_status failed(kws_error *err, const char *path, int code)
{
	return kws_fail(err, KWS_ERR_IO, "control.state: %s: %s", path, kws_strerrno(code));
}

/* Write under another name first, so that the file is always complete. */
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

/* Write the settings for the next start or reload. */
static bool keep(kws_service *s, const char *const *set, size_t n, char errors[KWS_CONTROL_ERRORS])
{
	kws_conf *kept = malloc(sizeof *kept);
	char path[KWS_CONF_TEXT];
	kws_error err = { "" };
	bool done = false;

	kws_setup_state_path(&s->now.conf, path);
	if (!kept || !*path) {
		kws_service_note(
			errors, kept ? "[control] state: names no file, so that nothing can be kept"
				     : "out of memory");
		free(kept);
		return false;
	}
	*kept = s->now.kept;
	if (change(kept, &s->now.models, set, n, errors)) {
		done = write_kept(&s->now.said, kept, path, &err) == KWS_OK;
		if (!done)
			kws_service_note(errors, err.text);
	}
	if (done)
		s->now.kept = *kept;
	free(kept);
	return done;
}

/* Apply what may change without a reload: thresholds and times of decisions, and which listeners
 * are enabled. */
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

static enum kws_control_result on_set(void *ctx, const char *const *set, size_t n, bool kept,
				      char errors[KWS_CONTROL_ERRORS])
{
	kws_service *s = ctx;
	kws_conf *next;
	bool right;

	if (s->building) /* the thread reads the configuration in force */
		return KWS_CONTROL_BUSY;
	next = malloc(sizeof *next);
	if (!next) {
		kws_service_note(errors, "out of memory");
		return KWS_CONTROL_REFUSED;
	}
	*next = s->now.conf;
	right = change(next, &s->now.models, set, n, errors);
	if (right)
		s->now.conf = *next;
	free(next);
	if (!right)
		return KWS_CONTROL_REFUSED;
	apply(s);
	return kept && !keep(s, set, n, errors) ? KWS_CONTROL_IN_PART : KWS_CONTROL_DONE;
}

static json_t *on_status(void *ctx)
{
	const kws_service *s = ctx;
	char hash[KWS_CONF_HASH];
	kws_snapshot shot;

	kws_service_snapshot(ctx, &shot);
	kws_conf_hash(&s->now.conf, hash);
	shot.configuration_hash = hash;
	return kws_snapshot_json(&shot);
}

static const char *listener_name(void *ctx, size_t i)
{
	const kws_conf *c = &((const kws_service *)ctx)->now.conf;

	return i < c->n_audio ? c->audio[i].name : NULL;
}

static const char *spotter_name(void *ctx, size_t i)
{
	const kws_conf *c = &((const kws_service *)ctx)->now.conf;

	return i < c->n_model ? c->model[i].name : NULL;
}

static enum kws_control_result on_reload(void *ctx, char errors[KWS_CONTROL_ERRORS])
{
	kws_service *s = ctx;
	enum kws_control_result result;

	if (s->building) /* the request waits and comes again */
		return KWS_CONTROL_BUSY;
	result = kws_service_reload(s);
	if (result == KWS_CONTROL_REFUSED)
		kws_service_note(errors, s->errors);
	return result;
}

const kws_control_ops kws_service_control = {
	on_status, listener_name, spotter_name, on_set, on_reload,
};
