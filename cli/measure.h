/* measure.h - shared by eval and calibrate: their options, and the recordings to measure on. */
#ifndef KWS_CLI_MEASURE_H
#define KWS_CLI_MEASURE_H

#include "cli/args.h"
#include "cli/inputs.h"
#include "cli/progress.h"
#include "corpus/hear.h"

typedef struct {
	kws_args_audio audio;
	kws_inputs inputs;
	double tolerance; /* seconds */
	bool unlabelled_only;
	double hours;		      /* that the recordings are cut from; 0: they are whole */
	int smooth_ms, refractory_ms; /* -1: the model's */
} kws_measure_args;

/* A child parser with these options, and the inputs; its input is a kws_measure_args. */
extern const struct argp kws_measure_argp;

/* How to hear with these options; progress is shown on the terminal. Both MUST outlive it. */
kws_hear_config kws_measure_config(const kws_measure_args *a, kws_progress *progress);

/* Whether m can be measured on recordings: if not, reports that. Returns an exit status. */
int kws_measure_can(const kws_model *m);

/* Whether the recordings, `heard' hours, can be cut from so many hours (0: they are whole). If not,
 * reports that. */
bool kws_measure_fits(double hours, double heard);

#endif
