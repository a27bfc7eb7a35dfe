/* stream.h - turns PCM at any rate into class probabilities: resampler, mel features, network.
 *
 * This is the only pipeline of the project; the daemon and all commands run it. The output is the
 * same, to the last bit, however the audio is cut into calls. Samples that are not finite count as
 * 0, and those beyond 1e4 as 1e4. A model with full attention processes kws_model_max_frames()
 * network frames; audio after them is ignored until reset. A model that needs the whole clip at
 * once gives no output before flush. */
#ifndef KWS_SPOT_STREAM_H
#define KWS_SPOT_STREAM_H

#include "dsp/mel.h"
#include "model/model.h"

typedef struct kws_stream kws_stream;

/* Create the features that the model was trained on. Errors are those of kws_mel_create(). */
enum kws_status kws_stream_mel(kws_mel **out, const kws_model *m, kws_error *err);

/* in_hz: 8000 to 192000. */
enum kws_status kws_stream_create(kws_stream **out, const kws_model *m, unsigned in_hz,
				  kws_frame_fn *fn, void *ctx, kws_error *err);
void kws_stream_destroy(kws_stream *s);
void kws_stream_reset(kws_stream *s);

/* A stream in a group of the public interface. */
const kws_model *kws_group_model(const kws_group *g);
enum kws_status kws_stream_create_in(kws_stream **out, kws_group *g, unsigned in_hz,
				     kws_frame_fn *fn, void *ctx, kws_error *err);

/* Process pcm (n,), mono, in_hz, nominal range [-1, 1]. fn is called for each network frame that is
 * complete. */
void kws_stream_process(kws_stream *s, const float *pcm, size_t n);

/* Process several streams of one group, each at most once: their frames share the matrix products.
 * fn of each stream is called as if the others did not exist. */
typedef struct {
	kws_stream *stream;
	const float *pcm;
	size_t n;
} kws_stream_input;
void kws_stream_process_all(const kws_stream_input *in, size_t n);

/* The audio has ended: process what the resampler still holds, and complete the last frame with
 * silence. Only reset() may follow. */
void kws_stream_flush(kws_stream *s);

/* Length of the audio so far in samples at the model's rate, without the silence that flush
 * adds. */
uint64_t kws_stream_heard(const kws_stream *s);

#endif
