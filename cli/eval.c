/* kws eval - measures a model on clips or on continuous audio. */
#include "cli/accuracy.h"
#include "cli/batch.h"
#include "cli/cli.h"
#include "cli/evaluated.h"
#include "cli/measure.h"
#include "cli/picture.h"
#include "cli/shard.h"

#include <stdlib.h>
#include <string.h>

enum { OPT_FORMAT = 0x100, OPT_MANIFEST, OPT_TARGET };

typedef struct {
	kws_measure_args hear;
	const char *manifest;
	kws_shard shard;
	const char *printed; /* an option that says what is printed; NULL: none */
	kws_evaluated_style style;
} args;

static const struct argp_option options[] = {
	{ NULL, 0, NULL, 0, "Results:", 1 },
	{ "format", OPT_FORMAT, "FORMAT", 0, "text (default), jsonl or csv", 0 },
	{ "manifest", OPT_MANIFEST, "LIST", 0,
	  "Accuracy and confusion on the clips of a list: the same as kws classify -q --manifest",
	  0 },
	{ "picture", 'p', "FILE", 0,
	  "Draw misses against false alarms, and scores: .svg, .png or .pdf", 0 },
	{ "at", OPT_TARGET, "X", 0,
	  "Show the threshold for X false alarms an hour, may be repeated (default 0.5 and 1)", 0 },
	{ 0 },
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	args *a = state->input;
	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &a->hear;
		state->child_inputs[1] = &a->shard;
		return 0;
	case OPT_FORMAT:
		a->printed = "--format";
		a->style.format = kws_args_need_format(
			state, arg,
			1u << KWS_FORMAT_TEXT | 1u << KWS_FORMAT_JSONL | 1u << KWS_FORMAT_CSV);
		return 0;
	case OPT_MANIFEST: a->manifest = arg; return 0;
	case 'p':
		if (strcmp(arg, "-") == 0)
			argp_error(state, "--picture: standard output is for the results");
		a->printed = "--picture";
		a->style.picture = kws_picture_need(state, "--picture", arg);
		return 0;
	case OPT_TARGET:
		if (a->style.n_targets == KWS_EVALUATION_TARGETS)
			argp_error(state, "--at: more than %d times", KWS_EVALUATION_TARGETS);
		a->printed = "--at";
		a->style.target[a->style.n_targets++] =
			kws_args_need_real(state, "--at", arg, 0.0, 1e6);
		return 0;
	case ARGP_KEY_END:
		if (!a->manifest && !kws_inputs_given(&a->hear.inputs))
			argp_error(state, "name a file, a folder, --files-from or --manifest");
		kws_shard_prints(&a->shard, a->printed, state);
		if (a->manifest
		    && (kws_inputs_given(&a->hear.inputs) || a->style.picture
			|| a->style.n_targets))
			argp_error(state, "--manifest measures clips: it takes no other files, "
					  "--picture or --at");
		if (a->manifest
		    && (a->hear.unlabelled_only || a->hear.hours > 0.0 || a->hear.smooth_ms >= 0
			|| a->hear.refractory_ms >= 0 || a->hear.tolerance != 0.75))
			argp_error(state, "--manifest measures clips: it takes no --tolerance, "
					  "--unlabelled-only, --hours, --smooth or --refractory");
		return 0;
	default: return ARGP_ERR_UNKNOWN;
	}
}

typedef struct {
	const args *a;
	kws_files files;
	kws_evaluated e;
	kws_results *results; /* NULL: print */
	kws_progress progress;
	kws_vocabulary vocabulary;
	bool stopped; /* a recording could not be kept or counted */
} task;

static enum kws_status measure_one(void *ctx, kws_heard *h)
{
	const task *t = ctx;
	kws_material one = t->e.terms;
	one.recording = &h->recording;
	one.n = 1;
	const enum kws_status status = kws_measured_make(&h->measured, &one, t->e.own);
	h->measured.n_respelt = h->vocabulary.n_respelt;
	h->measured.n_others = h->vocabulary.n_others;
	/* the probabilities are most of what is kept, and no longer needed */
	free(h->recording.prob);
	free(h->recording.voice);
	h->recording.prob = NULL;
	h->recording.voice = NULL;
	return status;
}

static bool keep(const task *t, size_t i, const kws_heard *h)
{
	const size_t n = h->problems.n;
	const char *error = !h->failed ? NULL : n ? h->problems.text[n - 1] : "out of memory";
	return kws_shard_add(t->results, t->files.index[i], t->files.path[i], error,
			     h->failed ? json_object() : kws_measured_json(&h->measured));
}

