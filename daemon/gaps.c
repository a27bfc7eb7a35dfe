#include "daemon/gaps.h"

#include <math.h>
#include <stdio.h>

void kws_gaps_add(kws_gaps *g, double seconds, const char *reason)
{
	g->count++;
	g->seconds += seconds;
	snprintf(g->reason, sizeof g->reason, "%s", reason);
	g->total++;
	g->total_s += seconds;
}

void kws_gaps_told(kws_gaps *g)
{
	g->count = 0;
	g->seconds = 0.0;
	g->reason[0] = 0;
}

void kws_gaps_stream(kws_gaps *g)
{
	g->known_overflows = 0;
	g->known_dropped = 0;
}

bool kws_gaps_look(kws_gaps *g, const kws_device_state *st, unsigned hz, double late_s,
		   double *seconds, const char **reason)
{
	const size_t dropped = st->dropped - g->known_dropped;
	const unsigned long overflows = st->overflows - g->known_overflows;

	if (!dropped && !overflows)
		return false;
	*reason = dropped ? "the ring was full" : "overflow";
	*seconds = dropped ? (double)dropped / hz : fmax(late_s, 0.0);
	g->dropped += dropped;
	g->overflows += overflows;
	g->known_dropped = st->dropped;
	g->known_overflows = st->overflows;
	return true;
}
