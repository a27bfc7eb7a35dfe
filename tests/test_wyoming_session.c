/* What a Wyoming client is answered, event by event. */
#include "tests/wyoming.h"

static const wy_format plain = { WY_RATE, 2, 1, 640, -1 };
static int16_t demo[WY_LONGEST];
static size_t n_demo;
static kws_roster *roster;

static int set_up(void **state)
{
	(void)state;
	n_demo = wy_demo(demo, WY_LONGEST);
	roster = wy_roster(NULL, 0, NULL);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	kws_roster_release(roster);
	return 0;
}

/* What the session answers to these bytes. */
static char *answers(kws_session *s, wy_text *t)
{
	static char lines[65536];

	wy_give(s, t->bytes, t->n, 4096);
	wy_lines(s, lines, sizeof lines);
	t->n = 0;
	return lines;
}

/* What a new client that sends these events is answered. */
static void expect(wy_text *t, const char *want)
{
	kws_session *s = kws_session_create(roster);

	assert_string_equal(answers(s, t), want);
	kws_session_destroy(s);
	free(t->bytes);
}

/* ---- describe ---- */

static json_t *models_of(const kws_roster *r)
{
	kws_session *s = kws_session_create((kws_roster *)(uintptr_t)r);
	wy_text t = { NULL, 0, 0 };
	json_t *all, *program, *models;

	wy_event(&t, "describe", NULL, NULL, 0);
	wy_give(s, t.bytes, t.n, t.n);
	all = wy_answers(s);
	assert_int_equal(json_array_size(all), 1);
	assert_string_equal(json_string_value(json_object_get(json_array_get(all, 0), "type")),
			    "info");
	program = json_array_get(
		json_object_get(json_object_get(json_array_get(all, 0), "data"), "wake"), 0);
	assert_true(json_is_true(json_object_get(program, "installed")));
	models = json_incref(json_object_get(program, "models"));
	json_decref(all);
	free(t.bytes);
	kws_session_destroy(s);
	return models;
}

static const char *text_of(const json_t *models, size_t i, const char *key)
{
	return json_string_value(json_object_get(json_array_get(models, i), key));
}

static void describe_names_the_words_that_are_on(void **state)
{
	static const char *const set[] = { "threshold.yes=off", "threshold.no=0.5" };
	json_t *models = models_of(roster);
	kws_roster *r;

	(void)state;
	assert_int_equal(json_array_size(models), 10);
	assert_string_equal(text_of(models, 0, "name"), "yes");
	assert_string_equal(text_of(models, 0, "phrase"), "yes");
	assert_int_equal(strlen(text_of(models, 0, "version")), 12);
	json_decref(models);
	r = wy_roster(set, 2, roster);
	models = models_of(r);
	assert_int_equal(json_array_size(models), 9);
	assert_string_equal(text_of(models, 0, "name"), "no");
	json_decref(models);
	kws_roster_release(r);
}

/* ---- audio ---- */

static const char whole[] = "detection yes 1070\n";

static void first_second(wy_text *t, const wy_format *f)
{
	wy_audio(t, f, demo, 2 * 2 * WY_RATE);
}

/* The protocol makes neither detect nor audio-start a duty. */
static void audio_needs_no_announcement(void **state)
{
	wy_text t = { NULL, 0, 0 };

	(void)state;
	first_second(&t, &plain);
	expect(&t, whole);
}

static void each_audio_start_begins_anew(void **state)
{
	wy_text t = { NULL, 0, 0 };
	char twice[128];

	(void)state;
	snprintf(twice, sizeof twice, "%s%s", whole, whole);
	for (int i = 0; i < 2; i++) {
		wy_start(&t, &plain);
		first_second(&t, &plain);
	}
	expect(&t, twice);
}

static void stop_tells_whether_there_was_a_word(void **state)
{
	wy_text t = { NULL, 0, 0 };

	(void)state;
	wy_start(&t, &plain);
	wy_audio(&t, &plain, demo, WY_RATE);
	wy_event(&t, "audio-stop", "{\"timestamp\": null}", NULL, 0);
	first_second(&t, &plain);
	wy_event(&t, "audio-stop", NULL, NULL, 0);
	wy_event(&t, "audio-stop", NULL, NULL, 0);
	expect(&t, "not-detected\ndetection yes 1070\nnot-detected\n");
}

/* A word that is still open when the audio ends is decided then, not lost. */
static void stop_decides_what_is_open(void **state)
{
	char lines[1024], closed[1024];
	size_t n, first = 0;

	(void)state;
	for (n = WY_RATE; n < 2 * WY_RATE && !first; n += WY_RATE / 100) {
		kws_session *s = kws_session_create(roster);
		wy_text t = { NULL, 0, 0 };

		wy_audio(&t, &plain, demo, 2 * n);
		wy_event(&t, "audio-stop", NULL, NULL, 0);
		wy_give(s, t.bytes, t.n, 4096);
		wy_lines(s, lines, sizeof lines);
		t.n = 0;
		if (strstr(lines, "detection yes"))
			first = n;
		/* the end of the connection counts as the end of the audio */
		wy_audio(&t, &plain, demo, 2 * n);
		wy_give(s, t.bytes, t.n, 4096);
		kws_session_close(s);
		assert_false(wy_run(s));
		wy_lines(s, closed, sizeof closed);
		assert_string_equal(closed, lines);
		kws_session_destroy(s);
		free(t.bytes);
	}
	assert_true(first > 0);
}

