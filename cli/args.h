/* args.h - options that several commands share: the model, and how to read the audio.
 *
 * A short letter means the same in all commands of kws and in kwsd: -c configuration, -d device, -j
 * jobs, -k top, -m model, -p picture, -q quiet, -s seconds; only kwsd has -l, -o, -t. Some
 * older spellings are hidden but still accepted, where no command gives them two meanings. */
#ifndef KWS_CLI_ARGS_H
#define KWS_CLI_ARGS_H

#include "audio/device.h"
#include "audio/source.h"
#include "cli/out.h"
#include "corpus/files.h"
#include "model/model.h"

#include <argp.h>
#include <stdbool.h>

/* Read the whole text as a number in [min, max]. Otherwise returns false, and *out is unchanged. */
bool kws_args_unsigned(const char *text, unsigned min, unsigned max, unsigned *out);

/* The same for the argument of an option, whole or real. On an error it prints what is wrong and
 * ends the program with KWS_EXIT_USAGE. */
unsigned kws_args_need(const struct argp_state *state, const char *option, const char *text,
		       unsigned min, unsigned max);
double kws_args_need_real(const struct argp_state *state, const char *option, const char *text,
			  double min, double max);

/* Read a format; `set' has bits 1 << enum kws_format for those allowed. */
enum kws_format kws_args_need_format(const struct argp_state *state, const char *text,
				     unsigned set);

typedef struct {
	char **all; /* (n,) as on the command line; the caller frees it */
	size_t n;
} kws_args_list;

/* One more argument, for a parser to return. ENOMEM: there is no memory; it has been said. */
error_t kws_args_append(kws_args_list *l, char *arg, struct argp_state *state);

/* argp_parse() for a command. For a misspelt option it first suggests what may have been meant. */
void kws_args_parse(const struct argp *argp, int argc, char **argv, void *input);

enum { KWS_MODELS_MOST = 16 };

typedef struct {
	const char *model;		     /* the last that was named; NULL: none */
	const char *models[KWS_MODELS_MOST]; /* all of them */
	size_t n_models;
	int channel;			  /* 0: the mean of all */
	unsigned rate_hz, channels, bits; /* of raw PCM */
	const char *encoding_name;
	enum kws_encoding encoding;
	bool raw_given; /* an option for raw PCM was given */
} kws_args_audio;

/* One more -m. */
void kws_args_add_model(const struct argp_state *state, kws_args_audio *a, const char *arg);

/* A child parser with these options; its input is a kws_args_audio. */
extern const struct argp kws_args_audio_argp;

/* The same, as the only child. */
extern const struct argp_child kws_args_audio_child[];

/* The microphone: -d, --channel, --channels, --rate. Its input is a kws_device_config, whose name
 * is NULL without -d. */
extern const struct argp kws_args_device_argp;

enum { KWS_ARGS_PATH = 4096 };

/* Open the model that kws_find_model() finds. On failure reports what is wrong and returns NULL. */
kws_model *kws_args_open_model(const char *wanted);

/* Open path, or standard input for "-". Audio without a header is raw PCM; a regular file given by
 * name MUST have a header. Prints a note if a header overrides options for raw PCM. */
enum kws_status kws_args_open_source(kws_source **out, const kws_args_audio *a, const char *path,
				     kws_error *err);

/* The same as an opener, for functions that open many files; a MUST outlive it. */
kws_opener kws_args_opener(const kws_args_audio *a);

#endif
