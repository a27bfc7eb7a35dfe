/* What a listener makes of its stream: several models, gates, reloads in the middle, missing audio. The
 * recording says yes left stop on up off go right no down on. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "audio/source.h"
#include "daemon/clock.h"
#include "daemon/hearing.h"
#include "daemon/log.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { RATE = 16000, HOP = RATE / 100, LONGEST = 40 * RATE, MOST = 64 };

static float pcm[LONGEST];
static size_t n_pcm;
static kws_conf conf;
static kws_models models;
static kws_report heard[MOST];
static size_t n_heard, n_near;
static kws_hearing *h;

static void on_report(void *ctx, const kws_report *r, bool near)
{
	(void)ctx;
	if (near) {
		n_near++;
		return;
	}
	assert_true(n_heard < MOST);
	heard[n_heard++] = *r;
}

static double frames_end_s;
static unsigned long frames;

static void on_frame(void *ctx, const char *listener, const char *spotter, const kws_frame *f,
		     const float *score, double time_s)
{
	(void)ctx;
	assert_string_equal(listener, "desk");
	assert_non_null(spotter);
	assert_true(f->stride > 0 && score[0] >= 0.0f);
	frames_end_s = time_s;
	frames++;
}

static const kws_observer to = { on_report, on_frame, NULL };

/* A model with these words only ("": all); after: gated by it. */
static void spotter(size_t i, const char *name, const char *words, const char *after)
{
	kws_conf_decision *d = &conf.decision[i + 1];

	conf.n_model = i + 1;
	conf.model[i] = (kws_conf_model){ .within_s = 5.0f };
	snprintf(conf.model[i].name, sizeof conf.model[i].name, "%s", name);
	snprintf(conf.model[i].after, sizeof conf.model[i].after, "%s", after);
	snprintf(conf.model[i].path, sizeof conf.model[i].path,
		 "config/models/commands-12.safetensors");
	if (!*name)
		return;
	conf.n_decision = i + 2;
	memset(d, 0, sizeof *d);
	snprintf(d->name, sizeof d->name, "%s", name);
	d->smooth_ms = d->refractory_ms = KWS_CONF_UNSAID;
	d->threshold = KWS_CONF_UNSAID;
	static const char *const all[] = { "yes",   "no", "up",	 "down", "left",
					   "right", "on", "off", "stop", "go" };
	for (size_t w = 0; *words && w < sizeof all / sizeof all[0]; w++) {
		char word[16];

		snprintf(word, sizeof word, " %s ", all[w]);
		if (strstr(words, word))
			continue;
		snprintf(d->word[d->n_words].word, sizeof d->word[0].word, "%s", all[w]);
		d->word[d->n_words++].threshold = 2.0f;
	}
}

static kws_engine *make(size_t i)
{
	kws_engine *e;
	kws_error err = { "" };

	if (!models.n && kws_models_load(&models, &conf, NULL, &err) != KWS_OK)
		fail_msg("%s", err.text);
	if (kws_engine_create(&e, models.model[0], &conf, &conf.model[i], &err) != KWS_OK)
		fail_msg("%s", err.text);
	return e;
}

static kws_engine *have(size_t i)
{
	kws_engine *e = kws_hearing_engine(h, conf.model[i].name);

	assert_non_null(e);
	return e;
}

static int begin(void **state)
{
	(void)state;
	kws_conf_defaults(&conf);
	n_heard = n_near = 0;
	frames = 0;
	return kws_hearing_create(&h, "desk", &to, NULL) == KWS_OK ? 0 : -1;
}

static int end(void **state)
{
	(void)state;
	kws_hearing_destroy(h);
	return 0;
}

static void start(void)
{
	assert_int_equal(kws_hearing_begin(h, RATE, "mic", NULL), KWS_OK);
	kws_anchor_start(kws_hearing_anchor(h), true, 1e9, kws_hearing_heard_s(h));
}

