#include "daemon/pace.h"

enum { QUIET_MS = 120, CLOSE_LOOKS = 8 };

double kws_pace_next(kws_pace *p, unsigned piece_ms, double found_s, bool quiet)
{
	const double piece_s = 1e-3 * piece_ms;
	/* of several pieces, the last was not there yet: the looks have come too early */
	const bool early = p->rest_ms > piece_ms && found_s < 1e-3 * p->rest_ms - piece_s / 2;

	p->misses = found_s > 0.0 ? 0 : p->misses + 1;
	if (p->misses)
		return p->misses < CLOSE_LOOKS ? piece_s / 8 : piece_s;
	p->rest_ms = quiet && piece_ms < QUIET_MS ? QUIET_MS / piece_ms * piece_ms : piece_ms;
	return 1e-3 * p->rest_ms + (early ? piece_s / 8 : -piece_s / 32);
}
