/* mel.h - log-mel features, one frame per hop, causal.
 *
 *   frame t   = log(max(floor, M |rfft(w * x)|^2)); x: the last win samples up to the end of hop t
 *   w         periodic Hann window of length win at the start of n_fft, followed by zeros
 *   M         n_mels triangles of peak 1, edges equally spaced on the mel scale from f_lo_hz to
 *             f_hi_hz; weights evaluated at the exact bin frequencies
 *   log       natural
 *
 * train/kws_train/features.py computes the same. */
#ifndef KWS_DSP_MEL_H
#define KWS_DSP_MEL_H

#include "kws.h"

typedef struct kws_mel kws_mel;

/* KWS_ERR_ARG: a field is out of range, or a triangle contains no bin; the error begins with the
 * name of the field. May be called from any thread, also from several at once. */
enum kws_status kws_mel_create(kws_mel **out, const kws_features *cfg, kws_error *err);
void kws_mel_destroy(kws_mel *m);
void kws_mel_reset(kws_mel *m);

/* Turn hops of audio into log-mel frames.
 *
 *   pcm     (n_hops * hop,)    mono, rate_hz, nominal range [-1, 1]; not modified
 *   frames  (n_hops, n_mels)   natural log of band power, never below log(log_floor)
 *
 * Silence precedes the first hop. Samples count as 0 if they are not finite, beyond 2^50, or nearer
 * to 0 than 2^-50. pcm and frames MUST NOT overlap. */
void kws_mel_process(kws_mel *m, const float *pcm, size_t n_hops, float *frames);

/* The same for one of several streams that use m in turn. past (kws_mel_past(m),) is the whole
 * state of the stream; it is zero at the start. */
void kws_mel_run(kws_mel *m, float *past, const float *pcm, size_t n_hops, float *frames);
size_t kws_mel_past(const kws_mel *m);

/* Convert a frequency, hz >= 0, to the mel scale. */
double kws_mel_of_hz(enum kws_mel_scale scale, double hz);

#endif
