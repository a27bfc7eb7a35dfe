/* kws listen - the daemon's pipeline in a terminal, with a level meter and live scores: for
 * choosing a threshold. */
#include "audio/device.h"
#include "cli/args.h"
#include "cli/cli.h"
#include "corpus/notes.h"
#include "cli/out.h"
#include "cli/peaks.h"
#include "cli/thresholds.h"
#include "spot/spotter.h"

#include <math.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

enum { BAR = 24, BAR_LEAST = 8, N_BEST = 3, MOST_COLUMNS = 160 };

/* A score falls from the display by this much a frame, so that eyes can follow. */
static const float fade = 0.97f;

typedef struct {
	kws_device_config device;
	kws_thresholds thresholds;
	const char *model;
	unsigned seconds; /* 0: until interrupted */
} args;

static const struct argp_option options[] = {
	{ "model", 'm', "MODEL", 0, "Model file (default: the installed one, or $KWS_MODEL)", 0 },
	{ "seconds", 's', "N", 0, "End after so many seconds of audio (default: with Ctrl-C)", 0 },
	{ NULL, 'c', "N", OPTION_HIDDEN, NULL, 0 },
	{ 0 },
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	args *a = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &a->device;
		state->child_inputs[1] = &a->thresholds;
		return 0;
	case 'm': a->model = arg; return 0;
	case 's': a->seconds = kws_args_need(state, "--seconds", arg, 1, 1000000); return 0;
	case 'c':
		argp_error(state,
			   "-c names a configuration, for kwsd and kws doctor; a channel is "
			   "--channel %s",
			   arg);
		return 0;
	case ARGP_KEY_ARG:
		argp_error(state, "'%s': no arguments are wanted; kws spot reads files", arg);
		return 0;
	default: return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp_child children[] = { { &kws_args_device_argp, 0, NULL, 0 },
					      { &kws_thresholds_argp, 0, NULL, 0 },
					      { 0 } };

static const struct argp argp = {
	.options = options,
	.parser = parse,
	.children = children,
	.doc = "Listen to a microphone and show level, scores and events.\vScores are those that "
	       "the decision compares with its thresholds. Say the words, and other words: a good "
	       "threshold lies between what both reach. Ctrl-C ends; then thresholds between what "
	       "was heard stand there, to be pasted into kwsd.conf.",
};

typedef struct {
	const kws_model *model;
	kws_spotter *spotter;
	kws_peaks *peaks;
	float *shown; /* (n_words,) scores, fading */
	float power;  /* mean square, smoothed over 0.1 s */
	double hz;
	uint64_t heard; /* samples of the device */
	bool terminal;
	bool words, warned; /* some were found; it was said that the channels cancel */
} view;

static volatile sig_atomic_t interrupted;

static void on_interrupt(int number)
{
	(void)number;
	interrupted = 1;
}

static void on_frame(void *ctx, const kws_frame *f)
{
	view *v = ctx;
	const float *score = kws_spotter_score(v->spotter);

	for (size_t i = 0; i < f->stride; i++)
		v->power += 0.1f * (f->level[i] - v->power);
	for (size_t w = 0; w < f->n_words; w++)
		v->shown[w] = fmaxf(score[w], fade * v->shown[w]);
	kws_peaks_step(v->peaks, score);
}

/* ---- lines that fit ---- */

/* A line for a terminal, which would break it at its edge, or for a file, which has none. */
typedef struct {
	char text[4 * MOST_COLUMNS];
	size_t used;	   /* columns, at most */
	size_t n, columns; /* bytes; columns there are */
} line;

static line line_for(const view *v)
{
	struct winsize size = { 0 };
	const char *named = getenv("COLUMNS");
	unsigned n = 0;
	line l = { .columns = MOST_COLUMNS };

	if (!v->terminal)
		return l;
	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col)
		n = size.ws_col;
	else if (!named || !kws_args_unsigned(named, 1, 10000, &n))
		n = 80;
	/* The cursor needs a column, too. */
	l.columns = n < MOST_COLUMNS ? n - 1 : MOST_COLUMNS;
	return l;
}

/* Put a part behind the others, if the whole of it fits. Letters that are no ASCII may be two
 * columns wide. */
__attribute__((format(printf, 2, 3))) static void put(line *l, const char *format, ...)
{
	char part[sizeof l->text];
	size_t columns = 0;
	va_list more;

	va_start(more, format);
	vsnprintf(part, sizeof part, format, more);
	va_end(more);
	for (char *c = part; *c; c++) {
		const unsigned char byte = (unsigned char)*c;
		columns += byte < 0x80 ? 1 : byte >= 0xc0 ? 2 : 0;
		*c = byte < 0x20 || byte == 0x7f ? '?' : *c;
	}
	if (l->used + columns > l->columns || l->n + strlen(part) >= sizeof l->text)
		return;
	memcpy(l->text + l->n, part, strlen(part) + 1);
	l->n += strlen(part);
	l->used += columns;
}

