/* kws enrol - the user's own words: add one to a model file, from recordings or a microphone; list
 * them; remove one. */
#include "cli/enrol.h"

#include "cli/args.h"
#include "cli/cli.h"
#include "cli/enrolled.h"
#include "cli/takes.h"
#include "corpus/files.h"
#include "spot/own.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	OPT_ADD = 0x100,
	OPT_REMOVE,
	OPT_LIST,
	OPT_FORGET,
	OPT_BANK,
	OPT_RATE,
	OPT_SEED,
	OPT_ONLY,
	OPT_TAKES,
	OPT_FORMAT,
	OPT_OUT
};
enum { MOST_S = 60, FEW = 5 };

enum what { ENROL, ADD, REMOVE, LIST };

typedef struct {
	kws_args_audio audio; /* its model: the base */
	kws_device_config device;
	const char *out, *bank, *word;
	enum what what;
	enum kws_format format;
	bool forget, only;
	unsigned seed, takes;
	double per_hour;
	char **inputs;
	size_t n_inputs;
	char own[KWS_BASE_PATH]; /* the model file with the words */
} args;

static const struct argp_option options[] = {
	{ "model", 'm', "BASE", 0,
	  "Base of a new model file (default: the one that ships); a file that is there is its own "
	  "base",
	  0 },
	{ "output", OPT_OUT, "FILE", 0,
	  "The model file (default: kwsd/own-words.safetensors in $XDG_DATA_HOME or "
	  "~/.local/share)",
	  0 },
	{ NULL, 'o', "FILE", OPTION_HIDDEN, NULL, 0 },
	{ "bank", OPT_BANK, "FILE", 0,
	  "Other sounds (default: those that ship); kws bank makes one", 0 },
	{ "add", OPT_ADD, NULL, 0, "The word is there: add takes, and fit it anew with all of them",
	  0 },
	{ "remove", OPT_REMOVE, NULL, 0, "Take the word out; its takes stay, but with --forget",
	  0 },
	{ "list", OPT_LIST, NULL, 0, "The words of the file, and what is known of them", 0 },
	{ "forget", OPT_FORGET, NULL, 0,
	  "Do not keep takes beside the model file; with --remove, delete them", 0 },
	{ "per-hour", OPT_RATE, "X", 0, "Wanted false alarms an hour, 0.01 to 100 (default 1)", 0 },
	{ "only", OPT_ONLY, NULL, 0, "The words of the base make no events any more", 0 },
	{ "takes", OPT_TAKES, "N", 0, "Takes from the microphone, 3 to 50 (default 5)", 0 },
	{ "device", 'd', "NAME", 0, "The microphone, as kws devices names it (default: default)",
	  0 },
	{ "seed", OPT_SEED, "N", 0, "Of all that is random (default 1)", 0 },
	{ "format", OPT_FORMAT, "FORMAT", 0, "text (default) or jsonl", 0 },
	{ 0 },
};

