/* kws plot - draws a recording: the network's input, its scores and the decisions. */
#include "cli/args.h"
#include "cli/cli.h"
#include "corpus/notes.h"
#include "cli/out.h"
#include "cli/picture.h"
#include "cli/plot.h"
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
	{ "picture", 'p', "FILE", 0, "The picture: .svg, .png or .pdf; - is SVG on standard output",
	  0 },
	{ "output", 'o', NULL, OPTION_ALIAS | OPTION_HIDDEN, NULL, 0 },
	{ "start", OPT_START, "S", 0, "Begin at second S (default 0)", 0 },
	{ "end", OPT_END, "S", 0, "End at second S (default: the end)", 0 },
	{ "width", OPT_WIDTH, "N", 0,
	  "Pixels along the time axis, 200 to 20000 (default: from the length)", 0 },
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
	float *pcm; /* (BLOCK,) */
	size_t cap_events;
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

static void on_frame(void *ctx, const kws_frame *f)
{
	task *t = ctx;
	const double when = (double)(f->sample - t->p.frame) / t->p.rate_hz;
	for (size_t i = 0; i < f->stride; i++)
		keep(t, &t->p.mels, when + (double)(i * t->p.hop) / t->p.rate_hz,
		     f->mel + i * f->n_mels, f->n_mels);
	keep(t, &t->p.scores, when, kws_spotter_score(t->spotter), t->p.n_words);
}

static void on_event(void *ctx, const kws_event *ev)
{
	task *t = ctx;
	if (t->p.n_events == t->cap_events) {
		size_t cap = t->cap_events ? 2 * t->cap_events : 64;
		kws_event *more = realloc(t->p.events, cap * sizeof *more);
		if (!more) {
			t->no_memory = true;
			return;
		}
		t->p.events = more;
		t->cap_events = cap;
	}
	t->p.events[t->p.n_events++] = *ev;
}

static enum kws_status set_up(task *t, unsigned in_hz, kws_error *err)
{
	kws_spotter_config cfg = KWS_SPOTTER_CONFIG;
	cfg.on_event = on_event;
	cfg.on_frame = on_frame;
	cfg.ctx = t;
	const enum kws_status st = kws_spotter_create(&t->spotter, t->model, in_hz, &cfg, err);
	if (st != KWS_OK)
		return st;
	t->pcm = calloc(BLOCK, sizeof *t->pcm);
	return t->pcm ? KWS_OK : kws_fail(err, KWS_ERR_NOMEM, "%s", kws_strerror(KWS_ERR_NOMEM));
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
		kws_spotter_process(t->spotter, t->pcm, got);
	} while (st == KWS_OK && got && !t->too_long && !t->no_memory
		 && !((double)kws_spotter_heard(t->spotter) / t->p.rate_hz > t->a->end + later));
	kws_spotter_flush(t->spotter);
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
	if (st == KWS_OK) {
		kws_notes_add(&notes, 0, path, src, t->p.n_events > 0);
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
	.doc = "Draw a recording: the spectrogram that the network is given, the score of each "
	       "word, "
	       "its threshold, and the words that are found.",
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
	free(t.p.mels.row);
	free(t.p.scores.row);
	free(t.p.events);
	kws_model_close(t.model);
	return status;
}
