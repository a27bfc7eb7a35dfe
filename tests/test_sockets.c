/* The sockets that systemd passes to a gateway, and which addresses are of this machine. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "gateway/sockets.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { FIRST = 3 }; /* where systemd's sockets begin, sd_listen_fds(3) */

/* Pass n sockets, as systemd does; the one at place deaf does not listen. */
static void pass(int n, int deaf)
{
	const struct sockaddr some = { .sa_family = AF_UNIX }; /* a name that the kernel chooses */
	char text[32];

	for (int i = 0; i < n; i++) {
		const int fd = socket(AF_UNIX, SOCK_STREAM, 0);

		assert_true(fd >= 0);
		if (fd != FIRST + i) {
			assert_int_equal(dup2(fd, FIRST + i), FIRST + i);
			close(fd);
		}
		assert_int_equal(bind(FIRST + i, &some, sizeof some.sa_family), 0);
		if (i != deaf)
			assert_int_equal(listen(FIRST + i, 1), 0);
	}
	snprintf(text, sizeof text, "%d", (int)getpid());
	setenv("LISTEN_PID", text, 1);
	snprintf(text, sizeof text, "%d", n);
	setenv("LISTEN_FDS", text, 1);
}

static int not_passed(void **state)
{
	(void)state;
	unsetenv("LISTEN_PID");
	unsetenv("LISTEN_FDS");
	for (int i = 0; i < 3; i++)
		close(FIRST + i);
	return 0;
}

static void none_is_none(void **state)
{
	int fd[2];
	size_t n = 9;

	(void)state;
	assert_int_equal(kws_sockets_passed(fd, 2, &n, NULL), KWS_OK);
	assert_int_equal(n, 0);
}

static void all_are_taken_again_and_again(void **state)
{
	int fd[2];
	size_t n;

	(void)state;
	pass(2, -1);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(kws_sockets_passed(fd, 2, &n, NULL), KWS_OK);
		assert_int_equal(n, 2);
		assert_int_equal(fd[0], FIRST);
		assert_int_equal(fd[1], FIRST + 1);
		assert_true(fcntl(fd[1], F_GETFL) & O_NONBLOCK);
	}
}

static void what_does_not_listen_is_refused(void **state)
{
	kws_error err = { "" };
	int fd[2];
	size_t n;

	(void)state;
	pass(2, 1);
	assert_int_equal(kws_sockets_passed(fd, 2, &n, &err), KWS_ERR_ARG);
	assert_string_equal(err.text, "systemd passes a descriptor that is no listening socket");
}

static void too_many_are_refused(void **state)
{
	kws_error err = { "" };
	int fd[2];
	size_t n;

	(void)state;
	pass(3, -1);
	assert_int_equal(kws_sockets_passed(fd, 2, &n, &err), KWS_ERR_ARG);
	assert_string_equal(err.text, "systemd passes 3 sockets, at most 2 are used");
}

static void a_unix_socket_is_of_this_machine(void **state)
{
	const struct sockaddr a = { .sa_family = AF_UNIX }, other = { .sa_family = AF_UNSPEC };

	(void)state;
	assert_true(kws_sockets_is_local(&a)); /* addresses: test_web_parts */
	assert_false(kws_sockets_is_local(&other));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(none_is_none, not_passed),
		cmocka_unit_test_teardown(all_are_taken_again_and_again, not_passed),
		cmocka_unit_test_teardown(what_does_not_listen_is_refused, not_passed),
		cmocka_unit_test_teardown(too_many_are_refused, not_passed),
		cmocka_unit_test(a_unix_socket_is_of_this_machine),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
