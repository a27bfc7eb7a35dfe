/* kws bank - make a bank from recordings that do not contain the user's own words. */
#include "cli/args.h"
#include "cli/base.h"
#include "cli/building.h"
#include "cli/cli.h"
#include "corpus/files.h"

#include <stdlib.h>
#include <string.h>

enum { OPT_OUT = 0x100, OPT_JUDGE, OPT_WITH, OPT_NOTE, OPT_NOISE, OPT_SPEECH };

typedef struct {
	const char *model, *out, *with, *note;
	kws_args_list inputs, judges, sounds[KWS_BANK_SOUNDS];
} args;

static const struct argp_option options[] = {
	{ "model", 'm', "BASE", 0,
	  "Base that the words will stand on (default: the one that ships)", 0 },
	{ "output", OPT_OUT, "FILE", 0, "The bank", 0 },
	{ NULL, 'o', "FILE", OPTION_HIDDEN, NULL, 0 },
	{ "judge", OPT_JUDGE, "FILE|DIR", 0,
	  "Recordings that set thresholds, and no head is fitted against; may be given again "
	  "(default: every third of the recordings)",
	  0 },
	{ "noise", OPT_NOISE, "FILE|DIR", 0,
	  "Noise that takes are degraded with, a minute or two; may be repeated", 0 },
	{ "speech", OPT_SPEECH, "FILE|DIR", 0,
	  "Speech that is put before the word in takes, half a minute or more; may be repeated",
	  0 },
	{ "with", OPT_WITH, "BANK", 0, "Begin with all that is in this bank", 0 },
	{ "note", OPT_NOTE, "TEXT", 0, "Where the recordings are from, and their licence", 0 },
	{ 0 },
};

