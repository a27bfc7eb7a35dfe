#include "daemon/clock.h"

#include <math.h>
#include <stdio.h>
#include <time.h>

static const double window_s = 10.0;
static const double jump_s = 1.0;

static double now(clockid_t id)
{
	struct timespec t;

	clock_gettime(id, &t);
	return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

double kws_clock_mono(void)
{
	return now(CLOCK_MONOTONIC);
}

double kws_clock_boot(void)
{
	return now(7); /* CLOCK_BOOTTIME of Linux, which POSIX headers do not name */
}

double kws_clock_wall(void)
{
	return now(CLOCK_REALTIME);
}

void kws_clock_rfc3339(double t, char *text, size_t n)
{
	double ms = floor(t * 1000.0 + 0.5);
	time_t s = (time_t)floor(ms / 1000.0);
	struct tm tm;
	char day[24];

	if (!gmtime_r(&s, &tm) || !strftime(day, sizeof day, "%Y-%m-%dT%H:%M:%S", &tm))
		day[0] = 0;
	snprintf(text, n, "%s.%03dZ", day, (int)(ms - 1000.0 * (double)s));
}

void kws_anchor_start(kws_anchor *a, bool live, double wall, double seconds)
{
	a->offset = a->best = wall - seconds;
	a->first = a->window = wall;
	a->anchored = true;
	a->live = live;
}

double kws_anchor_update(kws_anchor *a, double wall, double seconds)
{
	double seen = wall - seconds, jump;

	if (!a->anchored || !a->live)
		return 0.0;
	if (fabs(seen - a->offset) > jump_s) {
		jump = seen - a->offset;
		kws_anchor_start(a, true, wall, seconds);
		return jump;
	}
	if (seen < a->best)
		a->best = seen;
	if (wall - a->window >= window_s || wall < a->window) {
		a->offset += 0.25 * (a->best - a->offset);
		a->best = seen;
		a->window = wall;
	}
	return 0.0;
}

double kws_anchor_wall(const kws_anchor *a, double seconds)
{
	return a->offset + seconds;
}
