#include "daemon/setup.h"

#include "audio/start.h"
#include "daemon/clips.h"
#include "daemon/log.h"

#include "find_model.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Without a path of its own, the model that kws would open; its whole path. */
static int default_model(kws_conf *c, size_t i, kws_conf_error_fn *fn, void *ctx)
{
	enum { PATH = 4096 };
	char found[PATH], folder[PATH] = "", set[2 * PATH + 64];
	const char *name = c->model[i].name;

	if (*c->model[i].path)
		return 0;
	kws_find_model(NULL, found, sizeof found);
	const bool relative = *found != '/' && getcwd(folder, sizeof folder);
	snprintf(set, sizeof set, "model%s%s.path=%.*s%s%.*s", *name ? " " : "", name, PATH, folder,
		 relative ? "/" : "", PATH, found);
	return kws_conf_set(c, set, fn, ctx);
}

int kws_setup_conf(kws_conf *c, const kws_setup_source *src, kws_conf_error_fn *fn, void *ctx)
{
	int errors = 0;

	kws_conf_begin(c);
	if (src->path && !(src->optional && access(src->path, F_OK) != 0))
		errors += kws_conf_read(c, src->path, fn, ctx);
	for (size_t i = 0; i < src->n_set; i++)
		errors += kws_conf_set(c, src->set[i], fn, ctx);
	kws_conf_end(c);
	for (size_t i = 0; i < c->n_model; i++)
		errors += default_model(c, i, fn, ctx);
	if (!errors)
		errors += kws_conf_check(c, src->path ? src->path : "kwsd", fn, ctx);
	return errors;
}

/* ---- one of each kind of sink ---- */

static bool to_journal(const kws_conf *c)
{
	return c->journal.enabled == KWS_YES
	       || (c->journal.enabled == KWS_AUTO
		   && (kws_log_is_journal(kws_log_fd()) || kws_log_is_journal(STDOUT_FILENO)));
}

static bool to_stdout(const kws_conf *c)
{
	return c->out.enabled == KWS_YES
	       || (c->out.enabled == KWS_AUTO && !to_journal(c) && kws_start_has_stdout());
}

static bool to_file(const kws_conf *c)
{
	return *c->file[0].path;
}

static bool to_socket(const kws_conf *c)
{
	return *c->socket[0].path;
}

static bool to_hook(const kws_conf *c)
{
	return *c->hook[0].command;
}

static enum kws_status create_stdout(kws_sink **out, const kws_conf *c, const kws_sink *live,
				     kws_error *err)
{
	(void)live;
	return kws_sink_stdout_create(out, &c->out, err);
}

static enum kws_status create_journal(kws_sink **out, const kws_conf *c, const kws_sink *live,
				      kws_error *err)
{
	(void)live;
	return kws_sink_journal_create(out, &c->journal, err);
}

static enum kws_status create_file(kws_sink **out, const kws_conf *c, const kws_sink *live,
				   kws_error *err)
{
	(void)live;
	return kws_sink_file_create(out, &c->file[0], err);
}

static enum kws_status create_socket(kws_sink **out, const kws_conf *c, const kws_sink *live,
				     kws_error *err)
{
	return kws_sink_socket_create(out, &c->socket[0], live, err);
}

static enum kws_status create_hook(kws_sink **out, const kws_conf *c, const kws_sink *live,
				   kws_error *err)
{
	(void)live;
	return kws_sink_hook_create(out, &c->hook[0], err);
}

#define SECTION(name) offsetof(kws_conf, name), sizeof((kws_conf *)0)->name

static const struct {
	bool (*wanted)(const kws_conf *c);
	enum kws_status (*create)(kws_sink **out, const kws_conf *c, const kws_sink *live,
				  kws_error *err);
	size_t at, size; /* of its section in kws_conf */
} kinds[KWS_N_SINKS] = {
	[KWS_SINK_STDOUT] = { to_stdout, create_stdout, SECTION(out) },
	[KWS_SINK_JOURNAL] = { to_journal, create_journal, SECTION(journal) },
	[KWS_SINK_FILE] = { to_file, create_file, SECTION(file) },
	[KWS_SINK_SOCKET] = { to_socket, create_socket, SECTION(socket) },
	[KWS_SINK_HOOK] = { to_hook, create_hook, SECTION(hook) },
};

static void *section(kws_conf *c, int i)
{
	return (char *)c + kinds[i].at;
}

static bool same(const kws_conf *a, const kws_conf *b, int i)
{
	return !memcmp((const char *)a + kinds[i].at, (const char *)b + kinds[i].at, kinds[i].size);
}

static enum kws_status build_sinks(kws_setup *s, const kws_running *now, kws_error *err)
{
	enum kws_status status = KWS_OK;

	for (int i = 0; i < KWS_N_SINKS && status == KWS_OK; i++) {
		const kws_sink *live = now ? now->sink[i] : NULL;

		if (!kinds[i].wanted(&s->conf))
			continue;
		s->keep[i] = live && same(&now->conf, &s->conf, i);
		if (!s->keep[i])
			status = kinds[i].create(&s->sink[i], &s->conf, live, err);
	}
	return status;
}

enum kws_status kws_setup_build(kws_setup *s, const kws_running *now, kws_error *err)
{
	enum kws_status status = kws_clips_check(&s->conf.clips, err);

	s->engine = NULL;
	memset(s->sink, 0, sizeof s->sink);
	memset(s->keep, 0, sizeof s->keep);
	if (status == KWS_OK)
		status = kws_engine_create(&s->engine, &s->conf, err);
	if (status == KWS_OK && now
	    && !strcmp(now->model_hash, kws_model_hash(kws_engine_model(s->engine)))) {
		kws_engine_destroy(
			s->engine); /* the same weights: it was only to check the words */
		s->engine = NULL;
	}
	if (status == KWS_OK)
		status = build_sinks(s, now, err);
	if (status != KWS_OK)
		kws_setup_drop(s);
	return status;
}

void kws_setup_drop(kws_setup *s)
{
	for (int i = 0; i < KWS_N_SINKS; i++) {
		kws_sink_stop(s->sink[i], 0, true);
		s->sink[i] = NULL;
	}
	kws_engine_destroy(s->engine);
	s->engine = NULL;
}

enum kws_status kws_setup_open(kws_setup *s, kws_error *err)
{
	enum kws_status status = KWS_OK;

	for (int i = 0; i < KWS_N_SINKS && status == KWS_OK; i++)
		if (s->sink[i])
			status = kws_sink_open(s->sink[i], NULL, err);
	if (status != KWS_OK)
		kws_setup_drop(s);
	return status;
}

bool kws_setup_swap(kws_setup *s, kws_running *now, int timeout_ms)
{
	bool all = true;

	for (int i = 0; i < KWS_N_SINKS; i++) {
		kws_error err = { "" };

		if (s->keep[i])
			continue;
		if (s->sink[i] && kws_sink_open(s->sink[i], now->sink[i], &err) != KWS_OK) {
			kws_log(KWS_LOG_ERROR, "%s; %s stays as it was", err.text,
				kws_sink_name(s->sink[i]));
			kws_sink_stop(s->sink[i], 0, true);
			/* so that the next reload tries again */
			memcpy(section(&s->conf, i), section(&now->conf, i), kinds[i].size);
			all = false;
		} else {
			kws_sink_stop(now->sink[i], timeout_ms, false);
			now->sink[i] = s->sink[i];
		}
		s->sink[i] = NULL;
	}
	now->conf = s->conf;
	return all;
}
