/* Lines of the log: each is whole, or says that it is cut; what stderr has no room for is counted. */
#define _GNU_SOURCE /* pipe2 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "runtime/log.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static int from; /* what is logged; nothing waits for it */

static size_t logged(char *text, size_t n)
{
	const ssize_t got = read(from, text, n - 1);

	text[got > 0 ? got : 0] = 0;
	return strlen(text);
}

static int log_into_pipe(void **state)
{
	const int keep = dup(STDERR_FILENO);
	int fd[2];

	(void)state;
	if (keep < 0 || pipe2(fd, O_NONBLOCK | O_CLOEXEC) != 0 || dup2(fd[1], STDERR_FILENO) < 0)
		return -1;
	kws_log_open(true);
	dup2(keep, STDERR_FILENO); /* cmocka writes there */
	close(keep);
	close(fd[1]);
	from = fd[0];
	return 0;
}

static void test_lengths(void **state)
{
	static const char head[] = "kwsd: info: ";
	static char sent[2 * KWS_LOG_LINE], got[2 * KWS_LOG_LINE];
	const size_t fits = KWS_LOG_LINE - 2 - strlen(head);

	(void)state;
	memset(sent, 'x', fits + 1);
	for (size_t n = fits - 1; n <= fits + 1; n++) {
		sent[n] = 0;
		kws_log(KWS_LOG_INFO, "%s", sent);
		sent[n] = 'x';
		assert_int_equal(logged(got, sizeof got), strlen(head) + (n < fits ? n : fits) + 1);
		assert_int_equal(got[strlen(got) - 1], '\n');
		assert_int_equal(strstr(got, "...\n") != NULL, n > fits);
	}
}

static void test_lost_lines_are_counted(void **state)
{
	static char much[KWS_LOG_LINE], got[1 << 20];
	const unsigned long before = kws_log_dropped();
	unsigned long lost;
	char want[64];

	(void)state;
	memset(much, 'x', sizeof much - 256);
	for (int i = 0; i < 1000; i++)
		kws_log(KWS_LOG_INFO, "%s", much);
	lost = kws_log_dropped() - before;
	assert_in_range(lost, 1, 999);
	logged(got, sizeof got);
	kws_log(KWS_LOG_INFO, "again");
	logged(got, sizeof got);
	snprintf(want, sizeof want, "kwsd: warning: %lu log lines lost\nkwsd: info: again\n", lost);
	assert_string_equal(got, want);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lengths),
		cmocka_unit_test(test_lost_lines_are_counted),
	};

	return cmocka_run_group_tests(tests, log_into_pipe, NULL);
}
