/* resample.h - any rate to the model's rate, streaming, by libsamplerate's band-limited sinc.
 *
 * Output sample k stands at time k / out_hz of the input, exactly: the filter's delay shows as
 * output that comes later, never as a shift. How the input is cut into calls MUST NOT and does not
 * change one bit of the output: the library is always fed whole quanta of in_hz/100 samples,
 * rounded up. */
#ifndef KWS_DSP_RESAMPLE_H
#define KWS_DSP_RESAMPLE_H

#include "kws.h"

typedef struct kws_resample kws_resample;

/* in_hz, out_hz: 1000 to 384000, neither more than 256 times the other. Equal rates copy; else
 * a sample that is not finite counts as 0. */
enum kws_status kws_resample_create(kws_resample **out, unsigned in_hz, unsigned out_hz);
void kws_resample_destroy(kws_resample *rs);
void kws_resample_reset(kws_resample *rs);

/* Most samples that process() or flush() can write for n samples of input. */
size_t kws_resample_bound(const kws_resample *rs, size_t n);

/* Feed in (n,), write out (at most bound(n),). Returns how many were written. */
size_t kws_resample_process(kws_resample *rs, const float *in, size_t n, float *out);

/* The input has ended: write what is left, so that in all ceil(n_in * out_hz / in_hz) samples came
 * out. Only reset() may follow. out holds bound(0) samples. Returns how many were written. */
size_t kws_resample_flush(kws_resample *rs, float *out);

#endif
