/* kws.c - error texts and the version. */
#include "kws.h"

#include <stdarg.h>
#include <stdio.h>

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

enum kws_status kws_fail(kws_error *e, enum kws_status s, const char *format, ...)
{
	if (e) {
		va_list ap;
		va_start(ap, format);
		vsnprintf(e->text, sizeof e->text, format, ap);
		va_end(ap);
	}
	return s;
}
