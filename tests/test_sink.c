/* The sinks: what comes out, and that nothing on the other end ever holds up a push. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "daemon/clock.h"
#include "daemon/log.h"
#include "daemon/sink.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

static char dir[64];

static kws_report event(unsigned n)
{
	kws_report r = { .word = "yes",
			 .score = 0.91234567,
			 .threshold = 0.7,
			 .rate_hz = 16000,
			 .snr_db = (double)NAN,
			 .level_dbfs = -20.5,
			 .model = "m",
			 .device = "a \"quoted\" \xff name",
			 .host = "h",
			 .start_time = "2026-01-01T00:00:00.000Z",
			 .end_time = "2026-01-01T00:00:01.000Z" };

	r.start_sample = n;
	r.start_s = n / 16000.0;
	return r;
}

static const char *in_dir(const char *name)
{
	static char path[4][128];
	static int k;

	k = (k + 1) % 4;
	snprintf(path[k], sizeof path[k], "%s/%s", dir, name);
	return path[k];
}

/* Wait for a condition that another thread or process brings about; bounded, and no claim about
 * time. */
#define UNTIL(condition)                                                                           \
	do {                                                                                       \
		for (int tries_ = 0; !(condition) && tries_ < 5000; tries_++) {                    \
			struct timespec t_ = { .tv_nsec = 2000000 };                               \
			nanosleep(&t_, NULL);                                                      \
		}                                                                                  \
		assert_true(condition);                                                            \
	} while (0)

static char *slurp(const char *path)
{
	static char text[1 << 18];
	FILE *f = fopen(path, "r");
	size_t n = f ? fread(text, 1, sizeof text - 1, f) : 0;

	if (f)
		fclose(f);
	text[n] = 0;
	return text;
}

static unsigned count_lines(const char *text)
{
	unsigned n = 0;

	for (; *text; text++)
		n += *text == '\n';
	return n;
}

/* ---- reports ---- */

static void test_json(void **state)
{
	kws_report r = event(16000);
	char line[KWS_REPORT_LINE];
	size_t n = kws_report_json(&r, line);
	json_t *o = json_loads(line, 0, NULL);

	(void)state;
	assert_int_equal(n, strlen(line));
	assert_null(strchr(line, '\n'));
	assert_non_null(o);
	assert_string_equal(json_string_value(json_object_get(o, "word")), "yes");
	assert_true(fabs(json_real_value(json_object_get(o, "score")) - 0.9123) < 1e-12);
	assert_int_equal(json_integer_value(json_object_get(o, "start_sample")), 16000);
	assert_true(json_real_value(json_object_get(o, "start")) == 1.0);
	assert_true(json_is_null(json_object_get(o, "snr_db"))); /* NaN is no JSON */
	assert_string_equal(json_string_value(json_object_get(o, "device")), "a \"quoted\" ? name");
	assert_int_equal(json_integer_value(json_object_get(o, "dropped")), 0);
	json_decref(o);
}

/* The longest that every field can be still is one line of JSON. */
static void test_json_of_extremes(void **state)
{
	kws_report r;
	char line[KWS_REPORT_LINE];

	(void)state;
	memset(&r, 0, sizeof r);
	memset(r.word, '"', sizeof r.word - 1); /* doubles when escaped */
	memset(r.model, '\\', sizeof r.model - 1);
	memset(r.device, '"', sizeof r.device - 1);
	memset(r.clip, 'c', sizeof r.clip - 1);
	memset(r.host, 'h', sizeof r.host - 1);
	r.start_sample = r.end_sample = INT64_MAX;
	r.start_s = 1e11;
	size_t n = kws_report_json(&r, line);
	assert_true(n > 0 && n < KWS_REPORT_LINE);
	json_t *o = json_loads(line, 0, NULL);
	assert_non_null(o);
	json_decref(o);
	memset(r.device, '\x1b', sizeof r.device - 1);
	memset(r.word, '\n', sizeof r.word - 1);
	memset(r.host, '\x7f', sizeof r.host - 1);
	memset(r.model, 0x01, sizeof r.model - 1);
	n = kws_report_json(&r, line);
	assert_true(n > 0 && n < KWS_REPORT_LINE);
	for (size_t i = 0; i < n; i++)
		assert_true((unsigned char)line[i] >= 0x20 && line[i] != 0x7f);
}