/* Seconds from .. to of the recording. */
static void feed(double from_s, double to_s)
{
	size_t to_sample = (size_t)(to_s * RATE) < n_pcm ? (size_t)(to_s * RATE) : n_pcm;

	for (size_t at = (size_t)(from_s * RATE); at < to_sample; at += HOP) {
		kws_hearing_feed(h, pcm + at, to_sample - at < HOP ? to_sample - at : HOP);
		if (at / HOP % 2)
			kws_hearing_catch_up(h); /* every 20 ms, as the daemon does */
	}
}

static void expect(const char *words)
{
	char got[512] = "";

	for (size_t i = 0; i < n_heard; i++) {
		const size_t n = strlen(got);

		snprintf(got + n, sizeof got - n, "%s%.16s", n ? " " : "", heard[i].word);
	}
	assert_string_equal(got, words);
}

static void assert_near(double a, double b, double most)
{
	assert_true(fabs(a - b) <= most);
}

static void test_one(void **state)
{
	kws_spotter_stats st[KWS_CONF_MODELS];

	(void)state;
	spotter(0, "", "", "");
	kws_hearing_engines(h, (kws_engine *[]){ make(0) }, 1);
	start();
	feed(0.0, 40.0);
	kws_hearing_end(h);
	expect("yes left stop on up off go right no down on");
	assert_string_equal(heard[0].listener, "desk");
	assert_string_equal(heard[0].spotter, "");
	assert_string_equal(heard[0].device, "mic");
	assert_true(heard[0].live);
	assert_float_equal(kws_hearing_heard_s(h), (double)n_pcm / RATE, 1e-9);
	assert_int_equal(kws_hearing_stats(h, st), 1);
	assert_int_equal(st[0].events, 11);
	assert_true(st[0].best_score >= 0.99f);
	kws_hearing_forget_best(h);
	kws_hearing_stats(h, st);
	assert_float_equal(st[0].best_score, 0.0, 0.0);
	assert_true(frames > 0);
	assert_float_equal(frames_end_s, (double)n_pcm / RATE, 0.05);
}

/* A second stream goes on to count where the first one ended, and its events have other ids. */
static void test_streams(void **state)
{
	(void)state;
	spotter(0, "", "", "");
	kws_hearing_engines(h, (kws_engine *[]){ make(0) }, 1);
	start();
	feed(0.0, 4.0);
	kws_hearing_end(h);
	expect("yes left");
	kws_gaps_add(kws_hearing_gaps(h), 2.5, "stalled");
	start();
	feed(0.0, 4.0);
	kws_hearing_end(h);
	expect("yes left yes left");
	for (int i = 0; i < 2; i++) {
		assert_near(heard[2 + i].start_s, heard[i].start_s + 4.0, 1e-9);
		assert_string_not_equal(heard[2 + i].id, heard[i].id);
	}
	/* the first event behind a gap tells of it, and no other */
	assert_int_equal(heard[2].gap_count, 1);
	assert_float_equal(heard[2].gap_s, 2.5, 1e-9);
	assert_string_equal(heard[2].gap_reason, "stalled");
	assert_int_equal(heard[3].gap_count, 0);
}

/* Words of the second model count for 5 s after one of the first, whatever their order in the
 * configuration. Each names the one before. */
static void expect_gate(void)
{
	expect("go right no");
	assert_string_equal(heard[0].spotter, "wake");
	assert_string_equal(heard[0].after, "");
	for (int i = 1; i < 3; i++) {
		assert_string_equal(heard[i].spotter, "rest");
		assert_string_equal(heard[i].after, "go");
		assert_string_equal(heard[i].after_id, heard[0].id);
	}
}

