/* model.h - a model file, checked and packed for this machine. docs/model-format.md describes the file. */
#ifndef KWS_MODEL_MODEL_H
#define KWS_MODEL_MODEL_H

#include "kws.h"

enum { KWS_MAX_MELS = 128 };

typedef struct kws_model kws_model; /* immutable; share freely between threads */

/* The feature contract: what the network was trained on. Plain data; spot/ turns it into a kws_mel_config. */
typedef struct {
	unsigned rate_hz, win, hop, n_fft, n_mels;
	float f_lo_hz, f_hi_hz, log_floor;
	enum kws_mel_scale mel;
} kws_features;

extern const char
	*const kws_mel_names[]; /* in a file, of each enum kws_mel_scale; NULL at the end */

/* Decision defaults of the file (the metadata entry "decision"). */
typedef struct {
	unsigned smooth_ms;	/* mean over that much of the posteriors */
	unsigned refractory_ms; /* after an event, the same word is silent for that long at least */
	float threshold;	/* where words_threshold has none */
} kws_decision;

/* Read, check and pack. The file may be hostile: every size, offset, name, dtype, shape and value is checked before
 * use; err names the file, the tensor or key, and the reason.
 * KWS_ERR_IO, KWS_ERR_FORMAT, KWS_ERR_VERSION (an unknown kind of layer or a newer format), KWS_ERR_NOMEM. */
enum kws_status kws_model_open(kws_model **out, const char *path, kws_error *err);
/* The same from memory, without a file to name. blob is not used after the call. */
enum kws_status kws_model_parse(kws_model **out, const void *blob, size_t len, kws_error *err);
void kws_model_close(kws_model *m); /* after every kws_net made from it */

/* All of these live as long as the model. */
const kws_features *kws_model_features(const kws_model *m);
const kws_decision *kws_model_decision(const kws_model *m);
size_t kws_model_n_words(const kws_model *m);
const char *kws_model_word(const kws_model *m, size_t i); /* "yes", ..., "_unknown_", "_silence_" */
int kws_model_word_index(const kws_model *m, const char *word); /* -1: no such word */
float kws_model_threshold(const kws_model *m, size_t word);	/* per word, in 0..1 */
size_t kws_model_stride(const kws_model *m); /* feature frames per network frame */
size_t kws_model_window(const kws_model *m); /* network frames the head's pooling looks back on */
size_t kws_model_max_frames(
	const kws_model
		*m); /* 0: endless; else full attention over at most so many network frames */
int kws_model_whole_clip(
	const kws_model *m); /* 1: says nothing before the clip has ended; max_frames is not 0 */
size_t kws_model_n_params(const kws_model *m);
size_t kws_model_file_bytes(const kws_model *m);
const char *kws_model_hash(const kws_model *m); /* SHA-256 of the file, 64 hex digits */
const char *kws_model_name(const kws_model *m); /* metadata "name", e.g. "commands-12" */
const char *kws_model_meta(const kws_model *m, const char *key); /* raw metadata text, or NULL */

#endif
