/* kws eval - measures a model on clips or on continuous audio. */
#include "cli/accuracy.h"
#include "cli/batch.h"
#include "cli/cli.h"
#include "cli/evaluated.h"
#include "cli/measure.h"
#include "cli/picture.h"

#include <stdlib.h>
#include <string.h>

enum { OPT_FORMAT = 0x100, OPT_MANIFEST, OPT_TARGET };

typedef struct {
	kws_measure_args hear;
	const char *manifest;
	kws_evaluated_style style;
} args;

static const struct argp_option options[] = {
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
	case ARGP_KEY_INIT: state->child_inputs[0] = &a->hear; return 0;
	case OPT_FORMAT:
		a->style.format = kws_args_need_format(
			state, arg,
			1u << KWS_FORMAT_TEXT | 1u << KWS_FORMAT_JSONL | 1u << KWS_FORMAT_CSV);
		return 0;
	case OPT_MANIFEST: a->manifest = arg; return 0;
	case 'p':
		if (strcmp(arg, "-") == 0)
			argp_error(state, "--picture: standard output is for the results");
		a->style.picture = kws_picture_need(state, "--picture", arg);
		return 0;
	case OPT_TARGET:
		if (a->style.n_targets == KWS_EVALUATION_TARGETS)
			argp_error(state, "--at: more than %d times", KWS_EVALUATION_TARGETS);
		a->style.target[a->style.n_targets++] =
			kws_args_need_real(state, "--at", arg, 0.0, 1e6);
		return 0;
	case ARGP_KEY_END:
		if (!a->manifest && !kws_inputs_given(&a->hear.inputs))
			argp_error(state, "name a file, a folder, --files-from or --manifest");
		if (a->manifest
		    && (kws_inputs_given(&a->hear.inputs) || a->style.picture
			|| a->style.n_targets))
			argp_error(state, "--manifest measures clips: it takes no other files, "
					  "--picture or --at");
		if (a->manifest
		    && (a->hear.unlabelled_only || a->hear.smooth_ms >= 0
			|| a->hear.refractory_ms >= 0 || a->hear.tolerance != 0.75))
			argp_error(state, "--manifest measures clips: it takes no --tolerance, "
					  "--unlabelled-only, --smooth or --refractory");
		return 0;
	default: return ARGP_ERR_UNKNOWN;
	}
}

typedef struct {
	const kws_model *model;
	kws_material terms;
	bool *command;	       /* (n_words,) of terms */
	float *own;	       /* (n_words,) the model's thresholds */
	kws_measured measured; /* of all */
	kws_vocabulary vocabulary;
	kws_problems problems;
	size_t failed;
} task;

static enum kws_status measure_one(void *ctx, kws_heard *h)
{
	const task *t = ctx;
	kws_material one = t->terms;
	one.recording = &h->recording;
	one.n = 1;
	const enum kws_status status = kws_measured_make(&h->measured, &one, t->own);
	h->measured.n_respelt = h->vocabulary.n_respelt;
	h->measured.n_others = h->vocabulary.n_others;
	/* the probabilities are most of what is kept, and no longer needed */
	free(h->recording.prob);
	free(h->recording.voice);
	h->recording.prob = NULL;
	h->recording.voice = NULL;
	return status;
}

static bool add(void *ctx, size_t i, kws_heard *h)
{
	task *t = ctx;
	(void)i;
	kws_problems_move(&t->problems, &h->problems);
	kws_vocabulary_add(&t->vocabulary, &h->vocabulary);
	t->failed += h->failed;
	if (!h->failed && kws_measured_add(&t->measured, &h->measured) != KWS_OK)
		kws_out_no_memory();
	return kws_out_is_whole();
}

static int hear(task *t, const args *a, const kws_files *files)
{
	kws_progress progress;
	const kws_hear_config config = kws_measure_config(&a->hear, &progress);
	const kws_hear_work work = { measure_one, add, t };
	kws_hear_terms(&t->terms, t->command, t->model, &config);
	for (size_t w = 0; w < t->terms.n_words; w++)
		t->own[w] = kws_model_threshold(t->model, w);
	t->vocabulary.model = t->model;
	kws_progress_start(&progress, files->n);
	const enum kws_status status =
		kws_hear(t->model, &t->terms, files, &config, &work, &t->problems);
	kws_progress_clear(&progress);
	kws_vocabulary_report(&t->vocabulary, "not said", &t->problems);
	kws_out_problems(&t->problems);
	if (status != KWS_OK)
		kws_out_complain("%s", kws_strerror(status));
	else if (t->failed == files->n)
		kws_out_complain("none of the recordings could be read");
	return status == KWS_OK && t->failed < files->n ? KWS_EXIT_OK : KWS_EXIT_INPUT;
}

static int measure(const args *a, const kws_model *m)
{
	const size_t n_words = kws_model_n_words(m);
	task t = { .model = m };
	kws_files files = { 0 };
	int status = kws_measure_can(m);
	bool all = true;
	t.command = calloc(n_words, sizeof *t.command);
	t.own = calloc(n_words, sizeof *t.own);
	if (status == KWS_EXIT_OK
	    && (!t.command || !t.own || kws_measured_init(&t.measured, n_words) != KWS_OK)) {
		kws_out_complain("%s", kws_strerror(KWS_ERR_NOMEM));
		status = KWS_EXIT_INPUT;
	}
	if (status == KWS_EXIT_OK) {
		all = kws_inputs_list(&a->hear.inputs, &files);
		status = hear(&t, a, &files);
	}
	if (status == KWS_EXIT_OK)
		status = kws_evaluated_print(&a->style, m, &t.terms, &t.measured, t.failed);
	kws_files_free(&files);
	kws_measured_free(&t.measured);
	free(t.command);
	free(t.own);
	return status == KWS_EXIT_OK && (t.failed || !all) ? KWS_EXIT_INPUT : status;
}

static int measure_clips(const args *a, const kws_model *m)
{
	const kws_batch_config config = { .audio = &a->hear.audio,
					  .inputs = &a->hear.inputs,
					  .manifest = a->manifest };
	kws_batch b;
	int status = kws_batch_open(&b, m, &config);
	if (status == KWS_EXIT_OK)
		status = kws_batch_run(&b, NULL, NULL);
	if (status == KWS_EXIT_OK) {
		kws_accuracy_print(&b, a->style.format, stdout);
		status = b.failed ? KWS_EXIT_INPUT : KWS_EXIT_OK;
	}
	kws_batch_free(&b);
	return status;
}

static const struct argp argp = {
	.options = options,
	.parser = parse,
	.args_doc = "[FILE|DIR]...",
	.doc = "Measure misses against false alarms on recordings. a.tsv (start, end, word) says "
	       "which words are in a.flac; without it, there are none.",
	.children = kws_measure_child,
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
