/* Bounds for rates and shares, against published tables and their definitions. */
#include "corpus/bounds.h"
#include "tests/near.h"

/* Garwood's table, 95 % two-sided. */
static void garwood_table(void **state)
{
	(void)state;
	static const struct {
		size_t k;
		double lo, hi;
	} table[] = { { 0, 0.0, 3.6889 },	{ 1, 0.02532, 5.5716 },	   { 2, 0.24221, 7.2247 },
		      { 3, 0.61867, 8.7673 },	{ 5, 1.6235, 11.6683 },	   { 10, 4.7954, 18.3904 },
		      { 20, 12.2165, 30.8884 }, { 100, 81.3640, 121.6268 } };
	for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
		double lo, hi;
		near(kws_poisson_lower(table[i].k, 0.025), table[i].lo, 6e-5);
		near(kws_poisson_upper(table[i].k, 0.025), table[i].hi, 6e-5);
		kws_poisson_interval(table[i].k, 0.25, &lo, &hi);
		near(lo, 4.0 * table[i].lo, 3e-4);
		near(hi, 4.0 * table[i].hi, 3e-4);
	}
}

static void rule_of_three(void **state)
{
	(void)state;
	near(kws_poisson_upper(0, 0.05), 2.995732273553991, 1e-9);
	near(kws_poisson_upper(1, 0.05), 4.743864518, 1e-6);
	near(kws_poisson_upper(3, 0.05), 7.753656528, 1e-6);
	near(kws_poisson_supported(0, 0.6), 4.9929, 1e-4);
}

/* The chance of at most k events, summed term by term. */
static double at_most(size_t k, double mean)
{
	double sum = 0.0;
	for (size_t i = 0; i <= k; i++)
		sum += exp((double)i * log(mean) - mean - lgamma((double)i + 1.0));
	return sum;
}

/* What the bounds are by definition, up to many events. */
static void bounds_are_poisson(void **state)
{
	(void)state;
	static const size_t counts[] = { 1, 4, 17, 60, 300, 1000, 5000, 100000 };
	static const double tails[] = { 0.0005, 0.025, 0.05, 0.5, 0.9 };
	for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++)
		for (size_t j = 0; j < sizeof tails / sizeof tails[0]; j++) {
			size_t k = counts[i];
			near(at_most(k, kws_poisson_upper(k, tails[j])), tails[j], 1e-6);
			near(at_most(k - 1, kws_poisson_lower(k, tails[j])), 1.0 - tails[j], 1e-6);
		}
}

static void wilson_table(void **state)
{
	(void)state;
	static const struct {
		size_t k, n;
		double lo, hi;
	} table[] = { { 0, 10, 0.0, 0.277533 },
		      { 5, 10, 0.236593, 0.763407 },
		      { 1, 100, 0.001767, 0.054486 },
		      { 10, 10, 0.722467, 1.0 },
		      { 0, 0, 0.0, 1.0 } };
	for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
		double lo, hi;
		kws_wilson_interval(table[i].k, table[i].n, &lo, &hi);
		near(lo, table[i].lo, 1e-6);
		near(hi, table[i].hi, 1e-6);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(garwood_table),
		cmocka_unit_test(rule_of_three),
		cmocka_unit_test(bounds_are_poisson),
		cmocka_unit_test(wilson_table),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
