/* kws spot - what is said when. */
#include "cli/args.h"
#include "cli/cli.h"
#include "corpus/files.h"
#include "corpus/notes.h"
#include "cli/out.h"
#include "cli/thresholds.h"
#include "spot/spotter.h"

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
	const char *smooth, *refractory; /* NULL: the model's */
	kws_thresholds thresholds;
	char **inputs;
	int n_inputs;
} args;

static const struct argp_option options[] = {
	{ "format", OPT_FORMAT, "FORMAT", 0, "text (default), jsonl, csv or audacity", 0 },
	{ "smooth", OPT_SMOOTH, "MS", 0,
	  "Mean over that much of the probabilities, 0 to 2000 (default: the model's)", 0 },
	{ "refractory", OPT_REFRACTORY, "MS", 0,
	  "A word that was found is silent for that long, 0 to 60000 (default: the model's)", 0 },
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
		state->child_inputs[1] = &a->thresholds;
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
			argp_error(state, "no file to listen to");
		return 0;
	default: return ARGP_ERR_UNKNOWN;
	}
}

typedef struct {
	const args *a;
	kws_model *model;
	kws_spotter_config cfg;
	float *threshold;     /* (n_words,) */
	kws_spotter *spotter; /* kept from file to file as long as the rate stays */
	unsigned in_hz;
	float *pcm;
	size_t block;	  /* samples in pcm */
	const char *file; /* the current one */
	size_t n_found;	  /* words in it */
	kws_files files;
	kws_notes notes;
	bool lost; /* nobody reads the output any more */
} task;

static void on_event(void *ctx, const kws_event *ev);

static bool configure(task *t)
{
	unsigned ms;
	t->threshold = calloc(kws_model_n_words(t->model), sizeof *t->threshold);
	if (!t->threshold) {
		kws_out_complain("%s", kws_strerror(KWS_ERR_NOMEM));
		return false;
	}
	t->cfg = (kws_spotter_config)KWS_SPOTTER_CONFIG;
	t->cfg.threshold = t->threshold;
	t->cfg.on_event = on_event;
	t->cfg.ctx = t;
	if (t->a->smooth && kws_args_unsigned(t->a->smooth, 0, KWS_DECIDE_SMOOTH_MAX_MS, &ms))
		t->cfg.smooth_ms = (int)ms;
	if (t->a->refractory && kws_args_unsigned(t->a->refractory, 0, KWS_REFRACTORY_MAX_MS, &ms))
		t->cfg.refractory_ms = (int)ms;
	return kws_thresholds_apply(&t->a->thresholds, t->model, t->threshold);
}

static double seconds(const task *t, uint64_t sample)
{
	return (double)sample / (double)kws_model_features(t->model)->rate_hz;
}

/* h:mm:ss.mmm, without the hours while there are none. */
static const char *clock_text(const task *t, uint64_t sample, char text[32])
{
	uint64_t ms = (uint64_t)(seconds(t, sample) * 1000.0 + 0.5), s = ms / 1000, min = s / 60;
	if (min < 60)
		snprintf(text, 32, "%" PRIu64 ":%02u.%03u", min, (unsigned)(s % 60),
			 (unsigned)(ms % 1000));
	else
		snprintf(text, 32, "%" PRIu64 ":%02u:%02u.%03u", min / 60, (unsigned)(min % 60),
			 (unsigned)(s % 60), (unsigned)(ms % 1000));
	return text;
}

static void print_json(const task *t, const kws_event *ev)
{
	static char
		line[KWS_EVENT_JSON + 6 * PATH_MAX]; /* what has a longer name cannot be opened */
	kws_event_context c = KWS_EVENT_CONTEXT;
	c.file = t->file;
	kws_event_json(ev, t->model, &c, line, sizeof line);
	puts(line);
}

