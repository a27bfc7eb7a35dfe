/* files.h - the list of inputs: files as they are named, and for folders the sorted audio files in
 * them. */
#ifndef KWS_CORPUS_FILES_H
#define KWS_CORPUS_FILES_H

#include "audio/source.h"
#include "corpus/problems.h"

#include <stdbool.h>

typedef struct {
	char **path; /* (n,) */
	size_t n, cap;
} kws_files; /* starts as all zeros */

/* Add path. If it is a folder, add every file in it and below whose suffix is that of an audio file
 * (even of a format that cannot be read; opening it will tell), in byte order. Links to folders are
 * not followed. Anything that is neither file nor folder is left out. False: there was a problem: a
 * folder cannot be read or holds no audio. What could be found is added anyway. */
bool kws_files_add(kws_files *f, const char *path, kws_problems *problems);

/* Add path as it is, whatever it is. False: out of memory, which is added as a problem. */
bool kws_files_add_file(kws_files *f, const char *path, kws_problems *problems);
void kws_files_free(kws_files *f);

/* Opens a file. May be called from any thread. */
typedef struct {
	enum kws_status (*open)(const void *ctx, kws_source **out, const char *path,
				kws_error *err);
	const void *ctx;
} kws_opener;

#endif
