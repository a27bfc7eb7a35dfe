/* The control socket: every request has one answer, and what is wrong with it is named. */
#include "tests/control.h"

static void test_each_request_has_its_answer(void **state)
{
	static const struct {
		const char *line, *answer;
	} rows[] = {
		{ "{\"request\":\"version\"}",
		  "{\"ok\":true,\"request\":\"version\",\"version\":\"" KWS_VERSION
		  "\",\"protocol\":1}\n" },
		{ "{\"request\":\"subscribe\",\"id\":\"\\u00e4 \\\"\",\"events\":true}",
		  "{\"ok\":true,\"request\":\"subscribe\",\"id\":\"\xc3\xa4 "
		  "\\\"\",\"streams\":[\"events\"]}\n" },
		{ "{\"request\":\"subscribe\",\"mel\":{\"rate_hz\":50,\"listener\":\"attic\","
		  "\"spotter\":\"\"},\"levels\":{},\"scores\":null}",
		  "{\"ok\":true,\"request\":\"subscribe\",\"streams\":[\"events\",\"levels\","
		  "\"mel\"]}\n" },
		{ "{\"request\":\"unsubscribe\",\"mel\":true}",
		  "{\"ok\":true,\"request\":\"unsubscribe\",\"streams\":[\"events\",\"levels\"]}"
		  "\n" },
		{ "{\"request\":\"unsubscribe\"}",
		  "{\"ok\":true,\"request\":\"unsubscribe\",\"streams\":[]}\n" },
		{ "{\"request\":\"set\",\"values\":{\"threshold.yes\":0.7}}",
		  "{\"ok\":true,\"request\":\"set\"}\n" },
		{ "{\"request\":\"listen\",\"on\":false}",
		  "{\"ok\":true,\"request\":\"listen\"}\n" },
	};

	(void)state;
	int fd = come();
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		assert_string_equal(answer(fd, rows[i].line), rows[i].answer);
	char *text =
		answer(fd, " {\"id\": 7 , \"request\":\"status\"} \r"); /* as its schema says */
	assert_non_null(strstr(
		text,
		"{\"ok\":true,\"request\":\"status\",\"id\":7,\"status\":{\"version\":\"v\","));
	assert_int_equal(send(fd, "\n \n", 3, 0), 3);
	assert_string_equal(heard(fd), ""); /* blank lines ask for nothing */
	close(fd);
}

/* What is wrong, and the word for it. */
static const struct {
	const char *line, *error;
} wrong[] = {
	{ "hello", "no JSON, at byte 5: " },
	{ "{\"request\":\"status\"", "no JSON" },
	{ "{\"request\":\"status\"} {}", "no JSON" },
	{ "{\"request\":\"status\",\"request\":\"status\"}", "no JSON" },
	{ "[]", "want an object" },
	{ "7", "no JSON" },
	{ "[[[[[[[[[]]]]]]]]]", "deeper than 8" },
	{ "{}", "request: want the name of one" },
	{ "{\"request\":7}", "request: want the name of one" },
	{ "{\"request\":\"staus\"}", "request: there is none named staus; did you mean 'status'?" },
	{ "{\"request\":\"status\",\"verbose\":1}", "status: no such key as verbose" },
	{ "{\"request\":\"subscribe\",\"score\":true}",
	  "subscribe: no such key as score; did you mean 'scores'?" },
	{ "{\"request\":\"subscribe\"}", "subscribe: to what?" },
	{ "{\"request\":\"subscribe\",\"events\":1}", "events: want true, false or an object" },
	{ "{\"request\":\"subscribe\",\"events\":{\"rate\":1}}",
	  "events: no such key as rate; did you mean 'rate_hz'?" },
	{ "{\"request\":\"subscribe\",\"events\":true,\"mel\":{\"rate_hz\":0.5}}",
	  "mel: rate_hz: want a number in 1..100" },
	{ "{\"request\":\"subscribe\",\"events\":{\"rate_hz\":\"10\"}}",
	  "events: rate_hz: want a number in 0.001..100" },
	{ "{\"request\":\"subscribe\",\"scores\":{\"listener\":\"kichen\"}}",
	  "listener: there is none named kichen; did you mean 'kitchen'?" },
	{ "{\"request\":\"subscribe\",\"scores\":{\"spotter\":7}}", "spotter: want a name" },
	{ "{\"request\":\"unsubscribe\",\"events\":false}", "events: want true" },
	{ "{\"request\":\"set\"}", "values: want an object" },
	{ "{\"request\":\"set\",\"values\":{}}", "values: want an object" },
	{ "{\"request\":\"set\",\"values\":{\"log.level\":null}}",
	  "log.level: want a number, a text, true or false" },
	{ "{\"request\":\"set\",\"values\":{\"a=b\":1}}", "a=b: no line of a file" },
	{ "{\"request\":\"set\",\"values\":{\"a\":\"x\\ny\"}}", "a: no line of a file" },
	{ "{\"request\":\"set\",\"keep\":1,\"values\":{\"threshold.yes\":1}}",
	  "keep: want true or false" },
	{ "{\"request\":\"listen\"}", "on: want true or false" },
	{ "{\"request\":\"listen\",\"on\":true,\"listener\":\"cellar\"}",
	  "listener: there is none named cellar" },
	{ "{\"request\":\"reload\",\"id\":1.5}", "id: want a whole number" },
	{ "{\"request\":\"reload\",\"id\":null}", "id: want a whole number" },
	{ "{\"request\":\"reload\",\"id\":"
	  "\"12345678901234567890123456789012345678901234567890123456789012345\"}",
	  "id: want a whole number, or a text of at most 64 bytes" },
};

