/* kws spot - which word is said when. */
#include "cli/args.h"
#include "cli/cli.h"
#include "cli/models.h"
#include "cli/out.h"
#include "cli/thresholds.h"
#include "corpus/files.h"
#include "corpus/notes.h"
#include "spot/decide.h"

#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

enum { OPT_FORMAT = 0x100, OPT_BLOCK, OPT_SMOOTH, OPT_REFRACTORY };

static const unsigned FORMATS = 1u << KWS_FORMAT_TEXT | 1u << KWS_FORMAT_JSONL
				| 1u << KWS_FORMAT_CSV | 1u << KWS_FORMAT_AUDACITY;

typedef struct {
	kws_args_audio audio;
	enum kws_format format;
	unsigned block_ms;
	const char *smooth, *refractory; /* NULL: the model's value */
	kws_thresholds thresholds;
	kws_models_args models;
	char **inputs;
	int n_inputs;
} args;

static const struct argp_option options[] = {
	{ "format", OPT_FORMAT, "FORMAT", 0, "text (default), jsonl, csv or audacity", 0 },
	{ "smooth", OPT_SMOOTH, "MS", 0,
	  "Average the probabilities over MS, 0 to 2000 (default: the model's)", 0 },
	{ "refractory", OPT_REFRACTORY, "MS", 0,
	  "Shortest time between events of a word, 0 to 60000 (default: the model's)", 0 },
	{ "block", OPT_BLOCK, "MS", 0,
	  "Audio fed at a time; 10 is the live hop. Changes speed, never the output (default 1000)",
	  0 },
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
		return 0;
	case OPT_FORMAT: a->format = kws_args_need_format(state, arg, FORMATS); return 0;
	case OPT_BLOCK: a->block_ms = kws_args_need(state, "--block", arg, 1, 60000); return 0;
	case OPT_SMOOTH:
		kws_args_need(state, "--smooth", arg, 0, KWS_DECIDE_SMOOTH_MAX_MS);
		a->smooth = arg;
		return 0;
	case OPT_REFRACTORY:
		kws_args_need(state, "--refractory", arg, 0, 60000);
		a->refractory = arg;
		return 0;
	case ARGP_KEY_ARGS:
		a->inputs = state->argv + state->next;
		a->n_inputs = state->argc - state->next;
		return 0;
	case ARGP_KEY_END:
		if (a->n_inputs == 0)
			argp_error(state, "name a file");
		return 0;
	default: return ARGP_ERR_UNKNOWN;
	}
}

typedef struct task task;

/* One of the models. */
typedef struct {
	task *task;
	const kws_named_model *m;
	float *threshold; /* (n_words,) */
} voice;

struct task {
	const args *a;
	kws_models models;
	voice voice[KWS_MODELS_MOST];
	kws_cascade *cascade;
	unsigned in_hz;
	float *pcm;
	size_t block;	  /* samples in pcm */
	const char *file; /* the current one */
	size_t n_found;	  /* words found in it */
	kws_files files;
	kws_notes notes;
	bool lost; /* the reader of the output has gone */
};

/* ---- output ---- */

static double seconds(const voice *v, uint64_t sample)
{
	return (double)sample / (double)kws_model_rate_hz(v->m->model);
}

/* h:mm:ss.mmm, or m:ss.mmm below one hour. */
static const char *clock_text(double at, char text[32])
{
	uint64_t ms = (uint64_t)(at * 1000.0 + 0.5), s = ms / 1000, min = s / 60;
	if (min < 60)
		snprintf(text, 32, "%" PRIu64 ":%02u.%03u", min, (unsigned)(s % 60),
			 (unsigned)(ms % 1000));
	else
		snprintf(text, 32, "%" PRIu64 ":%02u:%02u.%03u", min / 60, (unsigned)(min % 60),
			 (unsigned)(s % 60), (unsigned)(ms % 1000));
	return text;
}

static void print_json(const voice *v, const kws_event *ev)
{
	static char
		line[KWS_EVENT_JSON + 6 * PATH_MAX]; /* files with longer names cannot be opened */
	kws_event_json(ev, v->m->model, kws_cascade_context(v->task->cascade), line, sizeof line);
	puts(line);
}

static void print_csv(const voice *v, const kws_event *ev)
{
	const kws_event_context *c = kws_cascade_context(v->task->cascade);
	kws_out_csv(stdout, c->file);
	putchar(',');
	kws_out_csv(stdout, kws_model_word(v->m->model, ev->word));
	printf(",%.6f,%.6f,%.6f,%.6f,%.6f,%.2f,%.2f", seconds(v, ev->start), seconds(v, ev->end),
	       seconds(v, ev->sample), (double)ev->score, (double)ev->threshold,
	       (double)ev->level_dbfs, (double)ev->snr_db);
	if (v->task->models.n > 1) {
		printf(",%s,", c->spotter);
		kws_out_csv(stdout, c->after ? c->after : "");
		printf(",%s", c->after_id ? c->after_id : "");
	}
	putchar('\n');
}

