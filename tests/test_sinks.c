/* The set of sinks that runs: several of a kind, told apart by name; what stays on reload. */
#include "tests/sinks.h"
#include "tests/sockets.h"

#include "daemon/sinks.h"

static kws_conf conf;

static const char *copy(const char *path)
{
	static char text[128];

	snprintf(text, sizeof text, "%s", path);
	return text;
}

/* A file is named as its section; a socket as it says. Both are in our folder. */
static void take_conf(const char *text)
{
	kws_conf_begin(&conf);
	assert_int_equal(kws_conf_parse(&conf, "k.conf", text, strlen(text), NULL, NULL), 0);
	kws_conf_end(&conf);
	conf.out.enabled = conf.journal.enabled = KWS_NO;
	for (size_t i = 0; i < conf.n_file; i++)
		if (*conf.file[i].path)
			snprintf(conf.file[i].path, sizeof conf.file[i].path, "%s",
				 in_dir(conf.file[i].name));
	for (size_t i = 0; i < conf.n_socket; i++)
		if (*conf.socket[i].path)
			snprintf(conf.socket[i].path, sizeof conf.socket[i].path, "%.60s%.32s", dir,
				 copy(conf.socket[i].path));
}

static kws_sinks *started(const char *text)
{
	kws_sinks *s;
	kws_error err = { "" };

	take_conf(text);
	if (kws_sinks_create(&s, &conf, NULL, &err) != KWS_OK || kws_sinks_open(s, &err) != KWS_OK)
		fail_msg("%s", err.text);
	return s;
}

static bool reload(kws_sinks *s, const char *text)
{
	kws_sinks *next;
	kws_error err = { "" };

	take_conf(text);
	if (kws_sinks_create(&next, &conf, s, &err) != KWS_OK)
		fail_msg("%s", err.text);
	return kws_sinks_swap(s, next, 1000);
}

/* "file a 1|socket log 0 2|": kind, name, events taken, and readers where there may be some. */
static const char *running(const kws_sinks *s)
{
	static char text[1024];
	kws_sink_stats st;
	size_t at = 0;

	text[0] = 0;
	for (size_t i = 0; kws_sinks_stats(s, i, &st); i++) {
		at += (size_t)snprintf(text + at, sizeof text - at, "%s %s %lu", st.kind, st.name,
				       st.taken);
		if (st.has_readers)
			at += (size_t)snprintf(text + at, sizeof text - at, " %u", st.readers);
		at += (size_t)snprintf(text + at, sizeof text - at, "|");
	}
	return text;
}

static void push(kws_sinks *s)
{
	kws_report r = event(1);

	kws_sinks_push(s, &r);
}

static void test_several_of_a_kind(void **state)
{
	(void)state;
	kws_sinks *s = started("[file a]\npath = /x\n[file b]\npath = /x\n[file off]\n");
	const int fd = kws_sinks_fd(s);

	push(s);
	assert_string_equal(running(s), "file a 1|file b 1|");
	/* one stays, one is another, one goes, one comes; also in another order */
	assert_true(reload(s, "[file c]\npath = /x\n[file b]\npath = /x\nqueue = 5\n"
			      "[file a]\npath = /x\n"));
	assert_string_equal(running(s), "file c 0|file b 0|file a 1|");
	push(s);
	assert_true(reload(s, "[file c]\npath = /x\n"));
	assert_string_equal(running(s), "file c 1|");
	assert_true(reload(s, ""));
	assert_string_equal(running(s), "");
	push(s);
	assert_true(reload(s, "[file a]\npath = /x\n"));
	assert_int_equal(kws_sinks_fd(s), fd);
	push(s);
	kws_sinks_stop(s, 5000);
	/* those that went end in the background */
	UNTIL(count_lines(slurp(in_dir("a"))) == 3);
	UNTIL(count_lines(slurp(in_dir("b"))) == 2);
	UNTIL(count_lines(slurp(in_dir("c"))) == 1);
}

/* Readers stay with the name of their section, also when two of them exchange their sockets. */
static void test_sockets_of_several_names(void **state)
{
	char text[8192];

	(void)state;
	kws_sinks *s = started("[socket a]\npath = /one\n[socket b]\npath = /two\n");
	int one = visit(in_dir("one")), two = visit(in_dir("two"));

	kws_sinks_serve(s);
	kws_sinks_serve(s);
	assert_string_equal(running(s), "socket a 0 1|socket b 0 1|");
	assert_true(reload(s, "[socket a]\npath = /two\n[socket b]\npath = /one\n"));
	int other = visit(in_dir("one"));
	assert_true(other >= 0);
	kws_sinks_serve(s);
	assert_string_equal(running(s), "socket a 0 1|socket b 0 2|");
	push(s);
	assert_true(read_for_now(one, text, sizeof text) > 0);
	assert_int_equal(schema_check_lines(text), 1);
	assert_true(read_for_now(two, text, sizeof text) > 0);
	assert_true(read_for_now(other, text, sizeof text) > 0);
	assert_true(reload(s, "[socket b]\npath = /one\n"));
	assert_int_equal(recv(one, text, sizeof text, 0), 0);
	assert_int_equal(access(in_dir("two"), F_OK), -1);
	assert_string_equal(running(s), "socket b 1 2|");
	close(one);
	close(two);
	close(other);
	kws_sinks_stop(s, 100);
	assert_int_equal(access(in_dir("one"), F_OK), -1);
}

/* One that cannot be made leaves nothing of the others; one that cannot be opened leaves its
 * predecessor, or nothing, and the others are as they are to be. */
static void test_one_that_fails(void **state)
{
	kws_sinks *next;
	kws_error err = { "" };

	(void)state;
	kws_sinks *s = started("[socket a]\npath = /here\n[file f]\npath = /x\n");
	take_conf("[file g]\npath = /x\n[file h]\npath = /x\n");
	snprintf(conf.file[1].path, sizeof conf.file[1].path, "/nonexistent/x");
	assert_int_equal(kws_sinks_create(&next, &conf, s, &err), KWS_ERR_IO);
	assert_non_null(strstr(err.text, "[file h] path: /nonexistent/x: "));
	assert_null(next);
	assert_int_equal(access(in_dir("g"), F_OK), -1);
	assert_string_equal(running(s), "file f 0|socket a 0 0|");

	take_conf("[socket a]\npath = /there\n[socket b]\npath = /theirs\n[file g]\npath = /x\n");
	assert_int_equal(kws_sinks_create(&next, &conf, s, &err), KWS_OK);
	int there = squat(in_dir("there")), theirs = squat(in_dir("theirs"));
	assert_false(kws_sinks_swap(s, next, 1000));
	assert_string_equal(running(s), "file g 0|socket a 0 0|");
	int reader = visit(in_dir("here"));
	kws_sinks_serve(s);
	assert_string_equal(running(s), "file g 0|socket a 0 1|");
	close(there);
	close(theirs);
	assert_true(reload(s, "[socket a]\npath = /there\n[socket b]\npath = /theirs\n"));
	assert_string_equal(running(s), "socket a 0 1|socket b 0 0|");
	close(reader);
	kws_sinks_stop(s, 100);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_several_of_a_kind),
		cmocka_unit_test(test_sockets_of_several_names),
		cmocka_unit_test(test_one_that_fails),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
