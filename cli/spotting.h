/* spotting.h - finds the words of many recordings, in several threads, and prints or keeps them in
 * the order of the recordings: those of the first that is not done yet at once, even while it is heard. */
#ifndef KWS_CLI_SPOTTING_H
#define KWS_CLI_SPOTTING_H

#include "cli/found.h"
#include "cli/inputs.h"
#include "cli/shard.h"

typedef struct {
	const kws_args_audio *audio;
	const kws_files *files;
	kws_found_style style;
	kws_results *results;	      /* keep what is found there; NULL: print it */
	float *const *threshold;      /* of each model (n_words,) */
	int smooth_ms, refractory_ms; /* -1: the model's */
	unsigned block_ms;	      /* audio processed at a time */
	double squelch_db;	      /* 0: everything is heard */
	unsigned n_threads;
} kws_spotting_config;

/* Find the words of all files, and report what is wrong with some. Returns an exit status. */
int kws_spotting_run(const kws_spotting_config *config);

#endif
