/* takes.h - the recordings that own words are made of, kept beside their model file:
 * FILE.takes/WORD/001.flac, .... */
#ifndef KWS_CLI_TAKES_H
#define KWS_CLI_TAKES_H

#include <stdbool.h>
#include <stddef.h>

enum { KWS_TAKES_PATH = 4096 };

/* The folder of a word's takes, or of all words' (word NULL), for the model file `model`. Bytes
 * of a word that are no letter, digit, - or _ stand there as %XX. false: it does not fit. */
bool kws_takes_folder(const char *model, const char *word, char *path, size_t n);

/* Files that are there, sorted, NULL at the end; to be freed by kws_takes_free(). NULL: none, or
 * they cannot be read. */
char **kws_takes_list(const char *folder);
void kws_takes_free(char **list);

/* Keep pcm (n,), mono, 24 bits, under the next free number; whole or not at all, folders are
 * made. false: said why not. */
bool kws_takes_keep(const char *folder, const float *pcm, size_t n, unsigned rate_hz);

/* mkdir -p. false: said why not. */
bool kws_takes_make_folders(const char *folder);

/* Delete a word's takes. false: said why not; that there are none is no failure. */
bool kws_takes_forget(const char *folder);

#endif
