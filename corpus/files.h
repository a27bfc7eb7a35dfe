/* files.h - the list of inputs: files as they are named, and for folders the sorted audio files in
 * them; whole, or one shard of it. */
#ifndef KWS_CORPUS_FILES_H
#define KWS_CORPUS_FILES_H

#include "audio/source.h"
#include "corpus/problems.h"

#include <stdbool.h>

/* A shard of a list is every n_shards-th of its files. So shards have much the same amount of work,
 * and together they have each file once, if all were given the same list: its fingerprint tells. */
typedef struct {
	char **path;   /* (n,) */
	size_t *index; /* (n,) its place in the list of all shards, from 0 */
	size_t n, cap;
	size_t shard,
		n_shards;     /* 0 <= shard < n_shards, set before the first is added; 0, 0: all */
	size_t n_all;	      /* of all shards */
	uint64_t fingerprint; /* of all paths of the list, in their order */
} kws_files;		      /* starts as all zeros */

/* Add path. If it is a folder, add every file in it and below whose suffix is that of an audio file
 * (even of a format that cannot be read; opening it will tell), in byte order. Links to folders are
 * not followed. Anything that is neither file nor folder is left out. False: there was a problem: a
 * folder cannot be read or holds no audio. What could be found is added anyway. */
bool kws_files_add(kws_files *f, const char *path, kws_problems *problems);

/* Add path as it is, whatever it is. False: out of memory, which is added as a problem. */
bool kws_files_add_file(kws_files *f, const char *path, kws_problems *problems);

/* Add each path of a list, as kws_files_add() does: lines, which may end in CR LF, or with `nul'
 * texts that end with a NUL byte, which may hold any other. Empty ones are skipped. list "-" is
 * standard input. False: there was a problem: the list cannot be read or names nothing, or one with
 * a path of it. */
bool kws_files_add_list(kws_files *f, const char *list, bool nul, kws_problems *problems);

/* Let a text be a part of the fingerprint, too. */
void kws_files_mark(kws_files *f, const char *text);

/* Leave out those that `is_done' says. */
void kws_files_drop(kws_files *f, bool (*is_done)(const void *ctx, size_t index), const void *ctx);
void kws_files_free(kws_files *f);

/* Opens a file. May be called from any thread. */
typedef struct {
	enum kws_status (*open)(const void *ctx, kws_source **out, const char *path,
				kws_error *err);
	const void *ctx;
} kws_opener;

#endif
