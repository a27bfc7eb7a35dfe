/* models.h - the models that process one stream together: their files, their names, and which model
 * counts only after a word of another.
 *
 *   -m jarvis=hey.safetensors -m commands.safetensors --after commands=jarvis --within commands=8
 *
 * A single model has a name only if it is given one. */
#ifndef KWS_CLI_MODELS_H
#define KWS_CLI_MODELS_H

#include "cli/args.h"

/* --after and --within, as given. */
typedef struct {
	const char *after[KWS_MODELS_MOST], *within[KWS_MODELS_MOST];
	size_t n_after, n_within;
} kws_models_args;

/* A child parser with these options; its input is a kws_models_args. */
extern const struct argp kws_models_argp;

typedef struct {
	char name[KWS_NAME]; /* "": a single model */
	kws_model *model;
	const char *after; /* name of the gating model; NULL: always counts */
	double within_s;
} kws_named_model;

typedef struct {
	kws_named_model at[KWS_MODELS_MOST];
	size_t n;
} kws_models; /* starts as all zeros */

/* Open the models named with -m, or the one that kws_find_model() finds. Reports what is wrong, and
 * returns an exit status. */
int kws_models_open(kws_models *m, const kws_args_audio *audio, const kws_models_args *args);
void kws_models_close(kws_models *m);

#endif
