/* One spotter of a listener: events and near misses of the shipped recording. */
#include "audio/source.h"
#include "daemon/engine.h"
#include "spot/near.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { RATE = 16000, MOST = 64, LONGEST = 40 * RATE, WORDS_SAID = 11 };

static float best_of(const kws_engine *e)
{
	kws_spotter_stats st;

	kws_engine_stats(e, &st);
	return st.best_score;
}

static float pcm[LONGEST];
static size_t n_pcm;

typedef struct {
	kws_event event[MOST], near[MOST];
	size_t n_events, n_near;
} record;

static void on_event(void *ctx, kws_engine *e, const kws_event *ev, bool near)
{
	(void)e;
	record *r = ctx;
	size_t *n = near ? &r->n_near : &r->n_events;

	assert_true(*n < MOST);
	(near ? r->near : r->event)[(*n)++] = *ev;
}

/* Field by field: what lies between them is nobody's. */
static void assert_same(const kws_event *a, const kws_event *b, uint64_t later)
{
	assert_int_equal(a->word, b->word);
	assert_int_equal(a->sample + later, b->sample);
	assert_int_equal(a->start + later, b->start);
	assert_int_equal(a->end + later, b->end);
	assert_memory_equal(&a->score, &b->score, sizeof a->score);
	assert_memory_equal(&a->level_dbfs, &b->level_dbfs, sizeof a->level_dbfs);
}

static void configure(kws_conf *c, float near_miss, float threshold)
{
	kws_conf_defaults(c);
	snprintf(c->model[0].path, sizeof c->model[0].path,
		 "config/models/commands-12.safetensors");
	snprintf(c->clips.dir, sizeof c->clips.dir, "/tmp");
	c->clips.near_miss = near_miss;
	c->decision[0].threshold = threshold;
}

static kws_engine *open_engine(const kws_conf *c)
{
	kws_engine *e = NULL;
	kws_models m;
	kws_error err = { "" };

	if (kws_models_load(&m, c, NULL, &err) != KWS_OK
	    || kws_engine_create(&e, m.model[0], c, &c->model[0], &err) != KWS_OK)
		fail_msg("%s", err.text);
	kws_models_release(&m); /* it has a share */
	return e;
}

static float held[3 * LONGEST];
static kws_history history;

/* A stream of which the first samples are not heard. */
static void start(kws_engine *e, record *r, unsigned hz, uint64_t from)
{
	memset(r, 0, sizeof *r);
	kws_history_init(&history, held, sizeof held / sizeof *held);
	history.end = from;
	kws_engine_listen(e, on_event, NULL, r);
	assert_int_equal(kws_engine_start(e, hz, from, NULL), KWS_OK);
}

static void process(kws_engine *e, const float *x, size_t n)
{
	size_t hops = SIZE_MAX;

	kws_history_append(&history, x, n);
	assert_true(kws_ear_hear(kws_engine_ear(e), &history, history.end, &hops));
}

static void flush(kws_engine *e)
{
	kws_ear_skip(kws_engine_ear(e), history.end);
	kws_engine_settled(e);
}

static void hear(kws_engine *e, record *r, size_t n)
{
	start(e, r, RATE, 0);
	for (size_t at = 0; at < n; at += 160)
		process(e, pcm + at, n - at < 160 ? n - at : 160);
	flush(e);
}

/* All the words are found, wherever the bar is, and none of them is a near miss as well. A bar far
 * below the threshold lets another word be one that was over before the word was decided. */
static void events_are_no_near_misses(void **state)
{
	(void)state;
	for (float share = 0.3f; share < 1.0f; share += 0.3f) {
		kws_conf c;
		record r;

		configure(&c, share, -1.0f);
		kws_engine *e = open_engine(&c);
		hear(e, &r, n_pcm);
		assert_int_equal(r.n_events, WORDS_SAID);
		for (size_t i = 0; i < r.n_near; i++)
			for (size_t k = 0; k < r.n_events; k++)
				assert_false(r.near[i].sample > (share < KWS_NEAR_SHARE
									 ? r.event[k].sample
									 : r.event[k].start)
					     && r.near[i].start < r.event[k].sample + RATE);
		kws_engine_destroy(e);
	}
}

/* With a threshold that no score reaches, they are the near misses, one each. */
static void each_missed_word_is_one_near_miss(void **state)
{
	kws_conf c;
	record found, missed;
	size_t half = 0;

	(void)state;
	configure(&c, 0.0f, 0.8f);
	kws_engine *e = open_engine(&c);
	hear(e, &found, n_pcm);
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
	/* None is named: half of the threshold. */
	for (size_t i = 0; i < 2; i++) {
		configure(&c, i ? 0.5f : 0.0f, 1.0f);
		kws_engine_configure(e, &c, &c.model[0]);
		hear(e, &found, n_pcm);
		assert_true(found.n_near >= missed.n_near);
		assert_true(i == 0 || found.n_near == half);
		half = found.n_near;
	}
	configure(&c, 0.8f, 1.0f);
	kws_engine_configure(e, &c, &c.model[0]);
	/* The end of the stream in the midst of one does not swallow it. */
	hear(e, &found, (size_t)missed.near[0].end);
	assert_int_equal(found.n_near, 1);
	assert_int_equal(found.near[0].start, missed.near[0].start);
	/* Somebody else heard the beginning: all places move along. */
	start(e, &found, RATE, 12345);
	process(e, pcm, n_pcm);
	assert_int_equal(found.near[0].start, missed.near[0].start + 12345);
	assert_int_equal(found.near[0].end, missed.near[0].end + 12345);
	assert_int_equal(found.near[0].sample, missed.near[0].sample + 12345);
	kws_engine_destroy(e);
}