static void on_event(void *ctx, const kws_event *ev)
{
	task *t = ctx;
	char from[32], to[32];
	const char *word = kws_model_word(t->model, ev->word);
	t->n_found++;
	switch (t->a->format) {
	case KWS_FORMAT_JSONL: print_json(t, ev); break;
	case KWS_FORMAT_CSV:
		kws_out_csv(stdout, t->file);
		putchar(',');
		kws_out_csv(stdout, word);
		printf(",%.6f,%.6f,%.6f,%.6f,%.6f,%.2f,%.2f\n", seconds(t, ev->start),
		       seconds(t, ev->end), seconds(t, ev->sample), (double)ev->score,
		       (double)ev->threshold, (double)ev->level_dbfs, (double)ev->snr_db);
		break;
	case KWS_FORMAT_AUDACITY:
		printf("%.6f\t%.6f\t%s %.3f", seconds(t, ev->start), seconds(t, ev->end), word,
		       (double)ev->score);
		if (t->files.n > 1) {
			putchar(' ');
			kws_out_visible(stdout, t->file);
		}
		putchar('\n');
		break;
	default:
		printf("%12s  %12s  %-10s %6.4f  %6.1f  %5.1f", clock_text(t, ev->start, from),
		       clock_text(t, ev->end, to), word, (double)ev->score, (double)ev->level_dbfs,
		       (double)ev->snr_db);
		if (t->files.n > 1) {
			fputs("  ", stdout);
			kws_out_visible(stdout, t->file);
		}
		putchar('\n');
	}
	if (!kws_out_flush())
		t->lost = true;
}

static bool print_head(const task *t)
{
	if (t->a->format == KWS_FORMAT_CSV)
		puts("file,word,start,end,decided,score,threshold,level_dbfs,snr_db");
	if (t->a->format == KWS_FORMAT_TEXT)
		printf("%12s  %12s  %-10s %6s  %6s  %5s%s\n", "start", "end", "word", "score",
		       "dBFS", "SNR", t->files.n > 1 ? "  file" : "");
	return kws_out_flush();
}

/* A spotter and a buffer for this rate, in the state of a new one. */
static enum kws_status tune_to(task *t, unsigned in_hz, kws_error *err)
{
	if (t->spotter && t->in_hz == in_hz) {
		kws_spotter_reset(t->spotter);
		return KWS_OK;
	}
	kws_spotter_destroy(t->spotter);
	free(t->pcm);
	t->in_hz = in_hz;
	t->block = (size_t)((uint64_t)in_hz * t->a->block_ms / 1000);
	t->pcm = calloc(t->block, sizeof *t->pcm);
	enum kws_status st = kws_spotter_create(&t->spotter, t->model, in_hz, &t->cfg, err);
	return st == KWS_OK && !t->pcm
		       ? kws_fail(err, KWS_ERR_NOMEM, "%s", kws_strerror(KWS_ERR_NOMEM))
		       : st;
}

/* A pipe may never end: what keeps everything from being heard is said after some seconds. Returns
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

/* Hear file number i. */
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
			kws_spotter_process(t->spotter, t->pcm, got);
			warned = warned || !kws_source_is_pipe(src) || warn_early(path, src);
		} while (st == KWS_OK && got && !t->lost);
		kws_spotter_flush(t->spotter);
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
	t->model = kws_args_open_model(t->a->audio.model);
	if (!t->model)
		return KWS_EXIT_MODEL;
	if (kws_model_max_frames(t->model)) {
		kws_out_complain("model %s: full attention cannot hear an endless stream; `kws "
				 "classify' takes it",
				 kws_model_name(t->model));
		return KWS_EXIT_MODEL;
	}
	if (!configure(t))
		return KWS_EXIT_USAGE;
	int status = KWS_EXIT_OK;
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
					      { &kws_thresholds_argp, 0, NULL, 0 },
					      { 0 } };

static const struct argp argp = {
	.options = options,
	.parser = parse,
	.args_doc = "[FILE|DIR|-]...",
	.doc = "Say what is said when. Lines appear as the words are heard; - is standard input, "
	       "a sound file or raw PCM as `arecord -t raw' and sox write it.",
	.children = children,
};

int kws_cmd_spot(int argc, char **argv)
{
	args a = { .block_ms = 1000 };
	kws_args_parse(&argp, argc, argv, &a);

	task t = { .a = &a };
	int status = run_task(&t);
	kws_spotter_destroy(t.spotter);
	free(t.pcm);
	free(t.threshold);
	kws_files_free(&t.files);
	kws_model_close(t.model);
	return status;
}
