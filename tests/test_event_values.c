/* How the values of an event are written: digits, characters, what is too long, and for other programs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/events.h"

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
		const char *cut = json_string_value(json_object_get(o, "host"));
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
		memset(r.listener, worst[i], sizeof r.listener - 1);
		memset(r.spotter, worst[i], sizeof r.spotter - 1);
		memset(r.after, worst[i], sizeof r.after - 1);
		memset(r.after_id, worst[i], sizeof r.after_id - 1);
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(digits),
		cmocka_unit_test(characters),
		cmocka_unit_test(long_names),
		cmocka_unit_test(the_longest_line),
		cmocka_unit_test(fields_are_the_line),
	};
	return cmocka_run_group_tests(tests, events_set_up, events_tear_down);
}
