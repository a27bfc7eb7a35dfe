/* hear.h - what eval and calibrate measure on: recordings, each heard once, and what is said in
 * them. */
#ifndef KWS_CLI_RECORDINGS_H
#define KWS_CLI_RECORDINGS_H

#include "cli/args.h"
#include "corpus/det.h"
#include "cli/vocabulary.h"

typedef struct {
	kws_args_audio audio;
	double tolerance; /* seconds */
	bool unlabelled_only;
	unsigned jobs;
	int smooth_ms, refractory_ms; /* -1: the model's */
	char **inputs;		      /* files and folders, of the caller */
	int n_inputs;
} kws_hear_args;

/* The children of a parser with these options; the input of the first is a kws_hear_args. */
extern const struct argp_child kws_hear_child[];

typedef struct {
	kws_model *model;
	kws_material material; /* its recordings are those that could be heard */
	size_t n_labelled, n_said;
	double labelled_s, unlabelled_s;
	size_t failed;		   /* recordings that could not be heard */
	kws_vocabulary vocabulary; /* of the truth files */
	void *own;
} kws_heard;

/* Open the model and hear everything. The words said in a recording are read from the file beside
 * it that ends in .tsv instead of its own suffix; where there is none, nothing is said. What is
 * wrong is told; returns an exit status, KWS_EXIT_OK also when some recordings failed. */
int kws_hear(kws_heard *h, const kws_hear_args *a);
void kws_heard_free(kws_heard *h);

#endif
