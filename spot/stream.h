/* stream.h - PCM at any rate in, class probabilities out: resample, mel and network in a row.
 *
 * The one pipeline of the project: the daemon and the commands all run it. What comes out does not
 * depend, to the last bit, on how the audio is cut into calls. Samples that are not finite count as
 * 0, those beyond 1e4 as 1e4. A model with full attention hears kws_model_max_frames() network
 * frames; audio after them is ignored until reset. One that hears the whole clip first says nothing
 * before flush. */
#ifndef KWS_SPOT_STREAM_H
#define KWS_SPOT_STREAM_H

#include "dsp/mel.h"
#include "model/model.h"

typedef struct kws_stream kws_stream;

/* The features that the model was trained on, and nothing else. As kws_mel_create(). */
enum kws_status kws_stream_mel(kws_mel **out, const kws_model *m, kws_error *err);

/* in_hz: 8000 to 192000. */
enum kws_status kws_stream_create(kws_stream **out, const kws_model *m, unsigned in_hz,
				  kws_frame_fn *fn, void *ctx, kws_error *err);
void kws_stream_destroy(kws_stream *s);
void kws_stream_reset(kws_stream *s);

/* A stream in a group of the public face. */
const kws_model *kws_group_model(const kws_group *g);
enum kws_status kws_stream_create_in(kws_stream **out, kws_group *g, unsigned in_hz,
				     kws_frame_fn *fn, void *ctx, kws_error *err);

/* Feed pcm (n,), mono, in_hz, nominal range [-1, 1]; fn is called for each network frame that
 * becomes complete. */
void kws_stream_process(kws_stream *s, const float *pcm, size_t n);

/* The same for several streams of one group, each at most once: their frames go through the products together. fn of each
 * is called as if the others were not there. */
typedef struct {
	kws_stream *stream;
	const float *pcm;
	size_t n;
} kws_stream_input;
void kws_stream_process_all(const kws_stream_input *in, size_t n);

/* The audio has ended: what the resampler still holds comes out, the last frame is completed with
 * silence. Only reset() may follow. */
void kws_stream_flush(kws_stream *s);

/* Samples at the model's rate that the audio so far has become, without the silence that flush
 * adds. */
uint64_t kws_stream_heard(const kws_stream *s);

#endif
