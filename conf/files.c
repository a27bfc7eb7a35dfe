#include "conf/table.h"
#include "conf/text.h"

#include "kws.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { PATH = 4096, MOST_FILES = 256, MOST_BYTES = 1 << 20 };

typedef int parse_fn(kws_conf *c, const char *name, const char *text, size_t len,
		     kws_conf_error_fn *fn, void *ctx);

static int read_file(kws_conf *c, const char *path, parse_fn *parse, kws_conf_error_fn *fn,
		     void *ctx)
{
	kws_conf_told told = { .name = path, .fn = fn, .ctx = ctx };
	char *text = malloc(MOST_BYTES);
	ssize_t len = text ? kws_conf_load(path, text, MOST_BYTES) : 0;
	int errors = 1;

	if (!text)
		kws_conf_tell(&told, "out of memory");
	else if (len < 0 && errno == ETIMEDOUT)
		kws_conf_tell(&told, "nothing came for %d s, nor the end",
			      KWS_CONF_PATIENCE_MS / 1000);
	else if (len < 0)
		kws_conf_tell(&told, "%s", kws_strerrno(errno));
	else if (len == MOST_BYTES)
		kws_conf_tell(&told, "larger than 1 MiB");
	else
		errors = parse(c, path, text, (size_t)len, fn, ctx);
	free(text);
	return errors;
}

int kws_conf_read(kws_conf *c, const char *path, kws_conf_error_fn *fn, void *ctx)
{
	return read_file(c, path, kws_conf_parse, fn, ctx);
}

int kws_conf_read_kept(kws_conf *c, const char *path, kws_conf_error_fn *fn, void *ctx)
{
	return read_file(c, path, kws_conf_parse_live, fn, ctx);
}

/* ---- drop-ins ---- */

static int is_dropin(const struct dirent *d)
{
	static const char end[] = ".conf";
	const size_t n = strlen(d->d_name), k = sizeof end - 1;

	return d->d_name[0] != '.' && n > k && !strcmp(d->d_name + n - k, end);
}

/* Compare bytes: the order of a locale may differ between users. */
static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

int kws_conf_read_dropins(kws_conf *c, const char *path, kws_conf_error_fn *fn, void *ctx)
{
	char folder[PATH], file[2 * PATH];
	const char *slash = strrchr(path, '/');
	kws_conf_told told = { .name = folder, .fn = fn, .ctx = ctx };
	struct dirent **list = NULL;
	int errors = 0;

	snprintf(folder, sizeof folder, "%.*sconf.d", slash ? (int)(slash + 1 - path) : 0, path);
	const int n = scandir(folder, &list, is_dropin, by_name);
	if (n < 0 && errno != ENOENT)
		kws_conf_tell(&told, "%s", kws_strerrno(errno));
	else if (n > MOST_FILES)
		kws_conf_tell(&told, "has %d files, at most %d are read", n, MOST_FILES);
	for (int i = 0; i < n; i++) {
		snprintf(file, sizeof file, "%s/%s", folder, list[i]->d_name);
		if (n <= MOST_FILES)
			errors += kws_conf_read(c, file, fn, ctx);
		free(list[i]);
	}
	free(list);
	return errors + told.errors;
}
