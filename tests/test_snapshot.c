/* A snapshot as a line, a status and JSON. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "daemon/snapshot.h"
#include "tests/tiny_model.h"

#include <math.h>

static kws_model *model;
static const float threshold[TINY_WORDS] = { 0.5f, 2.0f, 0.5f, 0.5f };
static kws_snapshot s;
static kws_word_tally tally[TINY_WORDS];

static void spotter(kws_listener_stats *l, const char *name, const char *after, bool open)
{
	l->spotter[l->n_spotters++] = (kws_spotter_stats){ .name = name,
							   .path = "/m",
							   .after = after,
							   .model = model,
							   .threshold = threshold,
							   .tally = tally,
							   .events = 3,
							   .near_misses = 1,
							   .best_score = 0.75f,
							   .cost = 0.0125,
							   .open = open };
}

static kws_listener_stats *listener(const char *name)
{
	kws_listener_stats *l = &s.listener[s.n_listeners++];

	*l = (kws_listener_stats){ .name = name,
				   .state = "running",
				   .device = "hw:CARD=Mic",
				   .reason = "",
				   .rate_hz = 16000,
				   .channels = 1,
				   .heard_s = 12.345,
				   .quiet_s = 0.01,
				   .streams = 1,
				   .events = 3,
				   .near_misses = 1,
				   .level_dbfs = -50.0f,
				   .enabled = true };
	return l;
}

static void fill(void)
{
	memset(&s, 0, sizeof s);
	s.version = "1.2.3";
	s.configuration = "/etc/kwsd/kwsd.conf";
	s.configuration_hash = "";
	s.reload = "";
	s.up_s = 100.0;
	s.cpu_s = 1.5;
	s.rss_mb = 14.0;
	s.context_switches = 7;
	s.sink[0] = (kws_sink_stats){ .kind = "file", .name = "log", .taken = 3 };
	s.sink[1] = (kws_sink_stats){
		.kind = "socket", .name = "", .taken = 3, .has_readers = true, .readers = 2
	};
	s.n_sinks = 2;
}

/* The lines of the log; the last is empty. */
static void assert_lines(const char *const *want)
{
	char line[KWS_LOG_LINE];
	size_t i = 0;

	for (; *want[i]; i++) {
		assert_true(kws_snapshot_line(&s, i, line));
		assert_string_equal(line, want[i]);
	}
	assert_false(kws_snapshot_line(&s, i, line));
}

static void test_line_of_one(void **state)
{
	(void)state;
	fill();
	spotter(listener(""), "", "", true);
	s.has_clips = true;
	s.clips.written = 3;
	static const char *const want[] = {
		"stats: up_s=100.0 heard_s=12.35 device=\"hw:CARD=Mic\" rate_hz=16000 "
		"streams=1 events=3 near_misses=1 gaps=0 gap_s=0.00 overflows=0 "
		"dropped_samples=0 level_dbfs=-50.0 best_score=0.750 cpu_s=1.50 rss_mb=14.0 "
		"context_switches=7 log_lost=0 file.log=taken:3,dropped:0,failed:0 "
		"socket=taken:3,dropped:0,failed:0,readers:2 "
		"clips=written:3,dropped:0,failed:0,removed:0",
		""
	};
	assert_lines(want);
}

static void test_line_of_several(void **state)
{
	(void)state;
	fill();
	s.n_sinks = 0;
	kws_listener_stats *desk = listener("desk");
	spotter(desk, "wake", "", true);
	spotter(desk, "rest", "wake", false);
	spotter(listener("door"), "wake", "", true);
	static const char *const want[] = {
		"stats: up_s=100.0 cpu_s=1.50 rss_mb=14.0 context_switches=7 log_lost=0",
		"stats: listener=\"desk\" heard_s=12.35 device=\"hw:CARD=Mic\" rate_hz=16000 "
		"streams=1 "
		"events=3 near_misses=1 gaps=0 gap_s=0.00 overflows=0 dropped_samples=0 "
		"level_dbfs=-50.0 spotter=\"wake\" events=3 near_misses=1 best_score=0.750 "
		"spotter=\"rest\" events=3 near_misses=1 best_score=0.750 open=no",
		"stats: listener=\"door\" heard_s=12.35 device=\"hw:CARD=Mic\" rate_hz=16000 "
		"streams=1 "
		"events=3 near_misses=1 gaps=0 gap_s=0.00 overflows=0 dropped_samples=0 "
		"level_dbfs=-50.0 spotter=\"wake\" events=3 near_misses=1 best_score=0.750",
		""
	};
	assert_lines(want);
}