static void test_gate(void **state)
{
	kws_spotter_stats st[KWS_CONF_MODELS];

	(void)state;
	spotter(0, "rest", " right no down on ", "wake");
	spotter(1, "wake", " go ", "");
	kws_hearing_engines(h, (kws_engine *[]){ make(0), make(1) }, 2);
	start();
	feed(0.0, 11.0);
	kws_hearing_stats(h, st);
	assert_string_equal(st[0].name, "wake"); /* hears first */
	assert_true(st[0].open && !st[1].open);
	assert_float_equal(st[1].best_score, 0.0, 0.0); /* it has heard nothing at all */
	feed(11.0, 13.0);
	kws_hearing_stats(h, st);
	assert_true(st[1].open);
	feed(13.0, 40.0);
	kws_hearing_end(h);
	expect_gate();
}

/* Another engine takes over while the gate is open: it hears on, and tells nothing twice. */
static void test_gate_and_reload(void **state)
{
	static const double at[] = { 11.9, 12.9, 13.3, 13.9 };

	(void)state;
	for (size_t i = 0; i < sizeof at / sizeof at[0]; i++) {
		n_heard = 0;
		spotter(0, "wake", " go ", "");
		spotter(1, "rest", " right no down on ", "wake");
		kws_hearing_engines(h, (kws_engine *[]){ make(0), make(1) }, 2);
		start();
		feed(0.0, at[i]);
		kws_hearing_engines(h, (kws_engine *[]){ have(0), make(1) }, 2);
		feed(at[i], 40.0);
		kws_hearing_end(h);
		expect_gate();

		/* and the one that opens it */
		n_heard = 0;
		start();
		feed(0.0, at[i]);
		kws_hearing_engines(h, (kws_engine *[]){ make(0), have(1) }, 2);
		feed(at[i], 40.0);
		kws_hearing_end(h);
		expect_gate();
	}
}

/* Wherever another engine takes over, also in the middle of a word, each word is told once. */
static void test_take_over(void **state)
{
	(void)state;
	spotter(0, "", "", "");
	for (double at = 0.05; at < 5.0; at += 0.31) {
		n_heard = 0;
		kws_hearing_engines(h, (kws_engine *[]){ make(0) }, 1);
		start();
		feed(0.0, at);
		kws_hearing_engines(h, (kws_engine *[]){ make(0) }, 1);
		assert_true(kws_hearing_is_behind(h) || at < 0.1);
		feed(at, 8.0);
		assert_false(kws_hearing_is_behind(h));
		kws_hearing_end(h);
		expect("yes left stop on");
	}
}

/* A clock that stands still, or on which each look comes so much later. */
static double look_takes_s;

static double odd_now(enum kws_clock_id id)
{
	static double t = 1000.0;

	(void)id;
	return t += look_takes_s;
}

/* An engine that takes over hears more with each hop than has come; whoever cannot wait for that hurries
 * it, for as long as there is time. */
static void test_behind(void **state)
{
	static const kws_clock odd = { .now = odd_now };

	(void)state;
	spotter(0, "", "", "");
	kws_hearing_engines(h, (kws_engine *[]){ make(0) }, 1);
	start();
	for (size_t at = 0; at < 4 * RATE; at += HOP) {
		kws_hearing_feed(h, pcm + at, HOP);
		assert_false(kws_hearing_is_behind(h));
	}
	kws_hearing_engines(h, (kws_engine *[]){ make(0) }, 1);
	kws_hearing_feed(h, pcm + 4 * RATE, HOP);
	assert_true(kws_hearing_is_behind(h));
	look_takes_s = 0.0;
	kws_clock_use(&odd);
	kws_hearing_hurry(h);
	kws_clock_use(NULL);
	assert_false(kws_hearing_is_behind(h));
	expect("yes left");

	/* no time: the end comes before it was heard, and the next stream is heard whole */
	feed(4.01, 4.7);
	kws_hearing_engines(h, (kws_engine *[]){ make(0) }, 1);
	look_takes_s = 10.0;
	kws_clock_use(&odd);
	kws_hearing_end(h);
	kws_clock_use(NULL);
	assert_false(kws_hearing_is_behind(h));
	expect("yes left");
	start();
	feed(0.0, 4.0);
	kws_hearing_end(h);
	expect("yes left yes left");
}

