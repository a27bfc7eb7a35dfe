/* kws plot - draws a recording: the network's input, its scores and the decisions. */
#include "cli/args.h"
#include "cli/cli.h"
#include "corpus/notes.h"
#include "cli/out.h"
#include "cli/picture.h"
#include "cli/plot.h"
#include "cli/thresholds.h"
#include "spot/near.h"
#include "spot/spotter.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { OPT_START = 0x100, OPT_END, OPT_WIDTH, MOST_SECONDS = 3600, BLOCK = 4096 };

typedef struct {
	kws_args_audio audio;
	kws_thresholds thresholds;
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
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &a->audio;
		state->child_inputs[1] = &a->thresholds;
		return 0;
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

typedef struct task task;

/* One of the models, at work. */
typedef struct {
	task *of;
	kws_plot_model *m;
	kws_spotter *spotter;
	kws_near *near; /* (n_words,) */
} ear;

struct task {
	const args *a;
	kws_plot p; /* what was heard */
	kws_models models;
	float *threshold[KWS_MODELS_MOST]; /* of each (n_words,) */
	ear ear[KWS_MODELS_MOST];
	float *pcm;    /* (BLOCK,) */
	uint64_t read; /* samples at in_hz */
	unsigned in_hz;
	uint64_t stretch; /* of the waveform, the current one */
	float lowest, highest;
	size_t cap_finds;
	bool too_long, no_memory;
};

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

static void keep_find(const ear *e, const kws_event *ev, bool near)
{
	task *t = e->of;
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
	t->p.find[t->p.n_finds++] = (kws_plot_find){ .event = *ev, .by = e->m, .near = near };
}

static void near_miss(const ear *e, size_t word, uint64_t sample)
{
	const kws_near *n = &e->near[word];
	const kws_event ev = { .sample = sample,
			       .start = n->start,
			       .end = n->peak,
			       .word = (unsigned)word,
			       .score = n->score,
			       .threshold = e->m->threshold[word],
			       .level_dbfs = NAN,
			       .snr_db = NAN };
	keep_find(e, &ev, true);
}

/* The sound as the first model hears it. */
static void keep_sound(task *t, const kws_frame *f, double when)
{
	for (size_t i = 0; i < f->stride; i++) {
		const double hop = when + (double)(i * t->p.hop) / t->p.rate_hz;
		keep(t, &t->p.mels, hop, f->mel + i * f->n_mels, f->n_mels);
		keep(t, &t->p.level, hop, f->level + i, 1);
	}
}

static void on_frame(void *ctx, const kws_frame *f)
{
	ear *e = ctx;
	const double when = (double)(f->sample - e->m->frame) / e->m->rate_hz;
	const float *score = kws_spotter_score(e->spotter);
	if (e->m->index == 0)
		keep_sound(e->of, f, when);
	keep(e->of, &e->m->scores, when, score, e->m->n_words);
	for (size_t w = 0; w < f->n_words; w++) {
		const float threshold = e->m->threshold[w];
		if (kws_model_is_command(e->m->model, w)
		    && kws_near_step(&e->near[w], f->sample, score[w], KWS_NEAR_SHARE * threshold,
				     threshold))
			near_miss(e, w, f->sample);
	}
}

static void on_event(void *ctx, const kws_event *ev)
{
	ear *e = ctx;
	kws_near_events(e->near, e->m->n_words, ev, kws_model_rate_hz(e->m->model),
			kws_model_decision(e->m->model)->refractory_ms);
	keep_find(e, ev, false);
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

static enum kws_status set_up_ear(ear *e, unsigned in_hz, kws_error *err)
{
	kws_spotter_config cfg = KWS_SPOTTER_CONFIG;
	cfg.threshold = e->m->threshold;
	cfg.on_event = on_event;
	cfg.on_frame = on_frame;
	cfg.ctx = e;
	e->near = calloc(e->m->n_words, sizeof *e->near);
	return e->near ? kws_spotter_create(&e->spotter, e->m->model, in_hz, &cfg, err)
		       : kws_fail(err, KWS_ERR_NOMEM, "%s", kws_strerror(KWS_ERR_NOMEM));
}

static enum kws_status set_up(task *t, unsigned in_hz, kws_error *err)
{
	enum kws_status st = KWS_OK;
	t->in_hz = in_hz;
	t->pcm = calloc(BLOCK, sizeof *t->pcm);
	if (!t->pcm)
		return kws_fail(err, KWS_ERR_NOMEM, "%s", kws_strerror(KWS_ERR_NOMEM));
	for (size_t i = 0; st == KWS_OK && i < t->p.n_models; i++) {
		t->ear[i] = (ear){ .of = t, .m = &t->p.model[i] };
		st = set_up_ear(&t->ear[i], in_hz, err);
	}
	return st;
}

/* The recording has ended: near misses that are still open end, too. */
static void end_ear(ear *e)
{
	kws_spotter_flush(e->spotter);
	for (size_t w = 0; w < e->m->n_words; w++)
		if (kws_near_flush(&e->near[w]))
			near_miss(e, w, kws_spotter_heard(e->spotter));
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
		for (size_t i = 0; i < t->p.n_models; i++)
			kws_spotter_process(t->ear[i].spotter, t->pcm, got);
	} while (st == KWS_OK && got && !t->too_long && !t->no_memory
		 && !((double)kws_spotter_heard(t->ear[0].spotter) / t->p.rate_hz
		      > t->a->end + later));
	for (size_t i = 0; i < t->p.n_models; i++)
		end_ear(&t->ear[i]);
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

/* What the picture shows of the models. Returns an exit status. */
static int open_models(task *t)
{
	const int status = kws_models_open(&t->models, &t->a->audio, &(kws_models_args){ 0 });
	if (status != KWS_EXIT_OK)
		return status;
	if (!kws_thresholds_of_models(&t->a->thresholds, &t->models, t->threshold))
		return KWS_EXIT_USAGE;
	for (size_t i = 0, colour = 0; i < t->models.n; colour += t->p.model[i++].n_words) {
		const kws_model *m = t->models.at[i].model;
		t->p.model[i] = (kws_plot_model){
			.model = m,
			.name = t->models.at[i].name,
			.threshold = t->threshold[i],
			.rate_hz = (double)kws_model_rate_hz(m),
			.index = i,
			.n_words = kws_model_n_words(m),
			.frame = kws_model_features(m)->hop * kws_model_stride(m),
			.colour = colour,
		};
	}
	t->p.n_models = t->models.n;
	const kws_features *f = kws_model_features(t->models.at[0].model);
	t->p.rate_hz = (double)f->rate_hz;
	t->p.hop = f->hop;
	t->p.n_mels = f->n_mels;
	return KWS_EXIT_OK;
}

static int run_task(task *t)
{
	kws_error err = { "" };
	kws_source *src = NULL;
	kws_notes notes = { 0 };
	const char *path = t->a->input;
	const int opened = open_models(t);
	if (opened != KWS_EXIT_OK)
		return opened;
	t->p.title = path;
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

static const struct argp_child children[] = { { &kws_args_audio_argp, 0, NULL, 0 },
					      { &kws_thresholds_argp, 0, NULL, 0 },
					      { 0 } };

static const struct argp argp = {
	.options = options,
	.parser = parse,
	.args_doc = "FILE -p PICTURE",
	.doc = "Draw a recording in lines of ten seconds: waveform, level, spectrogram, the words "
	       "that are found, near misses and scores; and beside them what was said, if there is "
	       "a truth file, a.tsv for a.flac. Several models are shown together: -m FILE -m "
	       "NAME=FILE.",
	.children = children,
};

int kws_cmd_plot(int argc, char **argv)
{
	args a = { .end = (double)INFINITY };
	kws_args_parse(&argp, argc, argv, &a);

	task t = { .a = &a };
	int status = run_task(&t);
	for (size_t i = 0; i < t.models.n; i++) {
		kws_spotter_destroy(t.ear[i].spotter);
		free(t.ear[i].near);
		free(t.threshold[i]);
	}
	free(t.pcm);
	kws_plot_free(&t.p);
	kws_models_close(&t.models);
	return status;
}
