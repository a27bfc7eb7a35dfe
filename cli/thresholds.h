/* thresholds.h - what --threshold says: the score that a word has to reach.
 *
 *   0.8             all words
 *   off             none ever
 *   go=0.8,stop=off one word each; a list may have one value for all words, too
 *   jarvis:0.8, jarvis:go=0.8  the same for one of several models
 *
 * What stands later on the command line counts, but a word's own value before that for all, and a model's before that for all
 * models. */
#ifndef KWS_CLI_THRESHOLDS_H
#define KWS_CLI_THRESHOLDS_H

#include "cli/args.h"

#include <argp.h>
#include <stdbool.h>

enum { KWS_THRESHOLDS_MOST = 256 };

typedef struct {
	const char *list[KWS_THRESHOLDS_MOST]; /* as they were given */
	size_t n;
} kws_thresholds;

/* A child of a parser with this option; its input is a kws_thresholds. */
extern const struct argp kws_thresholds_argp;

typedef struct {
	const char *name; /* among several */
	const kws_model *model;
	float *threshold; /* (n_words,) */
} kws_threshold_target;

/* Each model's own, changed as asked, into its threshold; n: 1 to KWS_MODELS_MOST. false: said what is wrong. */
bool kws_thresholds_apply(const kws_thresholds *t, const kws_threshold_target *at, size_t n);

#endif