/* stays: the next one stands below it. Else, on a terminal, it takes its place. */
static void show(const view *v, const line *l, bool stays)
{
	printf("%s%s%s", v->terminal ? "\r\033[K" : "", l->text, stays || !v->terminal ? "\n" : "");
	if (!kws_out_flush())
		interrupted = 1;
}

static void on_event(void *ctx, const kws_event *ev)
{
	view *v = ctx;
	line l = line_for(v);

	v->words = true;
	put(&l, "%8.2f s  %-10s", (double)ev->start / v->hz, kws_model_word(v->model, ev->word));
	put(&l, " score %.3f", (double)ev->score);
	put(&l, " of %.3f", (double)ev->threshold);
	put(&l, "  %.1f dBFS", (double)ev->level_dbfs);
	put(&l, "  SNR %.1f dB", (double)ev->snr_db);
	show(v, &l, true);
}

/* The commands with the highest scores, falling, into best (N_BEST,). Returns how many. */
static size_t find_best(const view *v, size_t *best)
{
	size_t n = 0;

	for (size_t w = 0; w < kws_model_n_words(v->model); w++) {
		size_t i;

		if (!kws_model_is_command(v->model, w))
			continue;
		for (i = n < N_BEST ? n++ : N_BEST; i > 0 && v->shown[w] > v->shown[best[i - 1]];
		     i--)
			if (i < N_BEST)
				best[i] = best[i - 1];
		if (i < N_BEST)
			best[i] = w;
	}
	return n;
}

static void draw(const view *v)
{
	const float db = 10.0f * log10f(v->power + 1e-12f);
	line l = line_for(v);
	size_t best[N_BEST], n = find_best(v, best);
	char bar[BAR + 1];
	int wide = l.columns >= 60 ? BAR : BAR_LEAST, full;

	full = (int)lrintf((db + 72.0f) * (float)wide / 72.0f);
	for (int i = 0; i < wide; i++)
		bar[i] = i < full ? '#' : '.';
	bar[wide] = '\0';
	put(&l, "%6.1f dBFS", (double)db);
	put(&l, " %s", bar);
	for (size_t i = 0; i < n; i++)
		put(&l, "  %s %.2f", kws_model_word(v->model, best[i]), (double)v->shown[best[i]]);
	show(v, &l, false);
}

/* ---- what it comes to ---- */

static void print_word(const view *v, size_t word)
{
	const kws_peaks_word *p = kws_peaks_of(v->peaks, word);
	const float threshold = kws_peaks_threshold(p);
	const char *name = kws_model_word(v->model, word);

	if (threshold >= 0.0f)
		printf("# %zu heard, from %.3f; else up to %.3f\n%s = %.3f\n", p->heard,
		       (double)p->least, (double)p->otherwise, name, (double)threshold);
	else
		printf("# not heard (to %.3f): the model's\n%s = %.7g\n", (double)p->otherwise,
		       name, (double)kws_model_threshold(v->model, word));
}

/* A piece of kwsd.conf, for narrow terminals too. */
static void print_thresholds(const view *v, const kws_device *d)
{
	line first = line_for(v), second = line_for(v);

	kws_peaks_end(v->peaks);
	put(&first, "# kws listen, %.0f s", (double)v->heard / (double)kws_device_rate(d));
	put(&first, " of %s", kws_device_name(d));
	put(&second, "# %s", kws_model_name(v->model));
	printf("\n%s\n%s\n", first.text, second.text);
	printf("# Each lies between the lowest peak\n# that reached its threshold, taken for\n"
	       "# the word, and the highest that did\n# not, half way in log odds. A guess\n"
	       "# from few words: kws calibrate\n# measures.\n[threshold]\n");
	for (size_t w = 0; w < kws_model_n_words(v->model); w++)
		if (kws_model_is_command(v->model, w))
			print_word(v, w);
}

/* That the channels cancel is said at once: nothing will be found. */
static void warn(view *v, kws_device *d)
{
	kws_findings f;
	char text[KWS_FLAW_TEXT];

	if (v->warned || !kws_device_findings(d, &f) || !f.has[KWS_FLAW_CANCELLING]
	    || f.seconds < 2.0)
		return;
	kws_flaw_say(&f, KWS_FLAW_CANCELLING, "--channel ", text);
	kws_out_complain("%s: %s", kws_device_name(d), text);
	v->warned = true;
}

/* What else was wrong with the sound. */
static void sum_up(view *v, kws_device *d)
{
	kws_findings f;
	kws_notes notes = { 0 };

	if (*kws_device_trouble(d))
		kws_out_complain("%s", kws_device_trouble(d));
	if (!kws_device_findings(d, &f))
		return;
	f.has[KWS_FLAW_CANCELLING] &= !v->warned;
	kws_notes_findings(&notes, 0, kws_device_name(d), &f, v->words);
	kws_out_notes(&notes);
}

