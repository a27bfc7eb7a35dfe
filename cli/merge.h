/* merge.h - kws merge: what the command of a run prints, from the results of its shards. */
#ifndef KWS_CLI_MERGE_H
#define KWS_CLI_MERGE_H

#include "cli/args.h"
#include "cli/evaluated.h"
#include "corpus/results.h"

typedef struct {
	kws_args_audio audio;	   /* its models */
	kws_evaluated_style style; /* with the format */
	unsigned top;
	bool quiet;
	kws_results_set *set;
} kws_merge;

/* Print a run of spot, of classify (and eval --manifest), or of eval. Each returns an exit status. */
int kws_merge_spot(const kws_merge *m);
int kws_merge_classify(const kws_merge *m);
int kws_merge_eval(const kws_merge *m);

/* Whether model is the one that `made' names with "model" and "model_sha256". False: it is not, and
 * that was printed. */
bool kws_merge_is_of(const json_t *made, const kws_model *model);

/* Call take for each result, in the order of the recordings; it returns whether it is a good one.
 * What cannot be read or is no good is reported. Returns an exit status; KWS_EXIT_OK even if some
 * recordings have errors. */
typedef bool kws_merge_fn(void *ctx, const json_t *result);
int kws_merge_each(const kws_merge *m, kws_merge_fn *take, void *ctx);

#endif
