/* rate.h - what a count of rare events says about their rate: exact Poisson bounds.
 *
 * F. Garwood, "Fiducial limits for the Poisson distribution", Biometrika 28 (1936). */
#ifndef KWS_CLI_RATE_H
#define KWS_CLI_RATE_H

#include <stddef.h>

/* The greatest mean under which k events or fewer still have the chance `tail`; for k = 0 and
 * tail = 0.05 it is 2.996, the rule of three. 0 < tail < 1. */
double kws_rate_upper(size_t k, double tail);

/* The least mean under which k events or more have the chance `tail`; 0 for k = 0. */
double kws_rate_lower(size_t k, double tail);

/* Both at 95 %, per hour; hours > 0. */
void kws_rate_interval(size_t k, double hours, double *lo, double *hi);

/* What k events in so many hours support: with 95 % confidence the rate is below this. */
double kws_rate_supported(size_t k, double hours);

#endif
