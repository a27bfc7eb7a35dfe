/* The models that ship: they find the words of the demo, and nothing in sounds that are no words. */
#include "audio/source.h"
#include "spot/spotter.h"

#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <cmocka.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { RATE = 16000, LISTEN = 10 * RATE, N = 40 * RATE };

static float pcm[N];
static unsigned seed;

/* Uniform in -1..1. */
static double noise(void)
{
	seed = seed * 1664525u + 1013904223u;
	return (double)(seed >> 8) / 8388608.0 - 1.0;
}

static double tone(size_t i, double hz)
{
	return sin(6.283185307179586 * hz * (double)i / RATE);
}

static double silence(size_t i)
{
	(void)i;
	return 0.0;
}

static double white(size_t i)
{
	(void)i;
	return 0.1 * noise();
}

static double faint(size_t i)
{
	(void)i;
	return 1e-3 * noise();
}

static double offset(size_t i)
{
	(void)i;
	return 0.5 + 0.01 * noise();
}

static double clipped(size_t i)
{
	(void)i;
	return fmax(-1.0, fmin(1.0, 20.0 * noise()));
}

static double hum(size_t i)
{
	return 0.3 * tone(i, 50.0) + 0.1 * tone(i, 150.0) + 0.03 * tone(i, 250.0) + 0.001 * noise();
}

/* Noise that comes and goes, like waves or a fan. */
static double waves(size_t i)
{
	return 0.2 * (1.0 + tone(i, 0.4)) * noise();
}

static double knocks(size_t i)
{
	return 0.8 * exp(-(double)(i % (RATE / 3)) / 200.0) * noise();
}

/* Chords of three decaying notes with overtones, two a second. */
static double music(size_t i)
{
	static const double root[] = { 220.0, 174.6, 261.6, 196.0 };
	const double at = (double)(i % (RATE / 2)) / RATE, hz = root[i / (RATE / 2) % 4];
	double x = 0.0;
	for (int n = 1; n < 6; n++)
		x += (tone(i, hz * n) + tone(i, 1.26 * hz * n) + tone(i, 1.5 * hz * n)) / n;
	return 0.12 * exp(-3.0 * at) * x;
}

static const struct {
	const char *name;
	double (*at)(size_t i);
} sounds[] = {
	{ "silence", silence },	 { "white noise", white },     { "faint noise", faint },
	{ "an offset", offset }, { "clipped noise", clipped }, { "hum", hum },
	{ "waves", waves },	 { "knocks", knocks },	       { "music", music },
};

typedef struct {
	size_t n;
	kws_event last;
} heard;

static void keep(void *ctx, const kws_event *e)
{
	heard *h = ctx;
	h->n++;
	h->last = *e;
}

static const char *const models[] = {
	"commands-12",	     "commands-12-int8",       "fastformer-12",
	"commands-12-small", "commands-12-small-int8", "commands-21"
};

static kws_model *shipped(const char *name)
{
	kws_model *m = NULL;
	kws_error err = { "" };
	char path[256];
	snprintf(path, sizeof path, "config/models/%s.safetensors", name);
	if (kws_model_open(&m, path, &err) != KWS_OK)
		fail_msg("%s", err.text);
	return m;
}

/* The events of the first n samples of pcm. */
static void listen(const kws_model *m, size_t n, void (*on_event)(void *ctx, const kws_event *e),
		   void *ctx)
{
	kws_spotter *s = NULL;
	kws_spotter_config config = KWS_SPOTTER_CONFIG;
	config.on_event = on_event;
	config.ctx = ctx;
	assert_int_equal(kws_spotter_create(&s, m, RATE, &config, NULL), KWS_OK);
	kws_spotter_process(s, pcm, n);
	kws_spotter_flush(s);
	kws_spotter_destroy(s);
}

static void nothing_is_heard_where_nothing_is_said(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof models / sizeof *models; i++) {
		kws_model *m = shipped(models[i]);
		for (size_t k = 0; k < sizeof sounds / sizeof *sounds; k++) {
			seed = 1;
			for (size_t n = 0; n < LISTEN; n++)
				pcm[n] = (float)sounds[k].at(n);
			heard h = { 0 };
			listen(m, LISTEN, keep, &h);
			if (h.n)
				fail_msg("%s: %zu events in %s, the last %s", models[i], h.n,
					 sounds[k].name, kws_model_word(m, h.last.word));
		}
		kws_model_close(m);
	}
}

