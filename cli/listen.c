/* kws listen - a microphone, heard as the daemon hears it: a page on a terminal, or lines. For
 * choosing thresholds. */
#include "audio/device.h"
#include "cli/args.h"
#include "cli/cli.h"
#include "cli/listen.h"
#include "cli/out.h"
#include "cli/page.h"
#include "cli/terminal.h"
#include "cli/thresholds.h"
#include "corpus/det.h"

#include <math.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

typedef struct {
	kws_device_config device;
	kws_args_audio audio; /* the models */
	kws_models_args models;
	kws_thresholds thresholds;
	unsigned seconds; /* 0: until interrupted */
} args;

static const struct argp_option options[] = {
	{ NULL, 0, NULL, 0, "What listens:", 1 },
	{ "model", 'm', "MODEL", 0,
	  "Model file (default: the installed one, or $KWS_MODEL); several listen at once", 0 },
	{ "seconds", 's', "N", 0, "End after so many seconds of audio (default: with q or Ctrl-C)",
	  0 },
	{ NULL, 'c', "N", OPTION_HIDDEN, NULL, 0 },
	{ 0 },
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	args *a = state->input;
	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &a->device;
		state->child_inputs[1] = &a->models;
		state->child_inputs[2] = &a->thresholds;
		return 0;
	case 'm': kws_args_add_model(state, &a->audio, arg); return 0;
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
					      { &kws_models_argp, 0, NULL, 0 },
					      { &kws_thresholds_argp, 0, NULL, 0 },
					      { 0 } };

static const struct argp argp = {
	.options = options,
	.parser = parse,
	.children = children,
	.doc = "Listen to a microphone and show level, scores and events.\vScores are those that "
	       "the decision compares with its thresholds. Say the words, and other words: a good "
	       "threshold lies between what both reach. Keys move the thresholds. q or Ctrl-C "
	       "ends; then thresholds between what was heard stand there, to be pasted into "
	       "kwsd.conf.",
};

typedef struct {
	kws_listening listening;
	kws_device *device;
	kws_terminal terminal; /* closed: lines instead of a page */
	kws_page page;
	double drawn_s; /* by the clock */
	uint64_t said;	/* samples heard at the last line */
	char title[KWS_DEVICE_NAME + 64], warning[KWS_FLAW_TEXT];
} view;

static volatile sig_atomic_t interrupted, suspended;

static void on_signal(int number)
{
	if (number == SIGTSTP)
		suspended = 1;
	else
		interrupted = 1;
}

/* ---- the page ---- */

