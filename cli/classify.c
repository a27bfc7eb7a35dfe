/* kws classify - one label with its probability per file. */
#include "corpus/manifest.h"
#include "cli/args.h"
#include "cli/cli.h"
#include "corpus/files.h"
#include "cli/out.h"
#include "cli/predictions.h"
#include "cli/progress.h"
#include "cli/confusion.h"
#include "cli/vocabulary.h"
#include "spot/classify.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { OPT_FORMAT = 0x100, OPT_MANIFEST, OPT_AT_END };

typedef struct {
	kws_args_audio audio;
	unsigned top, jobs;
	enum kws_format format;
	const char *manifest;
	bool quiet, at_end;
	char **inputs;
	int n_inputs;
} args;

static const struct argp_option options[] = {
	{ "top", 'k', "N", 0, "Show the N most probable words, 1 to 256 (default 1)", 0 },
	{ "format", OPT_FORMAT, "FORMAT", 0, "text (default), jsonl or csv", 0 },
	{ "manifest", OPT_MANIFEST, "LIST", 0,
	  "Classify the recordings of a tab-separated list (path, expected word) and measure", 0 },
	{ "at-end", OPT_AT_END, NULL, 0,
	  "Judge the last second of each recording only, after all that came before it", 0 },
	{ "jobs", 'j', "N", 0, "Worker threads, 1 to 256 (default: one per processor)", 0 },
	{ "quiet", 'q', NULL, 0, "With --manifest: only the summary", 0 },
	{ 0 },
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	args *a = state->input;
	switch (key) {
	case ARGP_KEY_INIT: state->child_inputs[0] = &a->audio; return 0;
	case 'k': a->top = kws_args_need(state, "--top", arg, 1, 256); return 0;
	case 'j': a->jobs = kws_args_need(state, "--jobs", arg, 1, 256); return 0;
	case 'q': a->quiet = true; return 0;
	case OPT_FORMAT:
		a->format = kws_args_need_format(state, arg,
						 1u << KWS_FORMAT_TEXT | 1u << KWS_FORMAT_JSONL
							 | 1u << KWS_FORMAT_CSV);
		return 0;
	case OPT_MANIFEST: a->manifest = arg; return 0;
	case OPT_AT_END: a->at_end = true; return 0;
	case ARGP_KEY_ARGS:
		a->inputs = state->argv + state->next;
		a->n_inputs = state->argc - state->next;
		return 0;
	case ARGP_KEY_END:
		if (!a->manifest && a->n_inputs == 0)
			argp_error(state, "no file, folder or --manifest to classify");
		if (a->manifest && a->n_inputs)
			argp_error(state, "files beside --manifest: name one or the other");
		if (a->quiet && !a->manifest)
			argp_error(state,
				   "--quiet: without --manifest nothing would be left to print");
		return 0;
	default: return ARGP_ERR_UNKNOWN;
	}
}

/* What one run works on. */
typedef struct {
	const args *a;
	kws_model *model;
	kws_manifest *manifest; /* NULL without */
	kws_files files;	/* the paths to open */
	kws_job *job;		/* (files.n,) */
	kws_confusion *tally;
	kws_vocabulary vocabulary; /* of the list */
	size_t *order;		   /* (n_words,) scratch: words by probability */
	size_t failed;
	double audio_s;
	bool incomplete; /* a folder could not be read */
} task;

static int list_inputs(task *t, kws_problems *problems)
{
	const args *a = t->a;
	kws_error err;
	char path[2 * KWS_MANIFEST_MAX_LINE];
	for (int i = 0; i < a->n_inputs; i++)
		if (!kws_files_add(&t->files, a->inputs[i], problems))
			t->incomplete = true;
	if (!a->manifest)
		return KWS_EXIT_OK;
	if (kws_manifest_open(&t->manifest, a->manifest, &err) != KWS_OK) {
		kws_out_complain("%s", err.text);
		return KWS_EXIT_INPUT;
	}
	if (kws_manifest_count(t->manifest) == 0) {
		kws_out_complain("%s: no recordings in this list", a->manifest);
		return KWS_EXIT_INPUT;
	}
	for (size_t i = 0; i < kws_manifest_count(t->manifest); i++) {
		if (kws_manifest_path(t->manifest, i, path, sizeof path) != KWS_OK) {
			kws_out_complain("%s:%zu: the path is too long", a->manifest,
					 kws_manifest_get(t->manifest, i)->line);
			return KWS_EXIT_INPUT;
		}
		if (!kws_files_add_file(&t->files, path, problems))
			return KWS_EXIT_INPUT;
	}
	return KWS_EXIT_OK;
}

