/* The hook: what it is told, how it ends, what it writes. */
#include "tests/sinks.h"

#include <fcntl.h>
#include <sys/stat.h>

static const char *script(const char *name, const char *text)
{
	const char *path = in_dir(name);
	FILE *f = fopen(path, "w");

	fprintf(f, "#!/bin/sh\n%s\n", text);
	fclose(f);
	chmod(path, 0755);
	return path;
}

static void test_hook_gets_the_event(void **state)
{
	kws_conf_hook c = { .timeout_ms = 10000, .at_once = 2, .queue = 8 };
	kws_sink *s;
	kws_report r = event(5);
	char *text;

	(void)state;
	setenv("NOTIFY_SOCKET", "/run/nobody", 1);
	snprintf(c.command, sizeof c.command, "%s \"two words\" $HOME;x",
		 script("hook",
			"cat > \"${0%/*}/got\"\necho "
			"\"$KWS_WORD|$KWS_SCORE|$KWS_START_SAMPLE|$#|$1|$2|${NOTIFY_SOCKET:-none}\""
			" >> \"${0%/*}/got\"; mv \"${0%/*}/got\" \"${0%/*}/got.done\""));
	OPENED(s, kws_sink_hook.create(&s, &c, NULL));
	kws_sink_push(s, &r);
	UNTIL(access(in_dir("got.done"), F_OK) == 0);
	text = slurp(in_dir("got.done"));
	assert_int_equal(strncmp(text, "{\"word\":\"yes\"", 13), 0);
	assert_non_null(strstr(text, "\nyes|0.912346|5|2|two words|$HOME;x|none\n"));
	*strchr(text, '\n') = 0;
	assert_int_equal(schema_check_lines(text), 1);
	kws_sink_stop(s, 1000, true);
	unsetenv("NOTIFY_SOCKET");
}

/* All fields of the event, and all of a large environment. */
static void test_hook_gets_all(void **state)
{
	kws_conf_hook c = { .timeout_ms = 10000, .at_once = 1, .queue = 1 };
	kws_sink *s;
	kws_report r = whole_event(5);
	char name[32], *text, field[KWS_SINK_FIELD + 1];

	(void)state;
	for (int i = 0; i < 1000; i++) {
		snprintf(name, sizeof name, "OF_MANY_%d", i);
		setenv(name, "x", 1);
	}
	snprintf(c.command, sizeof c.command, "%s",
		 script("all", "env > \"${0%/*}/env\"; mv \"${0%/*}/env\" \"${0%/*}/env.done\""));
	OPENED(s, kws_sink_hook.create(&s, &c, NULL));
	kws_sink_push(s, &r);
	UNTIL(access(in_dir("env.done"), F_OK) == 0);
	kws_sink_stop(s, 1000, true);
	text = slurp(in_dir("env.done"));
	assert_non_null(strstr(text, "OF_MANY_999=x\n"));
	for (size_t i = 0; kws_sink_field(&r, i, field); i++) {
		strcat(field, "\n");
		assert_non_null(strstr(text, field));
	}
}

/* A hook that hangs is killed with its children; those after it still run; at_once bounds them. */
static void test_hook_that_hangs(void **state)
{
	kws_conf_hook c = { .timeout_ms = 100, .at_once = 1, .queue = 2 };
	kws_sink *s;
	kws_sink_stats st;
	kws_report r = event(5);

	(void)state;
	snprintf(c.command, sizeof c.command, "%s",
		 script("hang", "echo x >> \"${0%/*}/hung\"; sleep 1000 & wait"));
	OPENED(s, kws_sink_hook.create(&s, &c, NULL));
	for (int i = 0; i < 10; i++)
		kws_sink_push(s, &r);
	kws_sink_stats_get(s, &st);
	assert_int_equal(st.taken + st.dropped, 10);
	assert_true(st.dropped >= 6);
	UNTIL((kws_sink_stats_get(s, &st), st.failed >= st.taken));
	assert_int_equal(count_lines(slurp(in_dir("hung"))), st.taken);
	kws_sink_stop(s, 1000, true);
}

/* At the end a hook has its time, and not more. */
static void test_hook_at_the_end(void **state)
{
	kws_conf_hook c = { .timeout_ms = 100000, .at_once = 2, .queue = 4 };
	kws_sink *s;
	kws_report r = event(5);
	char *text;

	(void)state;
	snprintf(c.command, sizeof c.command, "%s",
		 script("slow", "echo $$ > \"${0%/*}/pid\"; exec sleep 1000"));
	OPENED(s, kws_sink_hook.create(&s, &c, NULL));
	kws_sink_push(s, &r);
	UNTIL(count_lines(slurp(in_dir("pid"))) == 1);
	kws_sink_stop(s, 50, true);
	text = slurp(in_dir("pid"));
	UNTIL(kill((pid_t)atol(text), 0) != 0);
}

static bool alive(const char *pid_file)
{
	pid_t pid = (pid_t)atol(slurp(in_dir(pid_file)));

	return pid > 0 && kill(pid, 0) == 0;
}

/* Twice, until killed have been counted. */
static void run_twice(kws_conf_hook *c, unsigned long killed, kws_sink_stats *st)
{
	kws_sink *s;
	kws_report r = event(5);

	OPENED(s, kws_sink_hook.create(&s, c, NULL));
	kws_sink_push(s, &r);
	UNTIL(access(in_dir("ended"), F_OK) == 0);
	unlink(in_dir("ended"));
	/* the second is started when the first has been buried */
	kws_sink_push(s, &r);
	UNTIL(access(in_dir("ended"), F_OK) == 0);
	unlink(in_dir("ended"));
	UNTIL((kws_sink_stats_get(s, st), st->killed >= killed));
	kws_sink_stop(s, 5000, true);
}

