#include "corpus/results_lines.h"

#include "corpus/results.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* A whole number in [min, max]; false: it is none. */
static bool read_count(const json_t *object, const char *key, size_t min, size_t max, size_t *out)
{
	const json_t *value = json_object_get(object, key);
	const json_int_t n = json_integer_value(value);
	if (!json_is_integer(value) || n < 0 || (size_t)n < min || (size_t)n > max)
		return false;
	*out = (size_t)n;
	return true;
}

static enum kws_status read_head(kws_results_lines *l, const char *text, size_t len,
				 const char *path, kws_error *err)
{
	size_t version, shard = 0;
	l->head = json_loadb(text, len, JSON_REJECT_DUPLICATES, NULL);
	if (!read_count(l->head, "kws_results", 1, 1, &version)
	    || !json_is_string(json_object_get(l->head, "command"))
	    || !json_is_string(json_object_get(l->head, "list"))
	    || !read_count(l->head, "recordings", 0, KWS_RESULTS_MOST, &l->n)
	    || !read_count(l->head, "shards", 1, KWS_RESULTS_MOST, &l->n_shards)
	    || !read_count(l->head, "shard", 1, l->n_shards, &shard))
		return kws_fail(err, KWS_ERR_FORMAT, "%s:1: not a file of results of kws", path);
	l->shard = shard - 1;
	return KWS_OK;
}

static enum kws_status read_line(const kws_results_lines *l, const char *text, size_t len,
				 size_t number, const char *path, kws_results_line_fn *on_line,
				 void *ctx, kws_error *err)
{
	size_t index;
	json_error_t why;
	json_t *o = json_loadb(text, len, JSON_REJECT_DUPLICATES, &why);
	enum kws_status status = KWS_OK;
	if (!o)
		status = kws_fail(err, KWS_ERR_FORMAT, "%s:%zu: %s", path, number, why.text);
	else if (!l->n || !read_count(o, "i", 0, l->n - 1, &index))
		status = kws_fail(err, KWS_ERR_FORMAT, "%s:%zu: i is not 0 to %zu", path, number,
				  l->n ? l->n - 1 : 0);
	else if (index % l->n_shards != l->shard)
		status = kws_fail(err, KWS_ERR_FORMAT, "%s:%zu: recording %zu is not of shard %zu",
				  path, number, index, l->shard + 1);
	else
		status = on_line(ctx, index, l->whole, kws_results_error(o) != NULL, err);
	json_decref(o);
	return status;
}

enum kws_status kws_results_read(kws_results_lines *l, FILE *f, const char *path,
				 kws_results_head_fn *on_head, kws_results_line_fn *on_line,
				 void *ctx, kws_error *err)
{
	char *text = NULL;
	size_t cap = 0, number = 1;
	ssize_t n;
	enum kws_status status = KWS_OK;
	*l = (kws_results_lines){ 0 };
	errno = 0;
	for (; status == KWS_OK && (n = getline(&text, &cap, f)) > 0; number++) {
		if (text[n - 1] != '\n')
			continue; /* the last, without its end */
		if (l->head)
			status = read_line(l, text, (size_t)n, number, path, on_line, ctx, err);
		else
			status = read_head(l, text, (size_t)n, path, err);
		l->whole += n;
		if (status == KWS_OK && number == 1)
			status = on_head(ctx, l, err);
	}
	if (status == KWS_OK && !feof(f))
		status = kws_fail(err, KWS_ERR_IO, "%s: %s", path, strerror(errno));
	free(text);
	return status;
}

static enum kws_status differ(const char *key, const json_t *there, const json_t *here,
			      const char *path, kws_error *err)
{
	const size_t flags = JSON_COMPACT | JSON_ENCODE_ANY | JSON_REAL_PRECISION(9);
	char *a = there ? json_dumps(there, flags) : NULL,
	     *b = here ? json_dumps(here, flags) : NULL;
	kws_fail(err, KWS_ERR_ARG, "%s: of another run: %s is %.200s there, %.200s here", path, key,
		 a ? a : "not", b ? b : "not");
	free(a);
	free(b);
	return KWS_ERR_ARG;
}

/* What a has and b lacks or has otherwise. */
static enum kws_status compare(const json_t *a, const json_t *there, const json_t *here,
			       const char *path, kws_error *err)
{
	const char *key;
	json_t *value;
	json_object_foreach((json_t *)(uintptr_t)a, key, value)
	{
		const json_t *x = json_object_get(there, key), *y = json_object_get(here, key);
		if (strcmp(key, "shard") != 0 && !json_equal(x, y))
			return differ(key, x, y, path, err);
	}
	return KWS_OK;
}

enum kws_status kws_results_same(const json_t *there, const json_t *here, const char *path,
				 kws_error *err)
{
	const enum kws_status status = compare(here, there, here, path, err);
	return status == KWS_OK ? compare(there, there, here, path, err) : status;
}
