#include "corpus/truth.h"

#include "audio/text.h"
#include "number.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

struct kws_truth {
	const char *name; /* of the list, while it is parsed */
	char *text;	  /* the list; words end in NUL */
	kws_truth_item *items;
	size_t n;
};

/* Cut the next field off a line: ends it with NUL and returns what is behind its tab, or NULL. */
static char *cut_field(char *line)
{
	char *tab = strchr(line, '\t');
	if (!tab)
		return NULL;
	*tab = '\0';
	return tab + 1;
}

static enum kws_status add(kws_truth *t, char *line, size_t number, kws_error *err)
{
	char *start = line, *end = cut_field(start), *word = end ? cut_field(end) : NULL;
	kws_truth_item *e = &t->items[t->n];
	char hint[32];
	if (!word)
		return kws_fail(err, KWS_ERR_FORMAT, "%s:%zu: want start, end and word, with tabs",
				t->name, number);
	cut_field(word);
	kws_number_comma(start, hint);
	if (!kws_number_real(start, 0.0, KWS_TRUTH_MAX_S, &e->start))
		return kws_fail(err, KWS_ERR_FORMAT, "%s:%zu: the start, %.40s, is no time%s",
				t->name, number, start, hint);
	kws_number_comma(end, hint);
	if (!kws_number_real(end, 0.0, KWS_TRUTH_MAX_S, &e->end))
		return kws_fail(err, KWS_ERR_FORMAT, "%s:%zu: the end, %.40s, is no time%s",
				t->name, number, end, hint);
	if (e->end < e->start)
		return kws_fail(err, KWS_ERR_FORMAT, "%s:%zu: the end, %.40s, is before the start",
				t->name, number, end);
	if (word[0] == '\0')
		return kws_fail(err, KWS_ERR_FORMAT, "%s:%zu: no word", t->name, number);
	e->word = word;
	e->line = number;
	t->n++;
	return KWS_OK;
}

static int is_header(const char *line)
{
	return strncmp(line, "start", 5) == 0 && (line[5] == '\t' || line[5] == '\0');
}

/* text ends in NUL behind len. */
static enum kws_status read_lines(kws_truth *t, size_t len, kws_error *err)
{
	char *at = t->text, *const end = t->text + len;
	size_t number = 0;
	int first = 1;
	if (len >= 3 && memcmp(at, "\xef\xbb\xbf", 3) == 0)
		at += 3;
	while (at < end) {
		char *line = at, *stop = memchr(at, '\n', (size_t)(end - at));
		if (!stop)
			stop = end;
		at = stop + 1;
		number++;
		if (stop > line && stop[-1] == '\r')
			stop--;
		if (stop - line > KWS_TRUTH_MAX_LINE)
			return kws_fail(err, KWS_ERR_FORMAT, "%s:%zu: the line is too long",
					t->name, number);
		if (memchr(line, '\0', (size_t)(stop - line)))
			return kws_fail(err, KWS_ERR_FORMAT, "%s:%zu: there is a NUL byte", t->name,
					number);
		*stop = '\0';
		if (line[0] == '\0' || line[0] == '#')
			continue;
		enum kws_status st = first && is_header(line) ? KWS_OK : add(t, line, number, err);
		if (st != KWS_OK)
			return st;
		first = 0;
	}
	return KWS_OK;
}

static int by_start(const void *a, const void *b)
{
	const kws_truth_item *x = a, *y = b;
	if (x->start < y->start || x->start > y->start)
		return x->start < y->start ? -1 : 1;
	return x->line < y->line ? -1 : x->line > y->line;
}

/* Takes text (malloc'ed, len + 1 bytes), also when it fails. */
static enum kws_status take_text(kws_truth **out, char *text, size_t len, const char *name,
				 kws_error *err)
{
	size_t n_lines = 1;
	enum kws_status st = KWS_ERR_NOMEM;
	kws_truth *t = calloc(1, sizeof *t);
	if (!t) {
		free(text);
		return kws_fail(err, st, "%s: out of memory", name);
	}
	assert(text);
	text[len] = '\0';
	for (size_t i = 0; i < len; i++)
		n_lines += text[i] == '\n';
	t->text = text;
	t->name = name;
	t->items = calloc(n_lines, sizeof *t->items);
	st = t->items ? read_lines(t, len, err)
		      : kws_fail(err, KWS_ERR_NOMEM, "%s: out of memory", name);
	if (st != KWS_OK) {
		kws_truth_close(t);
		return st;
	}
	if (t->items)
		qsort(t->items, t->n, sizeof *t->items, by_start);
	t->name = NULL;
	*out = t;
	return KWS_OK;
}

enum kws_status kws_truth_parse(kws_truth **out, const char *text, size_t len, const char *name,
				kws_error *err)
{
	*out = NULL;
	char *copy = len > KWS_TRUTH_MAX_BYTES ? NULL : malloc(len + 1);
	if (len > KWS_TRUTH_MAX_BYTES)
		return kws_fail(err, KWS_ERR_FORMAT, "%s: longer than %d bytes", name,
				KWS_TRUTH_MAX_BYTES);
	if (!copy)
		return kws_fail(err, KWS_ERR_NOMEM, "%s: out of memory", name);
	if (len)
		memcpy(copy, text, len);
	return take_text(out, copy, len, name, err);
}

enum kws_status kws_truth_open(kws_truth **out, const char *path, kws_error *err)
{
	*out = NULL;
	char *text;
	size_t len;
	const enum kws_status s = kws_text_read(&text, &len, path, KWS_TRUTH_MAX_BYTES, err);
	return s == KWS_OK ? take_text(out, text, len, path, err) : s;
}

void kws_truth_close(kws_truth *t)
{
	if (!t)
		return;
	free(t->text);
	free(t->items);
	free(t);
}

size_t kws_truth_count(const kws_truth *t)
{
	return t->n;
}

const kws_truth_item *kws_truth_get(const kws_truth *t, size_t i)
{
	return &t->items[i];
}
