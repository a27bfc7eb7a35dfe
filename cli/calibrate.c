/* kws calibrate - chooses the threshold of each word for a target rate of false alarms. */
#include "cli/cli.h"
#include "cli/measure.h"
#include "cli/model_copy.h"
#include "cli/out.h"
#include "corpus/bounds.h"
#include "corpus/calibration.h"
#include "corpus/evaluation.h"
#include "corpus/recordings.h"
#include "find_model.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { OPT_FORMAT = 0x100, OPT_TARGET, OPT_PER_WORD, OPT_LOWEST, OPT_ALLOW, OPT_WRITE };

typedef struct {
	kws_measure_args hear;
	enum kws_format format;
	double target, lowest;
	bool per_word, allow;
	const char *write;
} args;

static const struct argp_option options[] = {
	{ NULL, 0, NULL, 0, "Thresholds:", 1 },
	{ "target", OPT_TARGET, "X", 0,
	  "Most false alarms an hour, over all words together (default 0.5)", 0 },
	{ "per-word", OPT_PER_WORD, NULL, 0, "Apply the target to each word", 0 },
	{ "lowest", OPT_LOWEST, "T", 0, "Lowest threshold to choose (default 0.3)", 0 },
	{ "allow-unsupported", OPT_ALLOW, NULL, 0,
	  "Continue even if there are too few hours to support the target", 0 },
	{ "write-model", OPT_WRITE, "OUT", 0, "Write a copy of the model with these thresholds",
	  0 },
	{ "format", OPT_FORMAT, "FORMAT", 0, "text (default): sections of kwsd.conf; or jsonl", 0 },
	{ 0 },
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	args *a = state->input;
	switch (key) {
	case ARGP_KEY_INIT: state->child_inputs[0] = &a->hear; return 0;
	case OPT_TARGET: a->target = kws_args_need_real(state, "--target", arg, 0.0, 1e6); return 0;
	case OPT_LOWEST: a->lowest = kws_args_need_real(state, "--lowest", arg, 0.0, 1.0); return 0;
	case OPT_PER_WORD: a->per_word = true; return 0;
	case OPT_ALLOW: a->allow = true; return 0;
	case OPT_WRITE: a->write = arg; return 0;
	case OPT_FORMAT:
		a->format = kws_args_need_format(state, arg,
						 1u << KWS_FORMAT_TEXT | 1u << KWS_FORMAT_JSONL);
		return 0;
	case ARGP_KEY_END:
		if (!kws_inputs_given(&a->hear.inputs))
			argp_error(state, "name a file, a folder or --files-from");
		return 0;
	default: return ARGP_ERR_UNKNOWN;
	}
}

typedef struct {
	const args *a;
	kws_recordings heard;
	bool incomplete; /* some recordings could not be listed */
	kws_calibration c;
} task;

static void print_row(const task *t, const char *name, const kws_count *c)
{
	const kws_rates r = kws_rates_of(c, t->c.hours);
	printf("# %-10s %5zu %5zu", name, c->said, c->said - c->hits);
	if (c->said)
		printf(" %6.2f   %6.2f .. %6.2f", 100.0 * r.miss, 100.0 * r.miss_lo,
		       100.0 * r.miss_hi);
	else
		printf(" %6s   %16s", "-", "");
	printf("  %5zu %7.2f  %6.2f .. %7.2f\n", c->false_alarms, r.rate, r.rate_lo, r.rate_hi);
}

static void print_text(const task *t)
{
	const kws_material *m = &t->heard.material;
	const kws_count *all = &t->c.count[m->n_words];
	printf("# kws calibrate: for %g false alarms an hour %s; %s, SHA-256 %.16s\n", t->a->target,
	       t->a->per_word ? "for each word" : "over all words", kws_model_name(t->heard.model),
	       kws_model_hash(t->heard.model));
	printf("# %zu false alarms in %.2f h support: below %.2f per hour (95 %%)%s\n",
	       all->false_alarms, t->c.hours, kws_poisson_supported(all->false_alarms, t->c.hours),
	       t->c.supported ? "" : "; the target is NOT SUPPORTED");
	if (t->a->hear.hours > 0.0)
		printf("# The recordings are clips from these hours: a threshold below what was "
		       "kept "
		       "would give\n# false alarms that are not in them.\n");
	printf("# Chosen and measured on the same recordings: other recordings will give more.\n");
	printf("# %-10s %5s %5s %6s   %16s  %5s %7s  %17s\n", "word", "said", "miss", "%",
	       "95 % interval", "false", "per h", "95 % interval");
	for (size_t w = 0; w < m->n_words; w++)
		if (m->command[w])
			print_row(t, kws_model_word(t->heard.model, w), &t->c.count[w]);
	print_row(t, "all", all);
	if (t->a->hear.smooth_ms >= 0 || t->a->hear.refractory_ms >= 0)
		printf("\n[decision]\nsmooth_ms = %u\nrefractory_ms = %u\n", m->smooth_ms,
		       m->refractory_ms);
	printf("\n[threshold]\n");
	for (size_t w = 0; w < m->n_words; w++)
		if (m->command[w])
			printf("%s%s = %.7g\n",
			       t->c.chosen[w] ? "" : "# not said here: the model's threshold\n",
			       kws_model_word(t->heard.model, w), (double)t->c.threshold[w]);
}

