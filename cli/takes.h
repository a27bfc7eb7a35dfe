/* takes.h - the recordings of own words, kept next to their model file: FILE.takes/WORD/001.flac, ...
 * Synthetic takes are in WORD/synthetic, and sounds that were wrongly taken for it in WORD/wrong. */
#ifndef KWS_CLI_TAKES_H
#define KWS_CLI_TAKES_H

#include "kws.h"

#include <stdbool.h>
#include <stddef.h>

enum { KWS_TAKES_PATH = 4096 };

/* The folder for takes of a word, or of all words (word NULL), for the model file `model'. Bytes of
 * the word other than letters, digits, - and _ become %XX. False: path (n,) is too small. */
bool kws_takes_folder(const char *model, const char *word, char *path, size_t n);

/* The kept takes of one kind, sorted, NULL at the end; free it by kws_takes_free(). folder: as from
 * kws_takes_folder(). NULL: there are none, or they cannot be read. */
char **kws_takes_list(const char *folder, enum kws_take_kind kind);
void kws_takes_free(char **list);

/* Write pcm (n,), mono, 24 bits, as NAME.flac; name NULL: under the next free number. Completely or
 * not at all. Makes the folders. False: failed, and reported. */
bool kws_takes_keep(const char *folder, enum kws_take_kind kind, const char *name, const float *pcm,
		    size_t n, unsigned rate_hz);

/* Whether a take of that name is there, of any kind. */
bool kws_takes_has(const char *folder, const char *name);

/* As mkdir -p. False: failed, and reported. */
bool kws_takes_make_folders(const char *folder);

/* Delete the takes of a word, of all kinds; true if there are none. False: failed, and reported. */
bool kws_takes_forget(const char *folder);

#endif
