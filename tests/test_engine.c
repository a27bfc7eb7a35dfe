/* The daemon's ear for one stream: events and near misses of the shipped recording. */
#include "audio/source.h"
#include "daemon/engine.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { RATE = 16000, MOST = 64, LONGEST = 40 * RATE };

static float pcm[LONGEST];
static size_t n_pcm;

typedef struct {
	kws_event event[MOST], near[MOST];
	size_t n_events, n_near;
} record;

static void on_event(void *ctx, const kws_event *ev, bool near)
{
	record *r = ctx;
	size_t *n = near ? &r->n_near : &r->n_events;

	assert_true(*n < MOST);
	(near ? r->near : r->event)[(*n)++] = *ev;
}

static void configure(kws_conf *c, float near_miss, float threshold)
{
	kws_conf_defaults(c);
	snprintf(c->model.path, sizeof c->model.path, "config/models/commands-12.safetensors");
	snprintf(c->clips.dir, sizeof c->clips.dir, "/tmp");
	c->clips.near_miss = near_miss;
	c->decision.threshold = threshold;
}

static kws_engine *open_engine(const kws_conf *c)
{
	kws_engine *e = NULL;
	kws_error err = { "" };

	assert_int_equal(kws_engine_create(&e, c, &err), KWS_OK);
	return e;
}

static void hear(kws_engine *e, record *r, size_t n)
{
	kws_error err = { "" };

	memset(r, 0, sizeof *r);
	assert_int_equal(kws_engine_start(e, RATE, on_event, r, &err), KWS_OK);
	for (size_t at = 0; at < n; at += 160)
		kws_engine_process(e, pcm + at, n - at < 160 ? n - at : 160);
	kws_engine_flush(e);
}

/* All eleven words are found, and none of them is a near miss as well, wherever the bar is. */
static void events_are_no_near_misses(void **state)
{
	(void)state;
	for (float share = 0.3f; share < 1.0f; share += 0.3f) {
		kws_conf c;
		record r;

		configure(&c, share, -1.0f);
		kws_engine *e = open_engine(&c);
		hear(e, &r, n_pcm);
		assert_int_equal(r.n_events, 11);
		for (size_t i = 0; i < r.n_near; i++)
			for (size_t k = 0; k < r.n_events; k++)
				assert_false(r.near[i].sample > r.event[k].start
					     && r.near[i].start < r.event[k].sample + RATE);
		kws_engine_destroy(e);
	}
}

/* With a threshold that no score reaches, the eleven words are the near misses, one each. */
static void each_missed_word_is_one_near_miss(void **state)
{
	kws_conf c;
	record found, missed;

	(void)state;
	configure(&c, 0.0f, 0.8f);
	kws_engine *e = open_engine(&c);
	hear(e, &found, n_pcm);
	assert_int_equal(found.n_near, 0); /* share 0: off */
	kws_engine_destroy(e);
	configure(&c, 0.8f, 1.0f);
	e = open_engine(&c);
	hear(e, &missed, n_pcm);
	assert_int_equal(missed.n_events, 0);
	assert_int_equal(missed.n_near, found.n_events);
	for (size_t i = 0; i < missed.n_near; i++) {
		const kws_event *near = &missed.near[i], *ev = &found.event[i];

		assert_int_equal(near->word, ev->word);
		assert_true(near->start < ev->sample && near->end >= near->start
			    && near->sample > near->end);
		assert_float_equal(near->threshold, 1.0, 0.0);
		assert_true(near->score >= 0.8f && near->score < 1.0f);
		assert_true(isnan(near->level_dbfs) && isnan(near->snr_db));
	}
	/* The end of the stream in the midst of one does not swallow it. */
	hear(e, &found, (size_t)missed.near[0].end);
	assert_int_equal(found.n_near, 1);
	assert_int_equal(found.near[0].start, missed.near[0].start);
	/* Somebody else heard the beginning: all places move along. */
	memset(&found, 0, sizeof found);
	assert_int_equal(kws_engine_start(e, RATE, on_event, &found, NULL), KWS_OK);
	kws_engine_skip(e, 12345);
	kws_engine_process(e, pcm, n_pcm);
	assert_int_equal(found.near[0].start, missed.near[0].start + 12345);
	assert_int_equal(found.near[0].end, missed.near[0].end + 12345);
	assert_int_equal(found.near[0].sample, missed.near[0].sample + 12345);
	kws_engine_destroy(e);
}

static int read_demo(void **state)
{
	kws_source *src = NULL;
	kws_error err = { "" };
	size_t got;

	(void)state;
	if (kws_source_open_file(&src, "tests/data/demo.flac", 0, &err) != KWS_OK)
		return 1;
	while (n_pcm < LONGEST
	       && kws_source_read(src, pcm + n_pcm, LONGEST - n_pcm, &got, &err) == KWS_OK && got)
		n_pcm += got;
	kws_source_close(src);
	return n_pcm == 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(events_are_no_near_misses),
		cmocka_unit_test(each_missed_word_is_one_near_miss),
	};

	return cmocka_run_group_tests(tests, read_demo, NULL) != 0;
}
