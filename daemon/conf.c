#include "daemon/conf.h"

#include "daemon/conf_table.h"

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

#define ROW(section, key, kind, min, max, def, live)                                               \
	{ #section, #key, &kws_conf_##kind, offsetof(kws_conf_##section, key), min, max, def, live }
#define KEY(section, key, kind, min, max, def)	ROW(section, key, kind, min, max, def, false)
#define LIVE(section, key, kind, min, max, def) ROW(section, key, kind, min, max, def, true)
#define TEXT(section, key, kind, def)                                                              \
	ROW(section, key, kind, 0, sizeof(((kws_conf_##section *)0)->key), def, false)

/* section, key, kind of value, least, most, default; LIVE: may be changed while kwsd runs */
const kws_conf_key kws_conf_keys[] = {
	LIVE(audio, enabled, choice, 0, 1, "yes"),
	TEXT(audio, device, device, "default"),
	TEXT(audio, models, names, ""),
	KEY(audio, rate_hz, count, 0, 192000, "0"),
	KEY(audio, channels, count, 0, 32, "0"),
	KEY(audio, channel, count, 0, 32, "0"),
	KEY(audio, latency_ms, count, 5, 1000, "40"),
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
	KEY(stdout, queue, count, 1, 4096, "64"),
	KEY(journal, enabled, choice, 0, 2, "auto"),
	KEY(journal, queue, count, 1, 4096, "64"),
	TEXT(file, path, path, ""),
	KEY(file, mode, mode, 0, 0777, "0640"),
	KEY(file, queue, count, 1, 4096, "64"),
	TEXT(socket, path, path, ""),
	KEY(socket, mode, mode, 0, 0777, "0666"),
	TEXT(socket, group, text, ""),
	KEY(socket, clients, count, 1, 1024, "32"),
	KEY(socket, buffer_kb, count, 4, 4096, "64"),
	TEXT(hook, command, command, ""),
	KEY(hook, timeout_ms, count, 10, 600000, "5000"),
	KEY(hook, at_once, count, 1, 64, "2"),
	KEY(hook, queue, count, 1, 4096, "16"),
	TEXT(clips, dir, path, ""),
	KEY(clips, quota_mb, count, 1, 1000000, "100"),
	KEY(clips, pre_ms, count, 0, 5000, "500"),
	KEY(clips, post_ms, count, 0, 5000, "500"),
	KEY(clips, near_miss, real, 0, 1, "0"),
	KEY(clips, queue, count, 1, 64, "8"),
	TEXT(control, path, path_or_auto, "auto"),
	KEY(control, mode, mode, 0, 0777, "0660"),
	TEXT(control, group, text, ""),
	KEY(control, clients, count, 1, 1024, "64"),
	KEY(control, buffer_kb, count, 4, 4096, "64"),
	TEXT(control, state, path_or_auto, "auto"),
	KEY(log, level, choice, 3, 7, "info"),
	KEY(log, stats_s, count, 0, 86400, "0"),
	KEY(service, poll_ms, count, 5, 100, "20"),
	KEY(service, outage_s, count, 0, 86400, "300"),
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

static const char *element_of(const kws_conf *c, const kws_conf_section *s, size_t i)
{
	return (const char *)c + s->at + i * s->size;
}

const char *kws_conf_name_of(const kws_conf *c, const kws_conf_section *s, size_t i)
{
	return kws_conf_repeats(s) ? element_of(c, s, i) : "";
}

size_t kws_conf_index(const kws_conf *c, const kws_conf_section *s, const char *name)
{
	size_t i = 0;

	while (i < kws_conf_count_of(c, s) && strcmp(kws_conf_name_of(c, s, i), name) != 0)
		i++;
	return i;
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
	snprintf(element, KWS_CONF_NAME, "%s", name);
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

		const size_t n = kws_conf_count_of(c, s);

		if (kws_conf_repeats(s) && (s->common ? kws_conf_index(c, s, "") == n : n == 0))
			kws_conf_add(c, s, "");
	}
}

void kws_conf_defaults(kws_conf *c)
{
	kws_conf_begin(c);
	kws_conf_end(c);
}

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

typedef struct {
	FILE *out;
	char title[KWS_CONF_TITLE];
	bool headed, begun; /* this section has its title; there was another before */
} printer;

static void put_title(printer *p)
{
	if (!p->headed)
		fprintf(p->out, "%s%s\n", p->begun ? "\n" : "", p->title);
	p->headed = p->begun = true;
}

static void put_line(printer *p, const char *name, const char *text)
{
	put_title(p);
	fprintf(p->out, "%s =%s%s\n", name, *text ? " " : "", text);
}

static bool has_word(const kws_conf_decision *d, const kws_conf_word *w)
{
	for (size_t i = 0; i < d->n_words; i++)
		if (!strcmp(d->word[i].word, w->word))
			return !(d->word[i].threshold < w->threshold
				 || d->word[i].threshold > w->threshold);
	return false;
}

/* was: what need not be written again; NULL: nothing. */
static void put_words(printer *p, const kws_conf_decision *d, const kws_conf_decision *was)
{
	char text[KWS_CONF_LINE];

	for (size_t i = 0; i < d->n_words; i++) {
		const kws_conf_word *w = &d->word[i];

		if (was && has_word(was, w))
			continue;
		if (w->threshold > 1.0f)
			snprintf(text, sizeof text, "off");
		else
			kws_conf_write_real(w->threshold, text, sizeof text);
		put_line(p, w->word, text);
	}
}

static void put_keys(printer *p, const kws_conf_section *s, const char *element, const char *was)
{
	char text[KWS_CONF_LINE], before[KWS_CONF_LINE];

	for (size_t i = 0; i < kws_conf_n_keys; i++) {
		const kws_conf_key *k = &kws_conf_keys[i];

		if (strcmp(k->section, s->name) != 0 || (was && !k->live))
			continue;
		k->kind->print(k, element + k->offset, text, sizeof text);
		if (was)
			k->kind->print(k, was + k->offset, before, sizeof before);
		if (was && !strcmp(text, before))
			continue;
		if (*text || !s->common) /* else: as the plain one says */
			put_line(p, k->name, text);
	}
}

static void put_section(printer *p, const kws_conf *c, const kws_conf *from,
			const kws_conf_section *s, size_t i)
{
	static const kws_conf_decision none = { .smooth_ms = KWS_CONF_UNSAID,
						.refractory_ms = KWS_CONF_UNSAID,
						.threshold = KWS_CONF_UNSAID };
	const char *name = kws_conf_name_of(c, s, i), *was = NULL;
	const bool words = !strcmp(s->name, "threshold");
	const size_t k = from ? kws_conf_index(from, s, name) : 0;

	if (from && k < kws_conf_count_of(from, s))
		was = element_of(from, s, k);
	else if (from && s->common)
		was = (const char *)&none;
	else if (from)
		return;
	kws_conf_title(s->name, name, p->title);
	p->headed = false;
	/* also of a decision that is new and says nothing here: it keeps its place in the list */
	if (words ? !from && !*name : !from || was == (const char *)&none)
		put_title(p);
	if (words)
		put_words(p, &c->decision[i], (const void *)was);
	else
		put_keys(p, s, element_of(c, s, i), was);
}

static void put_all(const kws_conf *c, const kws_conf *from, FILE *out)
{
	printer p = { .out = out };

	for (size_t s = 0; s < kws_conf_n_sections; s++)
		for (size_t i = 0; i < kws_conf_count_of(c, &kws_conf_sections[s]); i++)
			put_section(&p, c, from, &kws_conf_sections[s], i);
}

void kws_conf_print(const kws_conf *c, FILE *out)
{
	put_all(c, NULL, out);
}

void kws_conf_print_kept(const kws_conf *from, const kws_conf *to, FILE *out)
{
	put_all(to, from, out);
}
