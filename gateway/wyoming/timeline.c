#include "gateway/wyoming/timeline.h"

#include <math.h>

/* What lies closer together says nothing of a clock that counts milliseconds. */
#define CHECK_MS 20.0

/* Whether the clock has advanced as the audio has: by half of it at least, as a constant has not;
 * and by twice and a second more at most, as chunks get lost, but nanoseconds are a million times
 * too many. A timestamp may be rounded by a millisecond either way. */
static bool agrees(double clock_ms, double audio_ms)
{
	return clock_ms + 1.0 >= 0.5 * audio_ms && clock_ms <= 2.0 * audio_ms + 1000.0;
}

void kws_timeline_chunk(kws_timeline *t, double heard_ms, bool has, int64_t timestamp)
{
	if (!has) {
		t->begun = t->trusted = false;
		return;
	}
	if (t->begun && heard_ms - t->last_ms < CHECK_MS)
		return;
	t->trusted = t->begun && agrees((double)timestamp - (double)t->last, heard_ms - t->last_ms);
	t->begun = true;
	t->last = timestamp;
	t->last_ms = heard_ms;
	t->offset_ms = (double)timestamp - heard_ms;
}

int64_t kws_timeline_at(const kws_timeline *t, double ms)
{
	const double at = t->trusted ? ms + t->offset_ms : ms;

	return at > 0.0 ? llround(at) : 0;
}
