/* bounds.h - confidence bounds for rates and shares from counts, at 95 %.
 *
 * Rates of rare events: the exact bounds for Poisson counts, F. Garwood, "Fiducial limits for the
 * Poisson distribution", Biometrika 28 (1936). Shares of trials: the score interval, E. B. Wilson,
 * "Probable inference, the law of succession, and statistical inference", JASA 22 (1927). */
#ifndef KWS_CORPUS_BOUNDS_H
#define KWS_CORPUS_BOUNDS_H

#include <stddef.h>

/* The largest mean for which k events or fewer have the probability `tail'; for k = 0 and tail =
 * 0.05 it is 2.996, the rule of three. 0 < tail < 1. */
double kws_poisson_upper(size_t k, double tail);

/* The smallest mean for which k events or more have the probability `tail'; 0 for k = 0. */
double kws_poisson_lower(size_t k, double tail);

/* Both bounds at 95 %, per hour; hours > 0. */
void kws_poisson_interval(size_t k, double hours, double *lo, double *hi);

/* The rate that k events in this many hours support: the rate is below it with 95 % confidence. */
double kws_poisson_supported(size_t k, double hours);

/* The interval for a share when k of n were seen; 0 and 1 for n = 0. */
void kws_wilson_interval(size_t k, size_t n, double *lo, double *hi);

#endif
