/* list.h - text lists: a line an item, with fields between tabs. Lines may end in CR LF; a UTF-8 byte order mark, empty lines
 * and lines that start with # are skipped. */
#ifndef KWS_CORPUS_LIST_H
#define KWS_CORPUS_LIST_H

#include "kws.h"

/* len bytes into *text, malloc'ed for the caller, with a NUL behind them. *text is NULL on failure: KWS_ERR_NOMEM, or
 * KWS_ERR_FORMAT when they are more than most; the error begins with name. */
enum kws_status kws_list_copy(char **text, const char *from, size_t len, const char *name,
			      size_t most, kws_error *err);

/* Lines of text (len,), skipped ones too: as many items at most. */
size_t kws_list_count(const char *text, size_t len);

/* A line that is not skipped, ended with NUL; number: from 1. */
typedef enum kws_status kws_list_fn(void *ctx, char *line, size_t number, kws_error *err);

/* Hand on the lines of text (len,), which has room for a NUL behind it and is written to; stops when take fails.
 * KWS_ERR_FORMAT: a line is longer than longest, or has a NUL byte: "NAME:12: the line is too long". */
enum kws_status kws_list_lines(char *text, size_t len, const char *name, size_t longest,
			       kws_list_fn *take, void *ctx, kws_error *err);

/* Cut the next field off a line: ends it with NUL and returns what is behind its tab, NULL when there is none. */
char *kws_list_field(char *line);

#endif
