#include "corpus/bounds.h"

#include <float.h>
#include <math.h>

/* The common factor of the incomplete gamma function: x^a e^-x / Gamma(a). */
static double front_factor(double a, double x)
{
	return exp(a * log(x) - x - lgamma(a));
}

/* P(a, x) by its power series, for x < a + 1. */
static double gamma_series(double a, double x)
{
	double term = 1.0 / a, sum = term;
	for (double n = a + 1.0; term > sum * DBL_EPSILON; n += 1.0) {
		term *= x / n;
		sum += term;
	}
	return sum * front_factor(a, x);
}

/* Q(a, x) = 1 - P(a, x) by its continued fraction (Lentz's method), for x >= a + 1. */
static double gamma_fraction(double a, double x)
{
	const double tiny = 1e-300;
	double b = x + 1.0 - a, c = 1.0 / tiny, d = 1.0 / b, h = d, factor = 0.0;
	for (double i = 1.0; fabs(factor - 1.0) > DBL_EPSILON && i < 1e5; i += 1.0) {
		double an = -i * (i - a);
		b += 2.0;
		d = an * d + b;
		d = 1.0 / (fabs(d) < tiny ? tiny : d);
		c = b + an / c;
		c = fabs(c) < tiny ? tiny : c;
		factor = c * d;
		h *= factor;
	}
	return h * front_factor(a, x);
}

/* The probability of fewer than k events when the mean is x; k >= 1. */
static double fewer(double k, double x)
{
	if (x <= 0.0)
		return 1.0;
	return x < k + 1.0 ? 1.0 - gamma_series(k, x) : gamma_fraction(k, x);
}

/* The mean for which the probability of fewer than k events is `want'. That probability falls as
 * the mean grows. */
static double solve(double k, double want)
{
	double lo = 0.0, hi = k + 1.0;
	while (fewer(k, hi) > want)
		hi *= 2.0;
	for (int i = 0; i < 200 && hi - lo > 1e-12 * hi; i++) {
		double middle = 0.5 * (lo + hi);
		if (fewer(k, middle) > want)
			lo = middle;
		else
			hi = middle;
	}
	return 0.5 * (lo + hi);
}

double kws_poisson_upper(size_t k, double tail)
{
	return solve((double)k + 1.0, tail);
}

double kws_poisson_lower(size_t k, double tail)
{
	return k ? solve((double)k, 1.0 - tail) : 0.0;
}

void kws_poisson_interval(size_t k, double hours, double *lo, double *hi)
{
	*lo = kws_poisson_lower(k, 0.025) / hours;
	*hi = kws_poisson_upper(k, 0.025) / hours;
}

double kws_poisson_supported(size_t k, double hours)
{
	return kws_poisson_upper(k, 0.05) / hours;
}

void kws_wilson_interval(size_t k, size_t n, double *lo, double *hi)
{
	const double z = 1.959963985; /* 97.5 % of the normal distribution is below */
	*lo = 0.0;
	*hi = 1.0;
	if (n == 0)
		return;
	double p = (double)k / (double)n, m = (double)n;
	double middle = p + z * z / (2.0 * m),
	       half = z * sqrt(p * (1.0 - p) / m + z * z / (4.0 * m * m));
	*lo = fmax((middle - half) / (1.0 + z * z / m), 0.0);
	*hi = fmin((middle + half) / (1.0 + z * z / m), 1.0);
}