/* Each is refused with a word of what is wrong, and has changed nothing. */
static void test_what_is_wrong_is_named(void **state)
{
	(void)state;
	int fd = come();
	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
		json_t *o = json_loads(answer(fd, wrong[i].line), 0, NULL);

		assert_non_null(o);
		assert_true(json_is_false(json_object_get(o, "ok")));
		assert_string_equal(json_string_value(json_object_get(o, "code")), "request");
		const char *error = json_string_value(json_object_get(o, "error"));
		if (!strstr(error, wrong[i].error))
			fail_msg("%s: %s, want %s", wrong[i].line, error, wrong[i].error);
		json_decref(o);
	}
	assert_string_equal(w.set, "");
	assert_int_equal(w.reloads, 0);
	kws_report r = event(1);
	kws_control_event(control, &r);
	assert_string_equal(heard(fd), "");
	close(fd);
}

static void test_long_and_endless_lines(void **state)
{
	static char line[70000];

	(void)state;
	int fd = come();
	memset(line, ' ', sizeof line - 1);
	memcpy(line, "{\"request\":\"version\"", 20);
	line[64 * 1024 - 1] = '}';
	line[64 * 1024] = 0;
	assert_non_null(strstr(answer(fd, line), "\"ok\":true"));
	line[64 * 1024 - 1] = ' ';
	line[64 * 1024] = '}';
	line[64 * 1024 + 1] = 0;
	assert_string_equal(answer(fd, line),
			    "{\"ok\":false,\"code\":\"request\",\"error\":\"the line is too long\","
			    "\"errors\":[\"the line is too long\"]}\n");
	memset(line, ',', sizeof line - 1);
	memcpy(line, "[0", 2);
	line[2000] = 0;
	assert_non_null(strstr(answer(fd, line), "more than 1024 values"));
	assert_int_equal(send(fd, "{\"request\":\"ver", 15, 0), 15);
	shutdown(fd, SHUT_WR);
	assert_non_null(strstr(heard(fd), "the line has no end"));
	assert_int_equal(recv(fd, line, 1, 0), 0);
	close(fd);
}

static void test_set(void **state)
{
	(void)state;
	int fd = come();
	answer(fd,
	       "{\"request\":\"set\",\"values\":{\"threshold.yes\":0.7,\"threshold.no\":\"off\","
	       "\"audio attic.enabled\":false,\"decision.smooth_ms\":200},\"keep\":true}");
	assert_string_equal(w.set, "threshold.yes=0.7;threshold.no=off;audio attic.enabled=no;"
				   "decision.smooth_ms=200;kept|");
	w.set[0] = 0;
	answer(fd, "{\"request\":\"listen\",\"on\":true}");
	answer(fd, "{\"request\":\"listen\",\"on\":false,\"listener\":\"attic\",\"keep\":true}");
	assert_string_equal(w.set, "audio kitchen.enabled=yes;audio attic.enabled=yes;|"
				   "audio attic.enabled=no;kept|");
	w.result = KWS_CONTROL_REFUSED;
	w.errors = "[threshold] yes: 7 is not in 0..1, off or model\nand more\n";
	assert_string_equal(
		answer(fd, "{\"request\":\"set\",\"id\":1,\"values\":{\"threshold.yes\":7}}"),
		"{\"ok\":false,\"request\":\"set\",\"id\":1,\"code\":\"refused\",\"error\":"
		"\"[threshold] yes: 7 is not in 0..1, off or model\",\"errors\":[\"[threshold] "
		"yes: 7 is "
		"not "
		"in 0..1, off or model\",\"and more\"]}\n");
	w.result = KWS_CONTROL_IN_PART;
	w.errors = "kept.conf: Read-only file system";
	assert_non_null(strstr(answer(fd, "{\"request\":\"listen\",\"on\":true,\"keep\":true}"),
			       "\"code\":\"in part\""));
	close(fd);
}

