/* spotter.h - a stream with a decision behind it: PCM in, events out. */
#ifndef KWS_SPOT_SPOTTER_H
#define KWS_SPOT_SPOTTER_H

#include "model/model.h"
#include "spot/decide.h"
#include "spot/stream.h"

typedef kws_decide_config kws_spotter_config;

typedef struct kws_spotter kws_spotter;

typedef void kws_event_fn(void *ctx, const kws_event *ev);

/* cfg NULL: the model's own decision defaults. Words whose names start and end with _ are no
 * commands: whatever their thresholds, they never fire. on_frame may be NULL; it sees every network
 * frame before the events that it decides (meters, plots, statistics). KWS_ERR_ARG for a model with
 * full attention: it cannot hear an endless stream. */
enum kws_status kws_spotter_create(kws_spotter **out, const kws_model *m, unsigned in_hz,
				   const kws_spotter_config *cfg, kws_event_fn *on_event,
				   kws_frame_fn *on_frame, void *ctx, kws_error *err);
/* The same in a group (stream.h): many spotters of one model that share what they compute in. */
enum kws_status kws_spotter_create_in(kws_spotter **out, kws_group *g, unsigned in_hz,
				      const kws_spotter_config *cfg, kws_event_fn *on_event,
				      kws_frame_fn *on_frame, void *ctx, kws_error *err);
void kws_spotter_destroy(kws_spotter *sp);
void kws_spotter_reset(kws_spotter *sp);
void kws_spotter_process(kws_spotter *sp, const float *pcm, size_t n);

/* The same for several spotters of one group, each at most once: their frames go through the products together. Each has
 * the events that it has alone. */
typedef struct {
	kws_spotter *spotter;
	const float *pcm;
	size_t n;
} kws_spotter_input;
void kws_spotter_process_all(const kws_spotter_input *in, size_t n);

/* The audio has ended: an open candidate is decided. Only reset() may follow. */
void kws_spotter_flush(kws_spotter *sp);

/* New thresholds and times from the next frame on; nothing else changes. Allocates nothing. */
void kws_spotter_configure(kws_spotter *sp, const kws_spotter_config *cfg);

/* The smoothed probabilities (n_words,) that the decision compares with its thresholds; in
 * on_frame, those of that frame. */
const float *kws_spotter_score(const kws_spotter *sp);

/* Samples at the model's rate heard since the start or reset. */
uint64_t kws_spotter_heard(const kws_spotter *sp);

#endif
