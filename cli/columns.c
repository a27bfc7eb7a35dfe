#define _XOPEN_SOURCE 700 /* wcwidth() */
#include "cli/columns.h"

#include <locale.h>
#include <string.h>
#include <wchar.h>

size_t kws_columns_next(const char *text, size_t *columns)
{
	static locale_t utf8;
	mbstate_t state = { 0 };
	wchar_t letter = 0;
	*columns = 1;
	if ((unsigned char)*text < 0x80)
		return 1;
	if (!utf8)
		utf8 = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
	if (!utf8)
		return 1;
	const locale_t before = uselocale(utf8);
	const size_t n = mbrtowc(&letter, text, strlen(text), &state);
	const int width = n > 0 && n <= 4 ? wcwidth(letter) : -1;
	uselocale(before);
	if (width < 0)
		return 1;
	*columns = (size_t)width;
	return n;
}

size_t kws_columns_of(const char *text)
{
	size_t sum = 0, columns;
	for (; *text; sum += columns)
		text += kws_columns_next(text, &columns);
	return sum;
}

void kws_columns_fit(const char *text, size_t columns, char *to)
{
	size_t used = 0, n = 0, width;
	for (size_t bytes; *text; text += bytes) {
		bytes = kws_columns_next(text, &width);
		if (used + width > columns || n + bytes + columns - used - width > 4 * columns)
			break;
		const unsigned char first = (unsigned char)*text;
		if (bytes == 1 && (first < 0x20 || first >= 0x7f))
			to[n] = '?';
		else
			memcpy(to + n, text, bytes);
		n += bytes;
		used += width;
	}
	memset(to + n, ' ', columns - used);
	to[n + columns - used] = '\0';
}