/* One recording of "on", and after 3 s of near silence a poorer one. */
static void two_of_them(kws_engine *e, record *r)
{
	enum { GOOD = 21300 * 16, POOR = 5900 * 16, LONG = RATE, GAP = 3 * RATE };
	static float two[LONG + GAP + LONG + RATE];

	memset(two, 0, sizeof two);
	memcpy(two, pcm + GOOD, LONG * sizeof *two);
	memcpy(two + LONG + GAP, pcm + POOR, LONG * sizeof *two);
	start(e, r, RATE, 0);
	process(e, two, sizeof two / sizeof *two);
	flush(e);
}

/* A near miss needs a time in which an event would have been possible. */
static void a_word_in_its_refractory_is_no_near_miss(void **state)
{
	kws_conf c;
	record r;

	(void)state;
	/* what the poorer one scores, whatever the network */
	configure(&c, 0.0f, 0.5f);
	kws_engine *low = open_engine(&c);
	two_of_them(low, &r);
	kws_engine_destroy(low);
	assert_int_equal(r.n_events, 2);
	assert_true(r.event[1].score < r.event[0].score);
	/* too little for an event, and enough for a near miss */
	const float threshold = 0.5f * (r.event[0].score + r.event[1].score);
	configure(&c, 0.999f * r.event[1].score / threshold, 1.0f);
	snprintf(c.decision[0].word[0].word, sizeof c.decision[0].word[0].word, "on");
	c.decision[0].word[0].threshold = threshold;
	c.decision[0].n_words = 1;
	for (int refractory_ms = 1000; refractory_ms <= 6000; refractory_ms += 5000) {
		c.decision[0].refractory_ms = refractory_ms;
		kws_engine *e = open_engine(&c);
		two_of_them(e, &r);
		assert_int_equal(r.n_events, 1);
		assert_string_equal(kws_model_word(kws_engine_model(e), r.event[0].word), "on");
		assert_int_equal(r.n_near, refractory_ms == 1000);
		kws_engine_destroy(e);
	}
}

static void thresholds_come_from_the_model_and_the_configuration(void **state)
{
	kws_conf c;
	record r;

	(void)state;
	configure(&c, 0.0f, -1.0f);
	kws_engine *e = open_engine(&c);
	const kws_model *m = kws_engine_model(e);
	hear(e, &r, n_pcm);
	assert_int_equal(r.n_events, WORDS_SAID);
	for (size_t i = 0; i < r.n_events; i++)
		assert_float_equal(r.event[i].threshold, kws_model_threshold(m, r.event[i].word),
				   0.0);
	/* One for all, and others for the first word of the model and for another. */
	c.decision[0].threshold = 0.5f;
	snprintf(c.decision[0].word[0].word, sizeof c.decision[0].word[0].word, "yes");
	c.decision[0].word[0].threshold = 2.0f;
	snprintf(c.decision[0].word[1].word, sizeof c.decision[0].word[1].word, "left");
	c.decision[0].word[1].threshold = 0.6f;
	c.decision[0].n_words = 2;
	kws_engine_configure(e, &c, &c.model[0]);
	hear(e, &r, n_pcm);
	assert_true(r.n_events >= WORDS_SAID - 1);
	for (size_t i = 0; i < r.n_events; i++) {
		const char *word = kws_model_word(m, r.event[i].word);

		assert_string_not_equal(word, "yes");
		assert_true(fabsf(r.event[i].threshold - (strcmp(word, "left") ? 0.5f : 0.6f))
			    < 1e-6f);
	}
	kws_engine_destroy(e);
}

/* Started again, at the same rate or at another, it hears the same; what was skipped moves all
 * places. */
static void starts_anew_at_any_rate(void **state)
{
	static float fast[3 * LONGEST];
	kws_conf c;
	record r, again;

	(void)state;
	configure(&c, 0.0f, -1.0f);
	kws_engine *e = open_engine(&c);
	hear(e, &r, n_pcm);
	hear(e, &again, n_pcm);
	assert_int_equal(again.n_events, r.n_events);
	for (size_t i = 0; i < r.n_events; i++)
		assert_same(&r.event[i], &again.event[i], 0);

	start(e, &again, RATE, 777);
	process(e, pcm, n_pcm);
	assert_int_equal(again.n_events, r.n_events);
	for (size_t i = 0; i < r.n_events; i++)
		assert_same(&r.event[i], &again.event[i], 777);

	for (size_t i = 0; i < 3 * n_pcm; i++)
		fast[i] = pcm[i / 3];
	start(e, &again, 3 * RATE, 0);
	process(e, fast, 3 * n_pcm);
	assert_int_equal(again.n_events, r.n_events);
	for (size_t i = 0; i < r.n_events; i++)
		assert_int_equal(again.event[i].word, r.event[i].word);
	kws_engine_destroy(e);
}

/* Told until it is forgotten, also over streams. */
static void best_score(void **state)
{
	kws_conf c;
	record r;

	(void)state;
	configure(&c, 0.0f, -1.0f);
	kws_engine *e = open_engine(&c);
	assert_float_equal(best_of(e), 0.0, 0.0);
	hear(e, &r, n_pcm);
	float best = 0.0f;
	for (size_t i = 0; i < r.n_events; i++)
		best = fmaxf(best, r.event[i].score);
	start(e, &r, RATE, 0);
	assert_true(best_of(e) >= best);
	kws_engine_forget_best(e);
	assert_float_equal(best_of(e), 0.0, 0.0);
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
		cmocka_unit_test(a_word_in_its_refractory_is_no_near_miss),
		cmocka_unit_test(thresholds_come_from_the_model_and_the_configuration),
		cmocka_unit_test(starts_anew_at_any_rate),
		cmocka_unit_test(best_score),
	};

	return cmocka_run_group_tests(tests, read_demo, NULL) != 0;
}