/* It ends well and leaves a child in its group, which would be there for ever: killed, counted. */
static void test_what_a_hook_leaves(void **state)
{
	kws_conf_hook c = { .timeout_ms = 100000, .at_once = 1, .queue = 4 };
	kws_sink_stats st;

	(void)state;
	snprintf(
		c.command, sizeof c.command, "%s",
		script("leaves", "sleep 1000 & echo $! > \"${0%/*}/left\"; : > \"${0%/*}/ended\""));
	run_twice(&c, 2, &st);
	assert_int_equal(st.failed, 0);
	assert_int_equal(st.killed, 2);
	UNTIL(!alive("left"));
}

static void test_a_hook_that_leaves_nothing(void **state)
{
	kws_conf_hook c = { .timeout_ms = 100000, .at_once = 1, .queue = 4 };
	kws_sink_stats st;

	(void)state;
	snprintf(c.command, sizeof c.command, "%s",
		 script("clean", "sleep 0 & wait; : > \"${0%/*}/ended\""));
	run_twice(&c, 0, &st);
	assert_int_equal(st.failed, 0);
	assert_int_equal(st.killed, 0);
}

/* The log is a file for as long as what is in it is looked at. */
static int log_to(const char *path)
{
	int keep = dup(STDERR_FILENO), fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	dup2(fd, STDERR_FILENO);
	close(fd);
	kws_log_level(KWS_LOG_INFO);
	return keep;
}

static void log_back(int keep)
{
	kws_log_level(0);
	dup2(keep, STDERR_FILENO);
	close(keep);
}

/* What it writes is lines of our log, cleaned, and not more than a few KiB of it, also when it
 * never stops; it is not held up by that. */
static void test_output_is_bounded(void **state)
{
	kws_conf_hook c = { .timeout_ms = 100000, .at_once = 1, .queue = 4 };
	kws_sink_stats st;
	char path[128], *text;

	(void)state;
	snprintf(c.command, sizeof c.command, "%s",
		 script("writes",
			"echo first; printf 'a\\033[31mb\\n<3>fake\\n' >&2\n"
			"i=0; while [ $i -lt 3000 ]; do echo "
			"0123456789012345678901234567890123456789012345678; i=$((i + 1)); "
			"done; : > \"${0%/*}/ended\""));
	snprintf(path, sizeof path, "%s", in_dir("log"));
	int keep = log_to(path);
	run_twice(&c, 0, &st);
	log_back(keep);
	text = slurp(path);
	assert_non_null(strstr(text, "hook: first\n"));
	assert_non_null(strstr(text, "hook: a?[31mb\n"));
	assert_non_null(strstr(text, "hook: <3>fake\n"));
	assert_null(strstr(text, "\n<3>fake"));
	assert_non_null(strstr(text, "bytes of output, cut"));
	assert_true(strlen(text) < 2 * (4096 + 200 * 16));
	assert_int_equal(st.failed, 0);
}

/* The hook has its three descriptors and none of ours, or of who started us. */
static void test_hook_inherits_nothing(void **state)
{
	kws_conf_hook c = { .timeout_ms = 100000, .at_once = 1, .queue = 4 };
	kws_sink_stats st;
	char *text;

	(void)state;
	snprintf(c.command, sizeof c.command, "%s",
		 script("fds", "ls -l /proc/self/fd > \"${0%/*}/fds.got\"; : > \"${0%/*}/ended\""));
	run_twice(&c, 0, &st);
	text = slurp(in_dir("fds.got"));
	assert_non_null(strstr(text, " 2 -> "));
	assert_null(strstr(text, "socket:"));
	assert_null(strstr(text, "anon_inode"));
	assert_null(strstr(text, " 4 -> ")); /* 3 is ls, looking */
}

static void test_hook_that_is_not_there(void **state)
{
	kws_conf_hook c = {
		.command = "/nonexistent/hook", .timeout_ms = 100, .at_once = 1, .queue = 1
	};
	kws_sink *s;
	kws_error err = { "" };

	(void)state;
	assert_int_equal(kws_sink_hook.create(&s, &c, &err), KWS_ERR_IO);
	assert_non_null(strstr(err.text, "[hook] command: /nonexistent/hook: "));
}

static void test_hook_that_is_no_program(void **state)
{
	kws_conf_hook c = { .timeout_ms = 100, .at_once = 1, .queue = 1 };
	kws_sink *s;
	kws_error err = { "" };

	(void)state;
	snprintf(c.command, sizeof c.command, "%s", dir);
	assert_int_equal(kws_sink_hook.create(&s, &c, &err), KWS_ERR_IO);
	assert_non_null(strstr(err.text, "is no program"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_hook_gets_the_event),
		cmocka_unit_test(test_hook_gets_all),
		cmocka_unit_test(test_hook_that_hangs),
		cmocka_unit_test(test_hook_at_the_end),
		cmocka_unit_test(test_what_a_hook_leaves),
		cmocka_unit_test(test_a_hook_that_leaves_nothing),
		cmocka_unit_test(test_output_is_bounded),
		cmocka_unit_test(test_hook_inherits_nothing),
		cmocka_unit_test(test_hook_that_is_not_there),
		cmocka_unit_test(test_hook_that_is_no_program),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
