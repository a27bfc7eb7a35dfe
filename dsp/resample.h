/* resample.h - streaming conversion from any rate to the model's rate, by libsamplerate's
 * band-limited sinc.
 *
 * Output sample k is exactly at time k / out_hz of the input: the filter's latency delays the
 * output but never shifts it. The output is the same, to the last bit, however the input is cut
 * into calls: the library always gets whole quanta of in_hz/100 samples, rounded up. */
#ifndef KWS_DSP_RESAMPLE_H
#define KWS_DSP_RESAMPLE_H

#include "kws.h"

typedef struct kws_resample kws_resample;

/* in_hz, out_hz: 1000 to 384000, neither more than 256 times the other. Equal rates copy; otherwise
 * a sample that is not finite counts as 0. */
enum kws_status kws_resample_create(kws_resample **out, unsigned in_hz, unsigned out_hz);
void kws_resample_destroy(kws_resample *rs);
void kws_resample_reset(kws_resample *rs);

/* The most samples that process() or flush() can write for n samples of input. */
size_t kws_resample_bound(const kws_resample *rs, size_t n);

/* Process in (n,) and write at most bound(n) samples to out. Returns how many were written. */
size_t kws_resample_process(kws_resample *rs, const float *in, size_t n, float *out);

/* The input has ended: write the rest, so that the total is ceil(n_in * out_hz / in_hz) samples.
 * Only reset() may follow. out holds bound(0) samples. Returns how many were written. */
size_t kws_resample_flush(kws_resample *rs, float *out);

#endif