/* Report what is wrong with a recording; count it, or keep what was measured. */
static bool take(void *ctx, size_t i, kws_heard *h)
{
	task *t = ctx;
	if (h->problems.n || h->problems.lost)
		kws_progress_clear(&t->progress);
	kws_vocabulary_add(&t->vocabulary, &h->vocabulary);
	const bool good = (!t->results || keep(t, i, h))
			  && kws_evaluated_add(&t->e, h->failed ? NULL : &h->measured);
	kws_out_problems(&h->problems);
	t->stopped = !good;
	return good;
}

/* False: the reason was printed. */
static bool hear_all(task *t, const kws_hear_config *config)
{
	kws_problems problems = { 0 };
	const kws_hear_work work = { measure_one, take, t };
	kws_progress_start(&t->progress, t->files.n);
	const enum kws_status status =
		kws_hear(t->e.model, &t->e.terms, &t->files, config, &work, &problems);
	kws_progress_clear(&t->progress);
	kws_vocabulary_report(&t->vocabulary, "not said", &problems);
	kws_out_problems(&problems);
	if (status != KWS_OK)
		kws_out_complain("%s", kws_strerror(status));
	return status == KWS_OK && !t->stopped;
}

static bool open_results(task *t, int *status)
{
	json_t *o = kws_shard_options(&t->a->hear.audio);
	kws_evaluated_options(&t->e, o);
	t->results = kws_shard_open(&t->a->shard, "eval", o, &t->files, status);
	return t->results != NULL;
}

static int run(task *t, const kws_hear_config *config)
{
	const bool kept = t->a->shard.results != NULL;
	int status = KWS_EXIT_INPUT;
	const bool all = kws_inputs_list(&t->a->hear.inputs, &t->files);
	if (kept && (!kws_shard_has_all(all) || !open_results(t, &status)))
		return status;
	bool good = hear_all(t, config);
	good = kws_shard_close(t->results) && good;
	t->results = NULL;
	if (!good || !kws_out_is_whole())
		return KWS_EXIT_INPUT;
	status = kept ? KWS_EXIT_OK : kws_evaluated_print(&t->e, &t->a->style);
	return status == KWS_EXIT_OK && (t->e.failed || !all) ? KWS_EXIT_INPUT : status;
}

static int measure(const args *a, const kws_model *m)
{
	task t = { .a = a,
		   .files = { .shard = a->shard.shard, .n_shards = a->shard.n_shards },
		   .vocabulary.model = m };
	const kws_hear_config config = kws_measure_config(&a->hear, &t.progress);
	int status = kws_measure_can(m);
	if (status == KWS_EXIT_OK)
		status = kws_evaluated_open(&t.e, m, &config) ? run(&t, &config) : KWS_EXIT_INPUT;
	kws_evaluated_free(&t.e);
	kws_files_free(&t.files);
	return status;
}

static int measure_clips(const args *a, const kws_model *m)
{
	const kws_batch_config config = { .audio = &a->hear.audio,
					  .inputs = &a->hear.inputs,
					  .shard = &a->shard,
					  .manifest = a->manifest };
	kws_batch b;
	int status = kws_batch_open(&b, m, &config);
	if (status == KWS_EXIT_OK)
		status = kws_batch_run(&b, NULL, NULL);
	if (status == KWS_EXIT_OK) {
		if (!a->shard.results)
			kws_accuracy_print(&b, a->style.format, stdout);
		status = b.failed ? KWS_EXIT_INPUT : KWS_EXIT_OK;
	}
	kws_batch_free(&b);
	return status;
}

static const struct argp_child children[] = { { &kws_measure_argp, 0, NULL, 0 },
					      { &kws_shard_argp, 0, NULL, 0 },
					      { 0 } };

static const struct argp argp = {
	.options = options,
	.parser = parse,
	.args_doc = "[FILE|DIR]...",
	.doc = "Measure misses against false alarms on recordings. a.tsv (start, end, word) says "
	       "which words are in a.flac; without it, there are none.",
	.children = children,
};

int kws_cmd_eval(int argc, char **argv)
{
	args a = { 0 };
	kws_args_parse(&argp, argc, argv, &a);
	kws_model *m = kws_args_open_model(a.hear.audio.model);
	if (!m)
		return KWS_EXIT_MODEL;
	const int status = a.manifest ? measure_clips(&a, m) : measure(&a, m);
	kws_model_close(m);
	return status;
}
