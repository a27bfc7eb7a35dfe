#include "number.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool kws_number_real(const char *text, double min, double max, double *out)
{
	char *end;
	const double x = strtod(text, &end);
	if (end == text || *end || !isfinite(x) || !(x >= min && x <= max))
		return false;
	*out = x;
	return true;
}

bool kws_number_comma(const char *text, char hint[32])
{
	static const char digits[] = "0123456789";
	const size_t whole = strspn(text, digits);
	const char *part = text + whole + 1;
	hint[0] = '\0';
	if (text[whole] != ',' || !*part || part[strspn(part, digits)])
		return false;
	snprintf(hint, 32, "; write %.*s.%.12s", (int)(whole < 12 ? whole : 12), text, part);
	return true;
}
