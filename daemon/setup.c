#include "daemon/setup.h"

#include "daemon/clips.h"
#include "daemon/log.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static bool to_journal(const kws_conf *c)
{
	return c->journal.enabled == KWS_YES
	       || (c->journal.enabled == KWS_AUTO
		   && (kws_log_is_journal(kws_log_fd()) || kws_log_is_journal(STDOUT_FILENO)));
}

static bool to_stdout(const kws_conf *c)
{
	return c->out.enabled == KWS_YES || (c->out.enabled == KWS_AUTO && !to_journal(c));
}

/* Without model.path, the one that kws would open; its whole path. */
static int default_model(kws_conf *c, kws_conf_error_fn *fn, void *ctx)
{
	enum { PATH = 4096 };
	char found[PATH], folder[PATH] = "", set[2 * PATH + 32];

	kws_find_model(NULL, found, sizeof found);
	const bool relative = *found != '/' && getcwd(folder, sizeof folder);
	snprintf(set, sizeof set, "model.path=%.*s%s%.*s", PATH, folder, relative ? "/" : "", PATH,
		 found);
	return kws_conf_set(c, set, fn, ctx);
}

int kws_setup_conf(kws_conf *c, const kws_setup_source *src, kws_conf_error_fn *fn, void *ctx)
{
	int errors = 0;

	kws_conf_defaults(c);
	errors += default_model(c, fn, ctx);
	if (src->path && !(src->optional && access(src->path, F_OK) != 0))
		errors += kws_conf_read(c, src->path, fn, ctx);
	for (size_t i = 0; i < src->n_set; i++)
		errors += kws_conf_set(c, src->set[i], fn, ctx);
	if (!errors)
		errors += kws_conf_check(c, src->path ? src->path : "kwsd", fn, ctx);
	return errors;
}

#define SAME(section) (old && !memcmp(&old->section, &c->section, sizeof c->section))

static enum kws_status build_sinks(kws_setup *s, const kws_conf *old, kws_error *err)
{
	const kws_conf *c = &s->conf;
	bool on[KWS_N_SINKS] = { to_stdout(c), to_journal(c), *c->file.path, *c->socket.path,
				 *c->hook.command };
	bool same[KWS_N_SINKS] = { SAME(out) && to_stdout(old) == on[0], SAME(journal), SAME(file),
				   SAME(socket), SAME(hook) };
	enum kws_status status = KWS_OK;

	for (int i = 0; i < KWS_N_SINKS && status == KWS_OK; i++) {
		s->keep[i] = on[i] && same[i];
		if (!on[i] || s->keep[i])
			continue;
		switch (i) {
		case KWS_SINK_STDOUT:
			status = kws_sink_stdout_create(&s->sink[i], &c->out, err);
			break;
		case KWS_SINK_JOURNAL:
			status = kws_sink_journal_create(&s->sink[i], &c->journal, err);
			break;
		case KWS_SINK_FILE:
			status = kws_sink_file_create(&s->sink[i], &c->file, err);
			break;
		case KWS_SINK_SOCKET:
			status = kws_sink_socket_create(&s->sink[i], &c->socket, err);
			break;
		case KWS_SINK_HOOK:
			status = kws_sink_hook_create(&s->sink[i], &c->hook, err);
			break;
		}
	}
	return status;
}

enum kws_status kws_setup_build(kws_setup *s, const kws_conf *old, const char *old_hash,
				kws_error *err)
{
	enum kws_status status = kws_clips_check(&s->conf.clips, err);

	s->engine = NULL;
	memset(s->sink, 0, sizeof s->sink);
	memset(s->keep, 0, sizeof s->keep);
	if (status == KWS_OK)
		status = kws_engine_create(&s->engine, &s->conf, err);
	if (status == KWS_OK && old_hash
	    && !strcmp(old_hash, kws_model_hash(kws_engine_model(s->engine)))) {
		kws_engine_destroy(
			s->engine); /* the same weights: it was only to check the words */
		s->engine = NULL;
	}
	if (status == KWS_OK)
		status = build_sinks(s, old, err);
	if (status == KWS_OK)
		return KWS_OK;
	for (int i = 0; i < KWS_N_SINKS; i++) {
		kws_sink_stop(s->sink[i], 0, true);
		s->sink[i] = NULL;
	}
	kws_engine_destroy(s->engine);
	s->engine = NULL;
	return status;
}
