/* The options of `kws enrol`. */
#include "cli/args.h"
#include "cli/cli.h"
#include "cli/enrol.h"

#include <stdlib.h>

enum {
	OPT_ADD = 0x100,
	OPT_REMOVE,
	OPT_LIST,
	OPT_REFIT,
	OPT_FORGET,
	OPT_BANK,
	OPT_RATE,
	OPT_SEED,
	OPT_ONLY,
	OPT_TAKES,
	OPT_FORMAT,
	OPT_OUT,
	OPT_CLIPS,
	OPT_MARKS,
	OPT_RIGHT,
	OPT_WRONG,
	OPT_SPEAK,
	OPT_LANGUAGE,
	OPT_CHANNEL
};

static const struct argp_option options[] = {
	{ NULL, 0, NULL, 0, "What to do:", 1 },
	{ "add", OPT_ADD, NULL, 0,
	  "Add takes to a word of the file, and fit it again with all of them", 1 },
	{ "from-clips", OPT_CLIPS, "DIR", 0,
	  "The same with the clips of the word that kwsd has kept: each is played, and you say "
	  "whether "
	  "the word was said",
	  1 },
	{ "refit", OPT_REFIT, NULL, 0,
	  "Fit all words of the file again to their kept takes, on another base or bank", 1 },
	{ "remove", OPT_REMOVE, NULL, 0,
	  "Remove the word; its takes are kept, except with --forget", 1 },
	{ "list", OPT_LIST, NULL, 0, "List the words of the file, and what was measured", 1 },
	{ NULL, 0, NULL, 0, "Takes:", 2 },
	{ "takes", OPT_TAKES, "N", 0, "Takes to record from the microphone, 3 to 50 (default 5)",
	  2 },
	{ "device", 'd', "NAME", 0, "The microphone, as kws devices names it (default: default)",
	  2 },
	{ "channel", OPT_CHANNEL, "N", 0, "This channel of the files (default: the mean of all)",
	  2 },
	{ "speak", OPT_SPEAK, "TEXT", OPTION_ARG_OPTIONAL,
	  "Also let synthetic voices say TEXT (default: the word), by espeak-ng", 2 },
	{ "language", OPT_LANGUAGE, "NAME", 0,
	  "Of the synthetic voices, as espeak-ng names it (default en-us)", 2 },
	{ "right", OPT_RIGHT, "FILE|DIR", 0, "One more take; may be repeated", 2 },
	{ "wrong", OPT_WRONG, "FILE|DIR", 0,
	  "A recording without the word, in which the word was heard; may be repeated", 2 },
	{ "marks", OPT_MARKS, "FILE", 0,
	  "For --from-clips: lines of the name of a clip and right, wrong, missed or skip; nothing "
	  "is asked",
	  2 },
	{ "forget", OPT_FORGET, NULL, 0, "Do not keep takes; with --remove, delete them", 2 },
	{ NULL, 0, NULL, 0, "The model:", 3 },
	{ "output", OPT_OUT, "FILE", 0,
	  "The model file (default: kwsd/own-words.safetensors in $XDG_DATA_HOME or "
	  "~/.local/share)",
	  3 },
	{ NULL, 'o', "FILE", OPTION_HIDDEN, NULL, 3 },
	{ "model", 'm', "BASE", 0,
	  "The base of a new file, or for --refit (default: the installed one)", 3 },
	{ "bank", OPT_BANK, "FILE", 0, "The bank of other sounds (default: the installed one)", 3 },
	{ "per-hour", OPT_RATE, "X", 0,
	  "Target rate of false alarms an hour, 0.01 to 100 (default 1)", 3 },
	{ "only", OPT_ONLY, NULL, 0, "Turn off the words that were in the file before", 3 },
	{ "seed", OPT_SEED, "N", 0, "Seed of the random numbers (default 1)", 3 },
	{ "format", OPT_FORMAT, "FORMAT", 0, "text (default) or jsonl", 3 },
	{ 0 },
};

