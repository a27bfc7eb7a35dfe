#include "daemon/anchor.h"

static const double window_s = 10.0;
static const double jump_s = 1.0;

void kws_anchor_start(kws_anchor *a, bool may_run_ahead, double wall, double seconds)
{
	a->offset = a->best = wall - seconds;
	a->window = wall;
	a->may_run_ahead = may_run_ahead;
	a->started = a->follows = true;
}

double kws_anchor_update(kws_anchor *a, double wall, double seconds)
{
	double seen = wall - seconds, jump;

	if (!a->started || !a->follows)
		return 0.0;
	if (seen < a->best)
		a->best = seen;
	jump = a->best - a->offset;
	if (jump < -jump_s) { /* audio cannot come before its time: a file, or a clock that was set
				 back */
		a->follows = !a->may_run_ahead;
		if (a->follows)
			kws_anchor_start(a, false, wall, seconds);
		return a->follows ? jump : 0.0;
	}
	if (wall - a->window < window_s)
		return 0.0;
	/* late audio may only be delayed; a whole window of it has been lost, or the clock was set
	 */
	a->offset += jump > jump_s ? jump : 0.25 * jump;
	a->best = seen;
	a->window = wall;
	return jump > jump_s ? jump : 0.0;
}

double kws_anchor_wall(const kws_anchor *a, double seconds)
{
	return a->offset + seconds;
}
