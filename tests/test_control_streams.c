/* What the control socket's clients are told of what is heard: all of it, at their own pace, and at nobody else's cost. */
#include "tests/allocations.h"
#include "tests/control.h"
#include "tests/tiny_model.h"

static kws_model *model;

static int start_all(void **state)
{
	if (start(state) != 0)
		return -1;
	model = tiny_model_open(&tiny_default);
	if (!model)
		return -1;
	const kws_control_ear ears[] = { { "kitchen", "", model, false },
					 { "kitchen", "commands", model, true } };
	return kws_control_ears(control, ears, 2, NULL) == KWS_OK ? 0 : -1;
}

static int stop_all(void **state)
{
	const int status = stop(state);

	kws_model_close(model);
	return status;
}

#define ALL(test) cmocka_unit_test_setup_teardown(test, start_all, stop_all)

static int subscribed(const char *to)
{
	char line[256];
	int fd = come();

	snprintf(line, sizeof line, "{\"request\":\"subscribe\",%s}", to);
	assert_non_null(strstr(answer(fd, line), "\"ok\":true"));
	return fd;
}

/* Frame t of 20 ms of a spotter, with the score of yes and the first band as given. */
static void frame_of(const char *spotter, unsigned t, float yes, float band)
{
	const float score[TINY_WORDS] = { yes, 0.25f, 0.5f, 0.125f };
	float mel[2 * TINY_MELS] = { [0] = band, [TINY_MELS] = band + 1.0f };
	const float level[2] = { 0.02f, 0.0f };
	const kws_frame f = {
		.n_words = TINY_WORDS, .stride = 2, .mel = mel, .n_mels = TINY_MELS, .level = level
	};

	kws_control_frame(control, "kitchen", spotter, &f, score, 0.02 * (t + 1));
}

static void frame(unsigned t, float yes, float band)
{
	frame_of("commands", t, yes, band);
}

static void tell_event(unsigned n, const char *at, const char *by)
{
	kws_report r = event(n);

	snprintf(r.listener, sizeof r.listener, "%s", at);
	snprintf(r.spotter, sizeof r.spotter, "%s", by);
	kws_control_event(control, &r);
}

static void test_events(void **state)
{
	kws_report r = event(7);

	(void)state;
	int all = subscribed("\"events\":true,\"near_misses\":{}"),
	    some = subscribed("\"events\":{\"listener\":\"attic\",\"spotter\":\"commands\"}"),
	    none = subscribed("\"events\":false");
	assert_int_equal(control->wanted[KWS_STREAM_NEAR_MISSES], 1);
	tell_event(1, "kitchen", "commands");
	tell_event(2, "attic", "");
	tell_event(3, "attic", "commands");
	kws_control_near_miss(control, &r);
	char *text = heard(all);
	assert_int_equal(count_lines(text), 4);
	assert_non_null(strstr(text, "\n{\"near_miss\":{\"word\":\"yes\","));
	text = heard(some);
	assert_int_equal(count_lines(text), 1);
	assert_non_null(strstr(text, "{\"event\":{"));
	assert_non_null(strstr(text, "\"start_sample\":3,"));
	assert_string_equal(heard(none), "");
	close(all);
	serve();
	assert_int_equal(control->wanted[KWS_STREAM_NEAR_MISSES], 0);
	answer(some, "{\"request\":\"unsubscribe\"}");
	tell_event(3, "attic", "commands");
	assert_string_equal(heard(some), "");
	close(some);
	close(none);
}

/* What a rate leaves out is counted in the next event. */
static void test_rate_of_events(void **state)
{
	unsigned lost = 0;
	char want[32];

	(void)state;
	int fd = subscribed("\"events\":{\"rate_hz\":100}");
	tell_event(0, "", "");
	assert_int_equal(count_lines(heard(fd)), 1);
	char *text;
	do {
		tell_event(++lost, "", "");
		text = heard(fd);
	} while (!*text);
	snprintf(want, sizeof want, "\"dropped\":%u}}\n", lost - 1);
	assert_non_null(strstr(text, want));
	close(fd);
}

/* Each at its own rate: the highest since the line before, so that no peak is missed. */
static void test_scores(void **state)
{
	static const float yes[10] = { 0.1f, 0.9f, 0.2f, 0.1f, 0.1f, 0.3f, 0.1f, 0.1f, 0.1f, 0.4f };

	(void)state;
	frame(0, 1.0f, 0.0f); /* nobody looks yet */
	int fast = subscribed("\"scores\":{\"rate_hz\":100}"),
	    slow = subscribed("\"scores\":{\"rate_hz\":10,\"listener\":\"kitchen\"}"),
	    other = subscribed("\"scores\":{\"listener\":\"attic\"}");
	for (unsigned t = 0; t < 10; t++)
		frame(t, yes[t], 0.0f);
	char *text = heard(fast);
	assert_int_equal(count_lines(text), 10);
	assert_non_null(strstr(text,
			       "{\"scores\":{\"listener\":\"kitchen\",\"spotter\":\"commands\","
			       "\"time\":0.04,\"words\":{\"yes\":0.9000,\"no\":0.2500,"
			       "\"_unknown_\":0.5000,\"_silence_\":0.1250}}}\n"));
	text = heard(slow);
	assert_int_equal(count_lines(text), 2);
	assert_non_null(strstr(text, "\"time\":0.10,\"words\":{\"yes\":0.9000,"));
	assert_non_null(strstr(text, "\"time\":0.20,\"words\":{\"yes\":0.4000,"));
	assert_string_equal(heard(other), "");
	/* who comes when nobody has looked for a while is not told of old times */
	close(fast);
	close(slow);
	close(other);
	serve();
	slow = subscribed("\"scores\":{\"rate_hz\":25}");
	frame(0, 0.1f, 0.0f);
	assert_string_equal(heard(slow), "");
	frame(1, 0.2f, 0.0f);
	assert_non_null(strstr(heard(slow), "\"yes\":0.2000,"));
	close(slow);
}

