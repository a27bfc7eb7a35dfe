/* batch.h - classifies many clips, and measures the result if a list says what is in them: for kws
 * classify and kws eval --manifest. */
#ifndef KWS_CLI_BATCH_H
#define KWS_CLI_BATCH_H

#include "cli/args.h"
#include "cli/inputs.h"
#include "corpus/confusion.h"
#include "corpus/manifest.h"
#include "corpus/predictions.h"
#include "corpus/vocabulary.h"

typedef struct {
	const kws_args_audio *audio;
	const kws_inputs *inputs; /* with a list only their jobs */
	const char *manifest;	  /* the list; NULL: use inputs */
	bool at_end;
} kws_batch_config;

typedef struct {
	kws_batch_config config;
	const kws_model *model;
	kws_manifest *manifest; /* NULL without */
	kws_files files;	/* the paths to open */
	/* results */
	kws_confusion confusion;   /* only with a list */
	kws_vocabulary vocabulary; /* of the list */
	size_t failed;		   /* clips */
	double audio_s;
	bool incomplete; /* a folder could not be read */
	bool lost;	 /* the reader of the output has gone */
} kws_batch;

/* List the clips. Reports what is wrong, and returns an exit status: KWS_EXIT_OK even if some
 * folders cannot be read. Free b in any case. */
int kws_batch_open(kws_batch *b, const kws_model *m, const kws_batch_config *config);
void kws_batch_free(kws_batch *b);

/* One clip. */
typedef struct {
	const kws_prediction *prediction;
	const size_t *order;  /* (n_words,) words by falling probability */
	const char *name;     /* as on the command line or in the list */
	const char *expected; /* NULL without a list */
	bool correct;
} kws_batch_clip;

/* Run the batch: calls on_clip for each clip that could be classified, in order. With on_clip NULL
 * nothing is printed. Reports the other clips and anything odd. Returns an exit status: KWS_EXIT_OK
 * even if some clips failed. */
typedef void kws_batch_fn(void *ctx, const kws_batch_clip *clip);
int kws_batch_run(kws_batch *b, kws_batch_fn *on_clip, void *ctx);

#endif
