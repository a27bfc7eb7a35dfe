/* The sinks: what comes out, and that nothing on the other end ever holds up a push. */
#include "tests/sinks.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

/* ---- reports ---- */

static void test_json(void **state)
{
	kws_report r = event(16000);
	char line[KWS_EVENT_JSON];
	size_t n = kws_report_json(&r, line, sizeof line);
	json_t *o = json_loads(line, 0, NULL);

	(void)state;
	assert_int_equal(n, strlen(line));
	assert_null(strchr(line, '\n'));
	assert_int_equal(schema_check_lines(line), 1);
	assert_non_null(o);
	assert_string_equal(json_string_value(json_object_get(o, "word")), "yes");
	assert_true(fabs(json_real_value(json_object_get(o, "score")) - 0.912346) < 1e-12);
	assert_int_equal(json_integer_value(json_object_get(o, "start_sample")), 16000);
	assert_true(json_real_value(json_object_get(o, "start")) == 1.0);
	assert_true(json_is_null(json_object_get(o, "snr_db"))); /* NaN is no JSON */
	assert_string_equal(json_string_value(json_object_get(o, "device")),
			    "a \"quoted\" \xef\xbf\xbd name");
	assert_int_equal(json_integer_value(json_object_get(o, "dropped")), 0);
	json_decref(o);
}

/* The longest that every field can be still is one line of JSON. */
static void test_json_of_extremes(void **state)
{
	kws_report r;
	char line[KWS_EVENT_JSON];

	(void)state;
	memset(&r, 0, sizeof r);
	memset(r.word, '"', sizeof r.word - 1); /* doubles when escaped */
	memset(r.model, '\\', sizeof r.model - 1);
	r.live = true;
	memset(r.device, '"', sizeof r.device - 1);
	memset(r.clip, 'c', sizeof r.clip - 1);
	memset(r.host, 'h', sizeof r.host - 1);
	r.start_sample = r.end_sample = INT64_MAX;
	r.start_s = 1e11;
	size_t n = kws_report_json(&r, line, sizeof line);
	assert_true(n > 0 && n < KWS_EVENT_JSON);
	json_t *o = json_loads(line, 0, NULL);
	assert_non_null(o);
	json_decref(o);
	memset(r.device, '\x1b', sizeof r.device - 1);
	memset(r.word, '\n', sizeof r.word - 1);
	memset(r.host, '\x7f', sizeof r.host - 1);
	memset(r.model, 0x01, sizeof r.model - 1);
	n = kws_report_json(&r, line, sizeof line);
	assert_true(n > 0 && n < KWS_EVENT_JSON);
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
		score |= !strcmp(name, "score") && !strcmp(value, "0.912346");
		snr |= !strcmp(name, "snr_db") && !*value;
	}
	assert_true(i > 15 && score && snr);
}

/* ---- file ---- */

static bool is_json_lines(const char *text)
{
	while (*text) {
		size_t n = strcspn(text, "\n");
		json_t *o = json_loadb(text, n, 0, NULL);

		if (!o || text[n] != '\n')
			return false;
		json_decref(o);
		text += n + 1;
	}
	return true;
}

static void test_file_appends_and_rotates(void **state)
{
	kws_conf_file c = { .mode = 0600, .queue = 64 };
	kws_sink *s;
	kws_sink_stats st;
	kws_report r = event(1);
	struct stat info;

	(void)state;
	snprintf(c.path, sizeof c.path, "%s", in_dir("events"));
	OPENED(s, kws_sink_file.create(&s, &c, NULL));
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
	assert_int_equal(schema_check_lines(slurp(c.path)), 2);
}

