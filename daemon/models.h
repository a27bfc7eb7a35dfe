/* models.h - the models of a configuration, each in memory once, however many listeners hear it and
 * however many sections name it. */
#ifndef KWS_DAEMON_MODELS_H
#define KWS_DAEMON_MODELS_H

#include "daemon/conf.h"
#include "model/model.h"

/* The share of real time that all may take of one processor: more, and the audio would get ahead of
 * them. */
#define KWS_MODELS_MOST 0.8

typedef struct kws_shared_model kws_shared_model;

/* In the order of the configuration's sections; plain bytes that hold a share of each. All zero: none. */
typedef struct {
	size_t n;
	kws_shared_model *model[KWS_CONF_MODELS];
} kws_models;

/* Load what c names. What now, which may be NULL and is only looked at, holds with the same content is
 * shared with it, whatever its file is called. A new one is measured, which takes some tenths of a second,
 * and seconds when it is far too slow: call it from a thread you can do without. On failure *out is
 * empty. */
enum kws_status kws_models_load(kws_models *out, const kws_conf *c, const kws_models *now,
				kws_error *err);
void kws_models_release(kws_models *m);

/* What c says of its models: words that have a threshold are words of a model, and all together, each
 * once a listener that is enabled and hears it, take no more than KWS_MODELS_MOST, also those that are
 * gated. KWS_ERR_ARG names what is wrong. */
enum kws_status kws_models_check(const kws_models *m, const kws_conf *c, kws_error *err);

/* A share for somebody else, who gives it back; the last one closes the model. */
kws_shared_model *kws_shared_model_share(kws_shared_model *m);
void kws_shared_model_release(kws_shared_model *m); /* NULL is fine */
const kws_model *kws_shared_model_get(const kws_shared_model *m);
const char *kws_shared_model_path(const kws_shared_model *m); /* from which it was loaded */
/* Seconds of processor for a second of audio. */
double kws_shared_model_cost(const kws_shared_model *m);

#endif
