/* batch.h - many clips classified, and measured when a list says what is in them: kws classify, and kws eval --manifest. */
#ifndef KWS_CLI_BATCH_H
#define KWS_CLI_BATCH_H

#include "cli/args.h"
#include "corpus/confusion.h"
#include "corpus/manifest.h"
#include "corpus/predictions.h"
#include "corpus/vocabulary.h"

typedef struct {
	const kws_args_audio *audio;
	const char *manifest; /* the list; NULL: inputs */
	char **inputs;	      /* (n_inputs,) files and folders */
	int n_inputs;
	unsigned n_threads;
	bool at_end;
} kws_batch_config;

typedef struct {
	kws_batch_config config;
	const kws_model *model;
	kws_manifest *manifest; /* NULL without */
	kws_files files;	/* the paths to open */
	/* what came of it */
	kws_confusion confusion;   /* with a list */
	kws_vocabulary vocabulary; /* of the list */
	size_t failed;		   /* clips */
	double audio_s;
	bool incomplete; /* a folder could not be read */
	bool lost;	 /* nobody reads the output any more */
} kws_batch;

/* List the clips. Complains of what is wrong; returns an exit status, KWS_EXIT_OK also when some folders cannot be read. b
 * is to be freed whatever it is. */
int kws_batch_open(kws_batch *b, const kws_model *m, const kws_batch_config *config);
void kws_batch_free(kws_batch *b);

/* One clip. */
typedef struct {
	const kws_prediction *prediction;
	const size_t *order;  /* (n_words,) words by falling probability */
	const char *name;     /* as it was named or listed */
	const char *expected; /* NULL without a list */
	bool correct;
} kws_batch_clip;

/* Each clip that could be classified, in their order; on_clip may be NULL, then nothing is printed. Complains of the others
 * and of what is odd. Returns an exit status, KWS_EXIT_OK also when some clips failed. */
typedef void kws_batch_fn(void *ctx, const kws_batch_clip *clip);
int kws_batch_run(kws_batch *b, kws_batch_fn *on_clip, void *ctx);

#endif