static void test_fields(void **state)
{
	kws_report r = event(8);
	const char *name;
	char value[64];
	size_t i;
	bool score = false, snr = false;

	(void)state;
	for (i = 0; kws_report_field(&r, i, &name, value, sizeof value); i++) {
		score |= !strcmp(name, "score") && !strcmp(value, "0.9123");
		snr |= !strcmp(name, "snr_db") && !*value;
	}
	assert_true(i > 15 && score && snr);
}

/* ---- file ---- */

static void test_file_appends_and_rotates(void **state)
{
	kws_conf_file c = { .mode = 0600, .queue = 64 };
	kws_sink *s;
	kws_sink_stats st;
	kws_report r = event(1);
	struct stat info;

	(void)state;
	snprintf(c.path, sizeof c.path, "%s", in_dir("events"));
	assert_int_equal(kws_sink_file_create(&s, &c, NULL), KWS_OK);
	kws_sink_push(s, &r);
	UNTIL(count_lines(slurp(c.path)) == 1);
	assert_int_equal(stat(c.path, &info), 0);
	assert_int_equal(info.st_mode & 0777, 0600);
	assert_int_equal(rename(c.path, in_dir("events.1")), 0);
	kws_sink_push(s, &r);
	UNTIL(count_lines(slurp(c.path)) == 1); /* a new file, without any signal */
	assert_int_equal(count_lines(slurp(in_dir("events.1"))), 1);
	kws_sink_push(s, &r);
	kws_sink_stats_get(s, &st);
	assert_int_equal(st.taken, 3);
	kws_sink_stop(s, 5000, true);
	assert_int_equal(count_lines(slurp(c.path)), 2); /* delivered before the end */
}

static void test_file_that_cannot_be(void **state)
{
	kws_conf_file c = { .path = "/nonexistent/dir/file", .mode = 0600, .queue = 4 };
	kws_sink *s;
	kws_error err = { "" };

	(void)state;
	assert_int_equal(kws_sink_file_create(&s, &c, &err), KWS_ERR_IO);
	assert_null(s);
	assert_non_null(strstr(err.text, "file.path: /nonexistent/dir/file: "));
}

/* /dev/full refuses every write: events wait, the queue fills, drops are counted, and stop comes
 * back. */
static void test_full_disk(void **state)
{
	kws_conf_file c = { .path = "/dev/full", .mode = 0600, .queue = 4 };
	kws_sink *s;
	kws_sink_stats st;
	kws_report r = event(1);

	(void)state;
	assert_int_equal(kws_sink_file_create(&s, &c, NULL), KWS_OK);
	for (int i = 0; i < 20; i++)
		kws_sink_push(s, &r);
	kws_sink_stats_get(s, &st);
	assert_int_equal(st.taken + st.dropped, 20);
	assert_true(st.dropped >= 15);
	kws_sink_stop(s, 50, true);
}

/* ---- stdout ---- */

static void test_stuck_stdout(void **state)
{
	kws_conf_stdout c = { .enabled = KWS_YES, .queue = 8 };
	kws_sink *s;
	kws_sink_stats st;
	kws_report r = event(1);
	int p[2], keep = dup(STDOUT_FILENO);
	char text[1 << 16];

	(void)state;
	assert_int_equal(pipe(p), 0);
	fflush(stdout);
	dup2(p[1], STDOUT_FILENO);
	assert_int_equal(kws_sink_stdout_create(&s, &c, NULL), KWS_OK);
	dup2(keep, STDOUT_FILENO);
	close(p[1]);
	close(keep);
	for (int i = 0; i < 2000; i++) /* more than a pipe holds; nobody reads */
		kws_sink_push(s, &r);
	kws_sink_stats_get(s, &st);
	assert_int_equal(st.taken + st.dropped, 2000);
	assert_true(st.dropped > 0);
	/* now somebody does: whole lines, and one of them says what was lost */
	ssize_t n = read(p[0], text, sizeof text - 1);
	assert_true(n > 0);
	text[n] = 0;
	assert_int_equal(strncmp(text, "{\"word\":\"yes\"", 13), 0);
	kws_sink_stop(s, 20, true);
	close(p[0]);
}

/* ---- socket ---- */

static int visit(const char *path)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	snprintf(a.sun_path, sizeof a.sun_path, "%s", path);
	if (connect(fd, (struct sockaddr *)&a, sizeof a) != 0) {
		close(fd);
		return -1;
	}
	return fd;
}

static unsigned readers(kws_sink *s)
{
	kws_sink_stats st;

	kws_sink_serve(s);
	kws_sink_stats_get(s, &st);
	return st.readers;
}

