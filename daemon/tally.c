#include "daemon/tally.h"

const double kws_tally_scores[KWS_TALLY_STEPS] = { 0.1, 0.2, 0.3, 0.4,	0.5,  0.6,
						   0.7, 0.8, 0.9, 0.95, 0.99, 1.0 };
const double kws_tally_seconds[KWS_TALLY_STEPS] = { 2e-5, 5e-5, 1e-4, 2e-4, 5e-4, 1e-3,
						    2e-3, 5e-3, 1e-2, 2e-2, 5e-2, 1e-1 };

void kws_tally_add(kws_tally *t, const double limit[KWS_TALLY_STEPS], double x)
{
	int step = 0;

	while (step < KWS_TALLY_STEPS && !(x <= limit[step]))
		step++;
	t->count[step]++;
	t->sum += x;
}

void kws_word_tally_add(kws_word_tally *t, float score, bool near)
{
	t->events += !near;
	t->near_misses += near;
	kws_tally_add(&t->scores, kws_tally_scores, (double)score);
}