static double clock_s(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void draw(view *v)
{
	kws_terminal_size(&v->page.columns, &v->page.rows);
	v->page.colour = v->terminal.colour;
	v->page.utf8 = v->terminal.utf8;
	kws_page_draw(&v->page, &v->listening, stdout);
	v->drawn_s = clock_s();
	if (!kws_out_flush())
		interrupted = 1;
}

/* The next threshold above or below. Off is above 1. */
static float next_threshold(float x, bool up)
{
	for (size_t i = 0; up && i < KWS_DET_GRID; i++)
		if (kws_det_threshold(i) > x + 1e-6f)
			return kws_det_threshold(i);
	for (size_t i = KWS_DET_GRID; !up && i > 0; i--)
		if (kws_det_threshold(i - 1) < x - 1e-6f)
			return kws_det_threshold(i - 1);
	return x;
}

static void press(view *v, int key)
{
	kws_listening *l = &v->listening;
	const size_t at = v->page.chosen;
	const kws_listening_word *w = &l->word[at];
	if (key == 'q')
		interrupted = 1;
	if (!l->n_words)
		return;
	switch (key) {
	case KWS_KEY_UP:
	case 'k': v->page.chosen = at ? at - 1 : l->n_words - 1; break;
	case KWS_KEY_DOWN:
	case 'j': v->page.chosen = (at + 1) % l->n_words; break;
	case KWS_KEY_LEFT:
	case 'h':
	case '-': kws_listening_move(l, at, next_threshold(w->threshold, false)); break;
	case KWS_KEY_RIGHT:
	case 'l':
	case '+': kws_listening_move(l, at, next_threshold(w->threshold, true)); break;
	case 'm':
		kws_listening_move(l, at,
				   kws_model_threshold(l->model[w->model].named->model, w->index));
		l->word[at].moved = false;
		break;
	case 'o': kws_listening_move(l, at, KWS_THRESHOLD_OFF); break;
	default: break;
	}
}

/* While there is a page, Ctrl-Z must not leave it on the terminal. */
static bool open_page(view *v)
{
	const struct sigaction held = { .sa_handler = on_signal };
	struct sigaction before;
	if (!kws_terminal_open(&v->terminal))
		return false;
	if (sigaction(SIGTSTP, NULL, &before) == 0 && before.sa_handler != SIG_IGN)
		sigaction(SIGTSTP, &held, NULL);
	return true;
}

static void close_page(view *v)
{
	struct sigaction now;
	const struct sigaction usual = { .sa_handler = SIG_DFL };
	kws_terminal_close(&v->terminal);
	if (sigaction(SIGTSTP, NULL, &now) == 0 && now.sa_handler == on_signal)
		sigaction(SIGTSTP, &usual, NULL);
}

/* Diagnostics must not be written over the page. */
static void complain(view *v, const char *text)
{
	close_page(v);
	kws_out_complain("%s", text);
}

/* Ctrl-Z: the shell gets its terminal as it was. In the foreground again, back comes the page. */
static void suspend(view *v)
{
	suspended = 0;
	close_page(v);
	raise(SIGTSTP);
	open_page(v);
}

static void show_page(view *v)
{
	bool pressed = false;
	if (suspended)
		suspend(v);
	for (int key; (key = kws_terminal_key(&v->terminal));) {
		press(v, key);
		pressed = true;
	}
	if (v->terminal.open && (pressed || clock_s() - v->drawn_s >= 0.05))
		draw(v);
}

/* ---- lines ---- */

static void on_find(void *ctx, const kws_listening_find *find)
{
	view *v = ctx;
	if (v->terminal.open)
		return;
	kws_listen_print_find(&v->listening, find);
	if (!kws_out_flush())
		interrupted = 1;
}

/* One line a second. */
static void show_line(view *v)
{
	if (v->listening.heard - v->said < kws_device_rate(v->device))
		return;
	v->said = v->listening.heard;
	kws_listen_print_scores(&v->listening);
	if (!kws_out_flush())
		interrupted = 1;
}

/* ---- listening ---- */

/* That the channels cancel is said at once: nothing will be found. */
static void warn(view *v)
{
	kws_findings f;
	if (*v->warning || !kws_device_findings(v->device, &f) || !f.has[KWS_FLAW_CANCELLING]
	    || f.seconds < 2.0)
		return;
	kws_flaw_say(&f, KWS_FLAW_CANCELLING, "--channel ", v->warning);
	if (!v->terminal.open)
		kws_out_complain("%s: %s", kws_device_name(v->device), v->warning);
}

static void hear_some(view *v, unsigned seconds)
{
	const unsigned hop = kws_device_rate(v->device) / 100;
	float pcm[1920];
	while (!interrupted && kws_device_read(v->device, pcm, hop)) {
		kws_listening_hear(&v->listening, pcm, hop);
		if (seconds && v->listening.heard >= (uint64_t)seconds * kws_device_rate(v->device))
			interrupted = 1;
		if (v->terminal.open)
			show_page(v);
		else
			show_line(v);
	}
}

/* Until interrupted, the end, or the device's silence. Returns an exit status. */
static int hear(view *v, unsigned seconds)
{
	const unsigned hop = kws_device_rate(v->device) / 100;
	unsigned rest = 0;
	unsigned long blocks = 0;
	kws_device_state st;
	while (!interrupted) {
		kws_device_fetch(v->device);
		kws_device_state_get(v->device, &st);
		hear_some(v, seconds);
		warn(v);
		rest = st.blocks == blocks ? rest + 1 : 0;
		blocks = st.blocks;
		if (st.ended && kws_device_available(v->device) < hop) {
			if (!st.finished)
				complain(v, "the device went away");
			return st.finished ? KWS_EXIT_OK : KWS_EXIT_INPUT;
		}
		if (rest == 500 && !kws_device_is_pipe(v->device)) {
			complain(v, "the device sends nothing; `kws doctor' may know why");
			return KWS_EXIT_INPUT;
		}
		if (v->terminal.open)
			show_page(v);
		/* A key ends the pause. */
		struct pollfd key = { .fd = v->terminal.open ? v->terminal.keys : -1,
				      .events = POLLIN };
		poll(&key, 1, 10);
	}
	return KWS_EXIT_OK;
}

/* What was wrong with the sound, but for what was said already. */
static void sum_up(view *v, bool on_page)
{
	kws_findings f;
	kws_notes notes = { 0 };
	if (*v->warning && on_page)
		kws_out_complain("%s: %s", kws_device_name(v->device), v->warning);
	if (*kws_device_trouble(v->device))
		kws_out_complain("%s", kws_device_trouble(v->device));
	if (!kws_device_findings(v->device, &f))
		return;
	f.has[KWS_FLAW_CANCELLING] &= !*v->warning;
	bool words = false;
	for (size_t i = 0; i < v->listening.n_words; i++)
		words = words || v->listening.word[i].heard;
	kws_notes_findings(&notes, 0, kws_device_name(v->device), &f, words);
	kws_out_notes(&notes);
}

static int listen_to(view *v, unsigned seconds)
{
	snprintf(v->title, sizeof v->title, "%s at %u Hz, %u channel%s", kws_device_name(v->device),
		 kws_device_rate(v->device), kws_device_channels(v->device),
		 kws_device_channels(v->device) == 1 ? "" : "s");
	v->page.title = v->title;
	v->page.warning = v->warning;
	const bool on_page = open_page(v);
	if (!on_page)
		kws_listen_print_title(&v->listening, v->title);
	const int status = hear(v, seconds);
	if (v->terminal.open)
		draw(v); /* all that was heard, however fast it came */
	/* Nothing of the page stays, so what was found is told again. */
	close_page(v);
	if (on_page)
		kws_listen_print_finds(&v->listening);
	kws_listening_end(&v->listening);
	kws_listen_print_thresholds(&v->listening, v->title);
	sum_up(v, on_page);
	return status;
}

static int listen_with(const args *a, const kws_models *models, float *const *threshold)
{
	view v = { 0 };
	kws_error err = { "" };
	if (kws_device_open(&v.device, &a->device, &err) != KWS_OK) {
		kws_out_complain("%s; `kws devices' lists what there is", err.text);
		return KWS_EXIT_INPUT;
	}
	int status = kws_listening_open(&v.listening, models, threshold, kws_device_rate(v.device),
					on_find, &v);
	if (status == KWS_EXIT_OK)
		status = listen_to(&v, a->seconds);
	kws_device_close(v.device);
	kws_listening_close(&v.listening);
	return status;
}

int kws_cmd_listen(int argc, char **argv)
{
	args a = { 0 };
	const struct sigaction sa = { .sa_handler = on_signal };
	static const int numbers[] = { SIGINT, SIGTERM };
	kws_models models = { 0 };
	float *threshold[KWS_MODELS_MOST] = { NULL };
	kws_args_parse(&argp, argc, argv, &a);
	if (!a.device.name)
		a.device.name = "default";
	int status = kws_models_open(&models, &a.audio, &a.models);
	if (status == KWS_EXIT_OK && !kws_thresholds_of_models(&a.thresholds, &models, threshold))
		status = KWS_EXIT_USAGE;
	for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
		sigaction(numbers[i], &sa, NULL);
	if (status == KWS_EXIT_OK)
		status = listen_with(&a, &models, threshold);
	for (size_t i = 0; i < models.n; i++)
		free(threshold[i]);
	kws_models_close(&models);
	return status;
}
