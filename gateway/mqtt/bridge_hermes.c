#include "gateway/mqtt/bridge_parts.h"

#include "runtime/log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- microphones that are off ---- */

static kws_bridge_mute *mute_of(kws_bridge *b, const char *listener, bool make)
{
	size_t i = 0;

	while (i < b->n_mute && strcmp(b->mute[i].listener, listener) != 0)
		i++;
	if (i < b->n_mute)
		return &b->mute[i];
	if (!make || i == KWS_CONF_AUDIOS)
		return NULL;
	memset(&b->mute[i], 0, sizeof b->mute[i]);
	snprintf(b->mute[i].listener, sizeof b->mute[i].listener, "%s", listener);
	b->n_mute++;
	return &b->mute[i];
}

/* Note which microphones are off by our doing, for the next process: should this one die, nobody else
 * would turn them on again. */
static void save_mutes(const kws_bridge *b)
{
	char text[KWS_CONF_AUDIOS * (KWS_CONF_NAME + 1) + 1] = "";
	size_t n = 0;
	int fd;

	if (!*b->mute_path)
		return;
	for (size_t i = 0; i < b->n_mute; i++)
		if (b->mute[i].muted)
			n += (size_t)snprintf(text + n, sizeof text - n, "%s\n",
					      b->mute[i].listener);
	if (!n) {
		unlink(b->mute_path);
		return;
	}
	fd = open(b->mute_path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0 || write(fd, text, n) != (ssize_t)n)
		kws_log(KWS_LOG_WARNING, "%s: %s", b->mute_path, kws_strerrno(errno));
	if (fd >= 0)
		close(fd);
}

void kws_bridge_load_mutes(kws_bridge *b)
{
	char line[KWS_CONF_NAME + 1];
	FILE *f = *b->mute_path ? fopen(b->mute_path, "re") : NULL;

	while (f && fgets(line, sizeof line, f)) {
		kws_bridge_mute *m;

		line[strcspn(line, "\n")] = 0;
		m = mute_of(b, line, true);
		if (m)
			m->muted = true;
	}
	if (f)
		fclose(f);
}

static json_t *listener_of(const kws_bridge *b, const char *name)
{
	json_t *listener;
	size_t i;

	json_array_foreach(
		json_object_get(b->status, "listeners"), i,
		listener) if (!strcmp(kws_site_text(listener, "name"), name)) return listener;
	return NULL;
}

static void listen(kws_bridge *b, const char *listener, bool on)
{
	json_object_set_new(listener_of(b, listener), "enabled", json_boolean(on));
	b->ops->request(
		b->ctx,
		json_pack("{s:s, s:b, s:s}", "request", "listen", "on", on, "listener", listener),
		NULL, NULL);
	kws_bridge_ask(b);
}

/* Turn it off for Hermes, if it is on. */
static void mute(kws_bridge *b, kws_bridge_mute *m)
{
	if (!json_is_true(json_object_get(listener_of(b, m->listener), "enabled")))
		return;
	if (!m->muted) {
		m->muted = true;
		save_mutes(b);
	}
	listen(b, m->listener, false);
}

static void unmute(kws_bridge *b, kws_bridge_mute *m)
{
	if (m->muted)
		listen(b, m->listener, true);
	m->muted = false;
	save_mutes(b);
}

void kws_bridge_unmute(kws_bridge *b, const char *listener, bool on)
{
	kws_bridge_mute *m = mute_of(b, listener, false);

	/* so that a message which comes before the next status finds it */
	json_object_set_new(listener_of(b, listener), "enabled", json_boolean(on));
	if (!m)
		return;
	if (on)
		m->off.n = 0;
	m->muted = false;
	save_mutes(b);
}

void kws_bridge_remute(kws_bridge *b)
{
	for (size_t i = 0; i < b->n_mute; i++)
		if (b->mute[i].off.n)
			mute(b, &b->mute[i]);
		else if (b->mute[i].muted)
			unmute(b, &b->mute[i]);
}

void kws_bridge_stop(kws_bridge *b)
{
	for (size_t i = 0; i < b->n_mute; i++)
		if (b->mute[i].muted && b->daemon)
			unmute(b, &b->mute[i]);
}

/* ---- messages ---- */

static void toggle(kws_bridge *b, const char *site_id, const char *reason, bool on)
{
	const json_t *listener;
	size_t i;

	json_array_foreach(json_object_get(b->status, "listeners"), i, listener)
	{
		const char *name = kws_site_text(listener, "name");
		kws_bridge_mute *m;

		if (!kws_hermes_means(&b->site, site_id, name))
			continue;
		m = mute_of(b, name, true);
		if (m && on && kws_hermes_on(&m->off, reason))
			unmute(b, m);
		if (m && !on && kws_hermes_off(&m->off, reason))
			mute(b, m);
	}
}

void kws_bridge_hermes(kws_bridge *b, const char *topic, const json_t *message)
{
	const char *site_id = kws_site_text(message, "siteId"),
		   *reason = kws_site_text(message, "reason");
	json_t *answer;

	if (!*site_id)
		site_id = "default";
	if (!strcmp(topic, "hermes/hotword/toggleOn"))
		toggle(b, site_id, reason, true);
	else if (!strcmp(topic, "hermes/hotword/toggleOff"))
		toggle(b, site_id, reason, false);
	else {
		answer = kws_hermes_hotwords(&b->site, b->status, site_id,
					     kws_site_text(message, "id"));
		if (answer)
			kws_bridge_publish(b, "rhasspy/hotword/hotwords", answer, false);
	}
}
