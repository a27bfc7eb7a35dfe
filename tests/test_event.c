/* An event as JSON: its members, its bounds, and the schema that describes it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/events.h"

static const char *text_of(const json_t *o, const char *key)
{
	const char *text = json_string_value(json_object_get(o, key));
	assert_non_null(text);
	return text;
}

static void the_event_alone(void **state)
{
	(void)state;
	const kws_event ev = said();
	char line[KWS_EVENT_JSON], want[KWS_EVENT_JSON];
	snprintf(want, sizeof want,
		 "{\"word\":\"no\",\"start\":1.500063,\"end\":2.5,\"decided\":3.0,\"score\":0."
		 "912346,"
		 "\"threshold\":0.7,\"margin\":0.212346,\"level_dbfs\":-20.5,\"snr_db\":null,"
		 "\"start_sample\":24001,\"end_sample\":40000,\"decided_sample\":48000,"
		 "\"rate_hz\":16000,\"model\":\"%s\",\"model_hash\":\"%s\"}",
		 kws_model_name(model), kws_model_hash(model));
	assert_int_equal(kws_event_json(&ev, model, NULL, line, sizeof line), strlen(want));
	assert_string_equal(line, want);
	assert_int_equal(schema_check_lines(line), 1);
	const kws_event_context nothing = KWS_EVENT_CONTEXT;
	kws_event_json(&ev, model, &nothing, line, sizeof line);
	assert_string_equal(line, want);
}

static void all_that_can_be_known(void **state)
{
	(void)state;
	const kws_event ev = said();
	const kws_event_context c = all_known();
	json_t *o = told(&ev, &c), *schema = schema_load();
	json_t *members = json_object_get(schema, "properties");
	const char *key;
	json_t *v;
	json_object_foreach(members, key, v) if (!json_object_get(o, key))
		fail_msg("%s is in the schema only", key);
	assert_int_equal(json_object_size(o), json_object_size(members));
	assert_int_equal(json_integer_value(json_object_get(o, "start_sample")), 40001);
	assert_true(json_real_value(json_object_get(o, "start")) == 2.500062);
	assert_true(json_real_value(json_object_get(o, "decided")) == 4.0);
	assert_string_equal(text_of(o, "file"), "a.wav");
	assert_string_equal(text_of(o, "device"), "mic");
	assert_string_equal(text_of(o, "host"), "attic");
	assert_string_equal(text_of(o, "start_time"), "2026-01-01T00:00:02.500Z");
	assert_string_equal(text_of(o, "end_time"), "2026-01-01T00:00:03.500Z");
	assert_true(json_real_value(json_object_get(o, "start_monotonic")) == 102.500062);
	assert_int_equal(json_integer_value(json_object_get(o, "gap_count")), 2);
	assert_true(json_real_value(json_object_get(o, "gap_s")) == 0.5);
	assert_string_equal(text_of(o, "gap_reason"), "overflow");
	assert_string_equal(text_of(o, "clip"), "b.wav");
	assert_int_equal(json_integer_value(json_object_get(o, "dropped")), 3);
	assert_string_equal(text_of(o, "listener"), "kitchen");
	assert_string_equal(text_of(o, "spotter"), "commands");
	assert_string_equal(text_of(o, "after"), "jarvis");
	assert_string_equal(text_of(o, "after_id"), c.after_id);
	json_decref(o);
	json_decref(schema);
}

/* What is known of one thing does not make another known. */
static void each_known_alone(void **state)
{
	(void)state;
	const kws_event ev = said();
	kws_event_context c = KWS_EVENT_CONTEXT;
	c.monotonic = 7.0;
	json_t *o = told(&ev, &c);
	assert_non_null(json_object_get(o, "start_monotonic"));
	assert_int_equal(json_object_size(o), 16);
	json_decref(o);
	c = (kws_event_context)KWS_EVENT_CONTEXT;
	c.wall = 7.0;
	o = told(&ev, &c);
	assert_non_null(json_object_get(o, "end_time"));
	assert_int_equal(json_object_size(o), 17);
	json_decref(o);
	c = (kws_event_context)KWS_EVENT_CONTEXT;
	c.device = "mic";
	o = told(&ev, &c);
	assert_string_equal(text_of(o, "gap_reason"), "");
	assert_string_equal(text_of(o, "clip"), "");
	assert_int_equal(json_object_size(o), 21);
	json_decref(o);
}

/* A program that was built with an earlier header hands over less; what it does not have is not looked at. */
static void the_context_of_an_older_program(void **state)
{
	(void)state;
	const kws_event ev = said();
	kws_event_context c = all_known();
	c.size = offsetof(kws_event_context, host);
	json_t *o = told(&ev, &c);
	assert_string_equal(text_of(o, "device"), "mic");
	assert_null(json_object_get(o, "host"));
	assert_null(json_object_get(o, "start_time"));
	assert_int_equal(json_integer_value(json_object_get(o, "start_sample")), 24001);
	assert_int_equal(json_integer_value(json_object_get(o, "dropped")), 0);
	json_decref(o);
	c.size = offsetof(kws_event_context, listener);
	o = told(&ev, &c);
	assert_int_equal(json_integer_value(json_object_get(o, "dropped")), 3);
	assert_null(json_object_get(o, "listener"));
	assert_null(json_object_get(o, "after_id"));
	json_decref(o);
}

