/* head and tail count samples for ever and wrap with size_t; only the index is masked. So a full
 * ring (head - tail == cap) differs from an empty one (head == tail), and all cap places can be
 * used. */
#include "dsp/ring.h"

#include <assert.h>
#include <string.h>

void kws_ring_init(kws_ring *r, float *buf, size_t cap)
{
	assert(cap > 0 && (cap & (cap - 1)) == 0);
	r->buf = buf;
	r->mask = cap - 1;
	atomic_init(&r->head, 0);
	atomic_init(&r->tail, 0);
	atomic_init(&r->dropped, 0);
}

static size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

size_t kws_ring_write(kws_ring *r, const float *src, size_t n)
{
	return kws_ring_write_frames(r, src, n, 1);
}

size_t kws_ring_write_frames(kws_ring *r, const float *src, size_t n, size_t channels)
{
	const size_t cap = r->mask + 1;
	const size_t head = atomic_load_explicit(&r->head, memory_order_relaxed);
	/* acquire: the reader has finished copying from the places it freed before we write to
	 * them */
	const size_t tail = atomic_load_explicit(&r->tail, memory_order_acquire);
	const size_t whole = least(n, (cap - (head - tail)) / channels), fits = whole * channels;
	const size_t at = head & r->mask;
	const size_t first = least(fits, cap - at);
	if (fits) { /* src may be NULL when n is 0 */
		memcpy(r->buf + at, src, first * sizeof *src);
		memcpy(r->buf, src + first, (fits - first) * sizeof *src);
	}
	atomic_store_explicit(&r->head, head + fits, memory_order_release);
	if (whole < n)
		atomic_fetch_add_explicit(&r->dropped, n - whole, memory_order_relaxed);
	return whole;
}

size_t kws_ring_read(kws_ring *r, float *dst, size_t n)
{
	const size_t tail = atomic_load_explicit(&r->tail, memory_order_relaxed);
	const size_t head = atomic_load_explicit(&r->head, memory_order_acquire);
	if (n == 0 || head - tail < n)
		return 0;
	const size_t at = tail & r->mask;
	const size_t first = least(n, r->mask + 1 - at);
	memcpy(dst, r->buf + at, first * sizeof *dst);
	memcpy(dst + first, r->buf, (n - first) * sizeof *dst);
	atomic_store_explicit(&r->tail, tail + n, memory_order_release);
	return n;
}

size_t kws_ring_available(const kws_ring *r)
{
	const size_t tail = atomic_load_explicit(&r->tail, memory_order_relaxed);
	return atomic_load_explicit(&r->head, memory_order_acquire) - tail;
}

size_t kws_ring_dropped(const kws_ring *r)
{
	return atomic_load_explicit(&r->dropped, memory_order_relaxed);
}
