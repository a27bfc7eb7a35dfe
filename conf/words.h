/* words.h - what a configuration says about the words of its models. */
#ifndef KWS_CONF_WORDS_H
#define KWS_CONF_WORDS_H

#include "conf/conf.h"

/* Check that every word with a threshold is a word of a model. models: (c->n_model,). KWS_ERR_ARG;
 * the error names the word. */
enum kws_status kws_conf_check_words(const kws_conf *c, const kws_model *const *models,
				     kws_error *err);

/* The thresholds (kws_model_n_words(m),) that apply to the model of this name: those of the
 * configuration, else the model's. Words of the plain [threshold] that this model does not have
 * belong to other models. */
void kws_conf_thresholds(const kws_conf *c, const char *name, const kws_model *m, float *threshold);

#endif
