/* kws.c - error texts and the version. */
#include "kws.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

const char *kws_version(void)
{
	return KWS_VERSION;
}

const char *kws_strerror(enum kws_status s)
{
	switch (s) {
	case KWS_OK: return "no error";
	case KWS_ERR_ARG: return "not possible as asked";
	case KWS_ERR_NOMEM: return "out of memory";
	case KWS_ERR_IO: return "the system refused to read or write";
	case KWS_ERR_FORMAT: return "the content is malformed";
	case KWS_ERR_VERSION: return "the version or kind is not known";
	case KWS_ERR_DEVICE: return "the audio device refused or went away";
	}
	return "unknown error";
}

const char *kws_strerrno(int code)
{
	switch (code) {
	case EMFILE: return "too many open files for one process (ulimit -n, LimitNOFILE=)";
	case ENFILE: return "too many open files in the whole system (fs.file-max)";
	default: return strerror(code);
	}
}

void kws_clean(char *text)
{
	for (unsigned char *c = (unsigned char *)text; *c; c++) {
		const bool two = c[0] == 0xc2 && c[1] >= 0x80 && c[1] < 0xa0; /* U+0080..U+009F */

		if (two || *c < 0x20 || *c == 0x7f)
			*c = '?';
		if (two)
			*++c = '?';
	}
}

size_t kws_utf8_length(const char *text)
{
	const unsigned char *p = (const unsigned char *)text;
	if (p[0] < 0x80)
		return 1;
	if (p[0] < 0xc2 || p[0] > 0xf4)
		return 0;
	size_t n = p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;
	for (size_t i = 1; i < n; i++)
		if ((p[i] & 0xc0) != 0x80)
			return 0;
	if ((p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xed && p[1] >= 0xa0)
	    || (p[0] == 0xf0 && p[1] < 0x90) || (p[0] == 0xf4 && p[1] >= 0x90))
		return 0;
	return n;
}

bool kws_is_name(const char *text, size_t len)
{
	static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				      "0123456789_-";

	return len > 0 && len < KWS_NAME && strspn(text, allowed) >= len;
}

int kws_fail_text(kws_error *e, const char *format, ...)
{
	static const char cut[] = "...";
	va_list ap;
	if (!e)
		return 0;
	va_start(ap, format);
	const int n = vsnprintf(e->text, sizeof e->text, format, ap);
	va_end(ap);
	if (n >= (int)sizeof e->text)
		memcpy(e->text + sizeof e->text - sizeof cut, cut, sizeof cut);
	return n;
}
