/* kws plot - draws a recording: the network's input, its scores and the decisions. */
#include "cli/args.h"
#include "cli/cli.h"
#include "corpus/notes.h"
#include "cli/out.h"
#include "cli/picture.h"
#include "cli/plot.h"
#include "spot/near.h"
#include "spot/spotter.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { OPT_START = 0x100, OPT_END, OPT_WIDTH, MOST_SECONDS = 3600, BLOCK = 4096 };

typedef struct {
	kws_args_audio audio;
	const char *input, *output;
	double start, end; /* seconds; end NAN: end of the recording */
	unsigned width;	   /* of the time axis; 0: chosen from the length */
} args;

static const struct argp_option options[] = {
	{ NULL, 0, NULL, 0, "The picture:", 1 },
	{ "picture", 'p', "FILE", 0, "The picture: .svg, .png or .pdf; - is SVG on standard output",
	  0 },
	{ "output", 'o', NULL, OPTION_ALIAS | OPTION_HIDDEN, NULL, 0 },
	{ "start", OPT_START, "S", 0, "Begin at second S (default 0)", 0 },
	{ "end", OPT_END, "S", 0, "End at second S (default: the end)", 0 },
	{ "width", OPT_WIDTH, "N", 0,
	  "Pixels of a line of ten seconds, 200 to 20000 (default: from the length)", 0 },
	{ 0 },
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	args *a = state->input;
	switch (key) {
	case ARGP_KEY_INIT: state->child_inputs[0] = &a->audio; return 0;
	case 'p':
	case 'o': a->output = kws_picture_need(state, "--picture", arg); return 0;
	case OPT_START: a->start = kws_args_need_real(state, "--start", arg, 0.0, 1e7); return 0;
	case OPT_END: a->end = kws_args_need_real(state, "--end", arg, 0.0, 1e7); return 0;
	case OPT_WIDTH: a->width = kws_args_need(state, "--width", arg, 200, 20000); return 0;
	case ARGP_KEY_ARG:
		if (a->input)
			argp_error(state, "one file at a time");
		a->input = arg;
		return 0;
	case ARGP_KEY_END:
		if (!a->input || !a->output)
			argp_error(state, "name a file to draw, and -p with the picture");
		if (a->end <= a->start)
			argp_error(state, "--end: not after the start");
		return 0;
	default: return ARGP_ERR_UNKNOWN;
	}
}

typedef struct {
	const args *a;
	kws_plot p; /* what was heard */
	kws_model *model;
	kws_spotter *spotter;
	float *pcm;	/* (BLOCK,) */
	kws_near *near; /* (n_words,) */
	uint64_t read;	/* samples at in_hz */
	unsigned in_hz;
	uint64_t stretch; /* of the waveform, the current one */
	float lowest, highest;
	size_t cap_finds;
	bool too_long, no_memory;
} task;

/* ---- processing ---- */

static void keep(task *t, kws_plot_rows *r, double when, const float *row, size_t n)
{
	if (when < t->a->start || when >= t->a->end)
		return;
	if (when >= t->a->start + MOST_SECONDS) {
		t->too_long = true;
		return;
	}
	if (r->n == 0)
		r->first = when;
	if (r->n == r->cap) {
		size_t cap = r->cap ? 2 * r->cap : 1024;
		float *more = realloc(r->row, cap * n * sizeof *more);
		if (!more) {
			t->no_memory = true;
			return;
		}
		r->row = more;
		r->cap = cap;
	}
	memcpy(r->row + r->n++ * n, row, n * sizeof *row);
}

static void keep_find(task *t, const kws_event *ev, bool near)
{
	if (t->p.n_finds == t->cap_finds) {
		size_t cap = t->cap_finds ? 2 * t->cap_finds : 64;
		kws_plot_find *more = realloc(t->p.find, cap * sizeof *more);
		if (!more) {
			t->no_memory = true;
			return;
		}
		t->p.find = more;
		t->cap_finds = cap;
	}
	t->p.find[t->p.n_finds++] = (kws_plot_find){ .event = *ev, .near = near };
}

static void near_miss(task *t, size_t word, uint64_t sample)
{
	const kws_near *n = &t->near[word];
	const kws_event ev = { .sample = sample,
			       .start = n->start,
			       .end = n->peak,
			       .word = (unsigned)word,
			       .score = n->score,
			       .threshold = kws_model_threshold(t->model, word),
			       .level_dbfs = NAN,
			       .snr_db = NAN };
	keep_find(t, &ev, true);
}

static void on_frame(void *ctx, const kws_frame *f)
{
	task *t = ctx;
	const double when = (double)(f->sample - t->p.frame) / t->p.rate_hz;
	const float *score = kws_spotter_score(t->spotter);
	for (size_t i = 0; i < f->stride; i++) {
		const double hop = when + (double)(i * t->p.hop) / t->p.rate_hz;
		keep(t, &t->p.mels, hop, f->mel + i * f->n_mels, f->n_mels);
		keep(t, &t->p.level, hop, f->level + i, 1);
	}
	keep(t, &t->p.scores, when, score, t->p.n_words);
	for (size_t w = 0; w < f->n_words; w++) {
		const float threshold = kws_model_threshold(t->model, w);
		if (kws_model_is_command(t->model, w)
		    && kws_near_step(&t->near[w], f->sample, score[w], KWS_NEAR_SHARE * threshold,
				     threshold))
			near_miss(t, w, f->sample);
	}
}

static void on_event(void *ctx, const kws_event *ev)
{
	task *t = ctx;
	kws_near_events(t->near, t->p.n_words, ev, kws_model_rate_hz(t->model),
			kws_model_decision(t->model)->refractory_ms);
	keep_find(t, ev, false);
}

