#include "runtime/log.h"
#include "daemon/setup.h"

#include <string.h>

/* Take the listener of this name out of now; NULL: there is none. */
static kws_listener *take(kws_running *now, const char *name)
{
	for (size_t i = 0; i < KWS_CONF_AUDIOS; i++) {
		kws_listener *l = now->listener[i];

		if (l && !strcmp(kws_listener_name(l), name)) {
			now->listener[i] = NULL;
			return l;
		}
	}
	return NULL;
}

/* Give it its engines: the new ones, and those that stay, with the new configuration. */
static void set_engines(kws_setup *s, size_t a, kws_listener *l)
{
	kws_hearing *h = kws_listener_hearing(l);
	kws_engine *engine[KWS_CONF_MODELS];
	size_t n = 0;

	for (size_t i = 0; i < s->conf.n_model; i++) {
		if (!kws_conf_hears(&s->conf.audio[a], s->conf.model[i].name))
			continue;
		engine[n] = s->engine[a][i];
		s->engine[a][i] = NULL;
		if (!engine[n])
			engine[n] = kws_hearing_engine(h, s->conf.model[i].name);
		if (engine[n])
			kws_engine_configure(engine[n++], &s->conf, &s->conf.model[i]);
	}
	kws_hearing_engines(h, engine, n);
}

static kws_listener *set_listener(kws_setup *s, size_t a, kws_running *now, const kws_observer *to)
{
	const kws_conf_audio *c = &s->conf.audio[a];
	kws_listener *l = take(now, c->name);
	kws_error err = { "" };

	if (!l && kws_listener_create(&l, c, to, &err) != KWS_OK) {
		kws_log(KWS_LOG_ERROR, "%s%s%s", c->name, *c->name ? ": " : "", err.text);
		return NULL;
	}
	set_engines(s, a, l);
	kws_hearing_clips(kws_listener_hearing(l), now->clips, &s->conf.clips);
	kws_listener_configure(l, c);
	return l;
}

/* From here on, the new writer writes the clips of the streams that go on. */
static void swap_clips(kws_setup *s, kws_running *now, int timeout_ms)
{
	if (s->keep_clips)
		return;
	for (size_t i = 0; i < KWS_CONF_AUDIOS; i++)
		if (now->listener[i])
			kws_hearing_clips(kws_listener_hearing(now->listener[i]), s->clips,
					  &s->conf.clips);
	kws_clips_stop(now->clips, timeout_ms, false);
	now->clips = s->clips;
	s->clips = NULL;
}

static bool swap_control(kws_setup *s, kws_running *now)
{
	kws_error err = { "" };
	kws_server *door = s->door;

	s->door = NULL;
	if (kws_control_swap(now->control, &s->conf.control, door, &err) == KWS_OK)
		return true;
	kws_log(KWS_LOG_ERROR, "%s", err.text);
	return false;
}

bool kws_setup_swap(kws_setup *s, kws_running *now, const kws_observer *to, kws_listener **gone,
		    int timeout_ms)
{
	kws_listener *next[KWS_CONF_AUDIOS] = { NULL };
	bool all = now->sinks == s->sinks || kws_sinks_swap(now->sinks, s->sinks, timeout_ms);
	size_t n_gone = 0;

	s->sinks = NULL;
	all = swap_control(s, now) && all;
	swap_clips(s, now, timeout_ms);
	for (size_t a = 0; a < s->conf.n_audio; a++) {
		next[a] = set_listener(s, a, now, to);
		all = all && next[a];
	}
	memset(gone, 0, KWS_CONF_AUDIOS * sizeof *gone);
	for (size_t i = 0; i < KWS_CONF_AUDIOS; i++)
		if (now->listener[i]) {
			kws_listener_finish(now->listener[i]);
			gone[n_gone++] = now->listener[i];
		}
	memcpy(now->listener, next, sizeof next);
	kws_models_release(&now->models); /* engines hold their own shares */
	now->models = s->models;
	memset(&s->models, 0, sizeof s->models);
	now->conf = now->kept = s->conf;
	now->said = s->said;
	kws_setup_drop(s); /* engines of a listener that could not be created */
	return all;
}
