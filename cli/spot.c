/* kws spot - which word is said when. */
#include "cli/cli.h"
#include "cli/spotting.h"
#include "cli/thresholds.h"
#include "spot/decide.h"
#include "spot/squelch.h"

#include <stdlib.h>

enum { OPT_FORMAT = 0x100, OPT_BLOCK, OPT_SMOOTH, OPT_REFRACTORY, OPT_SQUELCH };

static const unsigned FORMATS = 1u << KWS_FORMAT_TEXT | 1u << KWS_FORMAT_JSONL
				| 1u << KWS_FORMAT_CSV | 1u << KWS_FORMAT_AUDACITY;

typedef struct {
	kws_args_audio audio;
	kws_inputs inputs;
	kws_shard shard;
	const char *printed; /* an option that says what is printed; NULL: none */
	enum kws_format format;
	unsigned block_ms;
	double squelch_db;	      /* 0: off */
	int smooth_ms, refractory_ms; /* -1: the model's */
	kws_thresholds thresholds;
	kws_models_args models;
} args;

static const struct argp_option options[] = {
	{ NULL, 0, NULL, 0, "Results:", 1 },
	{ "format", OPT_FORMAT, "FORMAT", 0, "text (default), jsonl, csv or audacity", 0 },
	{ "block", OPT_BLOCK, "MS", 0,
	  "Audio fed at a time; 10 is the live hop. Changes speed, never the output (default 1000)",
	  0 },
	{ "smooth", OPT_SMOOTH, "MS", 0,
	  "Average the probabilities over MS, 0 to 2000 (default: the model's)", 4 },
	{ "refractory", OPT_REFRACTORY, "MS", 0,
	  "Shortest time between events of a word, 0 to 60000 (default: the model's)", 4 },
	{ "squelch", OPT_SQUELCH, "DB", 0,
	  "Skip what is not DB over the noise of the room, as squelch_db of kwsd.conf does, 0 to "
	  "40 (default 0: skip nothing)",
	  4 },
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
		state->child_inputs[4] = &a->shard;
		return 0;
	case OPT_FORMAT:
		a->printed = "--format";
		a->format = kws_args_need_format(state, arg, FORMATS);
		return 0;
	case OPT_BLOCK: a->block_ms = kws_args_need(state, "--block", arg, 1, 60000); return 0;
	case OPT_SMOOTH:
		a->smooth_ms =
			(int)kws_args_need(state, "--smooth", arg, 0, KWS_DECIDE_SMOOTH_MAX_MS);
		return 0;
	case OPT_REFRACTORY:
		a->refractory_ms =
			(int)kws_args_need(state, "--refractory", arg, 0, KWS_REFRACTORY_MAX_MS);
		return 0;
	case OPT_SQUELCH:
		a->squelch_db =
			kws_args_need_real(state, "--squelch", arg, 0.0, KWS_SQUELCH_MOST_DB);
		return 0;
	case ARGP_KEY_END:
		if (!kws_inputs_given(&a->inputs))
			argp_error(state, "name a file, a folder or --files-from");
		kws_shard_prints(&a->shard, a->printed, state);
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

/* All that the results depend on. */
static json_t *result_options(const task *t)
{
	json_t *o = kws_shard_options(&t->a->audio), *models = json_array();
	for (size_t i = 0; i < t->models.n; i++) {
		const kws_named_model *m = &t->models.at[i];
		json_t *one = json_object(), *thresholds = json_array();
		for (size_t w = 0; w < kws_model_n_words(m->model); w++)
			kws_out_append(thresholds, json_real((double)t->threshold[i][w]));
		kws_out_set_text(one, "name", m->name);
		kws_out_set_text(one, "model", kws_model_name(m->model));
		kws_out_set_text(one, "model_sha256", kws_model_hash(m->model));
		kws_out_set(one, "thresholds", thresholds);
		if (m->after) {
			kws_out_set_text(one, "after", m->after);
			kws_out_set(one, "within_s", json_real(m->within_s));
		}
		kws_out_append(models, one);
	}
	kws_out_set(o, "models", models);
	kws_out_set(o, "smooth_ms", json_integer(t->a->smooth_ms));
	kws_out_set(o, "refractory_ms", json_integer(t->a->refractory_ms));
	kws_out_set(o, "squelch_db", json_real(t->a->squelch_db));
	return o;
}

static int spot(task *t, kws_results *results)
{
	const args *a = t->a;
	const kws_spotting_config config = {
		.audio = &a->audio,
		.files = &t->files,
		.style = { &t->models, a->format, t->files.n_all > 1 },
		.results = results,
		.threshold = t->threshold,
		.smooth_ms = a->smooth_ms,
		.refractory_ms = a->refractory_ms,
		.block_ms = a->block_ms,
		.squelch_db = a->squelch_db,
		.n_threads = a->inputs.jobs,
	};
	return kws_spotting_run(&config);
}

static int run_task(task *t)
{
	const args *a = t->a;
	kws_results *results = NULL;
	int status = kws_models_open(&t->models, &a->audio, &a->models);
	if (status != KWS_EXIT_OK)
		return status;
	if (!kws_thresholds_of_models(&a->thresholds, &t->models, t->threshold))
		return KWS_EXIT_USAGE;
	t->files.shard = a->shard.shard;
	t->files.n_shards = a->shard.n_shards;
	const bool all = kws_inputs_list(&a->inputs, &t->files);
	if (a->shard.results) {
		if (!kws_shard_has_all(all))
			return KWS_EXIT_INPUT;
		results = kws_shard_open(&a->shard, "spot", result_options(t), &t->files, &status);
		if (!results)
			return status;
	}
	status = spot(t, results);
	if (!kws_shard_close(results) || !all)
		return status == KWS_EXIT_OK ? KWS_EXIT_INPUT : status;
	return status;
}

static const struct argp_child children[] = {
	{ &kws_args_audio_argp, 0, NULL, 0 }, { &kws_models_argp, 0, NULL, 0 },
	{ &kws_thresholds_argp, 0, NULL, 0 }, { &kws_inputs_argp, 0, NULL, 0 },
	{ &kws_shard_argp, 0, NULL, 0 },      { 0 }
};

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
