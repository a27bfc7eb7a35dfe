/* models.h - the models that hear one stream together: their files and names, and which counts only after a word of another.
 *
 *   -m jarvis=hey.safetensors -m commands.safetensors --after commands=jarvis --within commands=8
 *
 * One alone has no name but the one that it is given. */
#ifndef KWS_CLI_MODELS_H
#define KWS_CLI_MODELS_H

#include "cli/args.h"

/* --after and --within, as they were given. */
typedef struct {
	const char *after[KWS_MODELS_MOST], *within[KWS_MODELS_MOST];
	size_t n_after, n_within;
} kws_models_args;

/* A child of a parser with these options; its input is a kws_models_args. */
extern const struct argp kws_models_argp;

typedef struct {
	char name[KWS_NAME]; /* "": one alone */
	kws_model *model;
	const char *after; /* the name of another; NULL: always heard */
	double within_s;
} kws_named_model;

typedef struct {
	kws_named_model at[KWS_MODELS_MOST];
	size_t n;
} kws_models; /* starts as all zeros */

/* Open those that were named with -m, or the one of kws_find_model. Returns an exit status; what is wrong has been said. */
int kws_models_open(kws_models *m, const kws_args_audio *audio, const kws_models_args *args);
void kws_models_close(kws_models *m);

#endif