static void test_file_that_cannot_be(void **state)
{
	kws_conf_file c = { .path = "/nonexistent/dir/file", .mode = 0600, .queue = 4 };
	kws_sink *s;
	kws_error err = { "" };

	(void)state;
	assert_int_equal(kws_sink_file.create(&s, &c, &err), KWS_ERR_IO);
	assert_null(s);
	assert_non_null(strstr(err.text, "[file] path: /nonexistent/dir/file: "));
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
	OPENED(s, kws_sink_file.create(&s, &c, NULL));
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
	OPENED(s, kws_sink_stdout.create(&s, &c, NULL));
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

static void test_file_is_made_when_opened(void **state)
{
	kws_conf_file c = { .mode = 0600, .queue = 4 };
	kws_sink *s;

	(void)state;
	snprintf(c.path, sizeof c.path, "%s", in_dir("not yet"));
	assert_int_equal(kws_sink_file.create(&s, &c, NULL), KWS_OK);
	assert_int_equal(access(c.path, F_OK), -1);
	kws_sink_stop(s, 0, true);
	assert_int_equal(access(c.path, F_OK), -1);
	OPENED(s, kws_sink_file.create(&s, &c, NULL));
	assert_int_equal(access(c.path, F_OK), 0);
	kws_sink_stop(s, 0, true);
}

/* A named pipe: opening it waits for nobody; events wait for a reader, and for the next one. */
static void test_named_pipe(void **state)
{
	kws_conf_file c = { .mode = 0600, .queue = 16 };
	kws_sink *s;
	kws_report r = event(1);
	char text[8192];

	(void)state;
	snprintf(c.path, sizeof c.path, "%s", in_dir("pipe"));
	assert_int_equal(mkfifo(c.path, 0600), 0);
	OPENED(s, kws_sink_file.create(&s, &c, NULL));
	kws_sink_push(s, &r);
	for (int reader = 0; reader < 2; reader++) {
		int fd = open(c.path, O_RDONLY);
		ssize_t n = read(fd, text, sizeof text - 1);

		assert_true(n > 0);
		text[n] = 0;
		assert_int_equal(count_lines(text), 1);
		assert_int_equal(text[0], '{');
		close(fd);
		kws_sink_push(s, &r);
	}
	kws_sink_stop(s, 50, true);
}

/* A disk that fills up in the middle of a line: the line goes on where it stopped. */
static void test_file_goes_on_in_the_line(void **state)
{
	kws_conf_file c = { .mode = 0600, .queue = 4 };
	struct rlimit was, small;
	struct stat st;
	kws_sink *s;
	kws_report r = event(1);

	(void)state;
	snprintf(c.path, sizeof c.path, "%s", in_dir("full"));
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &was), 0);
	small = was;
	small.rlim_cur = 100;
	OPENED(s, kws_sink_file.create(&s, &c, NULL));
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	kws_sink_push(s, &r);
	UNTIL(stat(c.path, &st) == 0 && st.st_size == 100);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &was), 0);
	kws_sink_push(s, &r);
	UNTIL(count_lines(slurp(c.path)) == 2);
	assert_true(is_json_lines(slurp(c.path)));
	kws_sink_stop(s, 5000, true);
}

/* Half a line that another daemon left is ended before ours begins. */
static void test_file_that_ends_torn(void **state)
{
	kws_conf_file c = { .mode = 0600, .queue = 4 };
	kws_sink *s;
	kws_report r = event(1);
	int fd;

	(void)state;
	snprintf(c.path, sizeof c.path, "%s", in_dir("torn"));
	fd = open(c.path, O_WRONLY | O_CREAT, 0600);
	assert_int_equal(write(fd, "{\"wo", 4), 4);
	close(fd);
	for (int i = 0; i < 2; i++) {
		OPENED(s, kws_sink_file.create(&s, &c, NULL));
		kws_sink_push(s, &r);
		kws_sink_stop(s, 5000, true);
	}
	assert_memory_equal(slurp(c.path), "{\"wo\n{\"word\"", 12);
	assert_int_equal(count_lines(slurp(c.path)), 3);
	assert_true(is_json_lines(slurp(c.path) + 5));
}

