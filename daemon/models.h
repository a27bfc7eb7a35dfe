/* models.h - the models of a configuration. Each is in memory only once, however many listeners use
 * it and however many sections name it. */
#ifndef KWS_DAEMON_MODELS_H
#define KWS_DAEMON_MODELS_H

#include "conf/conf.h"
#include "model/model.h"

/* The most that all models together may use of one processor. With more, they would fall behind the
 * audio. */
#define KWS_MODELS_MOST 0.8

typedef struct kws_shared_model kws_shared_model;

/* In the order of the configuration's sections, with one share of each. All zero: no models. */
typedef struct {
	size_t n;
	kws_shared_model *model[KWS_CONF_MODELS];
} kws_models;

/* Load the models of c. A model with the same content as one in now is shared with it, whatever its
 * file is called; now may be NULL and is only read. The cost of a new model is measured, which
 * takes some tenths of a second, or seconds if it is far too slow: call this from a thread that may
 * block. On failure *out is empty. */
enum kws_status kws_models_load(kws_models *out, const kws_conf *c, const kws_models *now,
				kws_error *err);
void kws_models_release(kws_models *m);

/* Check c against its models: every word with a threshold is a word of a model, and the total cost
 * is at most KWS_MODELS_MOST. The total counts each model, also a gated one, once for each enabled
 * listener that uses it. KWS_ERR_ARG; the error names what is wrong. */
enum kws_status kws_models_check(const kws_models *m, const kws_conf *c, kws_error *err);

/* Take one more share, to be released; releasing the last one closes the model. */
kws_shared_model *kws_shared_model_share(kws_shared_model *m);
void kws_shared_model_release(kws_shared_model *m); /* NULL is fine */
const kws_model *kws_shared_model_get(const kws_shared_model *m);
const char *kws_shared_model_path(const kws_shared_model *m); /* the file it was loaded from */
/* CPU seconds per second of audio. */
double kws_shared_model_cost(const kws_shared_model *m);

#endif
