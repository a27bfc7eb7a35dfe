/* An event as JSON: its members, digits and characters, its bounds, and the schema that describes it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "spot/event.h"
#include "tests/schema.h"
#include "tests/tiny_model.h"

#include <math.h>

static kws_model *model;

static int setup(void **state)
{
	(void)state;
	model = tiny_model_open(&tiny_default);
	return model ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	kws_model_close(model);
	return 0;
}

static kws_event said(void)
{
	return (kws_event){ .sample = 48000,
			    .start = 24001,
			    .end = 40000,
			    .word = 1,
			    .score = 0.91234567f,
			    .threshold = 0.7f,
			    .level_dbfs = -20.5f,
			    .snr_db = NAN };
}

static kws_event_context all_known(void)
{
	kws_event_context c = KWS_EVENT_CONTEXT;
	c.file = "a.wav";
	c.device = "mic";
	c.host = "attic";
	c.origin = 16000;
	c.wall = 1767225600.0;
	c.monotonic = 100.0;
	c.gap_count = 2;
	c.gap_s = 0.5;
	c.gap_reason = "overflow";
	c.clip = "b.wav";
	c.dropped = 3;
	return c;
}

static json_t *told(const kws_event *ev, const kws_event_context *c)
{
	char line[KWS_EVENT_JSON];
	const size_t n = kws_event_json(ev, model, c, line, sizeof line);
	assert_true(n > 0 && n == strlen(line));
	assert_int_equal(schema_check_lines(line), 1);
	return json_loads(line, 0, NULL);
}

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
}

/* The same recording gives the same id; another stream, moment, word or model another one. */
static void ids(void **state)
{
	(void)state;
	const kws_event ev = said();
	kws_event_context c[4] = { KWS_EVENT_CONTEXT, KWS_EVENT_CONTEXT, KWS_EVENT_CONTEXT,
				   KWS_EVENT_CONTEXT };
	kws_report r[6];
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
	for (int i = 0; i < 6; i++)
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

static const char *member(const kws_report *r, const char *key)
{
	static char line[KWS_EVENT_JSON + 512], start[32];
	snprintf(start, sizeof start, "\"%s\":", key);
	assert_true(kws_report_json(r, line, sizeof line) > 0);
	char *at = strstr(line, start);
	assert_non_null(at);
	at += strlen(start);
	char *end = strstr(at, ",\"");
	*(end ? end : strchr(at, '}')) = 0;
	return at;
}

static void digits(void **state)
{
	(void)state;
	static const struct {
		double value;
		const char *text;
	} rows[] = {
		{ 0.0, "0.0" },
		{ -0.0, "0.0" },
		{ 1.0, "1.0" },
		{ -20.5, "-20.5" },
		{ 0.1234565001, "0.123457" },
		{ 0.0000004, "0.0" },
		{ -0.0000004, "0.0" },
		{ -0.0000005, "0.0" },
		{ -0.0000005000001, "-0.000001" },
		{ -0.0000006, "-0.000001" },
		{ 0.9999996, "1.0" },
		{ -9.9999996, "-10.0" },
		{ 100.000001, "100.000001" },
		{ 120.0, "120.0" },
		{ 86400.0 * 365 * 30 + 0.25, "946080000.25" },
		{ 999999999999999.0, "999999999999999.0" },
		{ 1e15, "null" },
		{ -1e300, "null" },
		{ (double)INFINITY, "null" },
		{ (double)NAN, "null" },
	};
	kws_report r;
	memset(&r, 0, sizeof r);
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		r.snr_db = rows[i].value;
		assert_string_equal(member(&r, "snr_db"), rows[i].text);
	}
}