/* As many as there may be: no line is longer than the log takes. */
static void test_lines_of_most(void **state)
{
	static const char name[] = "a_name_of_thirty_one_characters";
	char line[KWS_LOG_LINE];
	size_t i = 0;

	(void)state;
	fill();
	for (s.n_sinks = 0; s.n_sinks < sizeof s.sink / sizeof s.sink[0]; s.n_sinks++)
		s.sink[s.n_sinks] = (kws_sink_stats){ .kind = "socket",
						      .name = "kitchen",
						      .taken = 1000000,
						      .dropped = 1000000,
						      .has_readers = true,
						      .readers = 1024 };
	for (int a = 0; a < KWS_CONF_AUDIOS; a++) {
		kws_listener_stats *l = listener(name);

		for (int m = 0; m < KWS_CONF_MODELS; m++)
			spotter(l, name, "wake", true);
	}
	for (; kws_snapshot_line(&s, i, line); i++)
		assert_in_range(strlen(line), 1000, KWS_LOG_LINE - 64);
	assert_int_equal(i, 1 + KWS_CONF_AUDIOS);
}

static void assert_status(const char *want)
{
	char text[512];

	kws_snapshot_status(&s, text, sizeof text);
	assert_string_equal(text, want);
}

static void test_status(void **state)
{
	(void)state;
	fill();
	kws_listener_stats *l = listener("");
	assert_status("Listening to hw:CARD=Mic at 16000 Hz; 3 events, 0 gaps");
	l->silent = true;
	assert_status("Listening to hw:CARD=Mic at 16000 Hz; 3 events, 0 gaps; digital silence: "
		      "muted?");
	l->heard_s = 0.0;
	l->silent = false;
	assert_status("Opening hw:CARD=Mic at 16000 Hz; 3 events, 0 gaps");
	l->device = "";
	assert_status("Opening the microphone");
	l->reason = "stalled";
	l->quiet_s = 12.3;
	l->attempts = 4;
	assert_status("No audio for 12 s: stalled; 4 attempts; 3 events, 0 gaps");
	l->enabled = false;
	l->name = "desk";
	listener("door");
	assert_status("desk: Off; 3 events, 0 gaps | door: Listening to hw:CARD=Mic at 16000 Hz; 3 "
		      "events, 0 gaps");
}

static double number(const json_t *o, const char *key)
{
	const json_t *n = json_object_get(o, key);

	assert_true(json_is_number(n));
	return json_number_value(n);
}

static const char *text(const json_t *o, const char *key)
{
	const char *t = json_string_value(json_object_get(o, key));

	assert_non_null(t);
	return t;
}

static void assert_flaws(const json_t *desk)
{
	const json_t *flaws = json_object_get(desk, "flaws");
	assert_int_equal(json_array_size(flaws), 2);
	assert_string_equal(text(json_array_get(flaws, 0), "flaw"), "low");
	assert_string_equal(text(json_array_get(flaws, 1), "text"),
			    "channel 1 is silent, and lowers the mix; hear another with "
			    "audio desk.channel=2");
}

static void assert_heard(const json_t *rest)
{
	const json_t *no = json_object_get(json_object_get(rest, "heard"), "no");
	assert_true(fabs(number(no, "near_misses") - 2.0) < 1e-9);
	assert_true(fabs(number(no, "score_sum") - 0.75) < 1e-6);
	assert_int_equal(json_integer_value(json_array_get(json_object_get(no, "scores"), 4)), 1);
	assert_int_equal(json_array_size(json_object_get(rest, "score_limits")), KWS_TALLY_STEPS);
}

