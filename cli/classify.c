/* kws classify - prints the most probable word of each file. */
#include "cli/classified.h"
#include "cli/cli.h"

enum { OPT_FORMAT = 0x100, OPT_MANIFEST, OPT_AT_END };

typedef struct {
	kws_args_audio audio;
	kws_inputs inputs;
	kws_shard shard;
	const char *printed; /* an option that says what is printed; NULL: none */
	unsigned top;
	enum kws_format format;
	const char *manifest;
	bool quiet, at_end;
} args;

static const struct argp_option options[] = {
	{ NULL, 0, NULL, 0, "Results:", 1 },
	{ "top", 'k', "N", 0, "Show the N most probable words, 1 to 256 (default 1)", 0 },
	{ "format", OPT_FORMAT, "FORMAT", 0, "text (default), jsonl or csv", 0 },
	{ "manifest", OPT_MANIFEST, "LIST", 0,
	  "Classify the recordings of a tab-separated list (path, expected word) and measure", 0 },
	{ "at-end", OPT_AT_END, NULL, 0,
	  "Classify only the last second of each recording, with all before it as context", 0 },
	{ "quiet", 'q', NULL, 0, "With --manifest: only the summary", 0 },
	{ 0 },
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	args *a = state->input;
	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &a->audio;
		state->child_inputs[1] = &a->inputs;
		state->child_inputs[2] = &a->shard;
		return 0;
	case 'k':
		a->printed = "--top";
		a->top = kws_args_need(state, "--top", arg, 1, 256);
		return 0;
	case 'q':
		a->printed = "--quiet";
		a->quiet = true;
		return 0;
	case OPT_FORMAT:
		a->printed = "--format";
		a->format = kws_args_need_format(state, arg,
						 1u << KWS_FORMAT_TEXT | 1u << KWS_FORMAT_JSONL
							 | 1u << KWS_FORMAT_CSV);
		return 0;
	case OPT_MANIFEST: a->manifest = arg; return 0;
	case OPT_AT_END: a->at_end = true; return 0;
	case ARGP_KEY_END:
		if (!a->manifest && !kws_inputs_given(&a->inputs))
			argp_error(state, "name a file, a folder, --files-from or --manifest");
		kws_shard_prints(&a->shard, a->printed, state);
		if (a->manifest && kws_inputs_given(&a->inputs))
			argp_error(state, "name files or --manifest, not both");
		if (a->quiet && !a->manifest)
			argp_error(state,
				   "--quiet needs --manifest: otherwise nothing would be printed");
		return 0;
	default: return ARGP_ERR_UNKNOWN;
	}
}

static int run_batch(const args *a, const kws_model *m, kws_batch *b)
{
	kws_classified style = { m, a->format, a->top, a->manifest != NULL };
	const bool silent = a->quiet || a->shard.results;
	if (!silent)
		kws_classified_head(&style);
	const int status = kws_batch_run(b, silent ? NULL : kws_classified_clip, &style);
	if (status != KWS_EXIT_OK)
		return status;
	if (a->manifest && !b->lost && !a->shard.results)
		kws_classified_sum(&style, b, a->quiet);
	return b->failed || b->incomplete ? KWS_EXIT_INPUT : KWS_EXIT_OK;
}

static const struct argp_child children[] = { { &kws_args_audio_argp, 0, NULL, 0 },
					      { &kws_inputs_argp, 0, NULL, 0 },
					      { &kws_shard_argp, 0, NULL, 0 },
					      { 0 } };

static const struct argp argp = {
	.options = options,
	.parser = parse,
	.args_doc = "[FILE|DIR|-]...",
	.doc = "Say which word is in each file, with its probability. - is standard input, a sound "
	       "file or raw PCM.",
	.children = children,
};

int kws_cmd_classify(int argc, char **argv)
{
	args a = { .top = 1 };
	kws_args_parse(&argp, argc, argv, &a);
	kws_model *m = kws_args_open_model(a.audio.model);
	if (!m)
		return KWS_EXIT_MODEL;
	const kws_batch_config config = { &a.audio, &a.inputs, &a.shard, a.manifest, a.at_end };
	kws_batch b;
	int status = kws_batch_open(&b, m, &config);
	if (status == KWS_EXIT_OK)
		status = run_batch(&a, m, &b);
	kws_batch_free(&b);
	kws_model_close(m);
	return status;
}