static void test_what_is_no_file(void **state)
{
	kws_conf_file c = { .mode = 0600, .queue = 4 };
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	kws_sink *s;
	kws_error err = { "" };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	(void)state;
	snprintf(a.sun_path, sizeof a.sun_path, "%s", in_dir("a-socket"));
	assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof a), 0);
	snprintf(c.path, sizeof c.path, "%s", a.sun_path);
	assert_int_equal(kws_sink_file.create(&s, &c, &err), KWS_ERR_IO);
	assert_non_null(strstr(err.text, "is a socket"));
	close(fd);
	snprintf(c.path, sizeof c.path, "%s", dir);
	assert_int_equal(kws_sink_file.create(&s, &c, &err), KWS_ERR_IO);
	assert_non_null(strstr(err.text, "Is a directory"));
}

/* What a sink had no room for, the next event that it takes tells; the one after it, no more. */
static void test_losses_are_told(void **state)
{
	kws_conf_file c = { .mode = 0600, .queue = 2 };
	kws_sink *s;
	kws_sink_stats st;
	kws_report r = event(1);
	char path[128], *text;
	unsigned long told = 0;
	unsigned lines;

	(void)state;
	snprintf(path, sizeof path, "%s", in_dir("lossy"));
	snprintf(c.path, sizeof c.path, "%s", path);
	assert_int_equal(mkfifo(path, 0600), 0);
	OPENED(s, kws_sink_file.create(&s, &c, NULL));
	for (int i = 0; i < 20; i++) /* nobody reads */
		kws_sink_push(s, &r);
	kws_sink_stats_get(s, &st);
	assert_true(st.dropped >= 17 && st.taken + st.dropped == 20);
	unlink(path); /* now it is a file, which takes what waits */
	UNTIL((lines = count_lines(slurp(path))) == st.taken);
	kws_sink_push(s, &r);
	UNTIL(count_lines(slurp(path)) == lines + 1);
	kws_sink_push(s, &r);
	UNTIL(count_lines(slurp(path)) == lines + 2);
	kws_sink_stop(s, 5000, true);
	/* the worker may have made room in between: each line tells of those before it */
	text = slurp(path);
	for (const char *at = text; (at = strstr(at, "\"dropped\":")); at++)
		told += strtoul(at + strlen("\"dropped\":"), NULL, 10);
	assert_int_equal(told, st.dropped);
	assert_string_equal(strrchr(text, ','), ",\"dropped\":0}\n");
}

/* Standard output that was closed at the start, as kws_start leaves it. */
static void test_closed_stdout(void **state)
{
	kws_conf_stdout c = { .enabled = KWS_YES, .queue = 8 };
	kws_sink *s;
	kws_error err = { "" };
	int keep = dup(STDOUT_FILENO), null = open("/dev/null", O_RDONLY);
	enum kws_status status;

	(void)state;
	fflush(stdout);
	dup2(null, STDOUT_FILENO);
	status = kws_sink_stdout.create(&s, &c, &err);
	dup2(keep, STDOUT_FILENO);
	close(keep);
	close(null);
	assert_int_equal(status, KWS_ERR_IO);
	assert_string_equal(err.text, "[stdout] enabled: standard output is closed");
}

static void test_clean(void **state)
{
	static const struct {
		const char *dirty, *clean;
	} rows[] = {
		{ "mic\nSTOPPING=1", "mic?STOPPING=1" },
		{ "\x1b[31mred\x7f\t", "?[31mred??" },
		{ "M\xc3\xbcller \xe2\x82\xac", "M\xc3\xbcller \xe2\x82\xac" },
		{ "\xc2\x9b"
		  "31m \xc2\xa0",
		  "??31m \xc2\xa0" },
		{ "\xc2", "\xc2" },
		{ "", "" },
	};
	char text[64];

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		snprintf(text, sizeof text, "%s", rows[i].dirty);
		kws_clean(text);
		assert_string_equal(text, rows[i].clean);
	}
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
		cmocka_unit_test(test_file_is_made_when_opened),
		cmocka_unit_test(test_named_pipe),
		cmocka_unit_test(test_file_goes_on_in_the_line),
		cmocka_unit_test(test_file_that_ends_torn),
		cmocka_unit_test(test_what_is_no_file),
		cmocka_unit_test(test_losses_are_told),
		cmocka_unit_test(test_stuck_stdout),
		cmocka_unit_test(test_closed_stdout),
		cmocka_unit_test(test_clean),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
