/* truth.h - a tab-separated list of the words said in a recording, with their times.
 *
 *   1.036 <TAB> 1.696 <TAB> yes <TAB> further columns are ignored
 *
 * The columns are start and end, in seconds from the start of the recording, and the word. Lines
 * may end in CR LF. A UTF-8 byte order mark, empty lines, lines that start with # and a first line
 * that starts with the column `start' are skipped. Anything else is an error that names the place:
 * "mix.tsv:12: the end, 3.1, is before the start". */
#ifndef KWS_CORPUS_TRUTH_H
#define KWS_CORPUS_TRUTH_H

#include "kws.h"

enum {
	KWS_TRUTH_MAX_LINE = 4096,
	KWS_TRUTH_MAX_BYTES = 64 << 20,
	KWS_TRUTH_MAX_S = 100 * 24 * 3600
};

typedef struct {
	double start, end; /* seconds, 0 <= start <= end <= KWS_TRUTH_MAX_S */
	const char *word;  /* not empty */
	size_t line;	   /* from 1 */
} kws_truth_item;

typedef struct kws_truth kws_truth;

/* KWS_ERR_IO: the list cannot be read. KWS_ERR_FORMAT: its content is wrong. */
enum kws_status kws_truth_open(kws_truth **out, const char *path, kws_error *err);

/* The truth file of a recording: a.tsv for a.flac. The caller MUST free() it. NULL: out of memory. */
char *kws_truth_path(const char *recording);

/* kws_truth_open(), but if there is no such file, *out is NULL, and KWS_OK. */
enum kws_status kws_truth_open_if_any(kws_truth **out, const char *path, kws_error *err);

/* kws_truth_open() for text (len bytes, copied); name is used in errors. */
enum kws_status kws_truth_parse(kws_truth **out, const char *text, size_t len, const char *name,
				kws_error *err);
void kws_truth_close(kws_truth *t);

/* The items by rising start; items with the same start in the order of the list. They live as long
 * as t. */
size_t kws_truth_count(const kws_truth *t);
const kws_truth_item *kws_truth_get(const kws_truth *t, size_t i);

#endif
