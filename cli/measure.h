/* measure.h - what eval and calibrate share: their options, and the recordings that they measure on. */
#ifndef KWS_CLI_MEASURE_H
#define KWS_CLI_MEASURE_H

#include "cli/args.h"
#include "corpus/recordings.h"

typedef struct {
	kws_args_audio audio;
	double tolerance; /* seconds */
	bool unlabelled_only;
	unsigned jobs;
	int smooth_ms, refractory_ms; /* -1: the model's */
	char **inputs;		      /* files and folders, of the caller */
	int n_inputs;
} kws_measure_args;

/* The children of a parser with these options; the input of the first is a kws_measure_args. */
extern const struct argp_child kws_measure_child[];

/* Hear everything with m, and complain of what is wrong with some of it. Returns an exit status, KWS_EXIT_OK also when some
 * recordings failed; r is to be freed whatever it is. */
int kws_measure_hear(kws_recordings *r, const kws_model *m, const kws_measure_args *a);

#endif