/* Levels are those of the listener: one spotter tells them, whichever is asked for. */
static void test_mel_and_levels(void **state)
{
	(void)state;
	int mel = subscribed("\"mel\":{\"rate_hz\":50,\"spotter\":\"commands\"}"),
	    level = subscribed("\"levels\":{\"rate_hz\":50,\"spotter\":\"\"}");
	frame_of("", 0, 0.1f, 7.0f);
	frame_of("commands", 0, 0.1f, -3.0f);
	frame_of("another", 0, 0.1f, 7.0f);
	assert_string_equal(heard(mel),
			    "{\"mel\":{\"listener\":\"kitchen\",\"spotter\":\"commands\","
			    "\"time\":0.02,\"bands\":[-2.500,0.000,0.000,0.000,0.000,0.000,"
			    "0.000,0.000,0.000,0.000]}}\n");
	assert_string_equal(heard(level), "{\"level\":{\"listener\":\"kitchen\",\"time\":0.02,"
					  "\"level_dbfs\":-20.0}}\n");
	/* a model that has none */
	const kws_frame f = { .n_words = TINY_WORDS, .stride = 2 };
	const float score[TINY_WORDS] = { 0 };
	kws_control_frame(control, "kitchen", "commands", &f, score, 0.04);
	assert_string_equal(heard(mel), "");
	assert_string_equal(heard(level), "");
	close(mel);
	close(level);
}

/* Nobody looks: nothing is looked at. Somebody does: nothing is allocated for it. */
static void test_what_it_costs(void **state)
{
	const kws_frame f = { .stride = 2 };

	(void)state;
	kws_control_frame(control, "kitchen", "commands", &f, NULL, 0.0);
	if (!allocations_are_counted())
		skip();
	int fd =
		subscribed("\"scores\":{\"rate_hz\":100},\"mel\":{\"rate_hz\":100},\"levels\":true,"
			   "\"events\":true");
	const size_t before = n_allocations;
	for (unsigned t = 0; t < 500; t++) {
		frame(t, 0.5f, 0.0f);
		tell_event(t, "", "");
		serve();
	}
	assert_int_equal(n_allocations, before);
	close(fd);
}

/* One who does not read loses whole lines and is told how many; nobody else does. */
static void test_stuck(void **state)
{
	unsigned told = 0, lines = 0, good_lines = 0;
	kws_server_stats st;

	(void)state;
	int stuck = subscribed("\"scores\":{\"rate_hz\":100}"),
	    good = subscribed("\"scores\":{\"rate_hz\":100}");
	for (unsigned t = 0; t < 5000; t++) {
		frame(t, 0.5f, 0.0f);
		if (t % 100 == 99)
			good_lines += count_lines(heard(good));
	}
	assert_int_equal(good_lines, 5000);
	kws_control_stats_get(control, &st);
	assert_true(st.lost > 0 && st.lost < 5000);
	say(stuck, "{\"request\":\"version\"}");
	bool answered = false;
	for (char *text; *(text = heard(stuck));) {
		lines += count_lines(text);
		answered |= strstr(text, "protocol") != NULL;
	}
	assert_true(answered);
	assert_int_equal(lines - 1 + st.lost, 5000);
	frame(0, 0.5f, 0.0f);
	char *text = heard(stuck);
	assert_int_equal(sscanf(strstr(text, ",\"dropped\":"), ",\"dropped\":%u}", &told), 1);
	assert_int_equal(told, st.lost);
	frame(1, 0.5f, 0.0f);
	assert_null(strstr(heard(stuck), "dropped"));
	close(stuck);
	close(good);
}

/* Answers are never lost: one who does not take them is sent away. */
static void test_answers_that_nobody_takes(void **state)
{
	static const char line[] = "{\"request\":\"version\"}\n";
	kws_server_stats st = { 0 };

	(void)state;
	int fd = come(), other = come();
	for (int i = 0; i < 20000 && st.turned == 0; i++) {
		if (send(fd, line, strlen(line), MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
			break;
		serve();
		kws_control_stats_get(control, &st);
	}
	assert_int_equal(st.turned, 1);
	assert_int_equal(st.connected, 1);
	assert_non_null(strstr(answer(other, "{\"request\":\"version\"}"), "protocol"));
	close(fd);
	close(other);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		ALL(test_events),
		ALL(test_rate_of_events),
		ALL(test_scores),
		ALL(test_mel_and_levels),
		ALL(test_what_it_costs),
		ALL(test_stuck),
		ALL(test_answers_that_nobody_takes),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
