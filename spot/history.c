#include "spot/history.h"

#include <assert.h>
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

const float *kws_history_at(const kws_history *h, uint64_t from, size_t *n)
{
	const size_t at = (size_t)(from % h->cap), run = h->cap - at;
	const uint64_t held = h->end - from;
	assert(from >= kws_history_begin(h) && from <= h->end);
	*n = *n < run ? *n : run;
	*n = *n < held ? *n : (size_t)held;
	return h->buf + at;
}

size_t kws_history_copy(const kws_history *h, uint64_t from, size_t n, float *dst)
{
	const uint64_t begin = kws_history_begin(h), to = from + n < h->end ? from + n : h->end;
	uint64_t at = from > begin ? from : begin;
	size_t held = 0;
	memset(dst, 0, n * sizeof *dst);
	for (size_t run; at < to; at += run, held += run) {
		run = (size_t)(to - at);
		const float *src = kws_history_at(h, at, &run);
		memcpy(dst + (at - from), src, run * sizeof *dst);
	}
	return held;
}