/* One more model, and one less, while the other hears on. */
static void test_add_and_remove(void **state)
{
	kws_spotter_stats st[KWS_CONF_MODELS];

	(void)state;
	spotter(0, "a", "", "");
	spotter(1, "b", " stop up ", "");
	kws_hearing_engines(h, (kws_engine *[]){ make(0) }, 1);
	start();
	feed(0.0, 4.8); /* "stop" is being decided */
	kws_hearing_engines(h, (kws_engine *[]){ have(0), make(1) }, 2);
	feed(4.8, 9.0);
	kws_hearing_engines(h, (kws_engine *[]){ have(0) }, 1);
	assert_int_equal(kws_hearing_stats(h, st), 1);
	assert_int_equal(st[0].events, 5);
	assert_null(kws_hearing_engine(h, "b"));
	feed(9.0, 40.0);
	kws_hearing_end(h);
	expect("yes left stop stop on up up off go right no down on");
	kws_hearing_stats(h, st);
	assert_int_equal(st[0].events, 11);
}

/* What is open is decided, and what follows begins anew, at its place. */
static void test_splice(void **state)
{
	(void)state;
	spotter(0, "", "", "");
	kws_hearing_engines(h, (kws_engine *[]){ make(0) }, 1);
	start();
	feed(0.0, 1.45);
	expect("");
	kws_hearing_splice(h);
	expect("yes");
	feed(2.0, 4.0);
	kws_hearing_end(h);
	expect("yes left");
	assert_near(heard[1].start_s, 2.68 - 0.55, 0.03);
}

static void test_level(void **state)
{
	float tone[HOP];
	const double want = -20.0 + 10.0 * log10(1.0 - pow(0.99, 100.0)); /* 100 hops */

	(void)state;
	for (size_t i = 0; i < HOP; i++)
		tone[i] = i % 2 ? 0.1f : -0.1f;
	spotter(0, "", "", "");
	kws_hearing_engines(h, (kws_engine *[]){ make(0) }, 1);
	for (int again = 0; again < 2; again++) {
		start();
		assert_float_equal(kws_hearing_level(h), -120.0, 1e-3);
		for (int i = 0; i < 100; i++)
			kws_hearing_feed(h, tone, HOP);
		assert_float_equal(kws_hearing_level(h), want, 0.01);
		kws_hearing_end(h);
	}
}

/* Near misses are told as such, and counted; they are no events. */
static void test_near_misses(void **state)
{
	kws_spotter_stats st[KWS_CONF_MODELS];

	(void)state;
	spotter(0, "", "", "");
	conf.clips.near_miss = 0.8f;
	conf.decision[0].threshold = 1.0f;
	kws_hearing_engines(h, (kws_engine *[]){ make(0) }, 1);
	start();
	feed(0.0, 40.0);
	kws_hearing_end(h);
	expect("");
	assert_int_equal(n_near, 11);
	kws_hearing_stats(h, st);
	assert_int_equal(st[0].near_misses, 11);
}

static int read_demo(void **state)
{
	kws_source *src = NULL;
	size_t got;

	(void)state;
	kws_log_level(KWS_LOG_ERROR);
	if (kws_source_open_file(&src, "tests/data/demo.flac", 0, NULL) != KWS_OK)
		return 1;
	while (n_pcm < LONGEST
	       && kws_source_read(src, pcm + n_pcm, LONGEST - n_pcm, &got, NULL) == KWS_OK && got)
		n_pcm += got;
	kws_source_close(src);
	return n_pcm == 0;
}

static int release_models(void **state)
{
	(void)state;
	kws_models_release(&models);
	return 0;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_one),
		TEST(test_streams),
		TEST(test_gate),
		TEST(test_take_over),
		TEST(test_behind),
		TEST(test_gate_and_reload),
		TEST(test_add_and_remove),
		TEST(test_splice),
		TEST(test_level),
		TEST(test_near_misses),
	};

	return cmocka_run_group_tests(tests, read_demo, release_models);
}
