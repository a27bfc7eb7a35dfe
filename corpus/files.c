#include "corpus/files.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

enum { DEEPEST = 64 };

/* From "spx" on: formats that cannot be read. Opening them reports that. */
static bool is_audio(const char *name)
{
	static const char *const suffixes[] = {
		"wav", "flac", "ogg", "oga",  "opus", "mp3",   "aif", "aiff", "aifc", "au",
		"snd", "caf",  "w64", "rf64", "wve",  "voc",   "sph", "nist", "sf",   "ircam",
		"paf", "fap",  "svx", "iff",  "8svx", "16svx", "avr", "xi",   "htk",  "sds",
		"mat", "pvf",  "mpc", "sd2",  "m1a",  "mp1",   "mp2", "spx",  "m4a",  "m4b",
		"aac", "wma",  "amr", "3gp",  "ac3",  "eac3",  "dts", "mka",  "weba", "ape",
		"wv",  "tta",  "ra",  "dsf",  "dff",
	};
	const char *dot = strrchr(name, '.');
	for (size_t i = 0; dot && i < sizeof suffixes / sizeof suffixes[0]; i++)
		if (strcasecmp(dot + 1, suffixes[i]) == 0)
			return true;
	return false;
}

bool kws_files_add_file(kws_files *f, const char *path, kws_problems *problems)
{
	if (f->n == f->cap) {
		size_t cap = f->cap ? 2 * f->cap : 64;
		char **grown = realloc(f->path, cap * sizeof *grown);
		if (!grown)
			goto fail;
		f->path = grown;
		f->cap = cap;
	}
	f->path[f->n] = strdup(path);
	if (!f->path[f->n])
		goto fail;
	f->n++;
	return true;
fail:
	kws_problems_add(problems, "%s: out of memory", path);
	return false;
}

static bool walk(kws_files *f, const char *folder, int depth, kws_problems *problems);

/* Visit one entry of a folder. Subfolders are walked, but not links to folders, which could lead
 * back up. */
static bool visit(kws_files *f, const char *folder, const char *name, int depth,
		  kws_problems *problems)
{
	size_t n = strlen(folder), size = n + strlen(name) + 2;
	char *path = malloc(size);
	struct stat link, target;
	bool good = true;
	if (!path) {
		kws_problems_add(problems, "%s: out of memory", folder);
		return false;
	}
	snprintf(path, size, "%s%s%s", folder, n && folder[n - 1] == '/' ? "" : "/", name);
	if (lstat(path, &link) != 0) {
		kws_problems_add(problems, "%s: %s", path, strerror(errno));
		good = false;
	} else if (S_ISDIR(link.st_mode)) {
		good = walk(f, path, depth + 1, problems);
	} else if (is_audio(name) && (stat(path, &target) != 0 || S_ISREG(target.st_mode))) {
		/* a named pipe would wait for a writer; opening reports a broken link */
		good = kws_files_add_file(f, path, problems);
	}
	free(path);
	return good;
}

static int by_bytes(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static bool walk(kws_files *f, const char *folder, int depth, kws_problems *problems)
{
	struct dirent **entry = NULL;
	int n = depth > DEEPEST ? (errno = ELOOP, -1) : scandir(folder, &entry, NULL, by_bytes);
	bool good = n >= 0;
	if (n < 0)
		kws_problems_add(problems, "%s: %s", folder, strerror(errno));
	for (int i = 0; i < n; i++) {
		const char *name = entry[i]->d_name;
		if (strcmp(name, ".") != 0 && strcmp(name, "..") != 0
		    && !visit(f, folder, name, depth, problems))
			good = false;
		free(entry[i]);
	}
	free(entry);
	return good;
}

bool kws_files_add(kws_files *f, const char *path, kws_problems *problems)
{
	struct stat st;
	/* Opening a file reports what is wrong with it. */
	if (strcmp(path, "-") == 0 || stat(path, &st) != 0 || !S_ISDIR(st.st_mode))
		return kws_files_add_file(f, path, problems);
	size_t before = f->n;
	bool good = walk(f, path, 0, problems);
	if (good && f->n == before) {
		kws_problems_add(problems, "%s: no audio files in this folder", path);
		return false;
	}
	return good;
}

void kws_files_free(kws_files *f)
{
	for (size_t i = 0; i < f->n; i++)
		free(f->path[i]);
	free(f->path);
	*f = (kws_files){ 0 };
}
