#include "corpus/results.h"

#include "corpus/results_lines.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* 17 digits are a double to the last bit */
static const size_t FLAGS = JSON_COMPACT | JSON_REAL_PRECISION(17);

struct kws_results {
	char *path;
	FILE *f; /* open for reading and appending, and locked until it is closed */
	json_t *head;
	size_t shard, n_shards;
	bool *done; /* (n_done,) of this shard's recordings, in the order of the list */
	size_t n_done, before;
	bool failed;
};

/* ---- a line ---- */

/* Append json, all of it or nothing that counts as a line. NULL: memory was short. */
static enum kws_status write_line(kws_results *r, const json_t *json, kws_error *err)
{
	char *text = json ? json_dumps(json, FLAGS) : NULL;
	const size_t n = text ? strlen(text) : 0;
	size_t at = 0;
	if (!text)
		return kws_fail(err, KWS_ERR_NOMEM, "%s: out of memory", r->path);
	text[n] = '\n'; /* in the place of the NUL: one write, which others see whole */
	while (at < n + 1) {
		const ssize_t k = write(fileno(r->f), text + at, n + 1 - at);
		if (k < 0 && errno == EINTR)
			continue;
		if (k < 0)
			break;
		at += (size_t)k;
	}
	free(text);
	if (at == n + 1)
		return KWS_OK;
	r->failed = true;
	return kws_fail(err, KWS_ERR_IO, "%s: %s", r->path, strerror(errno));
}

/* Set a member; takes the value's reference. False: memory was short. */
static bool set(json_t *o, const char *key, json_t *value)
{
	return json_object_set_new(o, key, value) == 0;
}

/* A path is a string if it is UTF-8, and otherwise hex digits: it can be found again. */
static bool set_path(json_t *o, const char *path)
{
	static const char digits[] = "0123456789abcdef";
	json_t *text = json_string(path);
	if (text)
		return set(o, "file", text);
	const size_t n = strlen(path);
	char *hex = malloc(2 * n + 1);
	if (!hex)
		return false;
	for (size_t i = 0; i < n; i++) {
		hex[2 * i] = digits[(unsigned char)path[i] >> 4];
		hex[2 * i + 1] = digits[(unsigned char)path[i] & 15];
	}
	hex[2 * n] = '\0';
	text = json_string(hex);
	free(hex);
	return set(o, "file_hex", text);
}

/* Errors are for people: bytes that are not UTF-8 become ?. */
static json_t *plain(const char *text)
{
	char clean[1024];
	snprintf(clean, sizeof clean, "%s", text);
	for (char *c = clean; *c;) {
		const size_t n = kws_utf8_length(c);
		if (n == 0)
			*c = '?';
		c += n ? n : 1;
	}
	return json_string(clean);
}

enum kws_status kws_results_add(kws_results *r, size_t index, const char *path, const char *error,
				json_t *result, kws_error *err)
{
	json_t *line = json_object();
	enum kws_status status = KWS_ERR_IO;
	if (r->failed)
		kws_fail(err, status, "%s: the results are incomplete", r->path);
	else if (!result || !set(line, "i", json_integer((json_int_t)index))
		 || !set_path(line, path) || (error && !set(line, "error", plain(error)))
		 || json_object_update(line, result) != 0)
		status = write_line(r, NULL, err);
	else
		status = write_line(r, line, err);
	json_decref(line);
	json_decref(result);
	return status;
}

/* ---- opening ---- */

static json_t *make_head(const char *command, const json_t *options, const kws_files *files)
{
	char list[17];
	json_t *o = json_object();
	snprintf(list, sizeof list, "%016" PRIx64, files->fingerprint);
	if (set(o, "kws_results", json_integer(1)) && set(o, "command", json_string(command))
	    && set(o, "recordings", json_integer((json_int_t)files->n_all))
	    && set(o, "list", json_string(list))
	    && set(o, "shard", json_integer((json_int_t)files->shard + 1))
	    && set(o, "shards", json_integer(files->n_shards ? (json_int_t)files->n_shards : 1))
	    && json_object_update(o, (json_t *)(uintptr_t)options) == 0)
		return o;
	json_decref(o);
	return NULL;
}

static enum kws_status check_head(void *ctx, const kws_results_lines *l, kws_error *err)
{
	const kws_results *r = ctx;
	if (l->shard != r->shard)
		return kws_fail(err, KWS_ERR_ARG, "%s: of shard %zu, not of shard %zu", r->path,
				l->shard + 1, r->shard + 1);
	return kws_results_same(l->head, r->head, r->path, err);
}

