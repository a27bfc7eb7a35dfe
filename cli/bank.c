/* kws bank - make a bank from recordings that do not contain the user's own words. */
#include "audio/source.h"
#include "cli/args.h"
#include "cli/base.h"
#include "cli/cli.h"
#include "corpus/files.h"
#include "dsp/resample.h"
#include "model/write.h"
#include "spot/bank.h"
#include "spot/embedder.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { OPT_OUT = 0x100, OPT_JUDGE, OPT_WITH, OPT_NOTE };
enum {
	PIECE = 8192,
	SOME = 16 /* rows at a time */,
	MOST_BYTES = KWS_MAX_FILE - (1 << 20) /* of rows: a file that can be read */
};

typedef struct {
	const char *model, *out, *with, *note;
	char **inputs, **judges;
	size_t n_inputs, n_judges;
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
	{ "with", OPT_WITH, "BANK", 0, "Begin with all that is in this bank", 0 },
	{ "note", OPT_NOTE, "TEXT", 0, "Where the recordings are from, and their licence", 0 },
	{ 0 },
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	args *a = state->input;
	switch (key) {
	case 'm': a->model = arg; return 0;
	case 'o':
	case OPT_OUT: a->out = arg; return 0;
	case OPT_WITH: a->with = arg; return 0;
	case OPT_NOTE: a->note = arg; return 0;
	case OPT_JUDGE:
		a->judges = realloc(a->judges, (a->n_judges + 1) * sizeof *a->judges);
		if (!a->judges) {
			argp_failure(state, KWS_EXIT_INPUT, 0, "%s", kws_strerror(KWS_ERR_NOMEM));
			return ENOMEM;
		}
		a->judges[a->n_judges++] = arg;
		return 0;
	case ARGP_KEY_ARGS:
		a->inputs = state->argv + state->next;
		a->n_inputs = (size_t)(state->argc - state->next);
		return 0;
	case ARGP_KEY_END:
		if (!a->out)
			argp_error(state, "--output FILE: where the bank goes");
		if (!a->n_inputs && !a->n_judges)
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

/* The bank while it is built. */
typedef struct {
	kws_embedder *embedder;
	unsigned rate_hz;
	signed char *rows; /* (n, dim) */
	size_t n, room, dim;
	float *values; /* (SOME, dim) */
	json_t *parts;
	bool failed; /* some recording could not be read */
} building;

static bool make_room(building *b, size_t n)
{
	if (b->n + n <= b->room)
		return true;
	const size_t room = 2 * (b->n + n);
	signed char *larger = realloc(b->rows, room * b->dim);
	if (larger) {
		b->rows = larger;
		b->room = room;
	} else {
		kws_out_complain("%s", kws_strerror(KWS_ERR_NOMEM));
	}
	return larger;
}

/* Process whole rows of pcm, at the base's rate; they follow the earlier audio of the part. */
static bool hear(building *b, const float *pcm, size_t n_rows)
{
	const size_t step = kws_embedder_step(b->embedder);
	if ((b->n + n_rows) * b->dim > MOST_BYTES) {
		kws_out_complain("more than %.0f h of recordings: a bank has %d MB at most",
				 (double)(b->n * step) / b->rate_hz / 3600.0, MOST_BYTES / 1000000);
		return false;
	}
	if (!make_room(b, n_rows))
		return false;
	for (size_t k; n_rows; n_rows -= k, pcm += k * step, b->n += k) {
		k = n_rows < SOME ? n_rows : SOME;
		kws_embedder_run(b->embedder, pcm, k, b->values);
		kws_bank_pack(b->values, k * b->dim, b->rows + b->n * b->dim);
	}
	return true;
}

/* A recording while it is read: constant memory, however long it is. */
typedef struct {
	kws_source *src;
	kws_resample *rs;
	float in[PIECE];
	float *at_rate; /* what has no row yet */
	size_t n;
} reading;

/* Process what has been read, except the last part of a row. */
static bool hear_rows(building *b, reading *r)
{
	const size_t step = kws_embedder_step(b->embedder), n_rows = r->n / step;
	if (!n_rows)
		return true;
	if (!hear(b, r->at_rate, n_rows))
		return false;
	r->n -= n_rows * step;
	memmove(r->at_rate, r->at_rate + n_rows * step, r->n * sizeof *r->at_rate);
	return true;
}

/* Read to the end. A damaged file is reported, and what is good of it is used. False: do not go
 * on. */
static bool read_all(building *b, reading *r, const char *path)
{
	kws_error err = { "" };
	bool any = false;
	for (size_t got = 1; got;) {
		const enum kws_status status = kws_source_read(r->src, r->in, PIECE, &got, &err);
		for (size_t i = 0; i < got; i++)
			r->in[i] = isfinite(r->in[i]) ? r->in[i] : 0.0f;
		r->n += kws_resample_process(r->rs, r->in, got, r->at_rate + r->n);
		any |= got > 0;
		if (!hear_rows(b, r))
			return false;
		if (status) {
			kws_out_complain_of(path, err.text);
			b->failed = true;
			return true;
		}
	}
	r->n += kws_resample_flush(r->rs, r->at_rate + r->n);
	if (!any) {
		kws_out_complain("%s: no sound in it", path);
		b->failed = true;
	}
	return hear_rows(b, r);
}

/* Add a recording. False: do not go on. */
static bool add_file(building *b, const char *path)
{
	reading r = { .n = 0 };
	kws_error err = { "" };
	if (kws_source_open_file(&r.src, path, 0, &err) != KWS_OK) {
		kws_out_complain_of(path, err.text);
		b->failed = true;
		return true;
	}
	bool good = kws_resample_create(&r.rs, kws_source_rate(r.src), b->rate_hz) == KWS_OK;
	if (good)
		r.at_rate = calloc(kws_embedder_step(b->embedder) + kws_resample_bound(r.rs, PIECE),
				   sizeof *r.at_rate);
	if (r.at_rate)
		good = read_all(b, &r, path);
	else
		kws_out_complain("%s: %s", path, kws_strerror(KWS_ERR_NOMEM));
	good = good && r.at_rate;
	free(r.at_rate);
	kws_resample_destroy(r.rs);
	kws_source_close(r.src);
	return good;
}

static void end_part(building *b, const char *name, size_t first, bool judge)
{
	const char *slash = strrchr(name, '/');
	char text[KWS_BANK_NAME];
	snprintf(text, sizeof text, "%.*s", KWS_BANK_NAME - 1,
		 slash && slash[1] ? slash + 1 : name);
	if (b->n == first)
		return;
	json_t *part = json_object();
	kws_out_set(part, "name", kws_out_json_text(text));
	kws_out_set(part, "rows", json_integer((json_int_t)(b->n - first)));
	kws_out_set(part, "use", json_string(judge ? "judge" : "fit"));
	kws_out_append(b->parts, part);
}

/* Add all files of one argument as one stream. thirds: of every three files, two are for fitting
 * and the third one is for judging. */
static bool add_part(building *b, const char *path, bool judge, bool thirds)
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
		if (!thirds || (i % 3 == 2) == judge)
			good = add_file(b, files.path[i]);
	end_part(b, path, first, judge);
	kws_files_free(&files);
	return good;
}

/* Add the parts of another bank with the same base. */
static bool add_bank(building *b, const char *path, const char *base)
{
	kws_bank *other;
	kws_error err = { "" };
	if (kws_bank_open(&other, path, &err) != KWS_OK) {
		kws_out_complain("%s", err.text);
		return false;
	}
	bool good = strcmp(kws_bank_base(other), base) == 0;
	if (!good)
		kws_out_complain("%s: made with another base", path);
	for (size_t p = 0; good && p < kws_bank_n_parts(other); p++) {
		const kws_bank_part *part = kws_bank_part_at(other, p);
		const size_t first = b->n;
		float *rows = calloc(part->n * b->dim, sizeof *rows);
		good = rows && make_room(b, part->n);
		if (good) {
			kws_bank_rows(other, part->first, part->n, rows);
			kws_bank_pack(rows, part->n * b->dim, b->rows + b->n * b->dim);
			b->n += part->n;
			end_part(b, part->name, first, part->judge);
		}
		free(rows);
	}
	kws_bank_close(other);
	return good;
}

static bool write_bank(const building *b, const args *a, const char *base)
{
	const size_t shape[] = { b->n, b->dim };
	char ms[16];
	kws_write *w;
	kws_error err = { "" };
	unsigned char *bytes = NULL;
	size_t len;
	snprintf(ms, sizeof ms, "%zu", kws_embedder_step(b->embedder) * 1000 / b->rate_hz);
	if (kws_write_create(&w, NULL, 0, &err) == KWS_OK) {
		kws_write_text(w, "format", "kws-bank");
		kws_write_text(w, "version", "1");
		kws_write_text(w, "base", base);
		kws_write_text(w, "row_ms", ms);
		kws_write_text(w, "note", a->note);
		kws_write_json(w, "parts", b->parts);
		kws_write_tensor(w, "rows", KWS_I8, 2, shape, b->rows);
		kws_write_bytes(w, &bytes, &len, &err);
	}
	if (!bytes)
		kws_out_complain("%s", err.text);
	const bool good = bytes && kws_out_is_whole() && kws_base_write(a->out, bytes, len);
	kws_write_destroy(w);
	free(bytes);
	return good;
}

/* hours[0]: to fit against; hours[1]: to judge by. */
static void hours_of(const building *b, double hours[2])
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

static int build(building *b, const args *a, const char *base)
{
	bool good = !a->with || add_bank(b, a->with, base);
	for (size_t i = 0; good && i < a->n_inputs; i++) {
		good = add_part(b, a->inputs[i], false, !a->n_judges);
		if (good && !a->n_judges)
			good = add_part(b, a->inputs[i], true, true);
	}
	for (size_t i = 0; good && i < a->n_judges; i++)
		good = add_part(b, a->judges[i], true, false);
	if (good && !b->n) {
		kws_out_complain("no sound in any of the recordings");
		good = false;
	}
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
	building b = { 0 };
	int status = KWS_EXIT_MODEL;
	kws_args_parse(&argp, argc, argv, &a);
	kws_base_find(a.model, KWS_BASE_MODEL, path, sizeof path);
	if (open_base(path, &m, &b.embedder, hash)) {
		b.rate_hz = kws_model_rate_hz(m);
		b.dim = kws_embedder_dim(b.embedder);
		b.parts = json_array();
		b.values = calloc(SOME * b.dim, sizeof *b.values);
		if (b.values)
			status = build(&b, &a, hash);
		else
			kws_out_complain("%s", kws_strerror(KWS_ERR_NOMEM));
	}
	json_decref(b.parts);
	free(b.rows);
	free(b.values);
	free(a.judges);
	kws_embedder_destroy(b.embedder);
	kws_model_close(m);
	return status;
}