static error_t parse_end(const kws_enrol_args *a, struct argp_state *state)
{
	const bool fits = a->what == KWS_ENROL_NEW || a->what == KWS_ENROL_ADD;
	const bool takes_word = fits || a->what == KWS_ENROL_REMOVE;
	if (takes_word && !a->word)
		argp_error(state, "WORD is missing");
	if (!takes_word && a->word)
		argp_error(state, "'%s': this needs no word", a->word);
	if (!fits && a->inputs.n)
		argp_error(state, "'%s': takes are for a word that is added", a->inputs.all[0]);
	if (!fits && (a->right.n || a->wrong.n || a->speak))
		argp_error(state, "--right, --wrong and --speak are for a word that is added");
	if (a->what == KWS_ENROL_NEW && a->wrong.n)
		argp_error(state, "--wrong is for a word of the file: use it with --add");
	if (a->marks && !a->clips)
		argp_error(state, "--marks needs --from-clips");
	if (a->forget && (a->what == KWS_ENROL_LIST || a->what == KWS_ENROL_REFIT))
		argp_error(state, "--forget needs a word");
	if (a->model && a->what != KWS_ENROL_NEW && a->what != KWS_ENROL_REFIT)
		argp_error(state, "-m is for a new file, or for --refit");
	return 0;
}

/* What to do is said once. */
static error_t choose(kws_enrol_args *a, enum kws_enrol_what what, struct argp_state *state)
{
	if (a->what != KWS_ENROL_NEW && a->what != what)
		argp_error(state, "--add, --refit, --remove and --list exclude each other");
	a->what = what;
	return 0;
}

/* Options with a value of their own kind. */
static error_t parse_value(int key, char *arg, struct argp_state *state)
{
	kws_enrol_args *a = state->input;
	switch (key) {
	case OPT_TAKES: a->takes = kws_args_need(state, "--takes", arg, 3, 50); return 0;
	case OPT_CHANNEL:
		a->channel = (int)kws_args_need(state, "--channel", arg, 1, 1024);
		return 0;
	case OPT_SEED:
		a->seed = kws_args_need(state, "--seed", arg, 0, 1000000000);
		a->has_seed = true;
		return 0;
	case OPT_RATE:
		a->per_hour = kws_args_need_real(state, "--per-hour", arg, 0.01, 100.0);
		a->has_rate = true;
		return 0;
	case OPT_FORMAT:
		a->format = kws_args_need_format(state, arg,
						 1u << KWS_FORMAT_TEXT | 1u << KWS_FORMAT_JSONL);
		return 0;
	case OPT_RIGHT: return kws_args_append(&a->right, arg, state);
	case OPT_WRONG: return kws_args_append(&a->wrong, arg, state);
	case ARGP_KEY_ARGS:
		a->word = state->argv[state->next];
		for (int i = state->next + 1; i < state->argc; i++)
			if (kws_args_append(&a->inputs, state->argv[i], state))
				return ENOMEM;
		return 0;
	case ARGP_KEY_END: return parse_end(a, state);
	default: return ARGP_ERR_UNKNOWN;
	}
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	kws_enrol_args *a = state->input;
	switch (key) {
	case 'm': a->model = arg; return 0;
	case 'o':
	case OPT_OUT: a->out = arg; return 0;
	case 'd': a->device = arg; return 0;
	case OPT_BANK: a->bank = arg; return 0;
	case OPT_ADD: return choose(a, KWS_ENROL_ADD, state);
	case OPT_REMOVE: return choose(a, KWS_ENROL_REMOVE, state);
	case OPT_LIST: return choose(a, KWS_ENROL_LIST, state);
	case OPT_REFIT: return choose(a, KWS_ENROL_REFIT, state);
	case OPT_CLIPS: a->clips = arg; return choose(a, KWS_ENROL_ADD, state);
	case OPT_MARKS: a->marks = arg; return 0;
	case OPT_SPEAK: a->speak = arg ? arg : ""; return 0;
	case OPT_LANGUAGE: a->language = arg; return 0;
	case OPT_FORGET: a->forget = true; return 0;
	case OPT_ONLY: a->only = true; return 0;
	default: return parse_value(key, arg, state);
	}
}

static const struct argp argp = {
	.options = options,
	.parser = parse,
	.args_doc = "WORD [TAKE...]\n--add WORD [TAKE...]\n--from-clips DIR WORD\n--remove "
		    "WORD\n--refit\n"
		    "--list",
	.doc = "Put a word of your own into a model file, from recordings of it (takes): three of "
	       "one "
	       "speaker at least, ten of ten people if strangers are to be understood. Without "
	       "recordings, the microphone is used.\vA TAKE is a file with the word once in it, or "
	       "a "
	       "folder of such files. A take with a fault is named, and the others are used.",
};

void kws_enrol_args_parse(kws_enrol_args *a, int argc, char **argv)
{
	*a = (kws_enrol_args){
		.seed = 1, .takes = 5, .per_hour = 1.0, .device = "default", .language = "en-us"
	};
	kws_args_parse(&argp, argc, argv, a);
}

void kws_enrol_args_free(kws_enrol_args *a)
{
	free(a->inputs.all);
	free(a->right.all);
	free(a->wrong.all);
}
