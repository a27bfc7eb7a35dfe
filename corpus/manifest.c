#include "corpus/manifest.h"

#include "audio/text.h"
#include "corpus/list.h"

#include <stdlib.h>
#include <string.h>

struct kws_manifest {
	char *name;    /* the list's own path */
	size_t folder; /* length up to and including the last slash */
	char *text;    /* the list; fields that items point to end in NUL */
	kws_manifest_item *items;
	size_t n_items;
	size_t word_column; /* 0 (the path's): only skipped lines so far */
};

static enum kws_status refuse(const kws_manifest *m, size_t line, const char *why, kws_error *err)
{
	return kws_fail(err, KWS_ERR_FORMAT, "%s:%zu: %s", m->name, line, why);
}

/* The index of the column called `word' in a header; 0 (the path's) if there is none. */
static size_t find_word_column(char *header)
{
	size_t column = 0;
	while (header) {
		char *rest = kws_list_field(header);
		if (strcmp(header, "word") == 0)
			return column;
		header = rest;
		column++;
	}
	return 0;
}

static bool is_header(const char *line)
{
	return strncmp(line, "path", 4) == 0 && (line[4] == '\t' || line[4] == '\0');
}

static enum kws_status add_item(kws_manifest *m, char *line, size_t number, kws_error *err)
{
	const char *path = line;
	char *word = kws_list_field(line);
	for (size_t column = 1; word && column < m->word_column; column++)
		word = kws_list_field(word);
	if (word)
		kws_list_field(word); /* what follows is ignored */
	if (path[0] == '\0')
		return refuse(m, number, "no path in column 1", err);
	if (!word || word[0] == '\0')
		return kws_fail(err, KWS_ERR_FORMAT, "%s:%zu: no word in column %zu", m->name,
				number, m->word_column + 1);
	m->items[m->n_items++] = (kws_manifest_item){ path, word, number };
	return KWS_OK;
}

static enum kws_status take_line(void *ctx, char *line, size_t number, kws_error *err)
{
	kws_manifest *m = ctx;
	const bool header = m->word_column == 0 && is_header(line);
	if (header)
		m->word_column = find_word_column(line);
	else if (m->word_column == 0)
		m->word_column = 1;
	if (m->word_column == 0)
		return refuse(m, number, "no column is called word", err);
	return header ? KWS_OK : add_item(m, line, number, err);
}

/* Owns text (malloc'ed, len + 1 bytes), even on failure. */
static enum kws_status take_text(kws_manifest **out, char *text, size_t len, const char *list_path,
				 kws_error *err)
{
	kws_manifest *m = calloc(1, sizeof *m);
	if (!m) {
		free(text);
		return kws_fail(err, KWS_ERR_NOMEM, "%s: out of memory", list_path);
	}
	m->text = text;
	m->name = strdup(list_path);
	m->items = calloc(kws_list_count(text, len), sizeof *m->items);
	enum kws_status status = KWS_ERR_NOMEM;
	if (m->name && m->items) {
		const char *slash = strrchr(m->name, '/');
		m->folder = slash ? (size_t)(slash - m->name) + 1 : 0;
		status = kws_list_lines(text, len, m->name, KWS_MANIFEST_MAX_LINE, take_line, m,
					err);
	} else {
		kws_fail(err, status, "%s: out of memory", list_path);
	}
	if (status == KWS_OK)
		*out = m;
	else
		kws_manifest_close(m);
	return status;
}

enum kws_status kws_manifest_parse(kws_manifest **out, const char *text, size_t len,
				   const char *list_path, kws_error *err)
{
	char *copy;
	*out = NULL;
	const enum kws_status status =
		kws_list_copy(&copy, text, len, list_path, KWS_MANIFEST_MAX_BYTES, err);
	return status == KWS_OK ? take_text(out, copy, len, list_path, err) : status;
}

enum kws_status kws_manifest_open(kws_manifest **out, const char *list_path, kws_error *err)
{
	char *text;
	size_t len;
	*out = NULL;
	const enum kws_status status =
		kws_text_read(&text, &len, list_path, KWS_MANIFEST_MAX_BYTES, err);
	return status == KWS_OK ? take_text(out, text, len, list_path, err) : status;
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
