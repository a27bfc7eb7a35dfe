/* columns.h - how wide texts are on a terminal: letters of UTF-8 take none, one or two columns. */
#ifndef KWS_CLI_COLUMNS_H
#define KWS_CLI_COLUMNS_H

#include <stddef.h>

/* The character at the beginning of text, which is not empty: its bytes, and its columns. A byte
 * that is no UTF-8, or a control character, is one of one column. */
size_t kws_columns_next(const char *text, size_t *columns);

size_t kws_columns_of(const char *text);

/* Write the text to `to' with exactly so many columns: cut, or with blanks behind. Control
 * characters, and bytes that are no UTF-8, become '?'. `to' has at least 4 * columns + 1 bytes;
 * letters that would not fit, because many of them take no column, are left out. */
void kws_columns_fit(const char *text, size_t columns, char *to);

#endif
