#include "cli/takes.h"

#include "cli/out.h"

#include <dirent.h>
#include <errno.h>
#include <sndfile.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MOST = 999 };

static const char SUFFIX[] = ".flac", PART[] = ".part";

/* Folders below that of the word, by enum kws_take_kind. */
static const char *const kinds[] = { "", "/synthetic", "/wrong" };

enum { N_KINDS = sizeof kinds / sizeof *kinds };

bool kws_takes_folder(const char *model, const char *word, char *path, size_t n)
{
	const char *dot = strrchr(model, '.'), *slash = strrchr(model, '/');
	const int stem = dot && (!slash || dot > slash) ? (int)(dot - model) : (int)strlen(model);
	size_t at = (size_t)snprintf(path, n, "%.*s.takes%s", stem, model, word ? "/" : "");
	for (; word && *word && at < n; word++) {
		const bool plain = (*word >= 'a' && *word <= 'z') || (*word >= 'A' && *word <= 'Z')
				   || (*word >= '0' && *word <= '9') || strchr("-_", *word);
		at += (size_t)snprintf(path + at, n - at, plain ? "%c" : "%%%02X",
				       (unsigned char)*word);
	}
	return at < n;
}

static int is_take(const struct dirent *d)
{
	const size_t n = strlen(d->d_name), m = strlen(SUFFIX);
	return n > m && strcmp(d->d_name + n - m, SUFFIX) == 0;
}

char **kws_takes_list(const char *folder, enum kws_take_kind kind)
{
	struct dirent **entries;
	char whole[KWS_TAKES_PATH + 16];
	snprintf(whole, sizeof whole, "%s%s", folder, kinds[kind]);
	const int n = scandir(whole, &entries, is_take, alphasort);
	char **list = n > 0 ? calloc((size_t)n + 1, sizeof *list) : NULL;
	for (int i = 0; i < n; i++) {
		const size_t size = strlen(whole) + strlen(entries[i]->d_name) + 2;
		if (list && (list[i] = malloc(size)))
			snprintf(list[i], size, "%s/%s", whole, entries[i]->d_name);
		free(entries[i]);
	}
	if (n >= 0)
		free(entries);
	return list;
}

void kws_takes_free(char **list)
{
	for (size_t i = 0; list && list[i]; i++)
		free(list[i]);
	free(list);
}

/* As mkdir -p. False: failed, and reported. */
bool kws_takes_make_folders(const char *folder)
{
	char path[KWS_TAKES_PATH];
	snprintf(path, sizeof path, "%s", folder);
	for (char *slash = strchr(path + 1, '/');; slash = strchr(slash + 1, '/')) {
		if (slash)
			*slash = '\0';
		if (mkdir(path, 0777) != 0 && errno != EEXIST) {
			kws_out_complain("%s: %s", path, strerror(errno));
			return false;
		}
		if (!slash)
			return true;
		*slash = '/';
	}
}

/* False: the system or libsndfile has refused it. */
static bool write_flac(const char *path, const float *pcm, size_t n, unsigned rate_hz)
{
	SF_INFO info = { .samplerate = (int)rate_hz,
			 .channels = 1,
			 .format = SF_FORMAT_FLAC | SF_FORMAT_PCM_24 };
	SNDFILE *f = sf_open(path, SFM_WRITE, &info);
	if (!f) {
		kws_out_complain("%s: %s", path, sf_strerror(NULL));
		return false;
	}
	sf_command(f, SFC_SET_CLIPPING, NULL, SF_TRUE);
	bool good = sf_writef_float(f, pcm, (sf_count_t)n) == (sf_count_t)n;
	sf_write_sync(f);
	good = sf_close(f) == 0 && good;
	if (!good)
		kws_out_complain("%s: %s", path, strerror(errno ? errno : EIO));
	return good;
}

/* The first number without a file. False: all are taken, which is reported. */
static bool next_path(const char *folder, char *path, size_t size)
{
	for (int k = 1; k <= MOST; k++) {
		snprintf(path, size, "%s/%03d%s", folder, k, SUFFIX);
		if (access(path, F_OK) != 0)
			return true;
	}
	kws_out_complain("%s: %d takes are there already", folder, MOST);
	return false;
}

bool kws_takes_keep(const char *folder, enum kws_take_kind kind, const char *name, const float *pcm,
		    size_t n, unsigned rate_hz)
{
	char whole[KWS_TAKES_PATH + 16], path[KWS_TAKES_PATH + 288], part[KWS_TAKES_PATH + 304];
	snprintf(whole, sizeof whole, "%s%s", folder, kinds[kind]);
	if (!kws_takes_make_folders(whole) || (!name && !next_path(whole, path, sizeof path)))
		return false;
	if (name)
		snprintf(path, sizeof path, "%s/%.255s%s", whole, name, SUFFIX);
	snprintf(part, sizeof part, "%s%s", path, PART);
	if (write_flac(part, pcm, n, rate_hz) && rename(part, path) == 0)
		return true;
	unlink(part);
	kws_out_complain("%s: not kept", path);
	return false;
}

bool kws_takes_has(const char *folder, const char *name)
{
	char path[KWS_TAKES_PATH + 288];
	for (size_t k = 0; k < N_KINDS; k++) {
		snprintf(path, sizeof path, "%s%s/%.255s%s", folder, kinds[k], name, SUFFIX);
		if (access(path, F_OK) == 0)
			return true;
	}
	return false;
}

/* Delete the takes of one kind and their folder. False: failed, and reported. */
static bool forget(const char *folder, enum kws_take_kind kind)
{
	char whole[KWS_TAKES_PATH + 16];
	char **list = kws_takes_list(folder, kind);
	bool good = true;
	snprintf(whole, sizeof whole, "%s%s", folder, kinds[kind]);
	for (size_t i = 0; list && list[i]; i++)
		if (unlink(list[i]) != 0) {
			kws_out_complain("%s: %s", list[i], strerror(errno));
			good = false;
		}
	kws_takes_free(list);
	if (good && rmdir(whole) != 0 && errno != ENOENT) {
		kws_out_complain("%s: %s", whole, strerror(errno));
		return false;
	}
	return good;
}

bool kws_takes_forget(const char *folder)
{
	return forget(folder, KWS_TAKE_WRONG) && forget(folder, KWS_TAKE_SYNTHETIC)
	       && forget(folder, KWS_TAKE_SPOKEN);
}
