/* blob.h - a file as it is at one moment, in memory. */
#ifndef KWS_MODEL_BLOB_H
#define KWS_MODEL_BLOB_H

#include "kws.h"

enum { KWS_MAX_FILE = 64 << 20, KWS_HASH = 65 };

typedef struct {
	unsigned char *bytes; /* (len,) */
	size_t len;
} kws_blob;

/* All of a regular file of 8 bytes to KWS_MAX_FILE, whatever others do to it later. KWS_ERR_IO,
 * also when it was written to meanwhile; KWS_ERR_FORMAT: its size cannot be; KWS_ERR_NOMEM. The
 * error does not name the path. */
enum kws_status kws_blob_open(kws_blob *b, const char *path, kws_error *err);
void kws_blob_close(kws_blob *b);

/* SHA-256 as 64 hex digits into hex (KWS_HASH,). */
void kws_hash(char *hex, const void *bytes, size_t len);

/* bytes (n,) as 2 n digits and a 0. */
void kws_hex(char *hex, const unsigned char *bytes, size_t n);

#endif
