#include "daemon/silence.h"

#include <math.h>
#include <string.h>

static const double longest_s = 3600.0;

void kws_silence_init(kws_silence *s, unsigned limit_s)
{
	memset(s, 0, sizeof *s);
	kws_silence_configure(s, limit_s);
}

void kws_silence_configure(kws_silence *s, unsigned limit_s)
{
	s->limit_s = limit_s;
	s->patience_s = limit_s;
}

void kws_silence_stream(kws_silence *s)
{
	s->constant = 0;
}

/* Count the last samples that are exactly equal, not merely close. Sound differs at once. */
static void count(kws_silence *s, const float *pcm, size_t n)
{
	size_t same = 0;

	for (; same < n; same++) {
		const float v = pcm[n - 1 - same],
			    before = same + 1 < n ? pcm[n - 2 - same] : s->last;

		if (v < before || v > before)
			break;
	}
	s->constant = same < n ? same : s->constant + n;
	if (n)
		s->last = pcm[n - 1];
}

enum kws_silence_news kws_silence_step(kws_silence *s, const float *pcm, size_t n, unsigned hz,
				       double *waited_s)
{
	bool was = s->silent;

	count(s, pcm, n);
	if (s->constant < n) {
		s->silent = false;
		s->patience_s = s->limit_s;
		return was ? KWS_SILENCE_OVER : KWS_SILENCE_NONE;
	}
	if (!s->limit_s || (double)s->constant < s->patience_s * hz)
		return KWS_SILENCE_NONE;
	*waited_s = s->patience_s;
	s->silent = true;
	s->constant = 0;
	s->patience_s = fmin(2.0 * s->patience_s, fmax(longest_s, s->limit_s));
	return KWS_SILENCE_LASTS;
}
