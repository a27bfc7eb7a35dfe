/* manifest.h - a tab-separated list of recordings and the word in each of them.
 *
 *   commands/go/0a7c2a8d_nohash_0.flac <TAB> go <TAB> further columns are ignored
 *
 * The columns are the path (relative to the list's folder) and the expected word. Lines may end in
 * CR LF. A UTF-8 byte order mark, empty lines and lines that start with # are skipped. If the first
 * remaining line starts with the column `path', it is a header, and the word is in the column
 * called `word'. A NUL byte, a line of more than KWS_MANIFEST_MAX_LINE bytes, and a missing or
 * empty path or word are errors: "list.tsv:12: no word in column 2". */
#ifndef KWS_CORPUS_MANIFEST_H
#define KWS_CORPUS_MANIFEST_H

#include "kws.h"

enum { KWS_MANIFEST_MAX_LINE = 8192, KWS_MANIFEST_MAX_BYTES = 64 << 20 };

typedef struct {
	const char *path; /* as listed */
	const char *word;
	size_t line; /* in the list, from 1 */
} kws_manifest_item;

typedef struct kws_manifest kws_manifest;

/* KWS_ERR_IO: the list cannot be read. KWS_ERR_FORMAT: its content is wrong. */
enum kws_status kws_manifest_open(kws_manifest **out, const char *list_path, kws_error *err);

/* The same for text (len bytes, copied). list_path is used in errors and gives the folder; it is
 * not opened. */
enum kws_status kws_manifest_parse(kws_manifest **out, const char *text, size_t len,
				   const char *list_path, kws_error *err);
void kws_manifest_close(kws_manifest *m);

size_t kws_manifest_count(const kws_manifest *m);

/* i < count. The pointers live as long as m. */
const kws_manifest_item *kws_manifest_get(const kws_manifest *m, size_t i);

/* Write the path of item i to path (size,): the list's folder and the listed path, or only the
 * latter if it is absolute. KWS_ERR_ARG: it does not fit, and nothing is written. */
enum kws_status kws_manifest_path(const kws_manifest *m, size_t i, char *path, size_t size);

#endif