/* ---- the demo ---------------------------------------------------------------------------------------------- */

typedef struct {
	double from, to;
	char word[64];
	bool found;
} said;

typedef struct {
	const kws_model *model;
	said word[64];
	size_t n, n_false;
} truth;

static void match(void *ctx, const kws_event *e)
{
	truth *t = ctx;
	const double at = (double)e->sample / RATE;
	for (size_t i = 0; i < t->n; i++) {
		said *w = &t->word[i];
		if (w->found || strcmp(w->word, kws_model_word(t->model, e->word)) != 0
		    || at < w->from || at > w->to + 0.75)
			continue;
		w->found = true;
		return;
	}
	t->n_false++;
}

static void read_truth(truth *t)
{
	char line[128];
	FILE *f = fopen("tests/data/demo.tsv", "r");
	assert_non_null(f);
	assert_non_null(fgets(line, sizeof line, f));
	while (fgets(line, sizeof line, f)) {
		said *w = &t->word[t->n++];
		assert_true(t->n <= 64);
		assert_int_equal(sscanf(line, "%lf\t%lf\t%63s", &w->from, &w->to, w->word), 3);
	}
	fclose(f);
}

/* Read the demo into pcm; its samples. */
static size_t read_demo(void)
{
	kws_source *src = NULL;
	size_t n = 0, got;
	assert_int_equal(kws_source_open_file(&src, "tests/data/demo.flac", 0, NULL), KWS_OK);
	assert_int_equal(kws_source_rate(src), RATE);
	do {
		assert_int_equal(kws_source_read(src, pcm + n, N - n, &got, NULL), KWS_OK);
		n += got;
	} while (got);
	kws_source_close(src);
	return n;
}

static void the_demo_is_understood(void **state)
{
	(void)state;
	kws_model *m = shipped(models[0]);
	truth t = { .model = m };
	read_truth(&t);
	listen(m, read_demo(), match, &t);
	/* One "five" in it is taken for "on", as the model card owns. */
	assert_true(t.n_false <= 1);
	for (size_t i = 0; i < t.n; i++)
		if (!t.word[i].found)
			fail_msg("%s at %.2f s is missed", t.word[i].word, t.word[i].from);
	kws_model_close(m);
}

/* Five times, a second and a bit from one to the next, in faint noise: each counts, once. */
static void a_word_said_again_is_heard_again(void **state)
{
	(void)state;
	enum { TIMES = 5, LEAD = RATE, EDGE = RATE / 20, GAP = RATE * 11 / 10 };
	static float demo[N];
	for (size_t i = 0; i < sizeof models / sizeof *models; i++) {
		kws_model *m = shipped(models[i]);
		truth t = { .model = m };
		read_truth(&t);
		size_t n_demo = read_demo();
		memcpy(demo, pcm, n_demo * sizeof *demo);
		for (size_t w = 0; w < t.n; w++) {
			size_t from = (size_t)(t.word[w].from * RATE) - EDGE;
			size_t n = (size_t)((t.word[w].to - t.word[w].from) * RATE) + 2 * EDGE;
			size_t all = LEAD + TIMES * GAP + RATE;
			for (size_t k = 0; k < all; k++)
				pcm[k] = (float)faint(k);
			truth again = { .model = m };
			for (size_t r = 0; r < TIMES; r++) {
				size_t at = LEAD + r * GAP;
				for (size_t k = 0; k < n; k++)
					pcm[at + k] += demo[from + k];
				again.word[r] = t.word[w];
				again.word[r].from = (double)at / RATE;
				again.word[r].to = (double)(at + n) / RATE;
			}
			again.n = TIMES;
			listen(m, all, match, &again);
			for (size_t r = 0; r < TIMES; r++)
				if (!again.word[r].found || again.n_false)
					fail_msg("%s: %s, the %zu. time: %s; %zu others", models[i],
						 t.word[w].word, r + 1,
						 again.word[r].found ? "found" : "missed",
						 again.n_false);
		}
		kws_model_close(m);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_is_heard_where_nothing_is_said),
		cmocka_unit_test(the_demo_is_understood),
		cmocka_unit_test(a_word_said_again_is_heard_again),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