/* Words by falling probability; equal ones in the model's order. */
static void sort_words(const float *prob, size_t n, size_t *order)
{
	for (size_t i = 0; i < n; i++) {
		size_t at = i;
		for (; at > 0 && prob[i] > prob[order[at - 1]]; at--)
			order[at] = order[at - 1];
		order[at] = i;
	}
}

static size_t n_shown(const task *t)
{
	size_t n_words = kws_model_n_words(t->model);
	return t->a->top < n_words ? t->a->top : n_words;
}

static void print_head(const task *t)
{
	const char *expected = t->manifest ? "expected" : "";
	if (t->a->quiet)
		return;
	if (t->a->format == KWS_FORMAT_CSV) {
		fputs(t->manifest ? "file,expected,label,prob" : "file,label,prob", stdout);
		for (size_t i = 1; i < n_shown(t); i++)
			printf(",label%zu,prob%zu", i + 1, i + 1);
		putchar('\n');
	}
	if (t->a->format == KWS_FORMAT_TEXT) {
		for (size_t i = 0; i < n_shown(t); i++)
			printf("%-10s  prob   ", i ? "" : "label");
		printf("%-*s%sfile\n", t->manifest ? 10 : 0, expected, t->manifest ? "   " : "");
	}
}

static void print_text(const task *t, const kws_job *job, const char *name, const char *expected,
		       bool right)
{
	for (size_t i = 0; i < n_shown(t); i++)
		printf("%-10s %.4f  ", kws_model_word(t->model, t->order[i]),
		       (double)job->prob[t->order[i]]);
	if (expected)
		printf("%-10s %s ", expected, right ? " " : "x");
	kws_out_visible(stdout, name);
	putchar('\n');
}

static void print_csv(const task *t, const kws_job *job, const char *name, const char *expected)
{
	kws_out_csv(stdout, name);
	if (expected) {
		putchar(',');
		kws_out_csv(stdout, expected);
	}
	for (size_t i = 0; i < n_shown(t); i++) {
		putchar(',');
		kws_out_csv(stdout, kws_model_word(t->model, t->order[i]));
		printf(",%.6f", (double)job->prob[t->order[i]]);
	}
	putchar('\n');
}

static json_t *json_prob(const task *t, const kws_job *job, size_t i)
{
	return kws_out_json_real((double)job->prob[t->order[i]]);
}

static void print_json(const task *t, const kws_job *job, const char *name, const char *expected,
		       bool right)
{
	json_t *o = json_object();
	kws_out_set(o, "file", kws_out_json_text(name));
	kws_out_set(o, "label", kws_out_json_text(kws_model_word(t->model, t->order[0])));
	kws_out_set(o, "prob", json_prob(t, job, 0));
	if (expected) {
		kws_out_set(o, "expected", kws_out_json_text(expected));
		kws_out_set(o, "correct", json_boolean(right));
	}
	if (t->a->top > 1) {
		json_t *top = json_array();
		for (size_t i = 0; i < n_shown(t); i++) {
			json_t *one = json_object();
			const char *word = kws_model_word(t->model, t->order[i]);
			kws_out_set(one, "label", kws_out_json_text(word));
			kws_out_set(one, "prob", json_prob(t, job, i));
			kws_out_append(top, one);
		}
		kws_out_set(o, "top", top);
	}
	kws_out_json_line(o);
}

/* Take the result of job i: count it, print it, free it. */
static void take(task *t, size_t i)
{
	kws_job *job = &t->job[i];
	const kws_manifest_item *item = t->manifest ? kws_manifest_get(t->manifest, i) : NULL;
	const char *name = item ? item->path : job->path, *expected = item ? item->word : NULL;
	bool right = false;
	if (job->status != KWS_OK) {
		kws_out_complain_of(job->path, job->error);
		t->failed++;
		return;
	}
	if (job->cut)
		kws_out_complain("%s: longer than this model can hear; the rest was left out",
				 job->path);
	t->audio_s += job->seconds;
	sort_words(job->prob, kws_model_n_words(t->model), t->order);
	if (item) {
		size_t want =
			kws_vocabulary_class(&t->vocabulary, t->a->manifest, item->line, expected);
		right = want == t->order[0];
		kws_confusion_add(t->tally, want, t->order[0]);
	}
	if (!t->a->quiet && t->a->format == KWS_FORMAT_TEXT)
		print_text(t, job, name, expected, right);
	if (!t->a->quiet && t->a->format == KWS_FORMAT_CSV)
		print_csv(t, job, name, expected);
	if (!t->a->quiet && t->a->format == KWS_FORMAT_JSONL)
		print_json(t, job, name, expected, right);
	free(job->prob);
	job->prob = NULL;
}

