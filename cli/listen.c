/* kws listen - the daemon's pipeline in a terminal, with a level meter and live scores: for
 * choosing a threshold. */
#include "audio/device.h"
#include "cli/args.h"
#include "cli/cli.h"
#include "cli/out.h"
#include "spot/spotter.h"

#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { BAR = 24, N_BEST = 3, OPT_RATE = 0x200, OPT_CHANNELS };

/* A score falls from the display by this much a frame, so that eyes can follow. */
static const float fade = 0.97f;

typedef struct {
	kws_device_config device;
	const char *model;
	float threshold;  /* < 0: the model's */
	unsigned seconds; /* 0: until interrupted */
} args;

static const struct argp_option options[] = {
	{ "device", 'd', "NAME", 0,
	  "Microphone, as kws devices lists it (default: default); raw:- is standard input", 0 },
	{ "model", 'm', "FILE", 0, "Model (default: the installed one, or $KWS_MODEL)", 0 },
	{ "threshold", 't', "X", 0,
	  "Score that every word has to reach, 0 to 1 (default: the model's)", 0 },
	{ "seconds", 's', "N", 0, "End after so much audio", 0 },
	{ "channel", 'c', "N", 0, "Hear channel N, counted from 1 (default: the mean of all)", 0 },
	{ "channels", OPT_CHANNELS, "N", 0, "Open so many channels", 0 },
	{ "rate", OPT_RATE, "HZ", 0, "Open at this rate (default: 16000, else the device's own)",
	  0 },
	{ 0 },
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	args *a = state->input;
	double x;

	switch (key) {
	case 'd': a->device.name = arg; return 0;
	case 'm': a->model = arg; return 0;
	case 't':
		if (!kws_args_real(arg, 0.0, 1.0, &x))
			argp_error(state, "--threshold: '%s' is not in 0..1", arg);
		a->threshold = (float)x;
		return 0;
	case 's': a->seconds = kws_args_need(state, "--seconds", arg, 1, 1000000); return 0;
	case 'c': a->device.channel = kws_args_need(state, "--channel", arg, 1, 32); return 0;
	case OPT_CHANNELS:
		a->device.channels = kws_args_need(state, "--channels", arg, 1, 32);
		return 0;
	case OPT_RATE:
		a->device.rate_hz = kws_args_need(state, "--rate", arg, 8000, 192000);
		return 0;
	case ARGP_KEY_ARG:
		argp_error(state, "no arguments are wanted; kws spot reads files");
		return 0;
	default: return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp argp = {
	.options = options,
	.parser = parse,
	.doc = "Listen to a microphone and show level, scores and events.\vScores are those that "
	       "the decision compares with "
	       "its thresholds. Say the words, and other words: a good threshold lies between what "
	       "both reach. Ctrl-C ends.",
};

typedef struct {
	const kws_model *model;
	kws_spotter *spotter;
	float *shown; /* (n_words,) scores, fading */
	float power;  /* mean square, smoothed over 0.1 s */
	double hz;
	bool terminal;
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
}

static void on_event(void *ctx, const kws_event *ev)
{
	view *v = ctx;

	printf("%s%10.2f s  %-12s score %.3f of %.3f  %.1f dBFS  SNR %.1f dB\n",
	       v->terminal ? "\r\033[K" : "", (double)ev->start / v->hz,
	       kws_model_word(v->model, ev->word), (double)ev->score, (double)ev->threshold,
	       (double)ev->level_dbfs, (double)ev->snr_db);
	if (!kws_out_flush())
		interrupted = 1;
}

static void draw(view *v)
{
	size_t n_words = kws_model_n_words(v->model), best[N_BEST], n = 0;
	float db = 10.0f * log10f(v->power + 1e-12f);
	int bar = (int)lrintf((db + 72.0f) * BAR / 72.0f);
	char text[BAR + 1];

	for (size_t w = 0; w < n_words; w++) {
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
	for (int i = 0; i < BAR; i++)
		text[i] = i < bar ? '#' : '.';
	text[BAR] = 0;
	printf("%s%6.1f dBFS %s", v->terminal ? "\r\033[K" : "", (double)db, text);
	for (size_t i = 0; i < n; i++)
		printf("  %s %.2f", kws_model_word(v->model, best[i]), (double)v->shown[best[i]]);
	if (!v->terminal)
		putchar('\n');
	if (!kws_out_flush())
		interrupted = 1;
}

/* Until interrupted, the end, or the device's silence. Returns an exit status. */
static int hear(view *v, kws_device *d, unsigned seconds)
{
	unsigned hop = kws_device_rate(d) / 100, rest = 0;
	unsigned long blocks = 0;
	float pcm[1920];
	kws_device_state st;

	for (uint64_t heard = 0, drawn = 0; !interrupted;) {
		kws_device_state_get(d, &st);
		while (!interrupted && kws_device_read(d, pcm, hop)) {
			kws_spotter_process(v->spotter, pcm, hop);
			heard += hop;
			if (seconds && heard >= (uint64_t)seconds * kws_device_rate(d))
				interrupted = 1;
			if (heard - drawn >= kws_device_rate(d) / (v->terminal ? 10 : 1)) {
				draw(v);
				drawn = heard;
			}
		}
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
	for (size_t w = 0; w < kws_model_n_words(model); w++)
		threshold[w] = a->threshold >= 0.0f ? a->threshold : kws_model_threshold(model, w);
	v.shown = calloc(kws_model_n_words(model), sizeof *v.shown);
	if (!v.shown) {
		kws_out_complain("out of memory");
	} else if (kws_device_open(&d, &a->device, &err) != KWS_OK) {
		kws_out_complain("%s; `kws devices' lists what there is", err.text);
	} else if (kws_spotter_create(&v.spotter, model, kws_device_rate(d), &cfg, &err)
		   != KWS_OK) {
		kws_out_complain("%s", err.text);
		status = KWS_EXIT_MODEL;
	} else {
		printf("%s at %u Hz, %u channels, model %s\n", kws_device_name(d),
		       kws_device_rate(d), kws_device_channels(d), kws_model_name(model));
		status = hear(&v, d, a->seconds);
		if (v.terminal)
			putchar('\n');
	}
	kws_device_close(d);
	kws_spotter_destroy(v.spotter);
	free(v.shown);
	return status;
}

int kws_cmd_listen(int argc, char **argv)
{
	args a = { .device = { .name = "default", .latency_ms = 40 }, .threshold = -1.0f };
	struct sigaction sa = { .sa_handler = on_interrupt };
	kws_model *model;
	float *threshold;
	int status = KWS_EXIT_MODEL;

	kws_args_parse(&argp, argc, argv, &a);
	kws_device_prepare();
	model = kws_args_open_model(a.model);
	if (!model)
		return status;
	sigaction(SIGINT, &sa, NULL);
	sigaction(SIGTERM, &sa, NULL);
	threshold = calloc(kws_model_n_words(model), sizeof *threshold);
	if (threshold)
		status = listen_with(&a, model, threshold);
	free(threshold);
	kws_model_close(model);
	return status;
}
