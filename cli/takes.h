/* takes.h - the recordings of own words, kept next to their model file:
 * FILE.takes/WORD/001.flac, ... */
#ifndef KWS_CLI_TAKES_H
#define KWS_CLI_TAKES_H

#include <stdbool.h>
#include <stddef.h>

enum { KWS_TAKES_PATH = 4096 };

/* The folder for takes of a word, or of all words (word NULL), for the model file `model'. Bytes of
 * the word other than letters, digits, - and _ become %XX. False: path (n,) is too small. */
bool kws_takes_folder(const char *model, const char *word, char *path, size_t n);

/* The files in the folder, sorted, NULL at the end; free it by kws_takes_free(). NULL: there are
 * none, or they cannot be read. */
char **kws_takes_list(const char *folder);
void kws_takes_free(char **list);

/* Write pcm (n,), mono, 24 bits, under the next free number, completely or not at all. Makes the
 * folders. False: failed, and reported. */
bool kws_takes_keep(const char *folder, const float *pcm, size_t n, unsigned rate_hz);

/* As mkdir -p. False: failed, and reported. */
bool kws_takes_make_folders(const char *folder);

/* Delete the takes of a word; true if there are none. False: failed, and reported. */
bool kws_takes_forget(const char *folder);

#endif
