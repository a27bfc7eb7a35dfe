/* results_lines.h - the lines of a file of results, for those who read it to go on and those who
 * read it to the end. */
#ifndef KWS_CORPUS_RESULTS_LINES_H
#define KWS_CORPUS_RESULTS_LINES_H

#include "kws.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/types.h>

typedef struct {
	json_t *head; /* NULL: the file is empty, or has no whole line */
	size_t n;     /* recordings of the list */
	size_t shard, n_shards;
	off_t whole; /* bytes up to the end of the last whole line */
} kws_results_lines; /* starts as all zeros */

/* at: where the line begins; failed: it has an error. */
typedef enum kws_status kws_results_line_fn(void *ctx, size_t index, off_t at, bool failed,
					    kws_error *err);

/* Called with the head, before the lines. */
typedef enum kws_status kws_results_head_fn(void *ctx, const kws_results_lines *lines,
					    kws_error *err);

/* Read from the start of f to its end; path is for errors, which name the line. Free the head in any
 * case. KWS_ERR_FORMAT, KWS_ERR_IO, KWS_ERR_NOMEM, or what a function returns. */
enum kws_status kws_results_read(kws_results_lines *lines, FILE *f, const char *path,
				 kws_results_head_fn *on_head, kws_results_line_fn *on_line,
				 void *ctx, kws_error *err);

/* Compare two heads without their shards. KWS_ERR_ARG: they are of different runs, and the error,
 * which begins with path, names the first thing that differs. */
enum kws_status kws_results_same(const json_t *there, const json_t *here, const char *path,
				 kws_error *err);

#endif