static enum kws_status note_line(void *ctx, size_t index, off_t at, bool failed, kws_error *err)
{
	kws_results *r = ctx;
	(void)at;
	(void)err;
	if (index / r->n_shards < r->n_done)
		r->done[index / r->n_shards] = !failed;
	return KWS_OK;
}

/* Whether the file, which has no whole line, is nothing, or the beginning of our head. */
static bool is_our_beginning(const kws_results *r)
{
	char *head = json_dumps(r->head, FLAGS), *there = NULL;
	size_t cap = 0;
	rewind(r->f);
	const ssize_t n = getline(&there, &cap, r->f);
	const bool ours = head && (n <= 0 || strncmp(head, there, (size_t)n) == 0);
	free(head);
	free(there);
	return ours;
}

/* Continue what is there, or begin. */
static enum kws_status go_on(kws_results *r, kws_error *err)
{
	kws_results_lines lines;
	enum kws_status status =
		kws_results_read(&lines, r->f, r->path, check_head, note_line, r, err);
	const bool begun = lines.head != NULL;
	json_decref(lines.head);
	if (status == KWS_ERR_FORMAT)
		status = KWS_ERR_ARG;
	if (status == KWS_OK && !begun && !is_our_beginning(r))
		status = kws_fail(err, KWS_ERR_ARG, "%s: not a file of results of kws", r->path);
	/* what the end of a run has cut off */
	if (status == KWS_OK && ftruncate(fileno(r->f), lines.whole) != 0)
		status = kws_fail(err, KWS_ERR_IO, "%s: %s", r->path, strerror(errno));
	return status == KWS_OK && !begun ? write_line(r, r->head, err) : status;
}

static enum kws_status open_file(kws_results *r, kws_error *err)
{
	struct flock all = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	struct stat st;
	const int fd = open(r->path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
	if (fd >= 0 && !(r->f = fdopen(fd, "r")))
		close(fd);
	if (!r->f)
		return kws_fail(err, KWS_ERR_IO, "%s: %s", r->path, strerror(errno));
	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))
		return kws_fail(err, KWS_ERR_ARG, "%s: not a regular file", r->path);
	if (fcntl(fd, F_SETLK, &all) == 0)
		return go_on(r, err);
	return kws_fail(err, KWS_ERR_IO, "%s: %s", r->path,
			errno == EACCES || errno == EAGAIN ? "another process writes to it"
							   : strerror(errno));
}

static bool is_done(const void *ctx, size_t index)
{
	const kws_results *r = ctx;
	return r->done[index / r->n_shards];
}

static void destroy(kws_results *r)
{
	if (r->f)
		fclose(r->f);
	json_decref(r->head);
	free(r->path);
	free(r->done);
	free(r);
}

enum kws_status kws_results_open(kws_results **out, const char *path, const char *command,
				 const json_t *options, kws_files *files, kws_error *err)
{
	*out = NULL;
	kws_results *r = calloc(1, sizeof *r);
	if (!r)
		return kws_fail(err, KWS_ERR_NOMEM, "%s: out of memory", path);
	r->path = strdup(path);
	r->head = make_head(command, options, files);
	r->shard = files->shard;
	r->n_shards = files->n_shards ? files->n_shards : 1;
	r->n_done = files->n;
	r->done = calloc(files->n + 1, sizeof *r->done);
	enum kws_status status = KWS_ERR_NOMEM;
	if (!r->path || !r->head || !r->done)
		kws_fail(err, status, "%s: out of memory", path);
	else
		status = open_file(r, err);
	if (status != KWS_OK) {
		destroy(r);
		return status;
	}
	kws_files_drop(files, is_done, r);
	r->before = r->n_done - files->n;
	*out = r;
	return KWS_OK;
}

size_t kws_results_before(const kws_results *r)
{
	return r->before;
}

enum kws_status kws_results_close(kws_results *r, kws_error *err)
{
	if (!r)
		return KWS_OK;
	enum kws_status status = KWS_OK;
	if (fsync(fileno(r->f)) != 0) /* what a network or a full disk refuses late */
		status = kws_fail(err, KWS_ERR_IO, "%s: %s", r->path, strerror(errno));
	destroy(r);
	return status;
}
