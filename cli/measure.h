/* measure.h - shared by eval and calibrate: their options, and the recordings to measure on. */
#ifndef KWS_CLI_MEASURE_H
#define KWS_CLI_MEASURE_H

#include "cli/args.h"
#include "cli/inputs.h"
#include "corpus/recordings.h"

typedef struct {
	kws_args_audio audio;
	kws_inputs inputs;
	double tolerance; /* seconds */
	bool unlabelled_only;
	int smooth_ms, refractory_ms; /* -1: the model's */
} kws_measure_args;

/* Child parsers with these options, and the inputs; the input of the first is a kws_measure_args. */
extern const struct argp_child kws_measure_child[];

/* Process all inputs with m, and report what is wrong with some. Returns an exit status:
 * KWS_EXIT_OK even if some recordings failed. Free r in any case. */
int kws_measure_hear(kws_recordings *r, const kws_model *m, const kws_measure_args *a);

#endif