static error_t parse_end(args *a, struct argp_state *state)
{
	if (a->what != LIST && !a->word)
		argp_error(state, "which word?");
	if ((a->what == REMOVE && a->n_inputs) || (a->what == LIST && a->word))
		argp_error(state, "'%s': no more arguments are wanted",
			   a->what == LIST ? a->word : a->inputs[0]);
	if (a->forget && a->what == LIST)
		argp_error(state, "--forget goes with a word");
	return 0;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	args *a = state->input;
	switch (key) {
	case 'm': a->audio.model = arg; return 0;
	case 'o':
	case OPT_OUT: a->out = arg; return 0;
	case 'd': a->device.name = arg; return 0;
	case OPT_BANK: a->bank = arg; return 0;
	case OPT_ADD: a->what = ADD; return 0;
	case OPT_REMOVE: a->what = REMOVE; return 0;
	case OPT_LIST: a->what = LIST; return 0;
	case OPT_FORGET: a->forget = true; return 0;
	case OPT_ONLY: a->only = true; return 0;
	case OPT_TAKES: a->takes = kws_args_need(state, "--takes", arg, 3, 50); return 0;
	case OPT_SEED: a->seed = kws_args_need(state, "--seed", arg, 0, 1000000000); return 0;
	case OPT_RATE:
		a->per_hour = kws_args_need_real(state, "--per-hour", arg, 0.01, 100.0);
		return 0;
	case OPT_FORMAT:
		a->format = kws_args_need_format(state, arg,
						 1u << KWS_FORMAT_TEXT | 1u << KWS_FORMAT_JSONL);
		return 0;
	case ARGP_KEY_ARGS:
		a->word = state->argv[state->next];
		a->inputs = state->argv + state->next + 1;
		a->n_inputs = (size_t)(state->argc - state->next - 1);
		return 0;
	case ARGP_KEY_END: return parse_end(a, state);
	default: return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp argp = {
	.options = options,
	.parser = parse,
	.args_doc = "WORD [TAKE...]\n--add WORD [TAKE...]\n--remove WORD\n--list",
	.doc = "Put a word of your own into a model file, from recordings of it: three of one "
	       "speaker at "
	       "least, ten of ten people for a word that strangers are to be understood by. "
	       "Without "
	       "recordings the microphone is heard.\vEach TAKE is a file, or a folder of files, "
	       "with "
	       "the word once in it. What is wrong with a take is said, and the others are used.",
};

/* ---- recordings ---- */

bool kws_spoken_add(kws_spoken_list *r, const char *name, float *pcm, size_t n, unsigned rate_hz,
		    bool kept)
{
	kws_spoken *larger = realloc(r->all, (r->n + 1) * sizeof *larger);
	if (!larger) {
		free(pcm);
		return false;
	}
	r->all = larger;
	kws_spoken *new = &larger[r->n++];
	*new = (kws_spoken){ .pcm = pcm, .n = n, .rate_hz = rate_hz, .kept = kept };
	new->name = strdup(name);
	return new->name;
}

void kws_spoken_free(kws_spoken_list *r)
{
	for (size_t i = 0; i < r->n; i++) {
		free(r->all[i].name);
		free(r->all[i].pcm);
	}
	free(r->all);
	*r = (kws_spoken_list){ 0 };
}

/* Load a file. One that cannot be read is reported and left out. False: no memory. */
static bool load(kws_spoken_list *r, const char *path, int channel, bool kept)
{
	float *pcm;
	size_t n;
	unsigned rate_hz;
	if (!kws_base_hear(path, channel, MOST_S, &pcm, &n, &rate_hz)) {
		r->n_failed++;
		return true;
	}
	return kws_spoken_add(r, path, pcm, n, rate_hz, kept);
}

static bool load_kept(kws_spoken_list *r, const char *folder)
{
	char **list = kws_takes_list(folder);
	bool good = true;
	for (size_t i = 0; good && list && list[i]; i++)
		good = load(r, list[i], 0, true);
	kws_takes_free(list);
	return good;
}

static bool load_named(kws_spoken_list *r, const args *a)
{
	kws_files files = { 0 };
	kws_problems problems = { 0 };
	bool good = true;
	for (size_t i = 0; i < a->n_inputs; i++)
		kws_files_add(&files, a->inputs[i], &problems);
	r->n_failed += problems.n;
	kws_out_problems(&problems);
	for (size_t i = 0; good && i < files.n; i++)
		good = load(r, files.path[i], a->audio.channel, false);
	kws_files_free(&files);
	return good;
}

/* Collect all takes: with --add the kept ones, then the named or recorded ones. Returns an exit
 * status. */
static int gather(kws_spoken_list *r, const args *a, const char *folder)
{
	bool good = a->what != ADD || load_kept(r, folder);
	const size_t n_kept = r->n;
	if (good && a->n_inputs)
		good = load_named(r, a);
	if (!good) {
		kws_out_complain("%s", kws_strerror(KWS_ERR_NOMEM));
		return KWS_EXIT_INPUT;
	}
	if (!a->n_inputs)
		return kws_record(r, &a->device, a->word, n_kept + a->takes);
	return KWS_EXIT_OK;
}

/* ---- fitting ---- */

static bool hear_takes(kws_enrol *e, const kws_spoken_list *r)
{
	kws_error err = { "" };
	for (size_t i = 0; i < r->n; i++) {
		const kws_spoken *x = &r->all[i];
		if (kws_enrol_take(e, KWS_TAKE_SPOKEN, x->pcm, x->n, x->rate_hz, NULL, &err)
		    != KWS_OK) {
			kws_out_complain("%s: %s", x->name, err.text);
			return false;
		}
	}
	return true;
}

/* Write the good takes that are not in the folder yet. False: failed, and reported. */
static bool keep_takes(const kws_enrol *e, const kws_spoken_list *r, const char *folder)
{
	for (size_t i = 0; i < r->n; i++)
		if (!r->all[i].kept && !kws_enrol_judged(e, i)->faults
		    && !kws_takes_keep(folder, r->all[i].pcm, r->all[i].n, r->all[i].rate_hz))
			return false;
	return true;
}

static int fit(kws_enrol *e, const args *a, const kws_spoken_list *r, const char *folder)
{
	kws_enrol_report report;
	kws_error err = { "" };
	size_t len;
	if (!hear_takes(e, r))
		return KWS_EXIT_INPUT;
	const enum kws_status status = kws_enrol_fit(e, a->word, &report, &err);
	kws_enrolled_takes(e, r);
	if (status != KWS_OK) {
		kws_out_complain("%s", err.text);
		return status == KWS_ERR_ARG ? KWS_EXIT_UNSUPPORTED : KWS_EXIT_INPUT;
	}
	const void *file = kws_enrol_file(e, &len);
	if ((!a->forget && !keep_takes(e, r, folder)) || !kws_base_write(a->own, file, len))
		return KWS_EXIT_INPUT;
	kws_enrolled_report(a->own, a->word, &report, a->per_hour, a->format);
	return r->n_failed ? KWS_EXIT_INPUT : KWS_EXIT_OK;
}

/* Find the bytes to add the word to: the file without the word, the file, or a base. Returns an
 * exit status. */
static int find_base(const args *a, kws_blob *file, unsigned char **without, const void **base,
		     size_t *len)
{
	char path[KWS_BASE_PATH];
	kws_error err = { "" };
	if (access(a->own, F_OK) == 0 && a->audio.model) {
		kws_out_complain("%s is there, and its own base: -m is for a new file", a->own);
		return KWS_EXIT_USAGE;
	}
	if (access(a->own, F_OK) == 0)
		snprintf(path, sizeof path, "%s", a->own);
	else if (a->what == ADD) {
		kws_out_complain("%s: %s", a->own, strerror(errno));
		return KWS_EXIT_MODEL;
	} else
		kws_base_find(a->audio.model, KWS_BASE_MODEL, path, sizeof path);
	if (!kws_base_read(file, path))
		return KWS_EXIT_MODEL;
	*base = file->bytes;
	*len = file->len;
	if (a->what != ADD)
		return KWS_EXIT_OK;
	if (kws_own_remove(file->bytes, file->len, a->word, without, len, &err) != KWS_OK) {
		kws_out_complain("%s: %s", a->own, err.text);
		return KWS_EXIT_MODEL;
	}
	*base = *without;
	return KWS_EXIT_OK;
}

/* Create everything except the takes. Returns an exit status. */
static int create(kws_enrol **e, kws_bank **bank, const args *a, const void *base, size_t len)
{
	char path[KWS_BASE_PATH];
	kws_error err = { "" };
	kws_enrol_config config = KWS_ENROL_CONFIG;
	config.seed = a->seed;
	config.per_hour = (float)a->per_hour;
	config.only = a->only;
	kws_base_find(a->bank, KWS_BASE_BANK, path, sizeof path);
	if (kws_bank_open(bank, path, &err) != KWS_OK
	    || kws_enrol_create(e, base, len, *bank, &config, &err) != KWS_OK) {
		kws_out_complain("%s", err.text);
		return KWS_EXIT_MODEL;
	}
	return KWS_EXIT_OK;
}

/* Check the word before anybody speaks into a microphone. Returns an exit status. */
static int check_word(const args *a, const void *base, size_t len)
{
	kws_model *m;
	kws_error err = { "" };
	int status = KWS_EXIT_OK;
	if (kws_model_parse(&m, base, len, &err) != KWS_OK
	    || kws_own_check(m, a->word, &err) != KWS_OK) {
		kws_out_complain(
			"%s%s", err.text,
			m && kws_model_word_index(m, a->word) >= (int)kws_model_n_classes(m)
				? "; --add takes to it, or --remove it first"
				: "");
		status = m ? KWS_EXIT_USAGE : KWS_EXIT_MODEL;
	}
	kws_model_close(m);
	return status;
}

/* Check that the folder of the model file is writable, before minutes of recording. */
static bool check_place(const args *a)
{
	char folder[KWS_BASE_PATH];
	const char *slash = strrchr(a->own, '/');
	snprintf(folder, sizeof folder, "%.*s", slash ? (int)(slash - a->own) + 1 : 1,
		 slash ? a->own : ".");
	if (access(folder, W_OK) == 0)
		return true;
	kws_out_complain("%s: %s", folder, strerror(errno));
	return false;
}

static int enrol(const args *a, const char *folder)
{
	kws_blob file = { 0 };
	kws_spoken_list r = { 0 };
	kws_bank *bank = NULL;
	kws_enrol *e = NULL;
	unsigned char *without = NULL;
	const void *base = NULL;
	size_t len = 0;
	int status = check_place(a) ? find_base(a, &file, &without, &base, &len) : KWS_EXIT_INPUT;
	if (status == KWS_EXIT_OK)
		status = check_word(a, base, len);
	if (status == KWS_EXIT_OK)
		status = create(&e, &bank, a, base, len);
	if (status == KWS_EXIT_OK)
		status = gather(&r, a, folder);
	if (status == KWS_EXIT_OK)
		status = fit(e, a, &r, folder);
	kws_enrol_destroy(e);
	kws_bank_close(bank);
	kws_spoken_free(&r);
	free(without);
	kws_blob_close(&file);
	return status;
}

/* ---- remove and list ---- */

static int remove_word(const args *a, const char *folder)
{
	kws_blob file;
	unsigned char *bytes = NULL;
	size_t len;
	kws_error err = { "" };
	if (!kws_base_read(&file, a->own))
		return KWS_EXIT_MODEL;
	int status = KWS_EXIT_OK;
	if (kws_own_remove(file.bytes, file.len, a->word, &bytes, &len, &err) != KWS_OK) {
		kws_out_complain("%s: %s", a->own, err.text);
		status = KWS_EXIT_MODEL;
	} else if (!kws_base_write(a->own, bytes, len)
		   || (a->forget && !kws_takes_forget(folder))) {
		status = KWS_EXIT_INPUT;
	}
	kws_blob_close(&file);
	free(bytes);
	return status;
}

/* Find the model file for own words; to enrol, make its folders. False: failed, and reported. */
static bool find_own(args *a)
{
	const char *data = getenv("XDG_DATA_HOME"), *home = getenv("HOME");
	char folder[KWS_BASE_PATH - 64];
	if (a->out) {
		snprintf(a->own, sizeof a->own, "%s", a->out);
		return true;
	}
	if (!(data && *data) && !(home && *home)) {
		kws_out_complain("--output: neither HOME nor XDG_DATA_HOME is set");
		return false;
	}
	if (data && *data)
		snprintf(folder, sizeof folder, "%s/kwsd", data);
	else
		snprintf(folder, sizeof folder, "%s/.local/share/kwsd", home);
	snprintf(a->own, sizeof a->own, "%s/" KWS_BASE_MODEL, folder);
	return a->what != ENROL || kws_takes_make_folders(folder);
}

int kws_cmd_enrol(int argc, char **argv)
{
	args a = { .seed = 1, .takes = FEW, .per_hour = 1.0, .device = { .name = "default" } };
	char folder[KWS_TAKES_PATH];
	kws_args_parse(&argp, argc, argv, &a);
	if (!find_own(&a))
		return KWS_EXIT_INPUT;
	if (!kws_takes_folder(a.own, a.word, folder, sizeof folder)) {
		kws_out_complain("%s: the name is too long", a.own);
		return KWS_EXIT_USAGE;
	}
	switch (a.what) {
	case REMOVE: return remove_word(&a, folder);
	case LIST: return kws_enrolled_list(a.own, a.format);
	case ENROL:
	case ADD: break;
	}
	return enrol(&a, folder);
}
