#include "corpus/manifest.h"

#include "audio/text.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

struct kws_manifest {
	char *name;    /* the list's own path */
	size_t folder; /* length of its part up to the last slash, which counts */
	char *text;    /* the list; fields that items point to end in NUL */
	kws_manifest_item *items;
	size_t n_items;
};

static enum kws_status refuse(const kws_manifest *m, size_t line, const char *why, kws_error *err)
{
	return kws_fail(err, KWS_ERR_FORMAT, "%s:%zu: %s", m->name, line, why);
}

/* Cut the next field off a line: ends it with NUL and returns what is behind its tab, NULL when
 * there is none. */
static char *cut_field(char *line)
{
	char *tab = strchr(line, '\t');
	if (!tab)
		return NULL;
	*tab = '\0';
	return tab + 1;
}

/* The column, from 0, that a header calls `word`; 0 (the path's) when none is. */
static size_t find_word_column(char *header)
{
	size_t column = 0;
	while (header) {
		char *rest = cut_field(header);
		if (strcmp(header, "word") == 0)
			return column;
		header = rest;
		column++;
	}
	return 0;
}

static int is_header(const char *line)
{
	return strncmp(line, "path", 4) == 0 && (line[4] == '\t' || line[4] == '\0');
}

static enum kws_status add_item(kws_manifest *m, char *line, size_t number, size_t word_column,
				kws_error *err)
{
	const char *path = line, *word = NULL;
	for (size_t column = 0; line && column <= word_column; column++) {
		word = line;
		line = cut_field(line);
		if (!line && column < word_column)
			word = NULL;
	}
	if (path[0] == '\0')
		return refuse(m, number, "no path in column 1", err);
	if (!word || word[0] == '\0')
		return kws_fail(err, KWS_ERR_FORMAT, "%s:%zu: no word in column %zu", m->name,
				number, word_column + 1);
	m->items[m->n_items++] = (kws_manifest_item){ path, word, number };
	return KWS_OK;
}

/* text ends in NUL behind len; one item at most for each line end and one for the rest. */
static enum kws_status read_lines(kws_manifest *m, size_t len, kws_error *err)
{
	static const char mark[] = "\xef\xbb\xbf";
	char *at = m->text, *const end = m->text + len;
	size_t word_column = 0, number = 0; /* 0: nothing but skipped lines so far */
	if (len >= 3 && memcmp(at, mark, 3) == 0)
		at += 3;
	while (at < end) {
		char *line = at, *stop = memchr(at, '\n', (size_t)(end - at));
		if (!stop)
			stop = end;
		at = stop + 1;
		number++;
		if (stop > line && stop[-1] == '\r')
			stop--;
		if (stop - line > KWS_MANIFEST_MAX_LINE)
			return refuse(m, number, "the line is too long", err);
		if (memchr(line, '\0', (size_t)(stop - line)))
			return refuse(m, number, "there is a NUL byte", err);
		*stop = '\0';
		if (line[0] == '\0' || line[0] == '#')
			continue;
		if (word_column == 0 && is_header(line)) {
			word_column = find_word_column(line);
			if (word_column == 0)
				return refuse(m, number, "no column is called word", err);
			continue;
		}
		if (word_column == 0)
			word_column = 1;
		const enum kws_status s = add_item(m, line, number, word_column, err);
		if (s != KWS_OK)
			return s;
	}
	return KWS_OK;
}

static size_t count_lines(const char *text, size_t len)
{
	size_t n = 1;
	for (size_t i = 0; i < len; i++)
		n += text[i] == '\n';
	return n;
}

/* Takes text (malloc'ed, len + 1 bytes), also when it fails. */
static enum kws_status take_text(kws_manifest **out, char *text, size_t len, const char *list_path,
				 kws_error *err)
{
	enum kws_status s = KWS_ERR_NOMEM;
	kws_manifest *m = calloc(1, sizeof *m);
	if (!m) {
		free(text);
		return kws_fail(err, s, "%s: out of memory", list_path);
	}
	assert(text);
	text[len] = '\0';
	m->text = text;
	m->name = malloc(strlen(list_path) + 1);
	m->items = calloc(count_lines(text, len), sizeof *m->items);
	if (!m->name || !m->items) {
		kws_fail(err, s, "%s: out of memory", list_path);
		goto fail;
	}
	memcpy(m->name, list_path, strlen(list_path) + 1);
	const char *slash = strrchr(m->name, '/');
	m->folder = slash ? (size_t)(slash - m->name) + 1 : 0;
	s = read_lines(m, len, err);
	if (s != KWS_OK)
		goto fail;
	*out = m;
	return KWS_OK;
fail:
	kws_manifest_close(m);
	return s;
}

enum kws_status kws_manifest_parse(kws_manifest **out, const char *text, size_t len,
				   const char *list_path, kws_error *err)
{
	*out = NULL;
	if (len > KWS_MANIFEST_MAX_BYTES)
		return kws_fail(err, KWS_ERR_FORMAT, "%s: longer than %d bytes", list_path,
				KWS_MANIFEST_MAX_BYTES);
	char *copy = malloc(len + 1);
	if (!copy)
		return kws_fail(err, KWS_ERR_NOMEM, "%s: out of memory", list_path);
	if (len)
		memcpy(copy, text, len);
	return take_text(out, copy, len, list_path, err);
}

enum kws_status kws_manifest_open(kws_manifest **out, const char *list_path, kws_error *err)
{
	*out = NULL;
	char *text;
	size_t len;
	const enum kws_status s =
		kws_text_read(&text, &len, list_path, KWS_MANIFEST_MAX_BYTES, err);
	return s == KWS_OK ? take_text(out, text, len, list_path, err) : s;
}

void kws_manifest_close(kws_manifest *m)
{
	if (!m)
		return;
	free(m->name);
	free(m->text);
	free(m->items);
	free(m);
}

size_t kws_manifest_count(const kws_manifest *m)
{
	return m->n_items;
}

const kws_manifest_item *kws_manifest_get(const kws_manifest *m, size_t i)
{
	return &m->items[i];
}

enum kws_status kws_manifest_path(const kws_manifest *m, size_t i, char *path, size_t size)
{
	const char *listed = m->items[i].path;
	const size_t folder = listed[0] == '/' ? 0 : m->folder, len = strlen(listed);
	if (folder + len >= size)
		return KWS_ERR_ARG;
	memcpy(path, m->name, folder);
	memcpy(path + folder, listed, len + 1);
	return KWS_OK;
}
