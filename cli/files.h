/* files.h - the list of inputs: files as they are named, folders as the audio files below them,
 * sorted. */
#ifndef KWS_CLI_FILES_H
#define KWS_CLI_FILES_H

#include <stdbool.h>
#include <stddef.h>

typedef struct {
	char **path; /* (n,) */
	size_t n, cap;
} kws_files; /* starts as all zeros */

/* Add path; if it is a folder, every file below it whose suffix says that it is sound (also such as
 * cannot be heard: opening tells), in the order of their bytes. Links to folders are not followed;
 * what is neither file nor folder is left out. Says what is wrong and returns false when a
 * folder cannot be read or holds no audio; what could be found is added all the same. */
bool kws_files_add(kws_files *f, const char *path);

/* Add path as it is, whatever it is. false: out of memory, which was said. */
bool kws_files_add_file(kws_files *f, const char *path);
void kws_files_free(kws_files *f);

#endif
