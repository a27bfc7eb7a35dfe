/* args.h - options that several commands have: the model, and how the audio is to be read.
 *
 * A short letter means the same in all commands of kws and in kwsd: -c configuration, -d device,
 * -j jobs, -k top, -m model, -p picture, -q quiet, -s seconds; kwsd alone has -l, -o, -r, -t.
 * Older spellings that mean something else there are hidden, and still taken where no command gives
 * them two meanings. */
#ifndef KWS_CLI_ARGS_H
#define KWS_CLI_ARGS_H

#include "audio/device.h"
#include "audio/source.h"
#include "cli/out.h"
#include "corpus/files.h"
#include "model/model.h"

#include <argp.h>
#include <stdbool.h>

/* Whole text, in [min, max]; anything else is false and leaves *out. */
bool kws_args_unsigned(const char *text, unsigned min, unsigned max, unsigned *out);

/* The same for an option's argument, whole or real: prints what is wrong and ends the program with
 * KWS_EXIT_USAGE. */
unsigned kws_args_need(const struct argp_state *state, const char *option, const char *text,
		       unsigned min, unsigned max);
double kws_args_need_real(const struct argp_state *state, const char *option, const char *text,
			  double min, double max);

/* A format among `set', bits 1 << enum kws_format. */
enum kws_format kws_args_need_format(const struct argp_state *state, const char *text,
				     unsigned set);

/* argp_parse() for a command, which first says what a misspelt option may have meant. */
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
	bool raw_given; /* one of those for raw PCM was named */
} kws_args_audio;

/* A child of a parser with these options; its input is a kws_args_audio. */
extern const struct argp kws_args_audio_argp;

/* The same as the only child. */
extern const struct argp_child kws_args_audio_child[];

/* The microphone: -d, --channel, --channels, --rate; its input is a kws_device_config, whose name is
 * NULL without -d. */
extern const struct argp kws_args_device_argp;

enum { KWS_ARGS_PATH = 4096 };

/* Open the model of kws_find_model. Says what is wrong and returns NULL on failure. */
kws_model *kws_args_open_model(const char *wanted);

/* Open path, standard input for "-". What has no header is raw PCM, but a regular file with a name
 * MUST have one. Says so when a header goes before options for raw PCM. */
enum kws_status kws_args_open_source(kws_source **out, const kws_args_audio *a, const char *path,
				     kws_error *err);

/* The same for what opens many files; a MUST outlive it. */
kws_opener kws_args_opener(const kws_args_audio *a);

#endif