static void timestamps_are_the_clients(void **state)
{
	wy_format f = plain;
	wy_text t = { NULL, 0, 0 };

	(void)state;
	f.first_ms = 500000;
	wy_start(&t, &f);
	first_second(&t, &f);
	expect(&t, "detection yes 501070\n");
}

static void another_format_begins_another_stream(void **state)
{
	const wy_format half = { WY_RATE / 2, 2, 1, 640, -1 };
	wy_text t = { NULL, 0, 0 };

	(void)state;
	wy_audio(&t, &half, demo, 2 * WY_RATE);
	first_second(&t, &plain);
	expect(&t, whole);
}

/* ---- detect ---- */

static void only_wanted_words_are_told(void **state)
{
	wy_text t = { NULL, 0, 0 };

	(void)state;
	wy_event(&t, "detect", "{\"names\": [\"no\", \"not a word\"]}", NULL, 0);
	first_second(&t, &plain);
	wy_event(&t, "audio-stop", NULL, NULL, 0);
	wy_event(&t, "detect", "{\"names\": [\"not a word\", \"yes\"]}", NULL, 0);
	first_second(&t, &plain);
	wy_event(&t, "detect", "{\"names\": []}", NULL, 0);
	wy_start(&t, &plain);
	first_second(&t, &plain);
	wy_event(&t, "detect", "{\"names\": [\"no\"]}", NULL, 0);
	wy_event(&t, "detect", NULL, NULL, 0);
	wy_start(&t, &plain);
	first_second(&t, &plain);
	expect(&t, "not-detected\ndetection yes 1070\ndetection yes 1070\ndetection yes 1070\n");
}

static void unknown_words_are_an_error(void **state)
{
	wy_text t = { NULL, 0, 0 };

	(void)state;
	wy_event(&t, "detect", "{\"names\": [\"okay_nabu\", 7]}", NULL, 0);
	first_second(&t, &plain);
	wy_event(&t, "audio-stop", NULL, NULL, 0);
	wy_event(&t, "ping", "{\"text\": \"x\"}", NULL, 0);
	expect(&t, "error unknown-wake-word\nnot-detected\npong\n");
}

static void the_context_comes_back(void **state)
{
	kws_session *s = kws_session_create(roster);
	wy_text t = { NULL, 0, 0 };
	json_t *all;

	(void)state;
	wy_event(&t, "detect", "{\"names\": null, \"context\": {\"room\": \"attic\"}}", NULL, 0);
	first_second(&t, &plain);
	wy_event(&t, "audio-stop", NULL, NULL, 0);
	wy_event(&t, "audio-stop", NULL, NULL, 0);
	wy_give(s, t.bytes, t.n, 4096);
	all = wy_answers(s);
	assert_int_equal(json_array_size(all), 2);
	for (size_t i = 0; i < 2; i++) {
		json_t *data = json_object_get(json_array_get(all, i), "data");

		assert_string_equal(json_string_value(json_object_get(
					    json_object_get(data, "context"), "room")),
				    "attic");
	}
	json_decref(all);
	kws_session_destroy(s);
	free(t.bytes);
}

/* ---- other events ---- */

static void other_events_are_ignored(void **state)
{
	static const char noise[70000] = "{\"type\": \"describe\"}\n";
	wy_text t = { NULL, 0, 0 };

	(void)state;
	wy_event(&t, "select-program", "{\"name\": \"x\"}", NULL, 0);
	wy_event(&t, "run-satellite", NULL, NULL, 0);
	wy_event(&t, "transcribe", "{\"name\": \"x\"}", noise, sizeof noise);
	wy_event(&t, "describes", NULL, noise, sizeof noise);
	wy_event(&t, "ping", NULL, noise, 20);
	first_second(&t, &plain);
	wy_event(&t, "voice-stopped", NULL, NULL, 0);
	expect(&t, "pong\ndetection yes 1070\n");
}

/* ---- what is wrong ---- */

static void over(const char *bytes, const char *code)
{
	kws_session *s = kws_session_create(roster);
	char want[64], lines[1024];
	wy_text t = { NULL, 0, 0 };

	snprintf(want, sizeof want, "pong\nerror %s\n", code);
	wy_event(&t, "ping", NULL, NULL, 0);
	wy_put(&t, bytes, strlen(bytes));
	assert_false(wy_give(s, t.bytes, t.n, 4096));
	wy_lines(s, lines, sizeof lines);
	assert_string_equal(lines, want);
	assert_true(*kws_session_fault(s));
	assert_int_equal(kws_session_step(s), KWS_SESSION_OVER);
	wy_lines(s, lines, sizeof lines);
	assert_string_equal(lines, "");
	kws_session_destroy(s);
	free(t.bytes);
}

