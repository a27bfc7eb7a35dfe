#include "daemon/history.h"

#include <string.h>

void kws_history_init(kws_history *h, float *buf, size_t cap)
{
	h->buf = buf;
	h->cap = cap;
	h->end = 0;
}

void kws_history_append(kws_history *h, const float *pcm, size_t n)
{
	for (size_t i = 0; i < n;) {
		size_t at = (size_t)((h->end + i) % h->cap);
		size_t run = h->cap - at < n - i ? h->cap - at : n - i;

		memcpy(h->buf + at, pcm + i, run * sizeof *pcm);
		i += run;
	}
	h->end += n;
}

uint64_t kws_history_begin(const kws_history *h)
{
	return h->end > h->cap ? h->end - h->cap : 0;
}

size_t kws_history_copy(const kws_history *h, uint64_t from, size_t n, float *dst)
{
	uint64_t lo = kws_history_begin(h), hi = h->end, to = from + n;
	size_t held = 0;

	memset(dst, 0, n * sizeof *dst);
	lo = from > lo ? from : lo;
	hi = to < hi ? to : hi;
	while (lo < hi) {
		size_t at = (size_t)(lo % h->cap), run = h->cap - at;

		run = run < hi - lo ? run : (size_t)(hi - lo);
		memcpy(dst + (lo - from), h->buf + at, run * sizeof *dst);
		lo += run;
		held += run;
	}
	return held;
}
