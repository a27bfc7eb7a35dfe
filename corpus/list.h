/* list.h - text lists: one item per line, with fields separated by tabs. Lines may end in CR LF. A
 * UTF-8 byte order mark, empty lines and lines that start with # are skipped. */
#ifndef KWS_CORPUS_LIST_H
#define KWS_CORPUS_LIST_H

#include "kws.h"

/* Copy len bytes into *text, which the caller frees, with room for one byte more. On failure *text is
 * NULL: KWS_ERR_NOMEM, or KWS_ERR_FORMAT if len is more than `most'. The error begins with name. */
enum kws_status kws_list_copy(char **text, const char *from, size_t len, const char *name,
			      size_t most, kws_error *err);

/* Number of lines of text (len,), including skipped ones: an upper bound for the items. */
size_t kws_list_count(const char *text, size_t len);

/* Takes a line that is not skipped, ended with NUL; number: from 1. */
typedef enum kws_status kws_list_fn(void *ctx, char *line, size_t number, kws_error *err);

/* Pass each line of text (len,) to take, until take fails. text MUST have room for a NUL at the
 * end, and is modified. KWS_ERR_FORMAT: a line is longer than longest, or has a NUL byte: "NAME:12:
 * the line is too long". */
enum kws_status kws_list_lines(char *text, size_t len, const char *name, size_t longest,
			       kws_list_fn *take, void *ctx, kws_error *err);

/* Cut the next field off a line: end it with NUL, and return what follows its tab, or NULL. */
char *kws_list_field(char *line);

#endif
