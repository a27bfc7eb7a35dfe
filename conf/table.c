#include "conf/table.h"

#include <assert.h>
#include <stdarg.h>
#include <string.h>

/* ---- the table ---- */

#define ONE(member) offsetof(kws_conf, member), sizeof((kws_conf *)0)->member, 1, 0, false
#define LIST(member)                                                                               \
	offsetof(kws_conf, member), sizeof((kws_conf *)0)->member[0],                              \
		sizeof((kws_conf *)0)->member / sizeof((kws_conf *)0)->member[0],                  \
		offsetof(kws_conf, n_##member)

const kws_conf_section kws_conf_sections[] = {
	{ "audio", LIST(audio), false },
	{ "model", LIST(model), false },
	{ "decision", LIST(decision), true },
	{ "threshold", LIST(decision), true }, /* its keys are words of a model */
	{ "stdout", ONE(out) },
	{ "journal", ONE(journal) },
	{ "file", LIST(file), false },
	{ "socket", LIST(socket), false },
	{ "hook", LIST(hook), false },
	{ "clips", ONE(clips) },
	{ "control", ONE(control) },
	{ "web", ONE(web) },
	{ "log", ONE(log) },
	{ "service", ONE(service) },
	{ "mqtt", ONE(mqtt) },
	{ "wyoming", ONE(wyoming) },
};
const size_t kws_conf_n_sections = sizeof kws_conf_sections / sizeof kws_conf_sections[0];

#define ROW(section, key, kind, min, max, def, live)                                               \
	{ #section, #key, &kws_conf_##kind, offsetof(kws_conf_##section, key), min, max, def, live }
#define KEY(section, key, kind, min, max, def)	ROW(section, key, kind, min, max, def, false)
#define LIVE(section, key, kind, min, max, def) ROW(section, key, kind, min, max, def, true)
#define TEXT(section, key, kind, def)                                                              \
	ROW(section, key, kind, 0, sizeof(((kws_conf_##section *)0)->key), def, false)

/* section, key, kind of value, min, max, default; LIVE: may be changed while kwsd runs. A section
 * is on if its first key is neither "no" nor empty. */
const kws_conf_key kws_conf_keys[] = {
	LIVE(audio, enabled, choice, 0, 1, "yes"),
	TEXT(audio, device, device, "default"),
	TEXT(audio, models, names, ""),
	KEY(audio, rate_hz, count, 0, 192000, "0"),
	KEY(audio, channels, count, 0, 32, "0"),
	KEY(audio, channel, count, 0, 32, "0"),
	KEY(audio, latency_ms, latency, 5, 1000, "60"),
	KEY(audio, squelch_db, real, 0, 40, "0"),
	KEY(audio, stall_ms, count, 100, 60000, "500"),
	KEY(audio, silence_s, count, 0, 86400, "60"),
	KEY(audio, backoff_ms, count, 50, 60000, "250"),
	KEY(audio, backoff_max_s, count, 1, 3600, "30"),
	KEY(audio, open_s, count, 1, 300, "15"),
	KEY(audio, teardown_ms, count, 100, 60000, "3000"),
	TEXT(model, path, path, ""),
	TEXT(model, after, name, ""),
	KEY(model, within_s, real, 0.1, 600, "5"),
	LIVE(decision, smooth_ms, count_or_model, 0, 2000, "model"),
	LIVE(decision, refractory_ms, count_or_model, 0, 60000, "model"),
	LIVE(decision, threshold, real_or_model, 0, 1, "model"),
	KEY(stdout, enabled, choice, 0, 2, "auto"),
	KEY(stdout, queue, events, 1, 4096, "64"),
	KEY(journal, enabled, choice, 0, 2, "auto"),
	KEY(journal, queue, events, 1, 4096, "64"),
	TEXT(file, path, file_path, ""),
	KEY(file, mode, mode, 0, 0777, "0640"),
	KEY(file, queue, events, 1, 4096, "64"),
	TEXT(socket, path, socket_path, ""),
	KEY(socket, mode, mode, 0, 0777, "0666"),
	TEXT(socket, group, text, ""),
	KEY(socket, clients, count, 1, 1024, "32"),
	KEY(socket, buffer_kb, count, 4, 4096, "64"),
	TEXT(hook, command, command, ""),
	KEY(hook, timeout_ms, count, 10, 600000, "5000"),
	KEY(hook, at_once, count, 1, 64, "2"),
	KEY(hook, queue, events, 1, 4096, "16"),
	TEXT(clips, dir, folder_path, ""),
	KEY(clips, quota_mb, count, 1, 1000000, "100"),
	KEY(clips, pre_ms, count, 0, 5000, "500"),
	KEY(clips, post_ms, count, 0, 5000, "500"),
	KEY(clips, near_miss, real, 0, 1, "0"),
	KEY(clips, queue, count, 1, 64, "8"),
	TEXT(control, path, socket_path_or_auto, "auto"),
	KEY(control, mode, mode, 0, 0777, "0660"),
	TEXT(control, group, text, ""),
	KEY(control, clients, count, 1, 1024, "64"),
	KEY(control, buffer_kb, count, 4, 4096, "64"),
	TEXT(control, state, file_path_or_auto, "auto"),
	TEXT(web, listen, text, "127.0.0.1:8591"),
	TEXT(web, token, path, ""),
	TEXT(web, hosts, text, ""),
	KEY(web, pages, count, 1, 256, "32"),
	KEY(web, clips, choice, 0, 1, "no"),
	TEXT(web, textfile, path, ""),
	KEY(web, textfile_s, count, 5, 3600, "15"),
	KEY(log, level, choice, 3, 7, "info"),
	KEY(log, stats_s, count, 0, 86400, "0"),
	KEY(service, outage_s, count, 0, 86400, "300"),
	TEXT(mqtt, host, text, "localhost"),
	KEY(mqtt, port, count, 0, 65535, "0"),
	KEY(mqtt, tls, choice, 0, 1, "no"),
	TEXT(mqtt, ca, path, ""),
	TEXT(mqtt, cert, path, ""),
	TEXT(mqtt, key, path, ""),
	TEXT(mqtt, user_file, path, ""),
	TEXT(mqtt, password_file, path, ""),
	TEXT(mqtt, client_id, text, ""),
	KEY(mqtt, qos, count, 0, 2, "2"),
	KEY(mqtt, keepalive_s, count, 5, 3600, "30"),
	KEY(mqtt, backoff_max_s, count, 1, 3600, "60"),
	TEXT(mqtt, site, name, ""),
	TEXT(mqtt, topic, text, "kwsd"),
	TEXT(mqtt, discovery, text, "homeassistant"),
	TEXT(mqtt, name, text, ""),
	TEXT(mqtt, area, text, ""),
	TEXT(mqtt, url, text, ""),
	KEY(mqtt, hermes, choice, 0, 1, "yes"),
	KEY(mqtt, interval_s, count, 1, 3600, "30"),
	KEY(mqtt, late_s, count, 1, 86400, "30"),
	TEXT(mqtt, spool, path_or_auto, "auto"),
	KEY(mqtt, spool_kb, count, 16, 1048576, "1024"),
	KEY(mqtt, spool_age_s, count, 1, 2592000, "3600"),
	TEXT(wyoming, uri, text, "tcp://127.0.0.1:10400"),
	KEY(wyoming, mode, mode, 0, 0777, "0660"),
	TEXT(wyoming, group, text, ""),
	KEY(wyoming, clients, count, 1, 1000, "128"),
	KEY(wyoming, idle_s, count, 0, 86400, "3600"),
	TEXT(wyoming, languages, text, "en"),
};
const size_t kws_conf_n_keys = sizeof kws_conf_keys / sizeof kws_conf_keys[0];

/* ---- sections and their elements ---- */

const kws_conf_section *kws_conf_section_find(const char *name)
{
	for (size_t i = 0; i < kws_conf_n_sections; i++)
		if (!strcmp(kws_conf_sections[i].name, name))
			return &kws_conf_sections[i];
	return NULL;
}

const kws_conf_key *kws_conf_key_find(const char *section, const char *name)
{
	for (size_t i = 0; i < kws_conf_n_keys; i++)
		if (!strcmp(kws_conf_keys[i].section, section)
		    && !strcmp(kws_conf_keys[i].name, name))
			return &kws_conf_keys[i];
	return NULL;
}

static const kws_conf_section *section_of(const kws_conf_key *k)
{
	const kws_conf_section *s = kws_conf_section_find(k->section);

	assert(s);
	return s;
}

bool kws_conf_repeats(const kws_conf_section *s)
{
	return s->max > 1;
}

size_t kws_conf_count_of(const kws_conf *c, const kws_conf_section *s)
{
	return kws_conf_repeats(s) ? *(const size_t *)(const void *)((const char *)c + s->count_at)
				   : 1;
}

void *kws_conf_element(kws_conf *c, const kws_conf_section *s, size_t i)
{
	return (char *)c + s->at + i * s->size;
}

const void *kws_conf_at(const kws_conf *c, const kws_conf_section *s, size_t i)
{
	return (const char *)c + s->at + i * s->size;
}

const char *kws_conf_name_of(const kws_conf *c, const kws_conf_section *s, size_t i)
{
	return kws_conf_repeats(s) ? kws_conf_at(c, s, i) : "";
}

size_t kws_conf_index(const kws_conf *c, const kws_conf_section *s, const char *name)
{
	size_t i = 0;

	while (i < kws_conf_count_of(c, s) && strcmp(kws_conf_name_of(c, s, i), name) != 0)
		i++;
	return i;
}

/* [decision] and [threshold] share one struct, so compare the offset, not the name. */
void kws_conf_put_defaults(const kws_conf_section *s, void *element)
{
	for (size_t i = 0; i < kws_conf_n_keys; i++) {
		const kws_conf_key *k = &kws_conf_keys[i];

		if (section_of(k)->at == s->at)
			k->kind->parse(k, k->def, (char *)element + k->offset);
	}
}

void *kws_conf_add(kws_conf *c, const kws_conf_section *s, const char *name)
{
	size_t *n = (size_t *)(void *)((char *)c + s->count_at);
	char *element = kws_conf_element(c, s, (*n)++);

	memset(element, 0, s->size);
	kws_conf_put_defaults(s, element);
	snprintf(element, KWS_CONF_NAME, "%s", name);
	if (s->common && *name) {
		kws_conf_decision *d = (void *)element;

		d->smooth_ms = d->refractory_ms = KWS_CONF_UNSAID;
		d->threshold = KWS_CONF_UNSAID;
	}
	return element;
}

/* ---- all sections ---- */

bool kws_conf_is_on(const kws_conf *c, const kws_conf_section *s, size_t i)
{
	const kws_conf_key *k = kws_conf_keys;
	unsigned enabled;

	while (k < kws_conf_keys + kws_conf_n_keys && strcmp(k->section, s->name) != 0)
		k++;
	if (k == kws_conf_keys + kws_conf_n_keys) /* [threshold] has no fixed keys */
		return true;
	const char *field = (const char *)kws_conf_at(c, s, i) + k->offset;
	if (k->kind != &kws_conf_choice)
		return *field;
	memcpy(&enabled, field, sizeof enabled);
	return enabled != KWS_NO;
}

bool kws_conf_next_place(const kws_conf *c, kws_conf_place *p)
{
	for (; p->next_key < kws_conf_n_keys; p->next_key++, p->next = 0) {
		const kws_conf_key *k = &kws_conf_keys[p->next_key];
		const kws_conf_section *s = section_of(k);

		while (k->kind->place != KWS_CONF_NOWHERE && p->next < kws_conf_count_of(c, s)) {
			p->path = (const char *)kws_conf_at(c, s, p->next++) + k->offset;
			p->what = k->kind->place;
			kws_conf_title(s->name, kws_conf_name_of(c, s, p->next - 1), p->key);
			snprintf(p->key + strlen(p->key), sizeof p->key - strlen(p->key), " %s",
				 k->name);
			if (*p->path == '/')
				return true;
		}
	}
	return false;
}

/* ---- errors ---- */

void kws_conf_tell(kws_conf_told *t, const char *format, ...)
{
	char what[1024], text[2048];
	va_list ap;

	va_start(ap, format);
	vsnprintf(what, sizeof what, format, ap);
	va_end(ap);
	if (t->line)
		snprintf(text, sizeof text, "%s:%d: %s", t->name, t->line, what);
	else
		snprintf(text, sizeof text, "%s: %s", t->name, what);
	t->errors++;
	if (t->fn)
		t->fn(t->ctx, text);
}
