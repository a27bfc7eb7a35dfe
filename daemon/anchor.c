#include "daemon/anchor.h"

static const double window_s = 10.0;
static const double lost_s = 0.25;
static const double sooner_s = 1.0;

void kws_anchor_start(kws_anchor *a, bool may_run_ahead, double mono, double seconds)
{
	a->offset = a->best = mono - seconds;
	a->window = mono;
	a->may_run_ahead = may_run_ahead;
	a->started = a->follows = true;
}

double kws_anchor_update(kws_anchor *a, double mono, double seconds)
{
	double seen = mono - seconds, jump;

	if (!a->started || !a->follows)
		return 0.0;
	if (seen < a->best)
		a->best = seen;
	jump = a->best - a->offset;
	if (jump < -sooner_s) { /* a file is faster than real time, or the device started late */
		a->follows = !a->may_run_ahead;
		if (a->follows)
			kws_anchor_start(a, false, mono, seconds);
		return a->follows ? jump : 0.0;
	}
	if (mono - a->window < window_s)
		return 0.0;
	/* late audio may still come, but not after a whole window */
	a->offset += jump > lost_s ? jump : 0.25 * jump;
	a->best = seen;
	a->window = mono;
	return jump > lost_s ? jump : 0.0;
}

double kws_anchor_time(const kws_anchor *a, double seconds)
{
	return a->offset + seconds;
}