/* A request has at most so many values, and its own errors only. */
static void test_bounds_of_set(void **state)
{
	char line[4096] = "{\"request\":\"set\",\"values\":{", *text;

	(void)state;
	int fd = come();
	for (int i = 0; i < 65; i++) {
		const size_t n = strlen(line);

		snprintf(line + n, sizeof line - n, "%s\"a.b%d\":1", i ? "," : "", i);
		if (i < 63)
			continue;
		char whole[sizeof line + 4];
		snprintf(whole, sizeof whole, "%s}}", line);
		text = answer(fd, whole);
		assert_true((strstr(text, "\"ok\":true") != NULL) == (i == 63));
		assert_true((strstr(text, "more than 64") != NULL) == (i == 64));
	}
	w.result = KWS_CONTROL_REFUSED;
	w.errors = "too late";
	assert_string_equal(answer(fd, "{\"request\":\"reload\"}"),
			    "{\"ok\":false,\"request\":\"reload\",\"code\":\"refused\",\"error\":"
			    "\"too late\",\"errors\":[\"too late\"]}\n");
	close(fd);
}

/* Its answer comes when it is done; what would change something waits until then, and all that is behind
 * it; who asks for something else is answered. */
static void test_reload(void **state)
{
	(void)state;
	int a = come(), b = come(), c = come();

	say(a, "{\"request\":\"reload\",\"id\":\"a\"}");
	say(b, "{\"request\":\"reload\",\"id\":\"b\"}\n{\"request\":\"version\",\"id\":\"b2\"}");
	say(c, "{\"request\":\"set\",\"id\":\"c\",\"values\":{\"threshold.yes\":1}}");
	assert_non_null(strstr(answer(a, "{\"request\":\"version\"}"), "protocol"));
	assert_string_equal(heard(a), "");
	assert_string_equal(heard(b), "");
	assert_string_equal(heard(c), "");
	assert_int_equal(w.reloads, 1);
	w.result = KWS_CONTROL_LATER;
	kws_control_reloaded(control, KWS_CONTROL_REFUSED,
			     "kwsd.conf:1: no\nkwsd.conf:2: nor this");
	assert_string_equal(heard(a), "{\"ok\":false,\"request\":\"reload\",\"id\":\"a\",\"code\":"
				      "\"refused\",\"error\":\"kwsd.conf:1: no\",\"errors\":["
				      "\"kwsd.conf:1: no\",\"kwsd.conf:2: nor this\"]}\n");
	assert_string_equal(heard(c), "");
	assert_int_equal(w.reloads, 2);
	assert_non_null(
		strstr(heard(b), "\"id\":\"b2\"")); /* what is behind its own overtakes it */
	w.result = KWS_CONTROL_LATER;
	kws_control_reloaded(control, KWS_CONTROL_DONE, "");
	assert_string_equal(heard(b), "{\"ok\":true,\"request\":\"reload\",\"id\":\"b\"}\n");
	assert_string_equal(heard(c), "{\"ok\":true,\"request\":\"set\",\"id\":\"c\"}\n");
	kws_control_reloaded(control, KWS_CONTROL_DONE, ""); /* nobody asked for that one */
	assert_string_equal(heard(a), "");
	close(a);
	close(b);
	close(c);
}

/* One that asked and is gone is not mistaken for the next in its place; one that sends no more waits. */
static void test_reload_by_who_leaves(void **state)
{
	char byte;

	(void)state;
	int fd = come();
	say(fd, "{\"request\":\"reload\"}");
	close(fd);
	serve();
	int next = come();
	kws_control_reloaded(control, KWS_CONTROL_DONE, "");
	assert_string_equal(heard(next), "");
	w.result = KWS_CONTROL_LATER;
	say(next, "{\"request\":\"reload\"}");
	shutdown(next, SHUT_WR);
	serve();
	kws_control_reloaded(control, KWS_CONTROL_DONE, "");
	assert_string_equal(heard(next), "{\"ok\":true,\"request\":\"reload\"}\n");
	assert_int_equal(recv(next, &byte, 1, 0), 0);
	close(next);
}