static void print_file(const task *t, const char *before)
{
	if (t->files.n > 1) {
		fputs(before, stdout);
		kws_out_visible(stdout, t->file);
	}
	putchar('\n');
}

static void print_label(const voice *v, const kws_event *ev)
{
	printf("%.6f\t%.6f\t", seconds(v, ev->start), seconds(v, ev->end));
	if (v->task->models.n > 1)
		printf("%s ", v->m->name);
	printf("%s %.3f", kws_model_word(v->m->model, ev->word), (double)ev->score);
	print_file(v->task, " ");
}

/* The last column has no padding. */
static int name_width(const task *t)
{
	return t->files.n > 1 ? 12 : 0;
}

static void print_text(const voice *v, const kws_event *ev)
{
	char from[32], to[32];
	printf("%12s  %12s  %-10s %6.4f  %6.1f  %5.1f", clock_text(seconds(v, ev->start), from),
	       clock_text(seconds(v, ev->end), to), kws_model_word(v->m->model, ev->word),
	       (double)ev->score, (double)ev->level_dbfs, (double)ev->snr_db);
	if (v->task->models.n > 1)
		printf("  %-*s", name_width(v->task), v->m->name);
	print_file(v->task, "  ");
}

static void on_event(void *ctx, const kws_event *ev)
{
	const voice *v = ctx;
	v->task->n_found++;
	switch (v->task->a->format) {
	case KWS_FORMAT_JSONL: print_json(v, ev); break;
	case KWS_FORMAT_CSV: print_csv(v, ev); break;
	case KWS_FORMAT_AUDACITY: print_label(v, ev); break;
	default: print_text(v, ev);
	}
	if (!kws_out_flush())
		v->task->lost = true;
}

static bool print_head(const task *t)
{
	const bool several = t->models.n > 1;
	if (t->a->format == KWS_FORMAT_CSV)
		printf("file,word,start,end,decided,score,threshold,level_dbfs,snr_db%s\n",
		       several ? ",spotter,after,after_id" : "");
	if (t->a->format == KWS_FORMAT_TEXT)
		printf("%12s  %12s  %-10s %6s  %6s  %5s%s%-*s%s\n", "start", "end", "word", "score",
		       "dBFS", "SNR", several ? "  " : "", several ? name_width(t) : 0,
		       several ? "model" : "", t->files.n > 1 ? "  file" : "");
	return kws_out_flush();
}

/* ---- models ---- */

static bool no_memory(void)
{
	kws_out_complain("%s", kws_strerror(KWS_ERR_NOMEM));
	return false;
}

static bool set_thresholds(task *t)
{
	kws_threshold_target targets[KWS_MODELS_MOST];
	for (size_t i = 0; i < t->models.n; i++) {
		const kws_named_model *m = &t->models.at[i];
		t->voice[i] = (voice){ t, m, calloc(kws_model_n_words(m->model), sizeof(float)) };
		if (!t->voice[i].threshold)
			return no_memory();
		targets[i] = (kws_threshold_target){ m->name, m->model, t->voice[i].threshold };
	}
	return kws_thresholds_apply(&t->a->thresholds, targets, t->models.n);
}

static enum kws_status add(task *t, voice *v, kws_error *err)
{
	kws_spotter_config c = KWS_SPOTTER_CONFIG;
	unsigned ms;
	c.threshold = v->threshold;
	c.on_event = on_event;
	c.ctx = v;
	if (t->a->smooth && kws_args_unsigned(t->a->smooth, 0, KWS_DECIDE_SMOOTH_MAX_MS, &ms))
		c.smooth_ms = (int)ms;
	if (t->a->refractory && kws_args_unsigned(t->a->refractory, 0, KWS_REFRACTORY_MAX_MS, &ms))
		c.refractory_ms = (int)ms;
	return kws_cascade_add(t->cascade, *v->m->name ? v->m->name : NULL, v->m->model, &c, err);
}

static bool join(task *t)
{
	kws_error err = { "" };
	enum kws_status status = kws_cascade_create(&t->cascade, &err);
	for (size_t i = 0; i < t->models.n && status == KWS_OK; i++)
		status = add(t, &t->voice[i], &err);
	for (size_t i = 0; i < t->models.n && status == KWS_OK; i++) {
		const kws_named_model *m = &t->models.at[i];
		if (m->after)
			status = kws_cascade_gate(t->cascade, m->name, m->after, m->within_s, &err);
	}
	if (status != KWS_OK)
		kws_out_complain("%s", err.text);
	return status == KWS_OK;
}