/* Until interrupted, the end, or the device's silence. Returns an exit status. */
static int hear(view *v, kws_device *d, unsigned seconds)
{
	unsigned hop = kws_device_rate(d) / 100, rest = 0;
	unsigned long blocks = 0;
	float pcm[1920];
	kws_device_state st;

	for (uint64_t drawn = 0; !interrupted;) {
		kws_device_state_get(d, &st);
		while (!interrupted && kws_device_read(d, pcm, hop)) {
			kws_spotter_process(v->spotter, pcm, hop);
			v->heard += hop;
			if (seconds && v->heard >= (uint64_t)seconds * kws_device_rate(d))
				interrupted = 1;
			if (v->heard - drawn >= kws_device_rate(d) / (v->terminal ? 10 : 1)) {
				draw(v);
				drawn = v->heard;
			}
		}
		warn(v, d);
		rest = st.callbacks == blocks ? rest + 1 : 0;
		blocks = st.callbacks;
		if (st.ended && kws_device_available(d) < hop) {
			kws_spotter_flush(v->spotter);
			if (!st.finished)
				kws_out_complain("the device went away");
			return st.finished ? KWS_EXIT_OK : KWS_EXIT_INPUT;
		}
		if (rest == 500 && !kws_device_is_pipe(d)) {
			kws_out_complain("the device sends nothing; `kws doctor' may know why");
			return KWS_EXIT_INPUT;
		}
		struct timespec t = { .tv_nsec = 10000000 };
		nanosleep(&t, NULL);
	}
	return KWS_EXIT_OK;
}

static int listen_to(view *v, kws_device *d, unsigned seconds)
{
	line l = line_for(v);
	put(&l, "%s at %u Hz", kws_device_name(d), kws_device_rate(d));
	put(&l, ", %u channels", kws_device_channels(d));
	put(&l, ", model %s", kws_model_name(v->model));
	show(v, &l, true);
	const int status = hear(v, d, seconds);
	if (v->terminal)
		putchar('\n');
	print_thresholds(v, d);
	sum_up(v, d);
	return status;
}

static int listen_with(const args *a, kws_model *model, float *threshold)
{
	view v = { .model = model,
		   .terminal = isatty(STDOUT_FILENO) != 0,
		   .hz = (double)kws_model_features(model)->rate_hz };
	kws_spotter_config cfg = KWS_SPOTTER_CONFIG;
	kws_device *d = NULL;
	kws_error err = { "" };
	int status = KWS_EXIT_INPUT;

	cfg.threshold = threshold;
	cfg.on_event = on_event;
	cfg.on_frame = on_frame;
	cfg.ctx = &v;
	v.shown = calloc(kws_model_n_words(model), sizeof *v.shown);
	v.peaks = kws_peaks_create(kws_model_n_words(model), threshold);
	if (!v.shown || !v.peaks) {
		kws_out_complain("%s", kws_strerror(KWS_ERR_NOMEM));
	} else if (kws_device_open(&d, &a->device, &err) != KWS_OK) {
		kws_out_complain("%s; `kws devices' lists what there is", err.text);
	} else if (kws_spotter_create(&v.spotter, model, kws_device_rate(d), &cfg, &err)
		   != KWS_OK) {
		kws_out_complain("%s", err.text);
		status = KWS_EXIT_MODEL;
	} else {
		status = listen_to(&v, d, a->seconds);
	}
	kws_device_close(d);
	kws_spotter_destroy(v.spotter);
	kws_peaks_destroy(v.peaks);
	free(v.shown);
	return status;
}

int kws_cmd_listen(int argc, char **argv)
{
	args a = { 0 };
	struct sigaction sa = { .sa_handler = on_interrupt };
	int status = KWS_EXIT_USAGE;

	kws_args_parse(&argp, argc, argv, &a);
	if (!a.device.name)
		a.device.name = "default";
	kws_model *model = kws_args_open_model(a.model);
	if (!model)
		return KWS_EXIT_MODEL;
	sigaction(SIGINT, &sa, NULL);
	sigaction(SIGTERM, &sa, NULL);
	float *threshold = calloc(kws_model_n_words(model), sizeof *threshold);
	if (!threshold) {
		kws_out_complain("%s", kws_strerror(KWS_ERR_NOMEM));
		status = KWS_EXIT_INPUT;
	} else if (kws_thresholds_apply(&a.thresholds,
					&(kws_threshold_target){ "", model, threshold }, 1)) {
		status = listen_with(&a, model, threshold);
	}
	free(threshold);
	kws_model_close(model);
	return status;
}