static void test_no_place(void **state)
{
	char byte;
	int in[4];

	(void)state;
	for (int i = 0; i < 4; i++)
		in[i] = come();
	int fd = come();
	assert_non_null(strstr(heard(fd), "\"code\":\"full\""));
	assert_int_equal(recv(fd, &byte, 1, 0), 0);
	close(fd);
	for (int i = 0; i < 4; i++)
		close(in[i]);
}

/* A reload of [control]: clients stay, with what they have subscribed to and asked for. */
static void test_socket_changes(void **state)
{
	kws_report r = event(3);
	kws_server *next;
	kws_error err = { "" };
	char byte;

	(void)state;
	int fd = come();
	answer(fd, "{\"request\":\"subscribe\",\"events\":true}");
	say(fd, "{\"request\":\"reload\",\"id\":9}");
	become(conf_with(8, 128));
	kws_control_reloaded(control, KWS_CONTROL_DONE, "");
	assert_string_equal(heard(fd), "{\"ok\":true,\"request\":\"reload\",\"id\":9}\n");
	kws_control_event(control, &r);
	assert_non_null(strstr(heard(fd), "{\"event\":{\"word\":\"yes\""));
	/* one that cannot be: all is as it was */
	kws_conf_control bad = conf_with(8, 64);
	snprintf(bad.path, sizeof bad.path, "%s", in_dir("none/control"));
	assert_int_equal(kws_control_prepare(&next, &bad, control, &err), KWS_ERR_IO);
	assert_non_null(strstr(err.text, "[control] path: "));
	/* turned off: who asked for that is told */
	w.result = KWS_CONTROL_LATER;
	say(fd, "{\"request\":\"reload\"}");
	kws_conf_control off = conf_with(8, 64);
	off.path[0] = 0;
	become(off);
	kws_control_reloaded(control, KWS_CONTROL_DONE, "");
	assert_string_equal(heard(fd), "{\"ok\":true,\"request\":\"reload\"}\n");
	assert_int_equal(recv(fd, &byte, 1, 0), 0);
	assert_int_equal(access(in_dir("control"), F_OK), -1);
	kws_control_event(control, &r);
	close(fd);
	become(conf_with(4, 64));
	close(come());
}

static void test_path_of_its_own(void **state)
{
	kws_conf_control c = conf_with(4, 64);
	kws_error err = { "" };
	kws_server *next;
	char dirs[256];

	(void)state;
	snprintf(c.path, sizeof c.path, "auto");
	unsetenv("RUNTIME_DIRECTORY");
	assert_int_equal(kws_control_prepare(&next, &c, NULL, &err), KWS_OK);
	assert_null(next);
	snprintf(dirs, sizeof dirs, "%s:/run/other", dir);
	setenv("RUNTIME_DIRECTORY", dirs, 1);
	become(c);
	close(come());
	memset(dirs, 'x', 120);
	dirs[0] = '/';
	dirs[120] = 0;
	setenv("RUNTIME_DIRECTORY", dirs, 1);
	assert_int_equal(kws_control_prepare(&next, &c, NULL, &err), KWS_ERR_IO);
	assert_non_null(strstr(err.text, "longer than"));
	unsetenv("RUNTIME_DIRECTORY");
}

/* What is too much for an answer is no lack of memory, and no half of an answer. */
static void test_long_answer(void **state)
{
	(void)state;
	int fd = come();
	w.more = KWS_CONTROL_ANSWER - 1000;
	assert_non_null(strstr(answer(fd, "{\"request\":\"status\"}"), "xxx\","));
	w.more = KWS_CONTROL_ANSWER;
	assert_string_equal(answer(fd, "{\"request\":\"status\"}"),
			    "{\"ok\":false,\"code\":\"failed\",\"error\":\"the answer is too "
			    "long\"}\n");
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH(test_each_request_has_its_answer),
		WITH(test_what_is_wrong_is_named),
		WITH(test_long_and_endless_lines),
		WITH(test_long_answer),
		WITH(test_set),
		WITH(test_bounds_of_set),
		WITH(test_reload),
		WITH(test_reload_by_who_leaves),
		WITH(test_no_place),
		WITH(test_socket_changes),
		WITH(test_path_of_its_own),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
