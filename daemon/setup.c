#include "daemon/setup.h"

#include "runtime/log.h"
#include "find_model.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- the configuration ---- */

/* "auto" is a file in the first folder of $STATE_DIRECTORY, which systemd sets. */
void kws_setup_state_path(const kws_conf *c, char path[KWS_CONF_TEXT])
{
	snprintf(path, KWS_CONF_TEXT, "%s", c->control.state);
	if (!strcmp(path, "auto")
	    && kws_find_of_service("STATE_DIRECTORY", "kept.conf", path, KWS_CONF_TEXT)
		       >= KWS_CONF_TEXT)
		path[0] = 0;
}

static void say_left_out(void *ctx, const char *text)
{
	(void)ctx;
	kws_log(KWS_LOG_WARNING, "%s; it was kept, and is left out", text);
}

static void ignore(void *ctx, const char *text)
{
	(void)ctx;
	(void)text;
}

/* Kept settings may be for a section that no longer exists. */
static void read_kept(kws_setup *s, const char *name)
{
	char path[KWS_CONF_TEXT];

	s->conf = s->said;
	kws_setup_state_path(&s->said, path);
	if (!*path || access(path, F_OK) != 0)
		return;
	kws_conf_read_kept(&s->conf, path, say_left_out, NULL);
	if (kws_conf_check(&s->conf, name, ignore, NULL)) {
		kws_log(KWS_LOG_WARNING,
			"%s: does not fit the configuration any more, and is left out", path);
		s->conf = s->said;
	}
}

int kws_setup_read(kws_setup *s, const kws_conf_source *src, kws_conf_error_fn *fn, void *ctx)
{
	int errors = kws_conf_gather(&s->said, src, "kwsd", fn, ctx);

	if (!errors)
		read_kept(s, src->path ? src->path : "kwsd");
	return errors;
}

/* ---- building ---- */

static const kws_conf_audio *audio_of(const kws_running *now, const char *name, size_t *at)
{
	for (*at = 0; now && *at < now->conf.n_audio; ++*at)
		if (!strcmp(now->conf.audio[*at].name, name))
			return &now->conf.audio[*at];
	return NULL;
}

/* Whether the engine that runs this model on the listener of a stays. */
static bool stays(const kws_setup *s, const kws_running *now, const kws_conf_audio *a, size_t model)
{
	const kws_conf_model *m = &s->conf.model[model];
	const kws_conf_audio *was;
	size_t at;

	was = audio_of(now, a->name, &at);
	if (!was || !now->listener[at] || !kws_conf_hears(was, m->name))
		return false;
	for (size_t i = 0; i < now->models.n; i++)
		if (!strcmp(now->conf.model[i].name, m->name))
			return now->models.model[i] == s->models.model[model]
			       && !strcmp(now->conf.model[i].after, m->after);
	return false;
}

static enum kws_status build_engines(kws_setup *s, const kws_running *now, kws_error *err)
{
	enum kws_status status = KWS_OK;

	for (size_t a = 0; a < s->conf.n_audio; a++)
		for (size_t i = 0; i < s->conf.n_model && status == KWS_OK; i++)
			if (kws_conf_hears(&s->conf.audio[a], s->conf.model[i].name)
			    && !stays(s, now, &s->conf.audio[a], i))
				status = kws_engine_create(&s->engine[a][i], s->models.model[i],
							   &s->conf, &s->conf.model[i], err);
	return status;
}

static unsigned highest_hz(const kws_conf *c)
{
	unsigned most = 0;

	for (size_t i = 0; i < c->n_audio; i++) {
		unsigned hz = c->audio[i].rate_hz ? c->audio[i].rate_hz : 192000;

		most = hz > most ? hz : most;
	}
	return most;
}

/* Does not compare near_miss, which only engines use. */
static bool same_clips(const kws_conf *a, const kws_conf *b)
{
	const kws_conf_clips *x = &a->clips, *y = &b->clips;

	return !strcmp(x->dir, y->dir) && x->quota_mb == y->quota_mb && x->pre_ms == y->pre_ms
	       && x->post_ms == y->post_ms && x->queue == y->queue
	       && highest_hz(a) == highest_hz(b);
}

static enum kws_status build_clips(kws_setup *s, const kws_running *now, kws_error *err)
{
	enum kws_status status = kws_clips_check(&s->conf.clips, err);

	if (status != KWS_OK || !*s->conf.clips.dir)
		return status;
	s->keep_clips = now && now->clips && same_clips(&now->conf, &s->conf);
	return s->keep_clips
		       ? KWS_OK
		       : kws_clips_create(&s->clips, &s->conf.clips, highest_hz(&s->conf), err);
}

enum kws_status kws_setup_build(kws_setup *s, const kws_running *now, kws_error *err)
{
	enum kws_status status;

	memset(&s->models, 0, sizeof s->models);
	memset(s->engine, 0, sizeof s->engine);
	s->sinks = NULL;
	s->clips = NULL;
	s->keep_clips = false;
	s->door = NULL;
	status = build_clips(s, now, err);
	if (status == KWS_OK)
		status = kws_models_load(&s->models, &s->conf, now ? &now->models : NULL, err);
	if (status == KWS_OK)
		status = kws_models_check(&s->models, &s->conf, err);
	if (status == KWS_OK)
		status = build_engines(s, now, err);
	if (status == KWS_OK)
		status = kws_sinks_create(&s->sinks, &s->conf, now ? now->sinks : NULL, err);
	if (status == KWS_OK)
		status = kws_control_prepare(&s->door, &s->conf.control, now ? now->control : NULL,
					     err);
	if (status != KWS_OK)
		kws_setup_drop(s);
	return status;
}

void kws_setup_drop(kws_setup *s)
{
	for (size_t a = 0; a < KWS_CONF_AUDIOS; a++)
		for (size_t i = 0; i < KWS_CONF_MODELS; i++)
			kws_engine_destroy(s->engine[a][i]);
	memset(s->engine, 0, sizeof s->engine);
	kws_models_release(&s->models);
	kws_clips_stop(s->clips, 0, true);
	s->clips = NULL;
	kws_sinks_stop(s->sinks, 0);
	s->sinks = NULL;
	kws_server_stop(s->door, 0, false);
	s->door = NULL;
}

enum kws_status kws_setup_open(kws_setup *s, kws_error *err)
{
	enum kws_status status = kws_sinks_open(s->sinks, err);

	if (status != KWS_OK)
		kws_setup_drop(s);
	return status;
}
