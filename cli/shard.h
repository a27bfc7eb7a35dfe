/* shard.h - the options of large runs: a shard of the recordings, and a file of results instead of
 * output. kws merge prints what such files have. */
#ifndef KWS_CLI_SHARD_H
#define KWS_CLI_SHARD_H

#include "cli/args.h"
#include "cli/inputs.h"
#include "corpus/results.h"

typedef struct {
	const char *results;	/* NULL: print instead */
	size_t shard, n_shards; /* from 0; 0, 0: all */
} kws_shard;

/* A child parser with --results and --shard; its input is a kws_shard. */
extern const struct argp kws_shard_argp;

/* Call it at the end of the options: with --results nothing is printed, so `option', which says
 * what, is an error; NULL: none was given. */
void kws_shard_prints(const kws_shard *s, const char *option, const struct argp_state *state);

/* all: whether all recordings could be listed. False: they could not, and that was printed: other
 * shards might have another list. */
bool kws_shard_has_all(bool all);

/* The part of the options of a run that says how its sound is read, and with which program. */
json_t *kws_shard_options(const kws_args_audio *audio);

/* Open the results of `command' on files, and leave out what is done. Takes the reference to
 * options. NULL: the reason was printed, and *status is an exit status. */
kws_results *kws_shard_open(const kws_shard *shard, const char *command, json_t *options,
			    kws_files *files, int *status);

/* Append a result, as kws_results_add(). False: the reason was printed, or memory was short, which
 * kws_out_finish() prints. */
bool kws_shard_add(kws_results *r, size_t index, const char *path, const char *error,
		   json_t *result);

/* False: the reason was printed. NULL: nothing was kept. */
bool kws_shard_close(kws_results *r);

#endif