static json_t *thresholds_json(const task *t)
{
	json_t *o = json_object();
	for (size_t w = 0; w < t->heard.material.n_words; w++)
		if (t->heard.material.command[w])
			kws_out_set_float(o, kws_model_word(t->heard.model, w), t->c.threshold[w]);
	return o;
}

static json_t *calibration_json(const task *t)
{
	const kws_count *all = &t->c.count[t->heard.material.n_words];
	const kws_rates r = kws_rates_of(all, t->c.hours);
	json_t *o = json_object();
	kws_out_set_real(o, "target_per_hour", t->a->target);
	kws_out_set(o, "target_of", json_string(t->a->per_word ? "each word" : "all words"));
	kws_out_set(o, "supported", json_boolean(t->c.supported));
	kws_out_set_real(o, "hours", t->c.hours);
	kws_out_set_size(o, "said", all->said);
	kws_out_set_size(o, "hits", all->hits);
	kws_out_set_pair(o, "miss_ci", r.miss_lo, r.miss_hi);
	kws_out_set_size(o, "false_alarms", all->false_alarms);
	kws_out_set_pair(o, "per_hour_ci", r.rate_lo, r.rate_hi);
	kws_out_set_real(o, "supported_per_hour",
			 kws_poisson_supported(all->false_alarms, t->c.hours));
	return o;
}

static bool write_model(const task *t)
{
	char path[KWS_ARGS_PATH];
	json_t *decision = json_object(), *calibration = calibration_json(t);
	kws_find_model(t->a->hear.audio.model, path, sizeof path);
	kws_out_set(decision, "thresholds", thresholds_json(t));
	kws_out_set_size(decision, "smooth_ms", t->heard.material.smooth_ms);
	kws_out_set_size(decision, "refractory_ms", t->heard.material.refractory_ms);
	kws_out_set_text(calibration, "model_sha256", kws_model_hash(t->heard.model));
	const bool good =
		kws_out_is_whole() && kws_model_copy(path, t->a->write, decision, calibration);
	json_decref(decision);
	json_decref(calibration);
	return good;
}

static int report(const task *t)
{
	if (t->a->format == KWS_FORMAT_JSONL) {
		json_t *o = calibration_json(t);
		kws_out_set(o, "thresholds", thresholds_json(t));
		kws_out_json_line(o);
	} else {
		print_text(t);
	}
	if (t->a->write && !write_model(t))
		return KWS_EXIT_INPUT;
	return t->heard.failed || t->incomplete ? KWS_EXIT_INPUT : KWS_EXIT_OK;
}

/* Hear all inputs, and report what is wrong with some. */
static int hear(task *t, const kws_model *m)
{
	kws_files files = { 0 };
	kws_problems problems = { 0 };
	kws_progress progress;
	const kws_hear_config config = kws_measure_config(&t->a->hear, &progress);
	const int can = kws_measure_can(m);
	if (can != KWS_EXIT_OK)
		return can;
	t->incomplete = !kws_inputs_list(&t->a->hear.inputs, &files);
	kws_progress_start(&progress, files.n);
	const enum kws_status status =
		kws_recordings_hear(&t->heard, m, &files, &config, &problems);
	kws_progress_clear(&progress);
	kws_files_free(&files);
	kws_out_problems(&problems);
	if (status != KWS_OK)
		kws_out_complain("%s", kws_strerror(status));
	else if (!t->heard.material.n)
		kws_out_complain("none of the recordings could be read");
	return status == KWS_OK && t->heard.material.n ? KWS_EXIT_OK : KWS_EXIT_INPUT;
}

static int run_task(task *t, const kws_model *m)
{
	const kws_calibration_config config = { t->a->target, (float)t->a->lowest, t->a->per_word,
						t->a->allow };
	kws_error err = { "" };
	const int heard = hear(t, m);
	if (heard != KWS_EXIT_OK)
		return heard;
	if (!kws_measure_fits(t->a->hear.hours, kws_det_heard(&t->heard.material)))
		return KWS_EXIT_USAGE;
	const enum kws_status status = kws_calibrate(&t->c, &t->heard, &config, &err);
	if (status == KWS_OK)
		return report(t);
	kws_out_complain("%s%s", err.text,
			 t->c.hours_needed > 0.0 ? ", or --allow-unsupported" : "");
	return status == KWS_ERR_ARG ? KWS_EXIT_UNSUPPORTED : KWS_EXIT_INPUT;
}

static const struct argp_child children[] = { { &kws_measure_argp, 0, NULL, 0 }, { 0 } };

static const struct argp argp = {
	.options = options,
	.parser = parse,
	.args_doc = "[FILE|DIR]...",
	.doc = "Choose the threshold of each word for a target rate of false alarms. a.tsv (start, "
	       "end, word) says which words are in a.flac; without it, there are none.",
	.children = children,
};

int kws_cmd_calibrate(int argc, char **argv)
{
	args a = { .target = 0.5, .lowest = 0.3 };
	kws_args_parse(&argp, argc, argv, &a);
	kws_model *m = kws_args_open_model(a.hear.audio.model);
	if (!m)
		return KWS_EXIT_MODEL;
	task t = { .a = &a };
	const int status = run_task(&t, m);
	kws_calibration_free(&t.c);
	kws_recordings_free(&t.heard);
	kws_model_close(m);
	return status;
}
