#include "daemon/conf.h"

#include "daemon/conf_table.h"

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
	{ "threshold", LIST(decision), true }, /* has a model's words for keys */
	{ "stdout", ONE(out) },
	{ "journal", ONE(journal) },
	{ "file", LIST(file), false },
	{ "socket", LIST(socket), false },
	{ "hook", LIST(hook), false },
	{ "clips", ONE(clips) },
	{ "control", ONE(control) },
	{ "log", ONE(log) },
	{ "service", ONE(service) },
};
const size_t kws_conf_n_sections = sizeof kws_conf_sections / sizeof kws_conf_sections[0];

#define AT(section, member)   offsetof(kws_conf_##section, member)
#define ROOM(section, member) (double)sizeof(((kws_conf_##section *)0)->member)

const kws_conf_key kws_conf_keys[] = {
	{ "audio", "enabled", &kws_conf_choice, AT(audio, enabled), 0, 1, "yes" },
	{ "audio", "device", &kws_conf_device, AT(audio, device), 0, ROOM(audio, device),
	  "default" },
	{ "audio", "models", &kws_conf_names, AT(audio, models), 0, ROOM(audio, models), "" },
	{ "audio", "rate_hz", &kws_conf_count, AT(audio, rate_hz), 0, 192000, "0" },
	{ "audio", "channels", &kws_conf_count, AT(audio, channels), 0, 32, "0" },
	{ "audio", "channel", &kws_conf_count, AT(audio, channel), 0, 32, "0" },
	{ "audio", "latency_ms", &kws_conf_count, AT(audio, latency_ms), 5, 1000, "40" },
	{ "audio", "stall_ms", &kws_conf_count, AT(audio, stall_ms), 100, 60000, "500" },
	{ "audio", "silence_s", &kws_conf_count, AT(audio, silence_s), 0, 86400, "60" },
	{ "audio", "backoff_ms", &kws_conf_count, AT(audio, backoff_ms), 50, 60000, "250" },
	{ "audio", "backoff_max_s", &kws_conf_count, AT(audio, backoff_max_s), 1, 3600, "30" },
	{ "audio", "open_s", &kws_conf_count, AT(audio, open_s), 1, 300, "15" },
	{ "audio", "teardown_ms", &kws_conf_count, AT(audio, teardown_ms), 100, 60000, "3000" },
	{ "model", "path", &kws_conf_path, AT(model, path), 0, ROOM(model, path), "" },
	{ "model", "after", &kws_conf_name, AT(model, after), 0, ROOM(model, after), "" },
	{ "model", "within_s", &kws_conf_real, AT(model, within_s), 0.1, 600, "5" },
	{ "decision", "smooth_ms", &kws_conf_count_or_model, AT(decision, smooth_ms), 0, 5000,
	  "model" },
	{ "decision", "refractory_ms", &kws_conf_count_or_model, AT(decision, refractory_ms), 0,
	  60000, "model" },
	{ "decision", "threshold", &kws_conf_real_or_model, AT(decision, threshold), 0, 1,
	  "model" },
	{ "stdout", "enabled", &kws_conf_choice, AT(stdout, enabled), 0, 2, "auto" },
	{ "stdout", "queue", &kws_conf_count, AT(stdout, queue), 1, 4096, "64" },
	{ "journal", "enabled", &kws_conf_choice, AT(journal, enabled), 0, 2, "auto" },
	{ "journal", "queue", &kws_conf_count, AT(journal, queue), 1, 4096, "64" },
	{ "file", "path", &kws_conf_path, AT(file, path), 0, ROOM(file, path), "" },
	{ "file", "mode", &kws_conf_mode, AT(file, mode), 0, 0777, "0640" },
	{ "file", "queue", &kws_conf_count, AT(file, queue), 1, 4096, "64" },
	{ "socket", "path", &kws_conf_path, AT(socket, path), 0, ROOM(socket, path), "" },
	{ "socket", "mode", &kws_conf_mode, AT(socket, mode), 0, 0777, "0666" },
	{ "socket", "group", &kws_conf_text, AT(socket, group), 0, ROOM(socket, group), "" },
	{ "socket", "clients", &kws_conf_count, AT(socket, clients), 1, 1024, "32" },
	{ "socket", "buffer_kb", &kws_conf_count, AT(socket, buffer_kb), 4, 4096, "64" },
	{ "hook", "command", &kws_conf_command, AT(hook, command), 0, ROOM(hook, command), "" },
	{ "hook", "timeout_ms", &kws_conf_count, AT(hook, timeout_ms), 10, 600000, "5000" },
	{ "hook", "at_once", &kws_conf_count, AT(hook, at_once), 1, 64, "2" },
	{ "hook", "queue", &kws_conf_count, AT(hook, queue), 1, 4096, "16" },
	{ "clips", "dir", &kws_conf_path, AT(clips, dir), 0, ROOM(clips, dir), "" },
	{ "clips", "quota_mb", &kws_conf_count, AT(clips, quota_mb), 1, 1000000, "100" },
	{ "clips", "pre_ms", &kws_conf_count, AT(clips, pre_ms), 0, 5000, "500" },
	{ "clips", "post_ms", &kws_conf_count, AT(clips, post_ms), 0, 5000, "500" },
	{ "clips", "near_miss", &kws_conf_real, AT(clips, near_miss), 0, 1, "0" },
	{ "clips", "queue", &kws_conf_count, AT(clips, queue), 1, 64, "8" },
	{ "control", "path", &kws_conf_path_or_auto, AT(control, path), 0, ROOM(control, path),
	  "auto" },
	{ "control", "mode", &kws_conf_mode, AT(control, mode), 0, 0777, "0660" },
	{ "control", "group", &kws_conf_text, AT(control, group), 0, ROOM(control, group), "" },
	{ "control", "clients", &kws_conf_count, AT(control, clients), 1, 1024, "64" },
	{ "control", "buffer_kb", &kws_conf_count, AT(control, buffer_kb), 4, 4096, "64" },
	{ "control", "state", &kws_conf_path_or_auto, AT(control, state), 0, ROOM(control, state),
	  "auto" },
	{ "log", "level", &kws_conf_choice, AT(log, level), 3, 7, "info" },
	{ "log", "stats_s", &kws_conf_count, AT(log, stats_s), 0, 86400, "0" },
	{ "service", "poll_ms", &kws_conf_count, AT(service, poll_ms), 5, 100, "20" },
	{ "service", "outage_s", &kws_conf_count, AT(service, outage_s), 0, 86400, "300" },
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

void *kws_conf_named(kws_conf *c, const kws_conf_section *s, const char *name)
{
	for (size_t i = 0; i < kws_conf_count_of(c, s); i++) {
		char *element = kws_conf_element(c, s, i);

		if (!strcmp(kws_conf_repeats(s) ? element : "", name))
			return element;
	}
	return NULL;
}

/* [decision] and [threshold] are one struct: what counts is where it lies. */
static void put_defaults(const kws_conf_section *s, char *element)
{
	for (size_t i = 0; i < kws_conf_n_keys; i++) {
		const kws_conf_key *k = &kws_conf_keys[i];

		if (kws_conf_section_find(k->section)->at == s->at)
			k->kind->parse(k, k->def, element + k->offset);
	}
}

void *kws_conf_add(kws_conf *c, const kws_conf_section *s, const char *name)
{
	size_t *n = (size_t *)(void *)((char *)c + s->count_at);
	char *element = kws_conf_element(c, s, (*n)++);

	memset(element, 0, s->size);
	put_defaults(s, element);
	memcpy(element, name, strlen(name));
	if (s->common && *name) {
		kws_conf_decision *d = (void *)element;

		d->smooth_ms = d->refractory_ms = KWS_CONF_UNSAID;
		d->threshold = KWS_CONF_UNSAID;
	}
	return element;
}

void kws_conf_begin(kws_conf *c)
{
	memset(c, 0, sizeof *c);
	for (size_t i = 0; i < kws_conf_n_sections; i++)
		if (!kws_conf_repeats(&kws_conf_sections[i]))
			put_defaults(&kws_conf_sections[i], (char *)c + kws_conf_sections[i].at);
}

void kws_conf_end(kws_conf *c)
{
	for (size_t i = 0; i < kws_conf_n_sections; i++) {
		const kws_conf_section *s = &kws_conf_sections[i];

		if (kws_conf_repeats(s)
		    && (s->common ? !kws_conf_named(c, s, "") : !kws_conf_count_of(c, s)))
			kws_conf_add(c, s, "");
	}
}

void kws_conf_defaults(kws_conf *c)
{
	kws_conf_begin(c);
	kws_conf_end(c);
}

/* ---- what they say together ---- */

const char *kws_conf_title(const char *section, const char *name, char title[KWS_CONF_TITLE])
{
	snprintf(title, KWS_CONF_TITLE, "[%s%s%s]", section, *name ? " " : "", name);
	return title;
}

static kws_conf_word *word_of(kws_conf_decision *d, const char *word)
{
	size_t i = 0;

	while (i < d->n_words && strcmp(d->word[i].word, word) != 0)
		i++;
	if (i == d->n_words && i < KWS_CONF_WORDS)
		d->n_words++;
	return i < KWS_CONF_WORDS ? &d->word[i] : NULL;
}

static void put_over(kws_conf_decision *d, const kws_conf_decision *own)
{
	if (own->smooth_ms != KWS_CONF_UNSAID)
		d->smooth_ms = own->smooth_ms;
	if (own->refractory_ms != KWS_CONF_UNSAID)
		d->refractory_ms = own->refractory_ms;
	if (own->threshold >= -1.0f)
		d->threshold = own->threshold;
	for (size_t i = 0; i < own->n_words; i++) {
		kws_conf_word *w = word_of(d, own->word[i].word);

		if (w)
			*w = own->word[i];
	}
}

void kws_conf_decision_for(const kws_conf *c, const char *model, kws_conf_decision *out)
{
	memset(out, 0, sizeof *out);
	out->smooth_ms = out->refractory_ms = -1;
	out->threshold = -1.0f;
	for (size_t i = 0; i < c->n_decision; i++)
		if (!*c->decision[i].name)
			*out = c->decision[i];
	for (size_t i = 0; *model && i < c->n_decision; i++)
		if (!strcmp(c->decision[i].name, model))
			put_over(out, &c->decision[i]);
	snprintf(out->name, sizeof out->name, "%s", model);
}

bool kws_conf_hears(const kws_conf_audio *a, const char *model)
{
	const size_t n = strlen(model);

	for (const char *at = a->models; *at; at += strcspn(at, " "), at += *at == ' ')
		if (strcspn(at, " ") == n && !strncmp(at, model, n))
			return true;
	return !*a->models;
}

/* ---- printing ---- */

static void print_words(const kws_conf_decision *d, FILE *out)
{
	char text[KWS_CONF_LINE];

	for (size_t i = 0; i < d->n_words; i++) {
		if (d->word[i].threshold > 1.0f)
			snprintf(text, sizeof text, "off");
		else
			kws_conf_write_real(d->word[i].threshold, text, sizeof text);
		fprintf(out, "%s = %s\n", d->word[i].word, text);
	}
}

static void print_keys(const kws_conf_section *s, const char *element, FILE *out)
{
	char text[KWS_CONF_LINE];

	for (size_t i = 0; i < kws_conf_n_keys; i++) {
		const kws_conf_key *k = &kws_conf_keys[i];

		if (strcmp(k->section, s->name) != 0)
			continue;
		k->kind->print(k, element + k->offset, text, sizeof text);
		if (*text || !s->common) /* else: as the plain one says */
			fprintf(out, "%s =%s%s\n", k->name, *text ? " " : "", text);
	}
}

void kws_conf_print(const kws_conf *c, FILE *out)
{
	const char *gap = "";

	for (size_t i = 0; i < kws_conf_n_sections; i++) {
		const kws_conf_section *s = &kws_conf_sections[i];
		const bool words = !strcmp(s->name, "threshold");

		for (size_t k = 0; k < kws_conf_count_of(c, s); k++) {
			const char *element = (const char *)c + s->at + k * s->size;
			const char *name = kws_conf_repeats(s) ? element : "";
			char title[KWS_CONF_TITLE];

			if (words && *name && !c->decision[k].n_words)
				continue;
			fprintf(out, "%s%s\n", gap, kws_conf_title(s->name, name, title));
			if (words)
				print_words(&c->decision[k], out);
			else
				print_keys(s, element, out);
			gap = "\n";
		}
	}
}
