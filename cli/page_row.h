/* page_row.h - a row of the page: parts one after another, each in a style, as long as they fit. */
#ifndef KWS_CLI_PAGE_ROW_H
#define KWS_CLI_PAGE_ROW_H

#include <stdbool.h>
#include <stddef.h>

enum kws_style { KWS_PLAIN, KWS_BOLD, KWS_DIM, KWS_GREEN, KWS_YELLOW, KWS_CYAN, KWS_RED };

enum { KWS_PAGE_MOST = 200 };

typedef struct {
	char text[KWS_PAGE_MOST * 16]; /* (n,), with the styles' codes */
	size_t n, used, columns;
	enum kws_style style; /* at its end */
	bool colour, utf8;
} kws_row;

kws_row kws_row_begin(size_t columns, bool colour, bool utf8);

/* Put a text behind the others if all of it fits; else nothing, and false. Control characters, and
 * without utf8 all letters that are no ASCII, become '?'. */
bool kws_row_put(kws_row *r, enum kws_style style, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* The row so far; after it, the terminal's style is plain. */
const char *kws_row_text(kws_row *r);

/* Columns that are left. */
size_t kws_row_left(const kws_row *r);

#endif
