/* args.h - options that several commands have: the model, and how the audio is to be read. */
#ifndef KWS_CLI_ARGS_H
#define KWS_CLI_ARGS_H

#include "audio/source.h"
#include "model/model.h"

#include <argp.h>
#include <stdbool.h>

/* Whole text, finite, in [min, max]; anything else is false and leaves *out. */
bool kws_args_unsigned(const char *text, unsigned min, unsigned max, unsigned *out);
bool kws_args_real(const char *text, double min, double max, double *out);

/* The same for an option's argument: prints what is wrong and ends the program with
 * KWS_EXIT_USAGE. */
unsigned kws_args_need(const struct argp_state *state, const char *option, const char *text,
		       unsigned min, unsigned max);

typedef struct {
	const char *model;
	int channel;			  /* 0: the mean of all */
	unsigned rate_hz, channels, bits; /* of raw PCM */
	const char *encoding_name;
	enum kws_encoding encoding;
} kws_args_audio;

/* The children of a parser with these options; the input of the first is a kws_args_audio. */
extern const struct argp_child kws_args_audio_child[];

enum { KWS_ARGS_PATH = 4096 };

/* Open the model of kws_find_model. Says what is wrong and returns NULL on failure. */
kws_model *kws_args_open_model(const char *wanted);

/* Open path, or raw PCM on stdin for "-". */
enum kws_status kws_args_open_source(kws_source **out, const kws_args_audio *a, const char *path,
				     kws_error *err);

#endif
