#include "corpus/results.h"

#include "corpus/results_lines.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* The results of one shard. */
typedef struct {
	FILE *f;
	const char *path; /* NULL: none were given */
} shard_file;

struct kws_results_set {
	json_t *head; /* of the first */
	size_t n, n_shards;
	shard_file *shard; /* (n_shards,) */
	off_t *at;	   /* (n,) where the line of a recording begins; 0: there is none */
	/* while one is opened */
	const char *path;
	FILE *f;
};

static enum kws_status no_memory(kws_error *err)
{
	return kws_fail(err, KWS_ERR_NOMEM, "%s", kws_strerror(KWS_ERR_NOMEM));
}

static enum kws_status take_head(void *ctx, const kws_results_lines *l, kws_error *err)
{
	kws_results_set *s = ctx;
	if (!s->head) {
		s->n = l->n;
		s->n_shards = l->n_shards;
		s->at = calloc(l->n + 1, sizeof *s->at);
		s->shard = calloc(l->n_shards, sizeof *s->shard);
		if (!s->at || !s->shard)
			return no_memory(err);
		s->head = json_incref(l->head);
	}
	if (kws_results_same(l->head, s->head, s->path, err) != KWS_OK)
		return KWS_ERR_FORMAT;
	shard_file *mine = &s->shard[l->shard];
	if (mine->path)
		return kws_fail(err, KWS_ERR_FORMAT, "%s: shard %zu again, as %s", s->path,
				l->shard + 1, mine->path);
	*mine = (shard_file){ s->f, s->path };
	s->f = NULL;
	return KWS_OK;
}

static enum kws_status take_line(void *ctx, size_t index, off_t at, bool failed, kws_error *err)
{
	kws_results_set *s = ctx;
	(void)failed;
	(void)err;
	s->at[index] = at;
	return KWS_OK;
}

static enum kws_status open_one(kws_results_set *s, const char *path, kws_error *err)
{
	kws_results_lines lines = { 0 };
	FILE *f = fopen(path, "r");
	if (!f)
		return kws_fail(err, KWS_ERR_IO, "%s: %s", path, strerror(errno));
	s->path = path;
	s->f = f;
	struct stat st;
	enum kws_status status;
	/* it is read twice */
	if (fstat(fileno(f), &st) == 0 && S_ISREG(st.st_mode))
		status = kws_results_read(&lines, f, path, take_head, take_line, s, err);
	else
		status = kws_fail(err, KWS_ERR_FORMAT, "%s: not a regular file", path);
	if (status == KWS_OK && !lines.head)
		status = kws_fail(err, KWS_ERR_FORMAT, "%s: no results in it", path);
	json_decref(lines.head);
	if (s->f)
		fclose(s->f);
	s->f = NULL;
	return status;
}

enum kws_status kws_results_set_open(kws_results_set **out, char *const *path, size_t n,
				     kws_error *err)
{
	*out = NULL;
	kws_results_set *s = calloc(1, sizeof *s);
	if (!s)
		return no_memory(err);
	enum kws_status status = KWS_OK;
	for (size_t i = 0; status == KWS_OK && i < n; i++)
		status = open_one(s, path[i], err);
	if (status == KWS_OK)
		*out = s;
	else
		kws_results_set_close(s);
	return status;
}

void kws_results_set_close(kws_results_set *s)
{
	if (!s)
		return;
	for (size_t i = 0; s->shard && i < s->n_shards; i++)
		if (s->shard[i].f)
			fclose(s->shard[i].f);
	json_decref(s->head);
	free(s->shard);
	free(s->at);
	free(s);
}

const char *kws_results_set_command(const kws_results_set *s)
{
	return json_string_value(json_object_get(s->head, "command"));
}

const json_t *kws_results_set_head(const kws_results_set *s)
{
	return s->head;
}

size_t kws_results_set_count(const kws_results_set *s)
{
	return s->n;
}

size_t kws_results_set_missing(const kws_results_set *s, kws_problems *problems)
{
	size_t all = 0;
	for (size_t k = 0; k < s->n_shards; k++) {
		size_t n = 0, missing = 0;
		for (size_t i = k; i < s->n; i += s->n_shards, n++)
			missing += s->at[i] == 0;
		if (missing && s->shard[k].path)
			kws_problems_add(problems,
					 "%s: shard %zu of %zu lacks %zu of its %zu recordings",
					 s->shard[k].path, k + 1, s->n_shards, missing, n);
		else if (missing)
			kws_problems_add(problems,
					 "shard %zu of %zu, %zu recordings: no results given",
					 k + 1, s->n_shards, n);
		all += missing;
	}
	return all;
}

enum kws_status kws_results_set_get(kws_results_set *s, size_t i, json_t **result, kws_error *err)
{
	const shard_file *from = &s->shard[i % s->n_shards];
	char *text = NULL;
	size_t cap = 0;
	*result = NULL;
	if (!s->at[i])
		return KWS_OK;
	if (fseeko(from->f, s->at[i], SEEK_SET) != 0 || getline(&text, &cap, from->f) <= 0) {
		free(text);
		return kws_fail(err, KWS_ERR_IO, "%s: recording %zu cannot be read again",
				from->path, i);
	}
	*result = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
	free(text);
	if (json_integer_value(json_object_get(*result, "i")) == (json_int_t)i
	    && json_is_integer(json_object_get(*result, "i")))
		return KWS_OK;
	json_decref(*result);
	*result = NULL;
	return kws_fail(err, KWS_ERR_FORMAT, "%s: has changed meanwhile", from->path);
}

const char *kws_results_error(const json_t *result)
{
	return json_string_value(json_object_get(result, "error"));
}

static int digit(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

char *kws_results_path(const json_t *result)
{
	const char *text = json_string_value(json_object_get(result, "file"));
	const char *hex = json_string_value(json_object_get(result, "file_hex"));
	if (text || !hex)
		return strdup(text ? text : "");
	char *path = malloc(strlen(hex) / 2 + 1);
	size_t n = 0;
	for (; path && hex[2 * n] && digit(hex[2 * n]) >= 0 && digit(hex[2 * n + 1]) >= 0; n++)
		path[n] = (char)(digit(hex[2 * n]) << 4 | digit(hex[2 * n + 1]));
	if (path)
		path[n] = '\0';
	return path;
}
