/* classify.h - one label for one clip, by the same pipeline.
 *
 * The clip is heard from a fresh state. Its probabilities are those of the network frame at which a
 * word (not _unknown_, not _silence_) is most probable, among the frames whose pooling window lies
 * wholly inside the clip; a clip shorter than the window is followed by silence up to it. So a clip
 * of one window has one frame that counts: its last. A model with full attention hears the first
 * kws_model_max_frames() network frames of the clip.
 *
 * Or (at_end) only the clip's last frame counts, with all that came before it as its past: what a
 * stream would have said just then. */
#ifndef KWS_SPOT_CLASSIFY_H
#define KWS_SPOT_CLASSIFY_H

#include "model/model.h"

#include <stdbool.h>

typedef struct kws_classifier kws_classifier;

enum kws_status kws_classifier_create(kws_classifier **out, const kws_model *m, unsigned in_hz,
				      bool at_end, kws_error *err);
void kws_classifier_destroy(kws_classifier *c);
void kws_classifier_process(kws_classifier *c, const float *pcm, size_t n);
/* prob (n_words,), sums to 1. Ends the clip and resets for the next. */
void kws_classifier_finish(kws_classifier *c, float *prob);

/* The most probable of prob (n_words,); of equals the first. */
size_t kws_classify_best(const float *prob, size_t n_words);

#endif