static void free_args(args *a)
{
	free(a->inputs.all);
	free(a->judges.all);
	for (size_t i = 0; i < KWS_BANK_SOUNDS; i++)
		free(a->sounds[i].all);
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	args *a = state->input;
	switch (key) {
	case 'm': a->model = arg; return 0;
	case 'o':
	case OPT_OUT: a->out = arg; return 0;
	case OPT_WITH: a->with = arg; return 0;
	case OPT_NOTE: a->note = arg; return 0;
	case OPT_JUDGE: return kws_args_append(&a->judges, arg, state);
	case OPT_NOISE: return kws_args_append(&a->sounds[KWS_BANK_NOISE], arg, state);
	case OPT_SPEECH: return kws_args_append(&a->sounds[KWS_BANK_SPEECH], arg, state);
	case ARGP_KEY_ARG: return kws_args_append(&a->inputs, arg, state);
	case ARGP_KEY_END:
		if (!a->out)
			argp_error(state, "--output FILE: where the bank goes");
		if (!a->inputs.n && !a->judges.n)
			argp_error(state, "no recordings named");
		return 0;
	default: return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp argp = {
	.options = options,
	.parser = parse,
	.args_doc = "FILE|DIR...",
	.doc = "Make a bank for kws enrol: what words of one's own are told from. The recordings, "
	       "of any "
	       "length, must not hold the words themselves: an evening of television, the radio, "
	       "the "
	       "noises of the house.\vOnly what the base hears in them is kept, a few hundred "
	       "bytes a "
	       "second, from which nobody can listen to them again.",
};

/* Add all files of one argument as one stream. before: NULL, or how many files the arguments before
 * had: of every three files, wherever they are named, two are for fitting and the third one is for
 * judging. Goes up once they are judged by. */
static bool add_part(kws_building *b, const char *path, bool judge, size_t *before)
{
	kws_files files = { 0 };
	kws_problems problems = { 0 };
	const size_t first = b->n;
	bool good = true;
	kws_files_add(&files, path, &problems);
	b->failed |= problems.n > 0;
	kws_out_problems(&problems);
	kws_embedder_reset(b->embedder);
	for (size_t i = 0; good && i < files.n; i++)
		if (!before || ((*before + i) % 3 == 2) == judge)
			good = kws_building_file(b, files.path[i]);
	if (before && judge)
		*before += files.n;
	kws_building_part(b, path, first, judge);
	kws_files_free(&files);
	return good;
}

/* Add all files of the arguments to a sound. */
static bool add_sound(kws_building *b, enum kws_bank_sound which, const kws_args_list *paths)
{
	kws_files files = { 0 };
	kws_problems problems = { 0 };
	bool good = true;
	for (size_t i = 0; i < paths->n; i++)
		kws_files_add(&files, paths->all[i], &problems);
	b->failed |= problems.n > 0;
	kws_out_problems(&problems);
	for (size_t i = 0; good && i < files.n; i++)
		good = kws_building_sound(b, which, files.path[i]);
	kws_files_free(&files);
	return good;
}

static bool write_bank(const kws_building *b, const args *a, const char *base)
{
	size_t len = 0;
	unsigned char *bytes = kws_building_bytes(b, base, a->note, &len);
	const bool good = bytes && kws_out_is_whole() && kws_base_write(a->out, bytes, len);
	free(bytes);
	return good;
}

/* hours[0]: to fit against; hours[1]: to judge by. */
static void hours_of(const kws_building *b, double hours[2])
{
	const double row_h = (double)kws_embedder_step(b->embedder) / b->rate_hz / 3600.0;
	size_t i;
	json_t *part;
	hours[0] = hours[1] = 0.0;
	json_array_foreach(b->parts, i, part)
	{
		const bool judge =
			strcmp(json_string_value(json_object_get(part, "use")), "judge") == 0;
		hours[judge] += row_h * (double)json_integer_value(json_object_get(part, "rows"));
	}
}

static void report(const args *a, const double hours[2])
{
	printf("%s: %.2f h to fit against, %.2f h that set thresholds\n", a->out, hours[0],
	       hours[1]);
	if (hours[1] < 0.2)
		kws_out_complain(
			"%s: thresholds from %.2f h promise little: add recordings, or use "
			"--with",
			a->out, hours[1]);
}

/* Whether so many parts more are too many; that is said. */
static bool too_many(const kws_building *b, size_t more)
{
	const bool many = json_array_size(b->parts) + more > KWS_BANK_PARTS;
	if (many)
		kws_out_complain("more than %d recordings and folders: name one folder for all",
				 KWS_BANK_PARTS);
	return many;
}

static int build(kws_building *b, const args *a, const char *base)
{
	bool good = !a->with || kws_building_bank(b, a->with, base);
	if (good && too_many(b, a->inputs.n + a->judges.n))
		return KWS_EXIT_UNSUPPORTED;
	size_t files = 0, *thirds = a->judges.n ? NULL : &files;
	for (size_t i = 0; good && i < a->inputs.n; i++) {
		good = add_part(b, a->inputs.all[i], false, thirds);
		if (good && thirds)
			good = add_part(b, a->inputs.all[i], true, thirds);
	}
	for (size_t i = 0; good && i < a->judges.n; i++)
		good = add_part(b, a->judges.all[i], true, NULL);
	for (size_t i = 0; good && i < KWS_BANK_SOUNDS; i++)
		good = add_sound(b, (enum kws_bank_sound)i, &a->sounds[i]);
	if (good && !b->n) {
		kws_out_complain("no sound in any of the recordings");
		good = false;
	}
	if (good && too_many(b, 0)) /* a folder may have been two parts */
		return KWS_EXIT_UNSUPPORTED;
	double hours[2];
	hours_of(b, hours);
	if (good && !(hours[0] > 0.0 && hours[1] > 0.0)) {
		kws_out_complain("nothing to %s: name three recordings at least, or --judge some",
				 hours[0] > 0.0 ? "set thresholds by" : "fit against");
		return KWS_EXIT_UNSUPPORTED;
	}
	if (!good || !write_bank(b, a, base))
		return KWS_EXIT_INPUT;
	report(a, hours);
	return b->failed ? KWS_EXIT_INPUT : KWS_EXIT_OK;
}

/* Open a base with its embedder, and compute the hash of its embedding. False: failed, and
 * reported. */
static bool open_base(const char *path, kws_model **m, kws_embedder **e, char *hash)
{
	kws_blob blob;
	kws_error err = { "" };
	if (!kws_base_read(&blob, path))
		return false;
	const bool good = kws_model_parse(m, blob.bytes, blob.len, &err) == KWS_OK
			  && kws_embedder_create(e, *m, &err) == KWS_OK
			  && kws_bank_hash(blob.bytes, blob.len, hash, &err) == KWS_OK;
	if (!good)
		kws_out_complain("%s: %s", path, err.text);
	kws_blob_close(&blob);
	return good;
}

int kws_cmd_bank(int argc, char **argv)
{
	args a = { 0 };
	char path[KWS_BASE_PATH], hash[KWS_HASH];
	kws_model *m = NULL;
	kws_embedder *e = NULL;
	kws_building b = { 0 };
	int status = KWS_EXIT_MODEL;
	kws_args_parse(&argp, argc, argv, &a);
	kws_base_find(a.model, KWS_BASE_MODEL, path, sizeof path);
	if (open_base(path, &m, &e, hash)) {
		const bool good = kws_building_begin(&b, e, kws_model_rate_hz(m));
		status = good ? build(&b, &a, hash) : KWS_EXIT_INPUT;
		kws_building_end(&b);
	}
	free_args(&a);
	kws_embedder_destroy(e);
	kws_model_close(m);
	return status;
}
