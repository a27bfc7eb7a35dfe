/* files.h - the list of inputs: files as they are named, folders as the audio files below them,
 * sorted. */
#ifndef KWS_CORPUS_FILES_H
#define KWS_CORPUS_FILES_H

#include "audio/source.h"
#include "corpus/problems.h"

#include <stdbool.h>

typedef struct {
	char **path; /* (n,) */
	size_t n, cap;
} kws_files; /* starts as all zeros */

/* Add path; if it is a folder, every file below it whose suffix says that it is sound (also such as
 * cannot be heard: opening tells), in the order of their bytes. Links to folders are not followed;
 * what is neither file nor folder is left out. false: a problem came up, a folder that cannot be
 * read or holds no audio; what could be found is added all the same. */
bool kws_files_add(kws_files *f, const char *path, kws_problems *problems);

/* Add path as it is, whatever it is. false: the problem is that memory was lacking. */
bool kws_files_add_file(kws_files *f, const char *path, kws_problems *problems);
void kws_files_free(kws_files *f);

/* How a file is opened; any thread calls it. */
typedef struct {
	enum kws_status (*open)(const void *ctx, kws_source **out, const char *path,
				kws_error *err);
	const void *ctx;
} kws_opener;

#endif
