/* base.h - the files that words of one's own are made with: a base, a bank of other sounds; and
 * where they stand. */
#ifndef KWS_CLI_BASE_H
#define KWS_CLI_BASE_H

#include "kws.h"
#include "model/blob.h"

#include <stdbool.h>

enum { KWS_BASE_PATH = 4096 };

/* wanted, or when it is NULL name as it ships: in the source tree of a program in a build tree,
 * else where it is installed. */
void kws_base_find(const char *wanted, const char *name, char *path, size_t n);

#define KWS_BASE_MODEL "own-words.safetensors"
#define KWS_BASE_BANK  "own-words.bank"

/* Read a whole file. false: said why not. */
bool kws_base_read(kws_blob *blob, const char *path);

/* All samples of a recording, mono, at most most_s seconds, at its own rate; *pcm is for the
 * caller to free(). What is damaged is left out. false: said why not; channel as
 * kws_source_open_file() has it. */
bool kws_base_hear(const char *path, int channel, unsigned most_s, float **pcm, size_t *n,
		   unsigned *rate_hz);

/* Write bytes (len,) to path in one step, after check(ctx, the file that was written) found it
 * good. false: said why not. */
bool kws_base_write(const char *path, const void *bytes, size_t len);

#endif