/* The same recording gives the same id; another stream, moment, word or model another one. */
static void ids(void **state)
{
	(void)state;
	const kws_event ev = said();
	kws_event_context c[4] = { KWS_EVENT_CONTEXT, KWS_EVENT_CONTEXT, KWS_EVENT_CONTEXT,
				   KWS_EVENT_CONTEXT };
	kws_report r[9];
	c[0].file = c[3].file = "a.wav";
	c[1].file = "b.wav";
	c[2].file = "a.wav";
	c[2].stream = "second time";
	for (int i = 0; i < 4; i++)
		kws_report_fill(&r[i], &ev, model, &c[i]);
	assert_string_equal(r[0].id, r[3].id);
	kws_event later = ev, other = ev;
	later.sample++;
	other.word = 0;
	kws_report_fill(&r[3], &later, model, &c[0]);
	kws_report_fill(&r[4], &other, model, &c[0]);
	tiny_config small = tiny_default;
	small.seed++;
	kws_model *another = tiny_model_open(&small);
	assert_non_null(another);
	kws_report_fill(&r[5], &ev, another, &c[0]);
	c[0].spotter = "x"; /* one model may be there twice, with other thresholds */
	kws_report_fill(&r[6], &ev, model, &c[0]);
	c[0].listener = "x";
	kws_report_fill(&r[7], &ev, model, &c[0]);
	c[0].spotter = "";
	kws_report_fill(&r[8], &ev, model, &c[0]);
	for (int i = 0; i < 9; i++)
		for (int k = 0; k < i; k++)
			assert_string_not_equal(r[i].id, r[k].id);
	kws_model_close(another);
}

static void a_buffer_of_any_size(void **state)
{
	(void)state;
	const kws_event ev = said();
	const kws_event_context c = all_known();
	char whole[KWS_EVENT_JSON], out[KWS_EVENT_JSON + 1];
	const size_t n = kws_event_json(&ev, model, &c, whole, sizeof whole);
	for (size_t size = 0; size <= n + 2; size++) {
		memset(out, '#', sizeof out);
		assert_int_equal(kws_event_json(&ev, model, &c, out, size), size > n ? n : 0);
		assert_string_equal(size ? out : "", size > n ? whole : "");
		for (size_t i = size; i < sizeof out; i++)
			assert_int_equal(out[i], '#');
	}
}

/* The reader itself: what is no event does not pass. */
static void the_schema_refuses(void **state)
{
	(void)state;
	static const struct {
		const char *key, *value, *why;
	} rows[] = {
		{ "word", NULL, "word: is missing" },
		{ "word", "7", "word: type" },
		{ "score", "1.5", "score: maximum" },
		{ "start", "-1.0", "start: minimum" },
		{ "start_sample", "1.0", "start_sample: type" },
		{ "snr_db", "\"loud\"", "snr_db: type" },
		{ "score", "null", "score: type" },
		{ "model_hash", "\"abc\"", "model_hash: pattern" },
		{ "start_time", "\"yesterday\"", "start_time: pattern" },
		{ "mood", "1", "mood: not in the schema" },
		{ "clip", NULL, "clip: is missing" },
		{ "id", NULL, "id: is missing" },
		{ "after", NULL, "after: is missing" },
		{ "after_id", "\"\"", "after_id: pattern" },
	};
	const kws_event ev = said();
	const kws_event_context c = all_known();
	json_t *schema = schema_load();
	schema_error e;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		json_t *o = told(&ev, &c);
		if (rows[i].value)
			json_object_set_new(o, rows[i].key,
					    json_loads(rows[i].value, JSON_DECODE_ANY, NULL));
		else
			json_object_del(o, rows[i].key);
		assert_false(schema_fits(schema, o, &e));
		assert_string_equal(e.text, rows[i].why);
		json_decref(o);
	}
	json_object_set_new(schema, "anyOf", json_array());
	json_t *o = told(&ev, &c);
	assert_false(schema_fits(schema, o, &e));
	json_decref(o);
	json_decref(schema);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_event_alone),
		cmocka_unit_test(all_that_can_be_known),
		cmocka_unit_test(each_known_alone),
		cmocka_unit_test(the_context_of_an_older_program),
		cmocka_unit_test(ids),
		cmocka_unit_test(a_buffer_of_any_size),
		cmocka_unit_test(the_schema_refuses),
	};
	return cmocka_run_group_tests(tests, events_set_up, events_tear_down);
}
