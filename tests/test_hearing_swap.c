/* Engines that take over while a stream is heard: in the middle of a word, with an open gate, behind. */
#include "tests/hearing.h"

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

/* What was heard of a word is not forgotten when another engine takes over. */
static void test_counts_stay(void **state)
{
	kws_spotter_stats st[KWS_CONF_MODELS];
	const kws_word_tally *t;

	(void)state;
	spotter(0, "a", "", "");
	kws_hearing_engines(h, (kws_engine *[]){ make(0) }, 1);
	start();
	feed(0.0, 9.0);
	kws_hearing_engines(h, (kws_engine *[]){ make(0) }, 1);
	kws_hearing_stats(h, st);
	t = &st[0].tally[kws_model_word_index(st[0].model, "on")];
	assert_int_equal(t->events, 1);
	feed(9.0, 40.0);
	kws_hearing_end(h);
	assert_int_equal(t->events, 2);
	assert_true(t->scores.sum > 1.8);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		HEARING_TEST(test_take_over),	    HEARING_TEST(test_behind),
		HEARING_TEST(test_gate_and_reload), HEARING_TEST(test_add_and_remove),
		HEARING_TEST(test_counts_stay),
	};

	return cmocka_run_group_tests(tests, read_demo, release_models);
}
