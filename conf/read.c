#include "conf/table.h"
#include "conf/text.h"

#include "kws.h"
#include "nearest.h"
#include "number.h"

#include <ctype.h>
#include <errno.h>
#include <ini.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
	kws_conf *conf;
	kws_conf_told told;
	bool live;		/* kwsd runs: only keys that need no reload, in existing sections */
	const char *text, *end; /* the text that is left */
	char value[KWS_CONF_LINE];	 /* of this line, with quotes and comment */
	const kws_conf_section *section; /* the current one; NULL: none, or a refused one */
	bool refused;
	char name[KWS_CONF_NAME];		  /* of the section */
	int seen[sizeof(kws_conf) / sizeof(int)]; /* the line that set a field; 0: none */
} reader;

/* ---- sections ---- */

static const char *title_of(const reader *r, char title[KWS_CONF_TITLE])
{
	return kws_conf_title(r->section->name, r->name, title);
}

static void no_such_section(reader *r, const char *text)
{
	kws_nearest near;

	kws_nearest_init(&near, text);
	for (size_t i = 0; i < kws_conf_n_sections; i++)
		kws_nearest_offer(&near, kws_conf_sections[i].name);
	kws_conf_tell(&r->told, "[%s]: no such section%s", text, kws_nearest_hint(&near));
}

/* text: the text between the brackets. */
static void enter(reader *r, const char *text)
{
	char word[KWS_CONF_LINE], name[KWS_CONF_LINE];
	int n = 0;

	text += strspn(text, " \t");
	snprintf(word, sizeof word, "%.*s", (int)strcspn(text, " \t"), text);
	text += strlen(word);
	text += strspn(text, " \t");
	snprintf(name, sizeof name, "%s", text);
	for (n = (int)strlen(name); n > 0 && strchr(" \t", name[n - 1]); n--)
		name[n - 1] = 0;
	r->section = kws_conf_section_find(word);
	r->refused = true;
	if (!r->section)
		no_such_section(r, word);
	else if (*name && !kws_conf_repeats(r->section))
		kws_conf_tell(&r->told, "[%s %s]: there is one [%s] only, without a name", word,
			      name, word);
	else if (*name && !kws_is_name(name, strlen(name)))
		kws_conf_tell(&r->told, "[%s %s]: a name has 1 to %d of A-Z a-z 0-9 _ -", word,
			      name, KWS_CONF_NAME - 1);
	else
		r->refused = false;
	if (r->refused)
		r->section = NULL;
	else
		memcpy(r->name, name, strlen(name) + 1);
}

/* The running kwsd does not have this section. */
static void no_such_element(reader *r)
{
	char title[KWS_CONF_TITLE];
	kws_nearest near;

	kws_nearest_init(&near, r->name);
	for (size_t i = 0; i < kws_conf_count_of(r->conf, r->section); i++)
		kws_nearest_offer(&near, kws_conf_name_of(r->conf, r->section, i));
	kws_conf_tell(&r->told, "%s: there is no such section%s", title_of(r, title),
		      kws_nearest_hint(&near));
}

/* The element of the current section; added if it does not exist. A plain one is added with its
 * first key, so that an empty [audio] makes no microphone. NULL: it may not be added; reported. */
static char *element(reader *r)
{
	char title[KWS_CONF_TITLE];
	const size_t n = kws_conf_count_of(r->conf, r->section),
		     i = kws_conf_index(r->conf, r->section, r->name);

	if (i < n)
		return kws_conf_element(r->conf, r->section, i);
	if (r->live && !r->section->common)
		no_such_element(r);
	else if (n < r->section->max)
		return kws_conf_add(r->conf, r->section, r->name);
	else
		kws_conf_tell(&r->told, "%s: one too many: there may be %zu [%s]",
			      title_of(r, title), r->section->max, r->section->name);
	r->section = NULL;
	r->refused = true;
	return NULL;
}

/* ---- keys ---- */

/* The line of this file that set the field before; 0: none. */
static int *line_of(reader *r, const void *field)
{
	return &r->seen[(size_t)((const char *)field - (const char *)r->conf) / sizeof(int)];
}

static bool is_new(reader *r, const char *key, const void *field)
{
	char title[KWS_CONF_TITLE];
	int *line = line_of(r, field);

	if (*line) {
		kws_conf_tell(&r->told, "%s %s: given twice, first in line %d", title_of(r, title),
			      key, *line);
		return false;
	}
	*line = r->told.line;
	return true;
}

static void set_key(reader *r, const kws_conf_key *k, const char *value)
{
	_Alignas(double) char tried[KWS_CONF_LINE];
	char range[160], title[KWS_CONF_TITLE];

	if (r->live && !k->live) {
		kws_conf_tell(&r->told, "%s %s: can be changed by a reload only",
			      title_of(r, title), k->name);
		return;
	}
	if (!k->kind->parse(k, value, tried)) {
		k->kind->range(k, range, sizeof range);
		kws_conf_tell(&r->told, "%s %s: %s is not %s", title_of(r, title), k->name,
			      *value ? value : "an empty value", range);
		return;
	}
	char *e = element(r);
	if (e && is_new(r, k->name, e + k->offset))
		k->kind->parse(k, value, e + k->offset);
}