static void what_is_wrong_ends_the_connection(void **state)
{
	(void)state;
	over("GET / HTTP/1.1\r\n\r\n", "bad-message");
	over("{\"type\": \"audio-chunk\", \"payload_length\": -1}\n", "bad-message");
	over("{\"type\": \"audio-start\"}\n", "bad-audio-format");
	over("{\"type\": \"audio-chunk\", \"payload_length\": 4}\nabcd", "bad-audio-format");
	over("{\"type\": \"audio-start\", \"data\": {\"rate\": 16000, \"width\": 2, "
	     "\"channels\": 0}}\n",
	     "bad-audio-format");
	over("{\"type\": \"audio-start\", \"data\": {\"rate\": 4294983296, \"width\": 2, "
	     "\"channels\": 1}}\n",
	     "bad-audio-format");
	over("{\"type\": \"audio-start\", \"data\": {\"rate\": \"16000\", \"width\": 2, "
	     "\"channels\": 1}}\n",
	     "bad-audio-format");
	over("{\"type\": \"audio-start\", \"data\": {\"rate\": 16000, \"width\": 2, "
	     "\"channels\": 1}}\n{\"type\": \"audio-chunk\", \"data\": {\"rate\": 7}}\n",
	     "bad-audio-format");
}

/* The answers to bytes of audio (n,) and then noise, in pieces. */
static void before_noise(size_t n, size_t piece, char *lines, size_t size)
{
	kws_session *s = kws_session_create(roster);
	wy_text t = { NULL, 0, 0 };

	wy_audio(&t, &plain, demo, n);
	wy_put(&t, "HELO\n", 5);
	assert_false(wy_give(s, t.bytes, t.n, piece));
	wy_lines(s, lines, size);
	kws_session_destroy(s);
	free(t.bytes);
}

/* What came before it is heard, however the bytes are cut: also when the last of it decides. */
static void audio_before_it_is_heard(void **state)
{
	char large[1024], small[1024];
	size_t n_heard = 0, n_tried = 0;

	(void)state;
	for (size_t n = 2 * WY_RATE; n < 4 * WY_RATE; n += WY_RATE / 50) {
		before_noise(n, 4096, large, sizeof large);
		before_noise(n, 64, small, sizeof small);
		assert_string_equal(large, small);
		assert_non_null(strstr(large, "error bad-message"));
		n_heard += strstr(large, "detection yes") != NULL;
		n_tried++;
	}
	assert_true(n_heard > 0 && n_heard < n_tried);
}

/* One that asks for much gets it in turns, so that what waits for it stays small. */
static void answers_are_bounded(void **state)
{
	kws_session *s = kws_session_create(roster);
	static char text[16001];
	char data[sizeof text + 64];
	wy_text t = { NULL, 0, 0 };
	size_t room, most = 0;

	(void)state;
	/* what it sends once comes back with each answer */
	memset(text, 'x', sizeof text - 1);
	snprintf(data, sizeof data, "{\"names\": null, \"context\": \"%s\"}", text);
	wy_event(&t, "detect", data, NULL, 0);
	assert_true(wy_give(s, t.bytes, t.n, t.n));
	t.n = 0;
	for (int i = 0; i < 700; i++)
		wy_put(&t, "{\"type\":\"audio-stop\"}\n", 22);
	memcpy(kws_session_room(s, &room), t.bytes, t.n);
	assert_true(room >= t.n);
	kws_session_give(s, t.n);
	for (enum kws_session_next next = KWS_SESSION_TURN; next == KWS_SESSION_TURN;) {
		next = kws_session_step(s);
		most = kws_session_out(s)->n > most ? kws_session_out(s)->n : most;
		kws_out_sent(kws_session_out(s), kws_session_out(s)->n);
	}
	assert_in_range(most, 2 * sizeof text, 64 * 1024 + sizeof data + 256);
	kws_session_destroy(s);
	free(t.bytes);
}

/* Chunks without a format have that of the audio so far. */
static void chunks_may_leave_the_format_out(void **state)
{
	wy_text t = { NULL, 0, 0 };

	(void)state;
	wy_start(&t, &plain);
	for (size_t at = 0; at < 2 * WY_RATE; at += 320)
		wy_event(&t, "audio-chunk", NULL, demo + at, 640);
	expect(&t, whole);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(describe_names_the_words_that_are_on),
		cmocka_unit_test(audio_needs_no_announcement),
		cmocka_unit_test(each_audio_start_begins_anew),
		cmocka_unit_test(stop_tells_whether_there_was_a_word),
		cmocka_unit_test(stop_decides_what_is_open),
		cmocka_unit_test(timestamps_are_the_clients),
		cmocka_unit_test(another_format_begins_another_stream),
		cmocka_unit_test(only_wanted_words_are_told),
		cmocka_unit_test(unknown_words_are_an_error),
		cmocka_unit_test(the_context_comes_back),
		cmocka_unit_test(other_events_are_ignored),
		cmocka_unit_test(what_is_wrong_ends_the_connection),
		cmocka_unit_test(audio_before_it_is_heard),
		cmocka_unit_test(answers_are_bounded),
		cmocka_unit_test(chunks_may_leave_the_format_out),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down) != 0;
}
