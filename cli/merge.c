/* kws merge - prints the results of the shards of a run, as one run would have. */
#include "cli/merge.h"

#include "cli/cli.h"
#include "cli/out.h"
#include "cli/picture.h"

#include <string.h>
#include <sys/resource.h>

enum { OPT_FORMAT = 0x100, OPT_TARGET, OPT_PARTIAL };

typedef struct {
	kws_merge m;
	bool partial;
	unsigned given; /* bits 1 << place in `prints' */
	char **paths;
	int n_paths;
} args;

static const struct argp_option options[] = {
	{ "format", OPT_FORMAT, "FORMAT", 0, "text (default), jsonl, csv or, of spot, audacity",
	  0 },
	{ "top", 'k', "N", 0, "Of classify: the N most probable words, 1 to 256 (default 1)", 0 },
	{ "quiet", 'q', NULL, 0, "Of classify --manifest: only the summary", 0 },
	{ "picture", 'p', "FILE", 0, "Of eval: draw misses against false alarms, and scores", 0 },
	{ "at", OPT_TARGET, "X", 0,
	  "Of eval: show the threshold for X false alarms an hour, may be repeated", 0 },
	{ "partial", OPT_PARTIAL, NULL, 0, "Print what there is, even if some results are missing",
	  0 },
	{ "model", 'm', "MODEL", 0, "The model that the results were made with", 0 },
	{ 0 },
};

/* Options that only one command has. */
static const struct {
	int key;
	const char *name, *command;
} prints[] = { { 'k', "--top", "classify" },
	       { 'q', "--quiet", "classify" },
	       { 'p', "--picture", "eval" },
	       { OPT_TARGET, "--at", "eval" } };
enum { N_PRINTS = sizeof prints / sizeof prints[0] };

static void take_target(kws_evaluated_style *s, const char *arg, const struct argp_state *state)
{
	if (s->n_targets == KWS_EVALUATION_TARGETS)
		argp_error(state, "--at: more than %d times", KWS_EVALUATION_TARGETS);
	s->target[s->n_targets++] = kws_args_need_real(state, "--at", arg, 0.0, 1e6);
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	args *a = state->input;
	for (unsigned i = 0; i < N_PRINTS; i++)
		if (prints[i].key == key)
			a->given |= 1u << i;
	switch (key) {
	case OPT_FORMAT:
		a->m.style.format = kws_args_need_format(
			state, arg,
			1u << KWS_FORMAT_TEXT | 1u << KWS_FORMAT_JSONL | 1u << KWS_FORMAT_CSV
				| 1u << KWS_FORMAT_AUDACITY);
		return 0;
	case 'k': a->m.top = kws_args_need(state, "--top", arg, 1, 256); return 0;
	case 'q': a->m.quiet = true; return 0;
	case 'p':
		if (strcmp(arg, "-") == 0)
			argp_error(state, "--picture: standard output is for the results");
		a->m.style.picture = kws_picture_need(state, "--picture", arg);
		return 0;
	case OPT_TARGET: take_target(&a->m.style, arg, state); return 0;
	case OPT_PARTIAL: a->partial = true; return 0;
	case 'm':
		if (a->m.audio.n_models == KWS_MODELS_MOST)
			argp_error(state, "--model: more than %d of them", KWS_MODELS_MOST);
		a->m.audio.models[a->m.audio.n_models++] = a->m.audio.model = arg;
		return 0;
	case ARGP_KEY_ARGS:
		a->paths = state->argv + state->next;
		a->n_paths = state->argc - state->next;
		return 0;
	case ARGP_KEY_END:
		if (!a->n_paths)
			argp_error(state, "name files of results");
		return 0;
	default: return ARGP_ERR_UNKNOWN;
	}
}

bool kws_merge_is_of(const json_t *made, const kws_model *model)
{
	const char *name = json_string_value(json_object_get(made, "model"));
	const char *hash = json_string_value(json_object_get(made, "model_sha256"));
	if (hash && strcmp(hash, kws_model_hash(model)) == 0)
		return true;
	kws_out_complain("the results are of model %.64s, SHA-256 %.16s, and this is %s, %.16s: "
			 "name it with -m",
			 name ? name : "?", hash ? hash : "?", kws_model_name(model),
			 kws_model_hash(model));
	return false;
}

int kws_merge_each(const kws_merge *m, kws_merge_fn *take, void *ctx)
{
	kws_error err = { "" };
	for (size_t i = 0; i < kws_results_set_count(m->set); i++) {
		json_t *result = NULL;
		if (kws_results_set_get(m->set, i, &result, &err) != KWS_OK) {
			kws_out_complain("%s", err.text);
			return KWS_EXIT_INPUT;
		}
		const bool good = !result || take(ctx, result);
		json_decref(result);
		if (!good) {
			kws_out_complain("recording %zu: its result is damaged, or of another kws",
					 i);
			return KWS_EXIT_INPUT;
		}
	}
	return KWS_EXIT_OK;
}

/* Options that the command of the results does not have. */
static bool fits(const args *a, const char *command)
{
	for (unsigned i = 0; i < N_PRINTS; i++)
		if (a->given & 1u << i && strcmp(command, prints[i].command) != 0) {
			kws_out_complain("%s is for results of %s, and these are of %s",
					 prints[i].name, prints[i].command, command);
			return false;
		}
	if (a->m.style.format == KWS_FORMAT_AUDACITY && strcmp(command, "spot") != 0) {
		kws_out_complain("--format audacity is for results of spot, and these are of %s",
				 command);
		return false;
	}
	return true;
}

static int print(const args *a)
{
	static const struct {
		const char *name;
		int (*print)(const kws_merge *m);
	} commands[] = { { "spot", kws_merge_spot },
			 { "classify", kws_merge_classify },
			 { "eval", kws_merge_eval } };
	const char *command = kws_results_set_command(a->m.set);
	if (!fits(a, command))
		return KWS_EXIT_USAGE;
	for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++)
		if (strcmp(commands[i].name, command) == 0)
			return commands[i].print(&a->m);
	kws_out_complain("%s: results of kws %.64s cannot be merged", a->paths[0], command);
	return KWS_EXIT_INPUT;
}

static int run(args *a)
{
	kws_error err = { "" };
	kws_problems problems = { 0 };
	if (kws_results_set_open(&a->m.set, a->paths, (size_t)a->n_paths, &err) != KWS_OK) {
		kws_out_complain("%s", err.text);
		return KWS_EXIT_INPUT;
	}
	const size_t all = kws_results_set_count(a->m.set);
	const size_t missing = kws_results_set_missing(a->m.set, &problems);
	kws_out_problems(&problems);
	if (missing)
		kws_out_complain("%zu of %zu recordings have no result yet%s", missing, all,
				 a->partial ? "" : "; --partial prints the others");
	const int status = missing && !a->partial ? KWS_EXIT_INPUT : print(a);
	kws_results_set_close(a->m.set);
	return missing && status == KWS_EXIT_OK ? KWS_EXIT_INPUT : status;
}

static const struct argp argp = {
	.options = options,
	.parser = parse,
	.args_doc = "RESULTS...",
	.doc = "Print what the shards of kws spot, classify or eval have written with --results, "
	       "as "
	       "one run on all recordings would have: the same lines, counts and intervals.",
};

int kws_cmd_merge(int argc, char **argv)
{
	args a = { .m.top = 1 };
	struct rlimit files;
	kws_args_parse(&argp, argc, argv, &a);
	/* one file of each shard is open: as many as the system allows */
	if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
		files.rlim_cur = files.rlim_max;
		setrlimit(RLIMIT_NOFILE, &files);
	}
	return run(&a);
}