/* Whether word, written before the = of a line, reads back the same. */
static bool can_be_key(const char *word)
{
	const size_t n = strlen(word);

	if (!n || strpbrk(word, "=:") || strchr("[#; \t", word[0]) || strchr(" \t", word[n - 1])
	    || strstr(word, " ;") || strstr(word, " #"))
		return false;
	for (size_t i = 0; i < n; i++)
		if (iscntrl((unsigned char)word[i]))
			return false;
	return true;
}

static void put_word(reader *r, const char *word, float threshold)
{
	char title[KWS_CONF_TITLE];
	kws_conf_decision *d = (void *)element(r);
	size_t i;

	if (!d)
		return;
	for (i = 0; i < d->n_words && strcmp(d->word[i].word, word) != 0; i++)
		continue;
	if (i == KWS_CONF_WORDS) {
		kws_conf_tell(&r->told, "%s %s: more than %d words", title_of(r, title), word,
			      KWS_CONF_WORDS);
		return;
	}
	if (!is_new(r, word, &d->word[i]))
		return;
	memset(&d->word[i], 0, sizeof d->word[i]);
	memcpy(d->word[i].word, word, strlen(word));
	d->word[i].threshold = threshold;
	if (i == d->n_words)
		d->n_words++;
}

/* The keys of [threshold] are words of the model. They are checked when the model is loaded. */
static void set_word(reader *r, const char *word, const char *value)
{
	char title[KWS_CONF_TITLE];
	const size_t most = sizeof((kws_conf_word *)0)->word - 1;
	double v = strcmp(value, "model") != 0 ? 2.0 : -1.0;

	title_of(r, title);
	if (strlen(word) > most)
		kws_conf_tell(&r->told, "%s %s: a word has at most %zu bytes", title, word, most);
	else if (!can_be_key(word))
		kws_conf_tell(&r->told, "%s %s: no line of a file could name such a word", title,
			      word);
	else if (strcmp(value, "off") != 0 && strcmp(value, "model") != 0
		 && !kws_number_real(value, 0, 1, &v))
		kws_conf_tell(&r->told, "%s %s: %s is not in 0..1, off or model", title, word,
			      *value ? value : "an empty value");
	else
		put_word(r, word, (float)v);
}

static void no_such_key(reader *r, const char *name)
{
	char title[KWS_CONF_TITLE];
	kws_nearest near;

	kws_nearest_init(&near, name);
	for (size_t i = 0; i < kws_conf_n_keys; i++)
		if (!strcmp(kws_conf_keys[i].section, r->section->name))
			kws_nearest_offer(&near, kws_conf_keys[i].name);
	kws_conf_tell(&r->told, "%s %s: no such key%s", title_of(r, title), name,
		      kws_nearest_hint(&near));
}

static void set(reader *r, const char *name, const char *value)
{
	if (!strcmp(r->section->name, "threshold")) {
		set_word(r, name, value);
		return;
	}

	const kws_conf_key *k = kws_conf_key_find(r->section->name, name);
	if (k)
		set_key(r, k, value);
	else
		no_such_key(r, name);
}

/* ---- lines ---- */

/* inih does not know our quotes and sees no sections, so use our own value and section. */
static int on_value(void *user, const char *section, const char *name, const char *value)
{
	reader *r = user;
	char text[KWS_CONF_LINE], title[KWS_CONF_TITLE];

	(void)section;
	(void)value;
	if (!r->section) {
		if (!r->refused)
			kws_conf_tell(&r->told, "%s: stands before the first [section]", name);
		return 1;
	}
	const kws_conf_key *key = kws_conf_key_find(r->section->name, name);
	const bool command = key && key->kind == &kws_conf_command;
	const char *why = kws_conf_cut(r->value, command, text, sizeof text);
	if (why)
		kws_conf_tell(&r->told, "%s %s: %s: %s", title_of(r, title), name, r->value, why);
	else
		set(r, name, text);
	return 1;
}

/* A line that begins with [. */
static void on_section(reader *r, const char *line, size_t len)
{
	char text[KWS_CONF_LINE];
	const char *close = memchr(line, ']', len);
	size_t at = close ? (size_t)(close + 1 - line) : len;

	while (at < len && strchr(" \t\r", line[at]))
		at++;
	r->section = NULL;
	r->refused = true;
	if (!close) {
		kws_conf_tell(&r->told, "the ] of the [section] is missing");
	} else if (at < len && line[at] != '#' && line[at] != ';') {
		kws_conf_tell(&r->told, "more stands behind the [section]");
	} else {
		snprintf(text, sizeof text, "%.*s", (int)(close - line - 1), line + 1);
		enter(r, text);
		if (r->section && *r->name)
			element(r);
	}
}

static void keep_value(reader *r, const char *line, size_t len)
{
	char text[KWS_CONF_LINE];

	snprintf(text, sizeof text, "%.*s", (int)len, line);
	len = strlen(text);
	while (len && strchr(" \t\r", text[len - 1]))
		text[--len] = 0;
	char *value = strpbrk(text, "=:");
	value = value ? value + 1 : text;
	snprintf(r->value, sizeof r->value, "%s", value + strspn(value, " \t"));
}

