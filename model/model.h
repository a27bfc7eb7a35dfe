/* model.h - what a model file says beyond the public interface. docs/model-format.md describes the
 * file. */
#ifndef KWS_MODEL_MODEL_H
#define KWS_MODEL_MODEL_H

#include "kws.h"

enum { KWS_MAX_MELS = 128 };

/* Names of enum kws_mel_scale in a model file; NULL at the end. */
extern const char *const kws_mel_names[];

/* Decision defaults of the file (the metadata entry "decision"). */
typedef struct {
	unsigned smooth_ms;	/* length of the mean of the posteriors */
	unsigned refractory_ms; /* shortest time between events of one word */
	unsigned wait_ms; /* longest wait until a word is sure (spot/decide.h); 0: none waits */
	float threshold;  /* for words without one in words_threshold */
} kws_decision;

/* All of these live as long as the model. */
const kws_features *kws_model_features(const kws_model *m);
const kws_decision *kws_model_decision(const kws_model *m);
size_t kws_model_n_classes(
	const kws_model *m); /* words of one softmax; each behind has a probability of its own */
size_t kws_model_stride(const kws_model *m); /* feature frames per network frame */
size_t kws_model_window(const kws_model *m); /* network frames that the head pools */
size_t kws_model_max_frames(
	const kws_model
		*m); /* 0: endless; else full attention over at most so many network frames */
bool kws_model_whole_clip(
	const kws_model *m); /* 1: says nothing before the clip has ended; max_frames is not 0 */
size_t kws_model_n_params(const kws_model *m);
size_t kws_model_file_bytes(const kws_model *m);
const char *kws_model_meta(const kws_model *m, const char *key); /* raw metadata text, or NULL */

#endif
