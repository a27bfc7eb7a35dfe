/* The log: its two forms, its levels, and that a reader who does not read holds nobody up. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "runtime/log.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int log_end[2], own_stderr;

/* Standard error is a pipe, which is read here. */
static int set_up(void **state)
{
	(void)state;
	own_stderr = dup(STDERR_FILENO);
	if (own_stderr < 0 || pipe(log_end) != 0)
		return -1;
	fcntl(log_end[0], F_SETFL, O_NONBLOCK);
	kws_log_level(KWS_LOG_INFO);
	return dup2(log_end[1], STDERR_FILENO) < 0;
}

static int tear_down(void **state)
{
	(void)state;
	dup2(own_stderr, STDERR_FILENO);
	close(own_stderr);
	close(log_end[0]);
	close(log_end[1]);
	unsetenv("JOURNAL_STREAM");
	return 0;
}

/* All that has come. */
static const char *logged(void)
{
	static char text[1 << 17];
	size_t n = 0;
	ssize_t k;

	while ((k = read(log_end[0], text + n, sizeof text - 1 - n)) > 0)
		n += (size_t)k;
	text[n] = 0;
	return text;
}

static void test_levels(void **state)
{
	(void)state;
	kws_log(KWS_LOG_ERROR, "a %d", 1);
	kws_log(KWS_LOG_WARNING, "b");
	kws_log(KWS_LOG_INFO, "c");
	kws_log(KWS_LOG_DEBUG, "not told");
	assert_string_equal(logged(), "kwsd: error: a 1\nkwsd: warning: b\nkwsd: info: c\n");
	kws_log_level(KWS_LOG_DEBUG);
	kws_log(KWS_LOG_DEBUG, "d");
	kws_log_level(KWS_LOG_ERROR);
	kws_log(KWS_LOG_WARNING, "not told");
	assert_string_equal(logged(), "kwsd: debug: d\n");
}

/* Whatever is in it, a line is a line. */
static void test_one_line(void **state)
{
	const char *got;

	(void)state;
	kws_log(KWS_LOG_INFO, "a\nkwsd: error: b\x1b[31m");
	got = logged();
	assert_ptr_equal(strchr(got, '\n'), got + strlen(got) - 1);
	assert_null(strchr(got, '\x1b'));
}

/* systemd names the stream that it has connected; another one is not the journal. */
static void test_journal(void **state)
{
	struct stat st;
	char stream[64];

	(void)state;
	assert_false(kws_log_is_journal(STDERR_FILENO));
	assert_int_equal(fstat(STDERR_FILENO, &st), 0);
	snprintf(stream, sizeof stream, "%llu:%llu", (unsigned long long)st.st_dev,
		 (unsigned long long)st.st_ino);
	setenv("JOURNAL_STREAM", stream, 1);
	assert_true(kws_log_is_journal(STDERR_FILENO));
	assert_false(kws_log_is_journal(own_stderr));
	assert_false(kws_log_is_journal(-1));
	kws_log(KWS_LOG_WARNING, "b");
	assert_string_equal(logged(), "<4>b\n");
	setenv("JOURNAL_STREAM", "1:1", 1);
	kws_log(KWS_LOG_WARNING, "b");
	assert_string_equal(logged(), "kwsd: warning: b\n");
}

/* A full pipe loses lines, and nobody waits: the next line that gets through says how many. */
static void test_nobody_reads(void **state)
{
	const unsigned long before = kws_log_dropped();
	unsigned long lost;
	unsigned told = 0, n = 0;
	char text[900], last[64];
	const char *got;

	(void)state;
	memset(text, 'x', sizeof text - 1);
	text[sizeof text - 1] = 0;
	while (kws_log_dropped() < before + 3 && n < 1000) {
		kws_log(KWS_LOG_INFO, "%s", text);
		n++;
	}
	lost = kws_log_dropped() - before;
	assert_int_equal(lost, 3);
	for (got = logged(); (got = strchr(got, '\n')); got++)
		told++;
	assert_int_equal(told, n - lost); /* whole lines only */
	kws_log(KWS_LOG_INFO, "again");
	snprintf(last, sizeof last, "kwsd: warning: %lu log lines lost\nkwsd: info: again\n", lost);
	assert_string_equal(logged(), last);
	kws_log(KWS_LOG_INFO, "once");
	assert_string_equal(logged(), "kwsd: info: once\n");
}

static void say_as_library(const char *text)
{
	assert_int_equal(write(STDERR_FILENO, text, strlen(text)), strlen(text));
}

/* What libraries write to standard error is not the log's; with debug it is let through. */
static void test_libraries(void **state)
{
	(void)state;
	kws_log_open(true);
	say_as_library("ALSA lib\n");
	kws_log(KWS_LOG_INFO, "c");
	assert_string_equal(logged(), "ALSA lib\nkwsd: info: c\n");
	kws_log_open(false);
	say_as_library("ALSA lib\n");
	kws_log(KWS_LOG_INFO, "d");
	assert_string_equal(logged(), "kwsd: info: d\n");
	assert_int_not_equal(kws_log_fd(), STDERR_FILENO);
}

#define LOG_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest
		tests[] = {
			LOG_TEST(test_levels),	  LOG_TEST(test_one_line),
			LOG_TEST(test_journal),	  LOG_TEST(test_nobody_reads),
			LOG_TEST(test_libraries), /* the last: the log has a descriptor of its own then */
		};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