/* ---- files ---- */

/* Start a new stream at this rate, with a buffer for it. */
static enum kws_status tune_to(task *t, unsigned in_hz, kws_error *err)
{
	kws_event_context c = KWS_EVENT_CONTEXT;
	c.file = t->file;
	if (t->in_hz != in_hz) {
		free(t->pcm);
		t->in_hz = in_hz;
		t->block = (size_t)((uint64_t)in_hz * t->a->block_ms / 1000);
		t->pcm = calloc(t->block, sizeof *t->pcm);
	}
	if (!t->pcm)
		return kws_fail(err, KWS_ERR_NOMEM, "%s", kws_strerror(KWS_ERR_NOMEM));
	return kws_cascade_start(t->cascade, in_hz, &c, err);
}

/* A pipe may never end, so report flaws that make all words impossible to find after 5 s. Returns
 * whether that time has come. */
static bool warn_early(const char *path, const kws_source *src)
{
	static const enum kws_flaw deaf[] = { KWS_FLAW_CANCELLING, KWS_FLAW_DIGITAL_SILENCE };
	char text[KWS_FLAW_TEXT];
	kws_findings f;
	kws_source_findings(src, &f);
	if (f.seconds < 5.0)
		return false;
	for (size_t i = 0; i < sizeof deaf / sizeof *deaf; i++)
		if (f.has[deaf[i]]) {
			kws_flaw_say(&f, deaf[i], "--channel ", text);
			kws_out_complain("%s: so far: %s", path, text);
		}
	return true;
}

/* Process file number i. */
static bool listen(task *t, size_t i)
{
	const char *path = t->files.path[i];
	kws_error err = { "" };
	kws_source *src = NULL;
	size_t got = 0;
	bool warned = false;
	t->file = path;
	t->n_found = 0;
	enum kws_status st = kws_args_open_source(&src, &t->a->audio, path, &err);
	if (st == KWS_OK)
		st = tune_to(t, kws_source_rate(src), &err);
	if (st == KWS_OK) {
		do {
			st = kws_source_read(src, t->pcm, t->block, &got, &err);
			kws_cascade_process(t->cascade, t->pcm, got);
			warned = warned || !kws_source_is_pipe(src) || warn_early(path, src);
		} while (st == KWS_OK && got && !t->lost);
		kws_cascade_flush(t->cascade);
		if (kws_source_leftover(src))
			kws_out_complain(
				"%s: %zu bytes at the end are no whole sample and were left out",
				path, kws_source_leftover(src));
		kws_notes_add(&t->notes, i, path, src, t->n_found > 0);
	}
	kws_source_close(src);
	if (st != KWS_OK)
		kws_out_complain_of(path, err.text);
	return st == KWS_OK;
}

static int run_task(task *t)
{
	int status = kws_models_open(&t->models, &t->a->audio, &t->a->models);
	if (status != KWS_EXIT_OK)
		return status;
	if (!set_thresholds(t) || !join(t))
		return KWS_EXIT_USAGE;
	kws_problems problems = { 0 };
	for (int i = 0; i < t->a->n_inputs; i++)
		if (!kws_files_add(&t->files, t->a->inputs[i], &problems))
			status = KWS_EXIT_INPUT;
	kws_out_problems(&problems);
	t->lost = !print_head(t);
	for (size_t i = 0; i < t->files.n && !t->lost; i++)
		if (!listen(t, i))
			status = KWS_EXIT_INPUT;
	kws_out_notes(&t->notes);
	return status;
}

static const struct argp_child children[] = { { &kws_args_audio_argp, 0, NULL, 0 },
					      { &kws_models_argp, 0, NULL, 0 },
					      { &kws_thresholds_argp, 0, NULL, 0 },
					      { 0 } };

static const struct argp argp = {
	.options = options,
	.parser = parse,
	.args_doc = "[FILE|DIR|-]...",
	.doc = "Say what is said when. Lines appear as the words are heard; - is standard input, "
	       "a sound file or raw PCM as `arecord -t raw' and sox write it. Several models hear "
	       "at "
	       "once: -m FILE -m NAME=FILE.",
	.children = children,
};

int kws_cmd_spot(int argc, char **argv)
{
	args a = { .block_ms = 1000 };
	kws_args_parse(&argp, argc, argv, &a);

	task t = { .a = &a };
	int status = run_task(&t);
	kws_cascade_destroy(t.cascade);
	for (size_t i = 0; i < t.models.n; i++)
		free(t.voice[i].threshold);
	free(t.pcm);
	kws_files_free(&t.files);
	kws_models_close(&t.models);
	return status;
}
