/* base.h - the files that the user's own words are made with: a base and a bank of other sounds;
 * and where they are. */
#ifndef KWS_CLI_BASE_H
#define KWS_CLI_BASE_H

#include "kws.h"
#include "model/blob.h"

#include <stdbool.h>

enum { KWS_BASE_PATH = 4096 };

/* Find a file: wanted, or if that is NULL, name. That is in the source tree for a program in a
 * build tree, otherwise where it is installed. */
void kws_base_find(const char *wanted, const char *name, char *path, size_t n);

#define KWS_BASE_MODEL "own-words.safetensors"
#define KWS_BASE_BANK  "own-words.bank"

/* Read a whole file. False: failed, and reported. */
bool kws_base_read(kws_blob *blob, const char *path);

/* Read all samples of a recording, mono, at most most_s seconds, at its own rate. The caller must
 * free() *pcm. Damaged parts are left out. channel: as for kws_source_open_file(). False: failed,
 * and reported. */
bool kws_base_hear(const char *path, int channel, unsigned most_s, float **pcm, size_t *n,
		   unsigned *rate_hz);

/* The name of a temporary file or folder, for mkstemp() or mkdtemp(): in TMPDIR, or in /tmp. */
void kws_base_temporary(char path[KWS_BASE_PATH], const char *what);

/* Write bytes (len,) to path in one step. False: failed, and reported. */
bool kws_base_write(const char *path, const void *bytes, size_t len);

#endif
