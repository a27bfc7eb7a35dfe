#include "conf/conf.h"

#include "conf/table.h"

#include <string.h>

/* ---- begin and end ---- */

void kws_conf_begin(kws_conf *c)
{
	memset(c, 0, sizeof *c);
	for (size_t i = 0; i < kws_conf_n_sections; i++)
		if (!kws_conf_repeats(&kws_conf_sections[i]))
			kws_conf_put_defaults(&kws_conf_sections[i],
					      (char *)c + kws_conf_sections[i].at);
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

/* ---- values from several sections ---- */

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
	bool headed, begun; /* the title of this section is printed; a section came before */
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

/* was: values that need not be written again; NULL: write all. */
static void put_words(printer *p, const kws_conf_decision *d, const kws_conf_decision *was)
{
	char text[KWS_CONF_LINE];

	for (size_t i = 0; i < d->n_words; i++) {
		const kws_conf_word *w = &d->word[i];

		if (was && has_word(was, w))
			continue;
		if (w->threshold > 1.0f || w->threshold < 0.0f)
			snprintf(text, sizeof text, w->threshold > 1.0f ? "off" : "model");
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
		if (*text || !s->common) /* otherwise the plain section applies */
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
		was = kws_conf_at(from, s, k);
	else if (from && s->common)
		was = (const char *)&none;
	else if (from)
		return;
	kws_conf_title(s->name, name, p->title);
	p->headed = false;
	/* print the title of a new decision even if it has no keys: it keeps its place in the
	 * list */
	if (words ? !from && !*name : !from || was == (const char *)&none)
		put_title(p);
	if (words)
		put_words(p, &c->decision[i], (const void *)was);
	else
		put_keys(p, s, kws_conf_at(c, s, i), was);
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

void kws_conf_print_sections(const kws_conf *c, const char *const *names, FILE *out)
{
	printer p = { .out = out };

	for (; *names; names++) {
		const kws_conf_section *s = kws_conf_section_find(*names);

		for (size_t i = 0; i < kws_conf_count_of(c, s); i++)
			put_section(&p, c, NULL, s, i);
	}
}

void kws_conf_print_kept(const kws_conf *from, const kws_conf *to, FILE *out)
{
	put_all(to, from, out);
}
