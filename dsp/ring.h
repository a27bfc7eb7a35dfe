/* ring.h - single-producer single-consumer ring of float samples, without locks or system calls.
 *
 * One thread MUST do all writing, and one all reading. The memory is the caller's; there is nothing
 * to destroy. */
#ifndef KWS_DSP_RING_H
#define KWS_DSP_RING_H

#include <stdatomic.h>
#include <stddef.h>

typedef struct {
	float *buf;
	size_t mask;
	atomic_size_t head, tail, dropped;
} kws_ring;

/* cap: a power of two, the number of floats in buf. The ring holds up to cap samples. */
void kws_ring_init(kws_ring *r, float *buf, size_t cap);

/* Write what fits of src (n,), and count the rest as dropped. Returns how many were written. Writer
 * only. */
size_t kws_ring_write(kws_ring *r, const float *src, size_t n);

/* The same for n frames src (n, channels), channels >= 1. Only whole frames are written or
 * dropped. */
size_t kws_ring_write_frames(kws_ring *r, const float *src, size_t n, size_t channels);

/* Read exactly n samples into dst (n,), or none. Returns n or 0. Reader only. */
size_t kws_ring_read(kws_ring *r, float *dst, size_t n);

/* Samples that can be read now. Reader only. */
size_t kws_ring_available(const kws_ring *r);

/* Samples dropped since init. Any thread. */
size_t kws_ring_dropped(const kws_ring *r);

#endif