static void characters(void **state)
{
	(void)state;
	static const struct {
		const char *name, *text, *path;
	} rows[] = {
		{ "a \"b\" \\c/", "\"a \\\"b\\\" \\\\c/\"", "\"a \\\"b\\\" \\\\c/\"" },
		{ "M\xc3\xbcller \xe2\x82\xac \xf0\x9f\x8e\xa4",
		  "\"M\xc3\xbcller \xe2\x82\xac \xf0\x9f\x8e\xa4\"",
		  "\"M\xc3\xbcller \xe2\x82\xac \xf0\x9f\x8e\xa4\"" },
		{ "1\n\x1b[2m\x7f", "\"1??[2m?\"", "\"1\\u000a\\u001b[2m\\u007f\"" },
		{ "\xc2\x9b\xc2\xa0", "\"?\xc2\xa0\"", "\"\\u009b\xc2\xa0\"" },
		{ "latin\xe9.wav", "\"latin\xef\xbf\xbd.wav\"", "\"latin\xef\xbf\xbd.wav\"" },
		/* overlong, a surrogate, beyond the last, cut short */
		{ "\xc0\xaf", "\"\xef\xbf\xbd\xef\xbf\xbd\"", "\"\xef\xbf\xbd\xef\xbf\xbd\"" },
		{ "\xed\xa0\x80", "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"",
		  "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"" },
		{ "\xf4\x90\x80\x80", "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"",
		  "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"" },
		{ "\xe2\x82", "\"\xef\xbf\xbd\xef\xbf\xbd\"", "\"\xef\xbf\xbd\xef\xbf\xbd\"" },
	};
	kws_report r;
	memset(&r, 0, sizeof r);
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		snprintf(r.host, sizeof r.host, "%s", rows[i].name);
		r.file = rows[i].name;
		assert_string_equal(member(&r, "host"), rows[i].text);
		assert_string_equal(member(&r, "file"), rows[i].path);
	}
}

/* A name that is too long is cut, but never in the middle of a character. */
static void long_names(void **state)
{
	(void)state;
	const kws_event ev = said();
	kws_event_context c = all_known();
	char name[256];
	for (size_t shift = 0; shift < 3; shift++) {
		memset(name, 'x', shift);
		for (size_t i = shift; i < sizeof name - 4; i += 3)
			memcpy(name + i, "\xe2\x82\xac", 4);
		c.host = name;
		json_t *o = told(&ev, &c);
		const char *cut = text_of(o, "host");
		assert_true(strlen(cut) > 61 && strlen(cut) < 65);
		assert_memory_equal(cut, name, strlen(cut));
		json_decref(o);
	}
}

/* Whatever the texts hold, the line has room for them. */
static void the_longest_line(void **state)
{
	(void)state;
	static const char worst[] = { '"', '\\', '\xff', '\x01' };
	kws_report r;
	char line[KWS_EVENT_JSON];
	for (size_t i = 0; i < sizeof worst; i++) {
		memset(&r, 0, sizeof r);
		r.live = true;
		r.start_s = r.end_s = r.decided_s = r.score = r.margin = -999999999999999.0;
		r.threshold = r.level_dbfs = r.snr_db = r.gap_s = r.start_monotonic = r.start_s;
		r.start_sample = r.end_sample = r.decided_sample = UINT64_MAX;
		r.rate_hz = r.gap_count = r.dropped = UINT64_MAX;
		memset(r.word, worst[i], sizeof r.word - 1);
		memset(r.model, worst[i], sizeof r.model - 1);
		memset(r.model_hash, worst[i], sizeof r.model_hash - 1);
		memset(r.id, worst[i], sizeof r.id - 1);
		memset(r.host, worst[i], sizeof r.host - 1);
		memset(r.start_time, worst[i], sizeof r.start_time - 1);
		memset(r.end_time, worst[i], sizeof r.end_time - 1);
		memset(r.device, worst[i], sizeof r.device - 1);
		memset(r.gap_reason, worst[i], sizeof r.gap_reason - 1);
		memset(r.clip, worst[i], sizeof r.clip - 1);
		assert_true(kws_report_json(&r, line, sizeof line) > 1000);
	}
}

/* Other programs get each member by name, as the line has it; what is null is empty there. */
static void fields_are_the_line(void **state)
{
	(void)state;
	const kws_event ev = said();
	const kws_event_context c = all_known();
	kws_report r;
	char value[256], line[KWS_EVENT_JSON];
	const char *name;
	size_t n = 0;
	kws_report_fill(&r, &ev, model, &c);
	kws_report_json(&r, line, sizeof line);
	json_t *o = json_loads(line, 0, NULL);
	for (size_t i = 0; kws_report_field(&r, i, &name, value, sizeof value); i++, n++) {
		const json_t *v = json_object_get(o, name);
		const char *text = json_is_string(v) ? value : member(&r, name);
		assert_non_null(v);
		if (json_is_string(v))
			assert_string_equal(json_string_value(v), text);
		else
			assert_string_equal(json_is_null(v) ? "" : text, value);
	}
	assert_int_equal(n, json_object_size(o));
	json_decref(o);
	kws_report_fill(&r, &ev, model, NULL);
	assert_true(kws_report_field(&r, 14, &name, value, sizeof value));
	assert_string_equal(value, kws_model_hash(model));
	assert_false(kws_report_field(&r, 15, &name, value, sizeof value));
	snprintf(r.word, sizeof r.word, "a\nb");
	assert_true(kws_report_field(&r, 0, &name, value, sizeof value));
	assert_string_equal(value, "a?b");
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
	json_object_set_new(schema, "oneOf", json_array());
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
		cmocka_unit_test(digits),
		cmocka_unit_test(characters),
		cmocka_unit_test(long_names),
		cmocka_unit_test(the_longest_line),
		cmocka_unit_test(fields_are_the_line),
		cmocka_unit_test(the_schema_refuses),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
