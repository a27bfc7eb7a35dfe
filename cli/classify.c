/* kws classify - prints the most probable word of each file. */
#include "cli/accuracy.h"
#include "cli/args.h"
#include "cli/batch.h"
#include "cli/cli.h"
#include "cli/out.h"

enum { OPT_FORMAT = 0x100, OPT_MANIFEST, OPT_AT_END };

typedef struct {
	kws_args_audio audio;
	kws_inputs inputs;
	unsigned top;
	enum kws_format format;
	const char *manifest;
	bool quiet, at_end;
} args;

static const struct argp_option options[] = {
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
		return 0;
	case 'k': a->top = kws_args_need(state, "--top", arg, 1, 256); return 0;
	case 'q': a->quiet = true; return 0;
	case OPT_FORMAT:
		a->format = kws_args_need_format(state, arg,
						 1u << KWS_FORMAT_TEXT | 1u << KWS_FORMAT_JSONL
							 | 1u << KWS_FORMAT_CSV);
		return 0;
	case OPT_MANIFEST: a->manifest = arg; return 0;
	case OPT_AT_END: a->at_end = true; return 0;
	case ARGP_KEY_END:
		if (!a->manifest && !kws_inputs_given(&a->inputs))
			argp_error(state, "name a file, a folder, --files-from or --manifest");
		if (a->manifest && kws_inputs_given(&a->inputs))
			argp_error(state, "name files or --manifest, not both");
		if (a->quiet && !a->manifest)
			argp_error(state,
				   "--quiet needs --manifest: otherwise nothing would be printed");
		return 0;
	default: return ARGP_ERR_UNKNOWN;
	}
}

typedef struct {
	const args *a;
	const kws_model *model;
} task;

static size_t n_shown(const task *t)
{
	size_t n_words = kws_model_n_words(t->model);
	return t->a->top < n_words ? t->a->top : n_words;
}

static void print_head(const task *t)
{
	const char *expected = t->a->manifest ? "expected" : "";
	if (t->a->format == KWS_FORMAT_CSV) {
		fputs(t->a->manifest ? "file,expected,label,prob" : "file,label,prob", stdout);
		for (size_t i = 1; i < n_shown(t); i++)
			printf(",label%zu,prob%zu", i + 1, i + 1);
		putchar('\n');
	}
	if (t->a->format == KWS_FORMAT_TEXT) {
		for (size_t i = 0; i < n_shown(t); i++)
			printf("%-10s  prob   ", i ? "" : "label");
		printf("%-*s%sfile\n", t->a->manifest ? 10 : 0, expected,
		       t->a->manifest ? "   " : "");
	}
}

static void print_text(const task *t, const kws_batch_clip *clip)
{
	for (size_t i = 0; i < n_shown(t); i++)
		printf("%-10s %.4f  ", kws_model_word(t->model, clip->order[i]),
		       (double)clip->prediction->prob[clip->order[i]]);
	if (clip->expected)
		printf("%-10s %s ", clip->expected, clip->correct ? " " : "x");
	kws_out_visible(stdout, clip->name);
	putchar('\n');
}

static void print_csv(const task *t, const kws_batch_clip *clip)
{
	kws_out_csv(stdout, clip->name);
	if (clip->expected) {
		putchar(',');
		kws_out_csv(stdout, clip->expected);
	}
	for (size_t i = 0; i < n_shown(t); i++) {
		putchar(',');
		kws_out_csv(stdout, kws_model_word(t->model, clip->order[i]));
		printf(",%.6f", (double)clip->prediction->prob[clip->order[i]]);
	}
	putchar('\n');
}

static json_t *json_prob(const kws_batch_clip *clip, size_t i)
{
	return kws_out_json_real((double)clip->prediction->prob[clip->order[i]]);
}

static void print_json(const task *t, const kws_batch_clip *clip)
{
	json_t *o = json_object();
	kws_out_set_text(o, "file", clip->name);
	kws_out_set_text(o, "label", kws_model_word(t->model, clip->order[0]));
	kws_out_set(o, "prob", json_prob(clip, 0));
	if (clip->expected) {
		kws_out_set_text(o, "expected", clip->expected);
		kws_out_set(o, "correct", json_boolean(clip->correct));
	}
	if (t->a->top > 1) {
		json_t *top = json_array();
		for (size_t i = 0; i < n_shown(t); i++) {
			json_t *one = json_object();
			const char *word = kws_model_word(t->model, clip->order[i]);
			kws_out_set_text(one, "label", word);
			kws_out_set(one, "prob", json_prob(clip, i));
			kws_out_append(top, one);
		}
		kws_out_set(o, "top", top);
	}
	kws_out_json_line(o);
}

static void print_clip(void *ctx, const kws_batch_clip *clip)
{
	const task *t = ctx;
	switch (t->a->format) {
	case KWS_FORMAT_CSV: print_csv(t, clip); break;
	case KWS_FORMAT_JSONL: print_json(t, clip); break;
	default: print_text(t, clip);
	}
}

static int run_batch(task *t, kws_batch *b)
{
	const args *a = t->a;
	if (!a->quiet)
		print_head(t);
	const int status = kws_batch_run(b, a->quiet ? NULL : print_clip, t);
	if (status != KWS_EXIT_OK)
		return status;
	/* Rows with other columns would break the CSV. */
	if (a->manifest && !b->lost)
		kws_accuracy_print(b, a->format,
				   a->format == KWS_FORMAT_CSV && !a->quiet ? stderr : stdout);
	return b->failed || b->incomplete ? KWS_EXIT_INPUT : KWS_EXIT_OK;
}

static const struct argp_child children[] = { { &kws_args_audio_argp, 0, NULL, 0 },
					      { &kws_inputs_argp, 0, NULL, 0 },
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
	const kws_batch_config config = { &a.audio, &a.inputs, a.manifest, a.at_end };
	task t = { &a, m };
	kws_batch b;
	int status = kws_batch_open(&b, m, &config);
	if (status == KWS_EXIT_OK)
		status = run_batch(&t, &b);
	kws_batch_free(&b);
	kws_model_close(m);
	return status;
}