/* How many bytes of the line inih gets: all, or 0 if the line is already handled. room: the most
 * that inih can take. */
static size_t look(reader *r, const char *line, size_t len, size_t room)
{
	if (memchr(line, 0, len)) {
		kws_conf_tell(&r->told, "a zero byte");
		return 0;
	}
	if (len && (*line == '#' || *line == ';'))
		return 0;
	if (len > room) {
		kws_conf_tell(&r->told, "the line has %zu bytes, at most %zu are read", len, room);
		return 0;
	}
	if (len && *line == '[') {
		on_section(r, line, len);
		return 0;
	}
	keep_value(r, line, len);
	return len;
}

/* inih's fgets: one line per call. So the line number is known before inih calls on_value. Leading
 * blanks are dropped, because inih takes an indented line for the continuation of the value
 * before. */
static char *next_line(char *str, int num, void *stream)
{
	static const char mark[] = "\xef\xbb\xbf"; /* byte order mark of some editors */
	reader *r = stream;
	const char *end;

	if (r->text == r->end)
		return NULL;
	end = memchr(r->text, '\n', (size_t)(r->end - r->text));
	end = end ? end : r->end;
	if (!r->told.line++ && end - r->text >= 3 && !memcmp(r->text, mark, 3))
		r->text += 3;
	while (r->text < end && (*r->text == ' ' || *r->text == '\t'))
		r->text++;
	const size_t len = look(r, r->text, (size_t)(end - r->text), (size_t)num - 2);
	memcpy(str, r->text, len);
	str[len] = '\n';
	str[len + 1] = 0;
	r->text = end < r->end ? end + 1 : end;
	return str;
}

/* ---- texts and options ---- */

static int parse(kws_conf *c, bool live, const char *name, const char *text, size_t len,
		 kws_conf_error_fn *fn, void *ctx)
{
	reader r = { .conf = c,
		     .told = { .name = name, .fn = fn, .ctx = ctx },
		     .live = live,
		     .text = text,
		     .end = text + len };
	int first = ini_parse_stream(next_line, &r, on_value, &r);

	if (first > 0 && !r.told.errors) {
		r.told.line = first;
		kws_conf_tell(&r.told, "neither [section] nor key = value");
	} else if (first < 0) {
		r.told.line = 0;
		kws_conf_tell(&r.told, "out of memory");
	}
	return r.told.errors;
}

int kws_conf_parse(kws_conf *c, const char *name, const char *text, size_t len,
		   kws_conf_error_fn *fn, void *ctx)
{
	return parse(c, false, name, text, len, fn, ctx);
}

int kws_conf_parse_live(kws_conf *c, const char *name, const char *text, size_t len,
			kws_conf_error_fn *fn, void *ctx)
{
	return parse(c, true, name, text, len, fn, ctx);
}

/* -o audio.device=X, but there are only named sections: it is unclear which one is meant. */
static bool is_ambiguous(reader *r)
{
	const kws_conf_section *s = r->section;
	const size_t n = kws_conf_count_of(r->conf, s);
	char text[256] = "", title[KWS_CONF_TITLE];

	if (*r->name || !kws_conf_repeats(s) || s->common || n == 0
	    || kws_conf_index(r->conf, s, "") < n)
		return false;
	for (size_t i = 0; i < n; i++) {
		size_t at = strlen(text);

		snprintf(text + at, sizeof text - at, "%s%s", i ? ", " : "",
			 kws_conf_title(s->name, kws_conf_name_of(r->conf, s, i), title));
	}
	kws_conf_tell(&r->told, "there is no plain [%s], only %s", s->name, text);
	return true;
}

static int assign(kws_conf *c, bool live, const char *assignment, kws_conf_error_fn *fn, void *ctx)
{
	reader r = { .conf = c,
		     .told = { .name = assignment, .fn = fn, .ctx = ctx },
		     .live = live };
	char section[KWS_CONF_TITLE], name[64];
	const char *dot = strchr(assignment, '.'), *eq = dot ? strchr(dot, '=') : NULL;

	if (!eq || (size_t)(dot - assignment) >= sizeof section
	    || (size_t)(eq - dot - 1) >= sizeof name) {
		kws_conf_tell(&r.told, "want section.key=value");
		return r.told.errors;
	}
	snprintf(section, sizeof section, "%.*s", (int)(dot - assignment), assignment);
	snprintf(name, sizeof name, "%.*s", (int)(eq - dot - 1), dot + 1);
	enter(&r, section);
	if (r.section && !is_ambiguous(&r))
		set(&r, name, eq + 1);
	return r.told.errors;
}

int kws_conf_set(kws_conf *c, const char *assignment, kws_conf_error_fn *fn, void *ctx)
{
	return assign(c, false, assignment, fn, ctx);
}

int kws_conf_set_live(kws_conf *c, const char *assignment, kws_conf_error_fn *fn, void *ctx)
{
	return assign(c, true, assignment, fn, ctx);
}
