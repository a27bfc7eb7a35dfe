/* batch.h - classifies many clips, and measures the result if a list says what is in them: for kws
 * classify and kws eval --manifest. */
#ifndef KWS_CLI_BATCH_H
#define KWS_CLI_BATCH_H

#include "cli/args.h"
#include "cli/inputs.h"
#include "cli/shard.h"
#include "corpus/confusion.h"
#include "corpus/manifest.h"
#include "corpus/predictions.h"
#include "corpus/vocabulary.h"

typedef struct {
	const kws_args_audio *audio;
	const kws_inputs *inputs; /* with a list only their jobs */
	const kws_shard *shard;	  /* which clips; whether to keep results instead of printing */
	const char *manifest;	  /* the list; NULL: use inputs */
	bool at_end;
} kws_batch_config;

typedef struct {
	kws_batch_config config;
	const kws_model *model;
	kws_manifest *manifest; /* NULL without */
	kws_files files;	/* the paths to open */
	kws_results *results;	/* NULL without */
	size_t *order;		/* (n_words,) scratch */
	/* results */
	kws_confusion confusion;   /* only with a list */
	kws_vocabulary vocabulary; /* of the list */
	size_t failed;		   /* clips */
	double audio_s;
	bool incomplete; /* a folder could not be read */
	bool lost;	 /* the reader of the output has gone, or the results cannot be written */
} kws_batch;

/* Without clips, for counting what is in results; list: the name of the list, or NULL. False: the
 * reason was printed. Free b in any case. */
bool kws_batch_init(kws_batch *b, const kws_model *m, const char *list);

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

/* Takes a clip that could be classified. */
typedef void kws_batch_fn(void *ctx, const kws_batch_clip *clip);

/* Run the batch, in order. With on_clip NULL nothing is printed. Reports the clips that could not be
 * classified, and anything odd. Returns an exit status: KWS_EXIT_OK even if some clips failed. */
int kws_batch_run(kws_batch *b, kws_batch_fn *on_clip, void *ctx);

/* Count a clip and pass it on, or report why it could not be classified. expected: the word in line
 * `line' of the list, or NULL. */
void kws_batch_count(kws_batch *b, const kws_prediction *p, const char *name, const char *expected,
		     size_t line, kws_batch_fn *on_clip, void *ctx);

/* Count a result as if it were a clip of the batch. False: it is none of this model. */
bool kws_batch_count_result(kws_batch *b, const json_t *result, kws_batch_fn *on_clip, void *ctx);

/* Report the words of the list that the model lacks or has otherwise. */
void kws_batch_report_words(const kws_batch *b);

#endif
