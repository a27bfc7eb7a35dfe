/* number.h - reads numbers that people write in options, configurations and lists. */
#ifndef KWS_NUMBER_H
#define KWS_NUMBER_H

#include <stdbool.h>

/* Read text, which must be one finite number in [min, max]. Otherwise returns false, and *out is
 * unchanged. */
bool kws_number_real(const char *text, double min, double max, double *out);

/* Whether text is a number with a decimal comma. If so, hint says what to write ("; write 0.5" for
 * 0,5); otherwise hint is "". */
bool kws_number_comma(const char *text, char hint[32]);

#endif
