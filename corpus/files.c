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

void kws_files_mark(kws_files *f, const char *text)
{
	/* FNV-1a, with the NUL at the end, so that it matters where a path ends */
	uint64_t h = f->fingerprint ? f->fingerprint : 0xcbf29ce484222325u;
	do
		h = (h ^ (unsigned char)*text) * 0x100000001b3u;
	while (*text++);
	f->fingerprint = h;
}

static bool grow(kws_files *f)
{
	const size_t cap = f->cap ? 2 * f->cap : 64;
	char **path = realloc(f->path, cap * sizeof *path);
	if (path)
		f->path = path;
	size_t *index = realloc(f->index, cap * sizeof *index);
	if (index)
		f->index = index;
	if (!path || !index)
		return false;
	f->cap = cap;
	return true;
}

bool kws_files_add_file(kws_files *f, const char *path, kws_problems *problems)
{
	const size_t index = f->n_all++;
	kws_files_mark(f, path);
	if (f->n_shards && index % f->n_shards != f->shard)
		return true;
	if ((f->n < f->cap || grow(f)) && (f->path[f->n] = strdup(path))) {
		f->index[f->n++] = index;
		return true;
	}
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
	size_t before = f->n_all;
	bool good = walk(f, path, 0, problems);
	if (good && f->n_all == before) {
		kws_problems_add(problems, "%s: no audio files in this folder", path);
		return false;
	}
	return good;
}

/* End the path that getdelim() gave, n bytes, without what ended it. Returns why it is none, or
 * NULL. */
static const char *trim(char *path, size_t n, bool nul)
{
	if (!nul && n && path[n - 1] == '\n')
		path[--n] = '\0';
	if (!nul && n && path[n - 1] == '\r')
		path[--n] = '\0';
	if (!nul && strlen(path) != n)
		return "there is a NUL byte; -0 is for paths that end with one";
	return strcmp(path, "-") == 0 ? "- is for the command line, ./- is a file of that name"
				      : NULL;
}

static bool add_paths(kws_files *f, FILE *from, const char *name, bool nul, kws_problems *problems)
{
	const size_t before = f->n_all;
	char *path = NULL;
	size_t cap = 0;
	ssize_t n;
	bool good = true;
	errno = 0;
	for (size_t at = 1; (n = getdelim(&path, &cap, nul ? '\0' : '\n', from)) > 0; at++) {
		const char *why = trim(path, (size_t)n, nul);
		if (why)
			kws_problems_add(problems, "%s:%zu: %s", name, at, why);
		if (why || (*path && !kws_files_add(f, path, problems)))
			good = false;
	}
	free(path);
	if (!feof(from)) {
		kws_problems_add(problems, "%s: %s", name, strerror(errno));
		return false;
	}
	if (good && f->n_all == before) {
		kws_problems_add(problems, "%s: no paths in this list", name);
		return false;
	}
	return good;
}

bool kws_files_add_list(kws_files *f, const char *list, bool nul, kws_problems *problems)
{
	if (strcmp(list, "-") == 0)
		return add_paths(f, stdin, "standard input", nul, problems);
	FILE *from = fopen(list, "r");
	if (!from) {
		kws_problems_add(problems, "%s: %s", list, strerror(errno));
		return false;
	}
	const bool good = add_paths(f, from, list, nul, problems);
	fclose(from);
	return good;
}

void kws_files_drop(kws_files *f, bool (*is_done)(const void *ctx, size_t index), const void *ctx)
{
	size_t kept = 0;
	for (size_t i = 0; i < f->n; i++) {
		if (is_done(ctx, f->index[i])) {
			free(f->path[i]);
			continue;
		}
		f->path[kept] = f->path[i];
		f->index[kept++] = f->index[i];
	}
	f->n = kept;
}

void kws_files_free(kws_files *f)
{
	for (size_t i = 0; i < f->n; i++)
		free(f->path[i]);
	free(f->path);
	free(f->index);
	*f = (kws_files){ 0 };
}
