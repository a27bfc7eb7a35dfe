#include "cli/page_row.h"

#include "cli/columns.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const char *const codes[] = {
	[KWS_PLAIN] = "",	  [KWS_BOLD] = "\033[1m",    [KWS_DIM] = "\033[2m",
	[KWS_GREEN] = "\033[32m", [KWS_YELLOW] = "\033[33m", [KWS_CYAN] = "\033[36m",
	[KWS_RED] = "\033[31m",
};

kws_row kws_row_begin(size_t columns, bool colour, bool utf8)
{
	return (kws_row){ .columns = columns < KWS_PAGE_MOST ? columns : KWS_PAGE_MOST,
			  .colour = colour,
			  .utf8 = utf8 };
}

size_t kws_row_left(const kws_row *r)
{
	return r->columns - r->used;
}

/* What a terminal can show of the text, into part. Returns its columns. */
static size_t clean(const kws_row *r, const char *text, char *part)
{
	size_t sum = 0, columns;
	for (size_t bytes; *text; text += bytes) {
		bytes = kws_columns_next(text, &columns);
		const unsigned char first = (unsigned char)*text;
		const bool plain = bytes == 1 && first >= 0x20 && first < 0x7f;
		if (plain || (bytes > 1 && r->utf8)) {
			memcpy(part, text, bytes);
			part += bytes;
		} else {
			*part++ = '?';
			columns = 1;
		}
		sum += columns;
	}
	*part = '\0';
	return sum;
}

static void append(kws_row *r, const char *text)
{
	const size_t n = strlen(text);
	memcpy(r->text + r->n, text, n + 1);
	r->n += n;
}

static void change(kws_row *r, enum kws_style style)
{
	if (!r->colour || r->style == style)
		return;
	append(r, r->style == KWS_PLAIN ? "" : "\033[0m");
	append(r, codes[style]);
	r->style = style;
}

const char *kws_row_text(kws_row *r)
{
	change(r, KWS_PLAIN);
	return r->text;
}

bool kws_row_put(kws_row *r, enum kws_style style, const char *format, ...)
{
	enum { CODES = 24 }; /* bytes of the end of a style, another, and its end */
	char text[KWS_PAGE_MOST * 4 + 1], part[sizeof text];
	va_list more;
	va_start(more, format);
	vsnprintf(text, sizeof text, format, more);
	va_end(more);
	const size_t columns = clean(r, text, part);
	if (columns > kws_row_left(r) || r->n + strlen(part) + CODES > sizeof r->text)
		return false;
	change(r, style);
	append(r, part);
	r->used += columns;
	return true;
}