static size_t read_for_now(int fd, char *text, size_t n)
{
	size_t at = 0;
	ssize_t k;

	while (at < n - 1 && (k = recv(fd, text + at, n - 1 - at, MSG_DONTWAIT)) > 0)
		at += (size_t)k;
	text[at] = 0;
	return at;
}

static kws_conf_socket socket_conf(void)
{
	kws_conf_socket c = { .mode = 0620, .clients = 4, .buffer_kb = 4 };

	snprintf(c.path, sizeof c.path, "%s", in_dir("events.sock"));
	return c;
}

static void test_socket_readers(void **state)
{
	kws_conf_socket c = socket_conf();
	kws_sink *s;
	kws_report r = event(5);
	struct stat st;
	char text[8192];
	int fd[4];

	(void)state;
	assert_int_equal(kws_sink_socket_create(&s, &c, NULL), KWS_OK);
	assert_int_equal(stat(c.path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0620);
	kws_sink_push(s, &r); /* nobody there */
	for (int i = 0; i < 4; i++)
		fd[i] = visit(c.path);
	assert_int_equal(readers(s), 4);
	int fifth = visit(c.path);
	assert_int_equal(readers(s), 4);
	assert_int_equal(recv(fifth, text, sizeof text, 0), 0); /* shown the door */
	close(fifth);
	kws_sink_push(s, &r);
	for (int i = 0; i < 4; i++) {
		read_for_now(fd[i], text, sizeof text);
		assert_int_equal(count_lines(text), 1);
		assert_non_null(strstr(text, "\"start_sample\":5,"));
	}
	close(fd[1]); /* one leaves */
	assert_int_equal(readers(s), 3);
	shutdown(fd[2], SHUT_WR); /* one has nothing more to say, but listens */
	assert_int_equal(readers(s), 3);
	kws_sink_push(s, &r);
	read_for_now(fd[2], text, sizeof text);
	assert_int_equal(count_lines(text), 1);
	kws_sink_stop(s, 100, true);
	assert_int_equal(stat(c.path, &st), -1);
	for (int i = 0; i < 4; i++)
		if (i != 1)
			close(fd[i]);
}

/* A reader that never reads loses whole lines, which are counted; the others lose none. */
static void test_socket_slow_reader(void **state)
{
	kws_conf_socket c = socket_conf();
	kws_sink *s;
	kws_sink_stats st;
	static char text[1 << 20];
	unsigned good_lines = 0, slow_lines, told = 0;

	(void)state;
	assert_int_equal(kws_sink_socket_create(&s, &c, NULL), KWS_OK);
	int slow = visit(c.path), good = visit(c.path);
	assert_int_equal(readers(s), 2);
	for (unsigned i = 0; i < 3000; i++) {
		kws_report r = event(i);

		kws_sink_push(s, &r);
		kws_sink_serve(s);
		read_for_now(good, text, sizeof text);
		good_lines += count_lines(text);
	}
	assert_int_equal(good_lines, 3000);
	kws_sink_stats_get(s, &st);
	assert_true(st.dropped > 0 && st.dropped < 3000);
	/* it wakes up: what it finds is whole lines, then new events, the first of which says how
	 * many are missing */
	size_t at = 0, k;
	do {
		k = read_for_now(slow, text + at, sizeof text - at);
		at += k;
		kws_sink_serve(s);
	} while (k > 0);
	slow_lines = count_lines(text);
	assert_int_equal(slow_lines + st.dropped, 3000);
	assert_int_equal(text[at - 1], '\n');
	for (int i = 0; i < 2; i++) {
		kws_report r = event(9999);

		kws_sink_push(s, &r);
	}
	read_for_now(slow, text, sizeof text);
	assert_int_equal(sscanf(strstr(text, "\"dropped\":"), "\"dropped\":%u", &told), 1);
	assert_int_equal(told, st.dropped);
	assert_int_equal(
		sscanf(strstr(strchr(text, '\n'), "\"dropped\":"), "\"dropped\":%u", &told), 1);
	assert_int_equal(told, 0);
	close(slow);
	close(good);
	kws_sink_stop(s, 100, true);
}

static void test_socket_replaces_itself(void **state)
{
	kws_conf_socket c = socket_conf();
	kws_sink *old, *new;
	kws_report r = event(1);
	char text[4096];

	(void)state;
	assert_int_equal(kws_sink_socket_create(&old, &c, NULL), KWS_OK);
	c.mode = 0666;
	assert_int_equal(kws_sink_socket_create(&new, &c, NULL), KWS_OK);
	kws_sink_stop(old, 0, false); /* must not take the new one's name away */
	int fd = visit(c.path);
	assert_true(fd >= 0);
	assert_int_equal(readers(new), 1);
	kws_sink_push(new, &r);
	read_for_now(fd, text, sizeof text);
	assert_int_equal(count_lines(text), 1);
	close(fd);
	kws_sink_stop(new, 0, true);
}

static void test_socket_in_the_way(void **state)
{
	kws_conf_socket c = socket_conf();
	kws_sink *s;
	kws_error err = { "" };
	FILE *f = fopen(c.path, "w");

	(void)state;
	fclose(f);
	assert_int_equal(kws_sink_socket_create(&s, &c, &err),
			 KWS_ERR_IO); /* a file is not ours to remove */
	assert_non_null(strstr(err.text, "is no socket"));
	unlink(c.path);
	snprintf(c.group, sizeof c.group, "no-such-group-here");
	assert_int_equal(kws_sink_socket_create(&s, &c, &err), KWS_ERR_IO);
	assert_non_null(strstr(err.text, "socket.group"));
	assert_int_equal(access(c.path, F_OK), -1);
	/* a stale socket of a daemon that was killed is no obstacle */
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	snprintf(a.sun_path, sizeof a.sun_path, "%s", c.path);
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof a), 0);
	close(fd);
	c.group[0] = 0;
	assert_int_equal(kws_sink_socket_create(&s, &c, &err), KWS_OK);
	kws_sink_stop(s, 0, true);
}

