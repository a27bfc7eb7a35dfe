/* truth.h - what is said when in a recording: a tab-separated list.
 *
 *   1.036 <TAB> 1.696 <TAB> yes <TAB> further columns are ignored
 *
 * Start and end in seconds from the start of the recording, and the word. Lines may end in CR LF; a
 * UTF-8 byte order mark, empty lines and lines that start with # are skipped; so is a first line
 * that starts with the column `start`. Anything else is an error that names the place:
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

/* KWS_ERR_IO when the list cannot be read, KWS_ERR_FORMAT for what is in it. */
enum kws_status kws_truth_open(kws_truth **out, const char *path, kws_error *err);

/* The same for text (len bytes, copied); name stands for its path in errors. */
enum kws_status kws_truth_parse(kws_truth **out, const char *text, size_t len, const char *name,
				kws_error *err);
void kws_truth_close(kws_truth *t);

/* The items by rising start; equal ones as they were listed. They live as long as t. */
size_t kws_truth_count(const kws_truth *t);
const kws_truth_item *kws_truth_get(const kws_truth *t, size_t i);

#endif