static void print_summary(const task *t)
{
	if (t->a->format == KWS_FORMAT_JSONL) {
		json_t *o = json_object(), *sum = kws_confusion_json(t->tally);
		kws_out_set(sum, "failed", json_integer((json_int_t)t->failed));
		kws_out_set(sum, "words_respelt",
			    json_integer((json_int_t)t->vocabulary.n_respelt));
		kws_out_set(sum, "words_not_in_model",
			    json_integer((json_int_t)t->vocabulary.n_others));
		kws_out_set(sum, "audio_s", kws_out_json_real(t->audio_s));
		kws_out_set(sum, "model", kws_out_json_text(kws_model_name(t->model)));
		kws_out_set(sum, "model_sha256", kws_out_json_text(kws_model_hash(t->model)));
		kws_out_set(o, "summary", sum);
		kws_out_json_line(o);
		return;
	}
	/* Rows of another shape would spoil the CSV for programs. */
	FILE *to = t->a->format == KWS_FORMAT_CSV && !t->a->quiet ? stderr : stdout;
	kws_confusion_print(t->tally, to);
	if (t->failed)
		fprintf(to, "%zu could not be read and do not count\n", t->failed);
}

static int run_jobs(task *t)
{
	kws_pool *pool = NULL;
	kws_progress progress;
	size_t n = t->files.n, n_done = 0;
	double audio_s = 0.0;
	for (size_t i = 0; i < n; i++)
		t->job[i].path = t->files.path[i];
	const enum kws_status created =
		kws_pool_create(&pool, t->model, &t->a->audio, t->a->at_end, t->job, n, t->a->jobs);
	if (created != KWS_OK) {
		kws_out_complain("%s", created == KWS_ERR_NOMEM
					       ? kws_strerror(created)
					       : "no worker thread could be started");
		return KWS_EXIT_INPUT;
	}
	print_head(t);
	kws_progress_start(&progress, n);
	bool heard = true, both = isatty(STDOUT_FILENO) == 1;
	for (size_t i = 0; i < n && heard; i++) {
		while (!kws_pool_wait(pool, i, &n_done, &audio_s))
			kws_progress_show(&progress, n_done, audio_s);
		if (t->job[i].status != KWS_OK || t->job[i].cut || (both && !t->a->quiet))
			kws_progress_clear(&progress);
		take(t, i);
		if (both)
			heard = kws_out_flush();
		kws_progress_show(&progress, n_done, audio_s);
	}
	kws_progress_clear(&progress);
	if (heard)
		kws_out_notes(kws_pool_notes(pool));
	kws_pool_destroy(pool);
	if (t->manifest && heard) {
		kws_vocabulary_report(&t->vocabulary, "_unknown_");
		print_summary(t);
	}
	return t->failed || t->incomplete ? KWS_EXIT_INPUT : KWS_EXIT_OK;
}

static int run_task(task *t)
{
	t->model = kws_args_open_model(t->a->audio.model);
	if (!t->model)
		return KWS_EXIT_MODEL;
	t->vocabulary.model = t->model;
	kws_problems problems = { 0 };
	int status = list_inputs(t, &problems);
	kws_out_problems(&problems);
	if (status != KWS_EXIT_OK)
		return status;
	t->job = calloc(t->files.n ? t->files.n : 1, sizeof *t->job);
	t->order = calloc(kws_model_n_words(t->model), sizeof *t->order);
	if (!t->job || !t->order || kws_confusion_create(&t->tally, t->model) != KWS_OK) {
		kws_out_complain("%s", kws_strerror(KWS_ERR_NOMEM));
		return KWS_EXIT_INPUT;
	}
	return run_jobs(t);
}

static const struct argp argp = {
	.options = options,
	.parser = parse,
	.args_doc = "[FILE|DIR|-]...",
	.doc = "Say which word is in each file, with its probability. - is standard input, a sound "
	       "file or raw PCM.",
	.children = kws_args_audio_child,
};

int kws_cmd_classify(int argc, char **argv)
{
	long processors = sysconf(_SC_NPROCESSORS_ONLN);
	args a = { .top = 1,
		   .jobs = processors > 1 && processors <= 256 ? (unsigned)processors : 1 };
	kws_args_parse(&argp, argc, argv, &a);

	task t = { .a = &a };
	int status = run_task(&t);
	for (size_t i = 0; t.job && i < t.files.n; i++)
		free(t.job[i].prob);
	free(t.job);
	free(t.order);
	kws_confusion_destroy(t.tally);
	kws_manifest_close(t.manifest);
	kws_files_free(&t.files);
	kws_model_close(t.model);
	return status;
}
