#include "daemon/setup.h"

#include "daemon/clips.h"

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
	if (src->path)
		errors += kws_conf_read_dropins(c, src->path, fn, ctx);
	for (size_t i = 0; i < src->n_set; i++)
		errors += kws_conf_set(c, src->set[i], fn, ctx);
	kws_conf_end(c);
	for (size_t i = 0; i < c->n_model; i++)
		errors += default_model(c, i, fn, ctx);
	if (!errors)
		errors += kws_conf_check(c, src->path ? src->path : "kwsd", fn, ctx);
	return errors;
}

enum kws_status kws_setup_build(kws_setup *s, const kws_running *now, kws_error *err)
{
	enum kws_status status = kws_clips_check(&s->conf.clips, err);

	s->engine = NULL;
	s->sinks = NULL;
	if (status == KWS_OK)
		status = kws_engine_create(&s->engine, &s->conf, err);
	if (status == KWS_OK && now
	    && !strcmp(now->model_hash, kws_model_hash(kws_engine_model(s->engine)))) {
		kws_engine_destroy(
			s->engine); /* the same weights: it was only to check the words */
		s->engine = NULL;
	}
	if (status == KWS_OK)
		status = kws_sinks_create(&s->sinks, &s->conf, now ? now->sinks : NULL, err);
	if (status != KWS_OK)
		kws_setup_drop(s);
	return status;
}

void kws_setup_drop(kws_setup *s)
{
	kws_sinks_stop(s->sinks, 0);
	s->sinks = NULL;
	kws_engine_destroy(s->engine);
	s->engine = NULL;
}

enum kws_status kws_setup_open(kws_setup *s, kws_error *err)
{
	enum kws_status status = kws_sinks_open(s->sinks, err);

	if (status != KWS_OK)
		kws_setup_drop(s);
	return status;
}

bool kws_setup_swap(kws_setup *s, kws_running *now, int timeout_ms)
{
	now->conf = s->conf;
	return kws_sinks_swap(now->sinks, s->sinks, timeout_ms);
}
