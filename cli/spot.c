/* kws spot - which word is said when. */
#include "cli/cli.h"
#include "cli/spotting.h"
#include "cli/thresholds.h"
#include "spot/decide.h"

#include <stdlib.h>

enum { OPT_FORMAT = 0x100, OPT_BLOCK, OPT_SMOOTH, OPT_REFRACTORY };

static const unsigned FORMATS = 1u << KWS_FORMAT_TEXT | 1u << KWS_FORMAT_JSONL
				| 1u << KWS_FORMAT_CSV | 1u << KWS_FORMAT_AUDACITY;

typedef struct {
	kws_args_audio audio;
	kws_inputs inputs;
	enum kws_format format;
	unsigned block_ms;
	int smooth_ms, refractory_ms; /* -1: the model's */
	kws_thresholds thresholds;
	kws_models_args models;
} args;

static const struct argp_option options[] = {
	{ "format", OPT_FORMAT, "FORMAT", 0, "text (default), jsonl, csv or audacity", 0 },
	{ "smooth", OPT_SMOOTH, "MS", 0,
	  "Average the probabilities over MS, 0 to 2000 (default: the model's)", 0 },
	{ "refractory", OPT_REFRACTORY, "MS", 0,
	  "Shortest time between events of a word, 0 to 60000 (default: the model's)", 0 },
	{ "block", OPT_BLOCK, "MS", 0,
	  "Audio fed at a time; 10 is the live hop. Changes speed, never the output (default 1000)",
	  0 },
	{ 0 },
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	args *a = state->input;
	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &a->audio;
		state->child_inputs[1] = &a->models;
		state->child_inputs[2] = &a->thresholds;
		state->child_inputs[3] = &a->inputs;
		return 0;
	case OPT_FORMAT: a->format = kws_args_need_format(state, arg, FORMATS); return 0;
	case OPT_BLOCK: a->block_ms = kws_args_need(state, "--block", arg, 1, 60000); return 0;
	case OPT_SMOOTH:
		a->smooth_ms =
			(int)kws_args_need(state, "--smooth", arg, 0, KWS_DECIDE_SMOOTH_MAX_MS);
		return 0;
	case OPT_REFRACTORY:
		a->refractory_ms =
			(int)kws_args_need(state, "--refractory", arg, 0, KWS_REFRACTORY_MAX_MS);
		return 0;
	case ARGP_KEY_END:
		if (!kws_inputs_given(&a->inputs))
			argp_error(state, "name a file, a folder or --files-from");
		return 0;
	default: return ARGP_ERR_UNKNOWN;
	}
}

typedef struct {
	const args *a;
	kws_models models;
	float *threshold[KWS_MODELS_MOST]; /* of each (n_words,) */
	kws_files files;
} task;

static int run_task(task *t)
{
	const args *a = t->a;
	const int opened = kws_models_open(&t->models, &a->audio, &a->models);
	if (opened != KWS_EXIT_OK)
		return opened;
	if (!kws_thresholds_of_models(&a->thresholds, &t->models, t->threshold))
		return KWS_EXIT_USAGE;
	const bool all = kws_inputs_list(&a->inputs, &t->files);
	const kws_spotting_config config = {
		.audio = &a->audio,
		.files = &t->files,
		.style = { &t->models, a->format, t->files.n > 1 },
		.threshold = t->threshold,
		.smooth_ms = a->smooth_ms,
		.refractory_ms = a->refractory_ms,
		.block_ms = a->block_ms,
		.n_threads = a->inputs.jobs,
	};
	const int status = kws_spotting_run(&config);
	return all || status != KWS_EXIT_OK ? status : KWS_EXIT_INPUT;
}

static const struct argp_child children[] = { { &kws_args_audio_argp, 0, NULL, 0 },
					      { &kws_models_argp, 0, NULL, 0 },
					      { &kws_thresholds_argp, 0, NULL, 0 },
					      { &kws_inputs_argp, 0, NULL, 0 },
					      { 0 } };

static const struct argp argp = {
	.options = options,
	.parser = parse,
	.args_doc = "[FILE|DIR|-]...",
	.doc = "Say what is said when. Lines appear as the words are heard; - is standard input, "
	       "a sound file or raw PCM as `arecord -t raw' and sox write it. Several models hear "
	       "at once: -m FILE -m NAME=FILE.",
	.children = children,
};

int kws_cmd_spot(int argc, char **argv)
{
	args a = { .block_ms = 1000, .smooth_ms = -1, .refractory_ms = -1 };
	kws_args_parse(&argp, argc, argv, &a);

	task t = { .a = &a };
	const int status = run_task(&t);
	for (size_t i = 0; i < t.models.n; i++)
		free(t.threshold[i]);
	kws_files_free(&t.files);
	kws_models_close(&t.models);
	return status;
}