static void test_json(void **state)
{
	(void)state;
	fill();
	kws_listener_stats *l = listener("desk");
	l->reason = "\xff"; /* a device's name may be anything */
	l->level_dbfs = NAN;
	l->sound = (kws_findings){ .bad_channel = 1, .best_channel = 2 };
	l->sound.has[KWS_FLAW_LOW] = l->sound.has[KWS_FLAW_DEAD_CHANNEL] = true;
	kws_tally_add(&l->hops, kws_tally_seconds, 0.0004);
	spotter(l, "rest", "wake", false);
	kws_word_tally_add(&tally[kws_model_word_index(model, "no")], 0.5f, true);
	kws_word_tally_add(&tally[kws_model_word_index(model, "no")], 0.25f, true);
	json_t *j = kws_snapshot_json(&s);
	assert_non_null(j);
	assert_string_equal(text(j, "version"), "1.2.3");
	assert_true(json_is_null(json_object_get(j, "reload_error")));
	const json_t *desk = json_array_get(json_object_get(j, "listeners"), 0);
	assert_string_equal(text(desk, "name"), "desk");
	assert_string_equal(text(desk, "reason"), "?");
	assert_true(json_is_true(json_object_get(desk, "enabled")));
	assert_true(json_is_null(json_object_get(desk, "level_dbfs")));
	assert_true(fabs(number(desk, "heard_s") - 12.345) < 1e-9);
	assert_flaws(desk);
	const json_t *hops = json_object_get(desk, "hop_s");
	assert_true(fabs(number(hops, "sum") - 0.0004) < 1e-9);
	assert_int_equal(json_array_size(json_object_get(hops, "limits")), KWS_TALLY_STEPS);
	assert_int_equal(json_integer_value(json_array_get(json_object_get(hops, "counts"), 4)), 1);
	const json_t *rest = json_array_get(json_object_get(desk, "spotters"), 0);
	assert_string_equal(text(rest, "after"), "wake");
	assert_string_equal(text(rest, "model_hash"), kws_model_hash(model));
	assert_true(json_is_false(json_object_get(rest, "open")));
	const json_t *words = json_object_get(rest, "words");
	assert_int_equal(json_object_size(words), 2); /* commands only */
	assert_true(fabs(number(words, "yes") - 0.5) < 1e-9);
	assert_true(json_is_null(json_object_get(words, "no"))); /* off */
	assert_heard(rest);
	const json_t *sinks = json_object_get(j, "sinks");
	assert_int_equal(json_array_size(sinks), 2);
	assert_string_equal(text(json_array_get(sinks, 0), "name"), "log");
	assert_null(json_object_get(json_array_get(sinks, 0), "readers"));
	assert_true(fabs(number(json_array_get(sinks, 1), "readers") - 2.0) < 1e-9);
	assert_null(json_object_get(j, "clips"));
	json_decref(j);

	s.reload = "wrong";
	s.has_clips = true;
	s.clips.removed = 5;
	j = kws_snapshot_json(&s);
	assert_string_equal(text(j, "reload_error"), "wrong");
	assert_true(fabs(number(json_object_get(j, "clips"), "removed") - 5.0) < 1e-9);
	json_decref(j);
}

static void test_process(void **state)
{
	(void)state;
	fill();
	kws_snapshot_process(&s);
	assert_string_equal(s.version, kws_version());
	assert_true(s.rss_mb > 0.5 && s.cpu_s >= 0.0);
}

static int set_up(void **state)
{
	(void)state;
	model = tiny_model_open(&tiny_default);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	kws_model_close(model);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_line_of_one),   cmocka_unit_test(test_line_of_several),
		cmocka_unit_test(test_lines_of_most), cmocka_unit_test(test_status),
		cmocka_unit_test(test_json),	      cmocka_unit_test(test_process),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
