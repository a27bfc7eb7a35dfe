/* What a listener makes of its stream: several models, gates, missing audio, levels, near misses. */
#include "tests/hearing.h"

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

/* A device may send what is no number: it counts as silence, and the level goes on. */
static void test_level_without_numbers(void **state)
{
	const float bad[] = { NAN, INFINITY, -INFINITY, 3e38f };
	float tone[HOP];

	(void)state;
	spotter(0, "", "", "");
	kws_hearing_engines(h, (kws_engine *[]){ make(0) }, 1);
	start();
	for (size_t b = 0; b < sizeof bad / sizeof *bad; b++) {
		for (size_t i = 0; i < HOP; i++)
			tone[i] = bad[b];
		kws_hearing_feed(h, tone, HOP);
		assert_true(isfinite(kws_hearing_level(h)));
	}
	for (size_t i = 0; i < HOP; i++)
		tone[i] = i % 2 ? 0.1f : -0.1f;
	for (int i = 0; i < 4000; i++)
		kws_hearing_feed(h, tone, HOP);
	assert_float_equal(kws_hearing_level(h), -20.0, 0.1);
	kws_hearing_end(h);
}

/* Half a second after the voice it is quiet; not at a loud end that is shorter than a hop. */
static void test_quiet(void **state)
{
	static const float nothing[HOP];
	float tone[HOP];

	(void)state;
	for (size_t i = 0; i < HOP; i++)
		tone[i] = i % 2 ? 0.1f : -0.1f;
	assert_false(kws_hearing_is_quiet(h)); /* no stream */
	spotter(0, "", "", "");
	kws_hearing_engines(h, (kws_engine *[]){ make(0) }, 1);
	start();
	for (int i = 0; i < 100; i++)
		kws_hearing_feed(h, nothing, HOP);
	assert_true(kws_hearing_is_quiet(h));
	for (int i = 0; i < 20; i++)
		kws_hearing_feed(h, tone, HOP);
	assert_false(kws_hearing_is_quiet(h));
	kws_hearing_feed(h, tone, HOP / 2);
	assert_false(kws_hearing_is_quiet(h));
	for (int i = 0; i < 60; i++)
		kws_hearing_feed(h, nothing, HOP);
	assert_true(kws_hearing_is_quiet(h));
	kws_hearing_end(h);
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
	unsigned long hops = 0;
	for (int i = 0; i <= KWS_TALLY_STEPS; i++)
		hops += kws_hearing_hops(h)->count[i];
	assert_int_equal(hops, lround(100.0 * kws_hearing_heard_s(h)));

	/* of these, one was "left"; its score counts */
	const kws_word_tally *t = &st[0].tally[kws_model_word_index(st[0].model, "left")];

	assert_int_equal(t->events, 0);
	assert_int_equal(t->near_misses, 1);
	assert_true(t->scores.sum > 0.8 && t->scores.sum < 1.0);
	assert_int_equal(t->scores.count[9] + t->scores.count[10] + t->scores.count[11], 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		HEARING_TEST(test_one),		HEARING_TEST(test_streams),
		HEARING_TEST(test_gate),	HEARING_TEST(test_splice),
		HEARING_TEST(test_level),	HEARING_TEST(test_quiet),
		HEARING_TEST(test_near_misses), HEARING_TEST(test_level_without_numbers),
	};

	return cmocka_run_group_tests(tests, read_demo, release_models);
}
