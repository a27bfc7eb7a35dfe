/* thresholds.h - the option --threshold: the score that a word has to reach.
 *
 *   0.8             all words
 *   off             none ever
 *   go=0.8,stop=off one word each; a list may also have one value for all words
 *   jarvis:0.8, jarvis:go=0.8  the same for one of several models
 *
 * A later option overrides an earlier one. A word's own value overrides the value for all words,
 * and a model's value overrides that for all models. */
#ifndef KWS_CLI_THRESHOLDS_H
#define KWS_CLI_THRESHOLDS_H

#include "cli/models.h"

#include <argp.h>
#include <stdbool.h>

enum { KWS_THRESHOLDS_MOST = 256 };
#define KWS_THRESHOLD_OFF 2.0f /* no score reaches it */

typedef struct {
	const char *list[KWS_THRESHOLDS_MOST]; /* as given */
	size_t n;
} kws_thresholds;

/* A child parser with this option; its input is a kws_thresholds. */
extern const struct argp kws_thresholds_argp;

typedef struct {
	const char *name; /* used if there are several */
	const kws_model *model;
	float *threshold; /* (n_words,) */
} kws_threshold_target;

/* Write the thresholds of each model, changed by the options, to its threshold. n: 1 to
 * KWS_MODELS_MOST. False: the reason was printed. */
bool kws_thresholds_apply(const kws_thresholds *t, const kws_threshold_target *at, size_t n);

/* The same for all models, whose threshold (n_words,) is allocated: the caller MUST free() it, after
 * a failure too. */
bool kws_thresholds_of_models(const kws_thresholds *t, const kws_models *models,
			      float *threshold[KWS_MODELS_MOST]);

#endif
