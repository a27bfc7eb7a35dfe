#include "audio/decoder.h"

#include <stdarg.h>
#include <stdio.h>

void kws_decoder_fault(kws_decoder *d, uint64_t at, const char *format, ...)
{
	va_list ap;
	if (*d->fault.text)
		return;
	d->fault_at = at;
	va_start(ap, format);
	vsnprintf(d->fault.text, sizeof d->fault.text, format, ap);
	va_end(ap);
}

void kws_decoder_settle(kws_decoder *d, uint64_t claimed, uint64_t heard, const char *unit)
{
	if (heard < claimed)
		kws_decoder_fault(d, d->position,
				  "cut off: the header says %llu %s, there are %llu",
				  (unsigned long long)claimed, unit, (unsigned long long)heard);
	else if (heard > claimed)
		kws_fail(&d->note, KWS_OK,
			 "the header says %llu %s, there are %llu, heard to their end",
			 (unsigned long long)claimed, unit, (unsigned long long)heard);
}