/* ---- hook ---- */

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
	assert_int_equal(kws_sink_hook_create(&s, &c, NULL), KWS_OK);
	kws_sink_push(s, &r);
	UNTIL(access(in_dir("got.done"), F_OK) == 0);
	text = slurp(in_dir("got.done"));
	assert_int_equal(strncmp(text, "{\"word\":\"yes\"", 13), 0);
	assert_non_null(strstr(text, "\nyes|0.9123|5|2|two words|$HOME;x|none\n"));
	kws_sink_stop(s, 1000, true);
	unsetenv("NOTIFY_SOCKET");
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
	assert_int_equal(kws_sink_hook_create(&s, &c, NULL), KWS_OK);
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
	assert_int_equal(kws_sink_hook_create(&s, &c, NULL), KWS_OK);
	kws_sink_push(s, &r);
	UNTIL(count_lines(slurp(in_dir("pid"))) == 1);
	kws_sink_stop(s, 50, true);
	text = slurp(in_dir("pid"));
	UNTIL(kill((pid_t)atol(text), 0) != 0);
}

static void test_hook_that_is_not_there(void **state)
{
	kws_conf_hook c = {
		.command = "/nonexistent/hook", .timeout_ms = 100, .at_once = 1, .queue = 1
	};
	kws_sink *s;
	kws_error err = { "" };

	(void)state;
	assert_int_equal(kws_sink_hook_create(&s, &c, &err), KWS_ERR_IO);
	assert_non_null(strstr(err.text, "hook.command: /nonexistent/hook: "));
}

static int setup(void **state)
{
	(void)state;
	signal(SIGPIPE, SIG_IGN);
	kws_log_level(0);
	snprintf(dir, sizeof dir, "/tmp/kws-test-sink.XXXXXX");
	return mkdtemp(dir) ? 0 : -1;
}

static int teardown(void **state)
{
	char command[128];

	(void)state;
	snprintf(command, sizeof command, "rm -rf %s", dir);
	return system(command);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_json),
		cmocka_unit_test(test_json_of_extremes),
		cmocka_unit_test(test_fields),
		cmocka_unit_test(test_file_appends_and_rotates),
		cmocka_unit_test(test_file_that_cannot_be),
		cmocka_unit_test(test_full_disk),
		cmocka_unit_test(test_stuck_stdout),
		cmocka_unit_test(test_socket_readers),
		cmocka_unit_test(test_socket_slow_reader),
		cmocka_unit_test(test_socket_replaces_itself),
		cmocka_unit_test(test_socket_in_the_way),
		cmocka_unit_test(test_hook_gets_the_event),
		cmocka_unit_test(test_hook_that_hangs),
		cmocka_unit_test(test_hook_at_the_end),
		cmocka_unit_test(test_hook_that_is_not_there),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
