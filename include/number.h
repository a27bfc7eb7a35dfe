/* number.h - numbers as people write them, in options, configurations and lists. */
#ifndef KWS_NUMBER_H
#define KWS_NUMBER_H

#include <stdbool.h>

/* The whole text, finite, in [min, max]; anything else is false and leaves *out. */
bool kws_number_real(const char *text, double min, double max, double *out);

/* Whether text is a number with a decimal comma; then "; write 0.5" for 0,5 into hint, else "". */
bool kws_number_comma(const char *text, char hint[32]);

#endif
