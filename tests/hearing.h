/* hearing.h - a stream that is heard, for the tests of it: the demo's recording, models, what was told. The
 * recording says yes left stop on up off go right no down on. */
#ifndef KWS_TESTS_HEARING_H
#define KWS_TESTS_HEARING_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "audio/source.h"
#include "runtime/clock.h"
#include "daemon/hearing.h"
#include "runtime/log.h"

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

static inline void on_report(void *ctx, const kws_report *r, bool near)
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

static inline void on_frame(void *ctx, const char *listener, const char *spotter,
			    const kws_frame *f, const float *score, double time_s)
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
static inline void spotter(size_t i, const char *name, const char *words, const char *after)
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

static inline kws_engine *make(size_t i)
{
	kws_engine *e;
	kws_error err = { "" };

	if (!models.n && kws_models_load(&models, &conf, NULL, &err) != KWS_OK)
		fail_msg("%s", err.text);
	if (kws_engine_create(&e, models.model[0], &conf, &conf.model[i], &err) != KWS_OK)
		fail_msg("%s", err.text);
	return e;
}

static inline kws_engine *have(size_t i)
{
	kws_engine *e = kws_hearing_engine(h, conf.model[i].name);

	assert_non_null(e);
	return e;
}

static inline int begin(void **state)
{
	(void)state;
	kws_conf_defaults(&conf);
	n_heard = n_near = 0;
	frames = 0;
	return kws_hearing_create(&h, "desk", &to, NULL) == KWS_OK ? 0 : -1;
}

static inline int end(void **state)
{
	(void)state;
	kws_hearing_destroy(h);
	return 0;
}

static inline void start(void)
{
	assert_int_equal(kws_hearing_begin(h, RATE, "mic", NULL), KWS_OK);
	kws_anchor_start(kws_hearing_anchor(h), true, 1e9, kws_hearing_heard_s(h));
}

/* Seconds from .. to of the recording. */
static inline void feed(double from_s, double to_s)
{
	size_t to_sample = (size_t)(to_s * RATE) < n_pcm ? (size_t)(to_s * RATE) : n_pcm;

	for (size_t at = (size_t)(from_s * RATE); at < to_sample; at += HOP) {
		kws_hearing_feed(h, pcm + at, to_sample - at < HOP ? to_sample - at : HOP);
		if (at / HOP % 2)
			kws_hearing_catch_up(h); /* every 20 ms, as the daemon does */
	}
}

static inline void expect(const char *words)
{
	char got[512] = "";

	for (size_t i = 0; i < n_heard; i++) {
		const size_t n = strlen(got);

		snprintf(got + n, sizeof got - n, "%s%.16s", n ? " " : "", heard[i].word);
	}
	assert_string_equal(got, words);
}

static inline void assert_near(double a, double b, double most)
{
	assert_true(fabs(a - b) <= most);
}

static inline int read_demo(void **state)
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

static inline int release_models(void **state)
{
	(void)state;
	kws_models_release(&models);
	return 0;
}

/* Words of the second model count for 5 s after one of the first, whatever their order in the
 * configuration. Each names the one before. */
static inline void expect_gate(void)
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

#define HEARING_TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

#endif
