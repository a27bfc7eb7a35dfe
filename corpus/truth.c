#include "corpus/truth.h"

#include "audio/text.h"
#include "corpus/list.h"
#include "number.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct kws_truth {
	const char *name; /* of the list, while it is parsed */
	char *text;	  /* the list; words end in NUL */
	kws_truth_item *items;
	size_t n;
	bool begun; /* a line was read */
};

static enum kws_status add(kws_truth *t, char *line, size_t number, kws_error *err)
{
	char *start = line, *end = kws_list_field(start), *word = end ? kws_list_field(end) : NULL;
	kws_truth_item *e = &t->items[t->n];
	char hint[32];
	if (!word)
		return kws_fail(err, KWS_ERR_FORMAT, "%s:%zu: want start, end and word, with tabs",
				t->name, number);
	kws_list_field(word);
	kws_number_comma(start, hint);
	if (!kws_number_real(start, 0.0, KWS_TRUTH_MAX_S, &e->start))
		return kws_fail(err, KWS_ERR_FORMAT, "%s:%zu: the start, %.40s, is not a time%s",
				t->name, number, start, hint);
	kws_number_comma(end, hint);
	if (!kws_number_real(end, 0.0, KWS_TRUTH_MAX_S, &e->end))
		return kws_fail(err, KWS_ERR_FORMAT, "%s:%zu: the end, %.40s, is not a time%s",
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

static bool is_header(const char *line)
{
	return strncmp(line, "start", 5) == 0 && (line[5] == '\t' || line[5] == '\0');
}

static enum kws_status take_line(void *ctx, char *line, size_t number, kws_error *err)
{
	kws_truth *t = ctx;
	const bool first = !t->begun;
	t->begun = true;
	return first && is_header(line) ? KWS_OK : add(t, line, number, err);
}

static int by_start(const void *a, const void *b)
{
	const kws_truth_item *x = a, *y = b;
	if (x->start < y->start || x->start > y->start)
		return x->start < y->start ? -1 : 1;
	return x->line < y->line ? -1 : x->line > y->line;
}

/* Owns text (malloc'ed, len + 1 bytes), even on failure. */
static enum kws_status take_text(kws_truth **out, char *text, size_t len, const char *name,
				 kws_error *err)
{
	kws_truth *t = calloc(1, sizeof *t);
	if (t)
		t->items = calloc(kws_list_count(text, len), sizeof *t->items);
	if (!t || !t->items) {
		free(t);
		free(text);
		return kws_fail(err, KWS_ERR_NOMEM, "%s: out of memory", name);
	}
	t->text = text;
	t->name = name;
	const enum kws_status status =
		kws_list_lines(text, len, name, KWS_TRUTH_MAX_LINE, take_line, t, err);
	t->name = NULL;
	if (status != KWS_OK) {
		kws_truth_close(t);
		return status;
	}
	qsort(t->items, t->n, sizeof *t->items, by_start);
	*out = t;
	return KWS_OK;
}

enum kws_status kws_truth_parse(kws_truth **out, const char *text, size_t len, const char *name,
				kws_error *err)
{
	char *copy;
	*out = NULL;
	const enum kws_status status =
		kws_list_copy(&copy, text, len, name, KWS_TRUTH_MAX_BYTES, err);
	return status == KWS_OK ? take_text(out, copy, len, name, err) : status;
}

enum kws_status kws_truth_open(kws_truth **out, const char *path, kws_error *err)
{
	char *text;
	size_t len;
	*out = NULL;
	const enum kws_status status = kws_text_read(&text, &len, path, KWS_TRUTH_MAX_BYTES, err);
	return status == KWS_OK ? take_text(out, text, len, path, err) : status;
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

char *kws_truth_path(const char *recording)
{
	const char *slash = strrchr(recording, '/'), *dot = strrchr(recording, '.');
	size_t n = strlen(recording);
	if (dot && (!slash || dot > slash + 1) && dot != recording)
		n = (size_t)(dot - recording);
	const size_t size = n + sizeof ".tsv";
	char *path = malloc(size);
	if (path)
		snprintf(path, size, "%.*s.tsv", (int)n, recording);
	return path;
}

enum kws_status kws_truth_open_if_any(kws_truth **out, const char *path, kws_error *err)
{
	*out = NULL;
	/* A broken link does not mean that nothing is said. */
	if (faccessat(AT_FDCWD, path, F_OK, AT_SYMLINK_NOFOLLOW) != 0)
		return KWS_OK;
	return kws_truth_open(out, path, err);
}