/* The end of a stretch of the waveform. */
static void end_stretch(task *t)
{
	const float ends[] = { t->lowest, t->highest };
	keep(t, &t->p.wave, (double)t->stretch / KWS_PLOT_WAVE_HZ, ends, 2);
}

static void follow_wave(task *t, size_t n)
{
	for (size_t i = 0; i < n; i++, t->read++) {
		const uint64_t stretch = t->read * KWS_PLOT_WAVE_HZ / t->in_hz;
		if (stretch != t->stretch)
			end_stretch(t);
		if (stretch != t->stretch || !t->read)
			t->lowest = t->highest = t->pcm[i];
		t->stretch = stretch;
		t->lowest = fminf(t->lowest, t->pcm[i]);
		t->highest = fmaxf(t->highest, t->pcm[i]);
	}
}

static enum kws_status set_up(task *t, unsigned in_hz, kws_error *err)
{
	kws_spotter_config cfg = KWS_SPOTTER_CONFIG;
	cfg.on_event = on_event;
	cfg.on_frame = on_frame;
	cfg.ctx = t;
	t->in_hz = in_hz;
	const enum kws_status st = kws_spotter_create(&t->spotter, t->model, in_hz, &cfg, err);
	if (st != KWS_OK)
		return st;
	t->pcm = calloc(BLOCK, sizeof *t->pcm);
	t->near = calloc(t->p.n_words, sizeof *t->near);
	return t->pcm && t->near ? KWS_OK
				 : kws_fail(err, KWS_ERR_NOMEM, "%s", kws_strerror(KWS_ERR_NOMEM));
}

/* Process the whole recording from its start, and keep the results in the range. */
static enum kws_status hear(task *t, kws_source *src, kws_error *err)
{
	/* A word that ends in the range may be decided after it. */
	const double later = 3.0;
	size_t got = 0;
	enum kws_status st;
	do {
		st = kws_source_read(src, t->pcm, BLOCK, &got, err);
		follow_wave(t, got);
		kws_spotter_process(t->spotter, t->pcm, got);
	} while (st == KWS_OK && got && !t->too_long && !t->no_memory
		 && !((double)kws_spotter_heard(t->spotter) / t->p.rate_hz > t->a->end + later));
	kws_spotter_flush(t->spotter);
	for (size_t w = 0; w < t->p.n_words; w++)
		if (kws_near_flush(&t->near[w]))
			near_miss(t, w, kws_spotter_heard(t->spotter));
	if (st != KWS_OK)
		return st;
	if (t->no_memory)
		return kws_fail(err, KWS_ERR_NOMEM, "%s", kws_strerror(KWS_ERR_NOMEM));
	if (t->too_long)
		return kws_fail(err, KWS_ERR_ARG,
				"more than an hour is too long to draw: choose a part with --start "
				"and --end");
	if (t->p.mels.n == 0)
		return kws_fail(err, KWS_ERR_ARG, "no audio from second %g on", t->a->start);
	t->p.from = t->p.mels.first;
	t->p.to = t->p.from + (double)(t->p.mels.n * t->p.hop) / t->p.rate_hz;
	return KWS_OK;
}

static int run_task(task *t)
{
	kws_error err = { "" };
	kws_source *src = NULL;
	kws_notes notes = { 0 };
	const char *path = t->a->input;
	t->model = kws_args_open_model(t->a->audio.model);
	if (!t->model)
		return KWS_EXIT_MODEL;
	const kws_features *f = kws_model_features(t->model);
	t->p.model = t->model;
	t->p.title = path;
	t->p.rate_hz = (double)f->rate_hz;
	t->p.hop = f->hop;
	t->p.n_mels = f->n_mels;
	t->p.n_words = kws_model_n_words(t->model);
	t->p.frame = f->hop * kws_model_stride(t->model);
	if (kws_model_max_frames(t->model)) {
		kws_out_complain("model %s: full attention cannot process an endless stream",
				 kws_model_name(t->model));
		return KWS_EXIT_MODEL;
	}
	enum kws_status st = kws_args_open_source(&src, &t->a->audio, path, &err);
	if (st == KWS_OK)
		st = set_up(t, kws_source_rate(src), &err);
	if (st == KWS_OK)
		st = hear(t, src, &err);
	if (st == KWS_OK && strcmp(path, "-") != 0)
		st = kws_plot_compare(&t->p, path, &err);
	if (st == KWS_OK) {
		kws_notes_add(&notes, 0, path, src, t->p.n_finds > 0);
		kws_out_notes(&notes);
	}
	kws_source_close(src);
	if (st != KWS_OK) {
		kws_out_complain_of(path, err.text);
		return st == KWS_ERR_ARG ? KWS_EXIT_USAGE : KWS_EXIT_INPUT;
	}
	return kws_plot_draw(&t->p, t->a->output, t->a->width) ? KWS_EXIT_OK : KWS_EXIT_INPUT;
}

static const struct argp argp = {
	.options = options,
	.parser = parse,
	.args_doc = "FILE -p PICTURE",
	.doc = "Draw a recording in lines of ten seconds: waveform, level, spectrogram, the words "
	       "that are found, near misses and scores; and beside them what was said, if there is "
	       "a truth file, a.tsv for a.flac.",
	.children = kws_args_audio_child,
};

int kws_cmd_plot(int argc, char **argv)
{
	args a = { .end = (double)INFINITY };
	kws_args_parse(&argp, argc, argv, &a);

	task t = { .a = &a };
	int status = run_task(&t);
	kws_spotter_destroy(t.spotter);
	free(t.pcm);
	free(t.near);
	kws_plot_free(&t.p);
	kws_model_close(t.model);
	return status;
}
