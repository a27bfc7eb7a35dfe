/* What systemd is told, read from a NOTIFY_SOCKET of our own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "runtime/notify.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static char path[64];
static int fd;

/* All that was told since the last look. */
static const char *told(void)
{
	static char all[4096];
	size_t n = 0;
	ssize_t got;

	while ((got = recv(fd, all + n, sizeof all - 2 - n, MSG_DONTWAIT)) > 0) {
		n += (size_t)got;
		all[n++] = '|';
	}
	all[n] = 0;
	return all;
}

static int set_up(void **state)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	char watchdog[32];

	(void)state;
	snprintf(path, sizeof path, "/tmp/kws-notify.%ld", (long)getpid());
	snprintf(a.sun_path, sizeof a.sun_path, "%s", path);
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || bind(fd, (const struct sockaddr *)&a, sizeof a) != 0)
		return -1;
	setenv("NOTIFY_SOCKET", path, 1);
	setenv("WATCHDOG_USEC", "20000000", 1);
	snprintf(watchdog, sizeof watchdog, "%ld", (long)getpid());
	setenv("WATCHDOG_PID", watchdog, 1);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	close(fd);
	return unlink(path);
}

static void test_ready_with_the_first_audio(void **state)
{
	kws_notify n;

	(void)state;
	kws_notify_init(&n, 300, 100.0);
	assert_true(kws_notify_step(&n, true, 0.0, 100.0)); /* a status at once */
	assert_false(kws_notify_step(&n, true, 0.0, 101.0));
	kws_notify_reloading(&n, 101.0); /* before READY there is nothing to reload */
	kws_notify_reloaded(&n);
	assert_string_equal(told(), "");
	assert_true(kws_notify_step(&n, true, 0.01, 102.0));
	assert_string_equal(told(), "READY=1|WATCHDOG=1|");
	assert_false(kws_notify_step(&n, true, 0.02, 102.1));
	assert_string_equal(told(), "");
	kws_notify_reloading(&n, 103.5);
	assert_string_equal(told(), "RELOADING=1\nMONOTONIC_USEC=103500000|");
	kws_notify_reloaded(&n);
	assert_string_equal(told(), "READY=1|");
	kws_notify_stopping();
	assert_string_equal(told(), "STOPPING=1\nSTATUS=Stopping|");
}

/* Every quarter of the time that systemd waits, while audio comes; then for outage_s. */
static void test_watchdog(void **state)
{
	kws_notify n;
	double mono = 0.0, heard_s = 1.0;

	(void)state;
	kws_notify_init(&n, 30, mono);
	kws_notify_step(&n, true, heard_s, mono);
	told();
	for (int turn = 0; turn < 3; turn++) {
		kws_notify_step(&n, true, heard_s += 4.9, mono += 4.9);
		assert_string_equal(told(), "");
		kws_notify_step(&n, true, heard_s += 0.2, mono += 0.2);
		assert_string_equal(told(), "WATCHDOG=1|");
	}
	kws_notify_step(&n, true, heard_s, mono + 29.0);
	assert_string_equal(told(), "WATCHDOG=1|");
	kws_notify_step(&n, true, heard_s, mono + 40.0);
	assert_string_equal(told(), "");
	/* a listener was removed: less was heard in all, and what comes now counts */
	kws_notify_step(&n, true, 1.0, mono + 41.0);
	assert_string_equal(told(), "");
	kws_notify_step(&n, true, 1.1, mono + 42.0);
	assert_string_equal(told(), "WATCHDOG=1|");
}

/* A daemon without audio from the start is not kept alive. */
static void test_never_ready(void **state)
{
	kws_notify n;

	(void)state;
	kws_notify_init(&n, 300, 0.0);
	for (double mono = 0.0; mono < 60.0; mono += 1.0)
		kws_notify_step(&n, true, 0.0, mono);
	assert_string_equal(told(), "");
}

static void test_nobody_is_to_hear(void **state)
{
	kws_notify n;

	(void)state;
	kws_notify_init(&n, 0, 0.0);
	kws_notify_step(&n, false, 0.0, 0.0);
	assert_string_equal(told(), "READY=1|WATCHDOG=1|");
	kws_notify_step(&n, false, 0.0, 6.0);
	assert_string_equal(told(), "WATCHDOG=1|");
}

static void test_status(void **state)
{
	kws_notify n;

	(void)state;
	kws_notify_init(&n, 300, 0.0);
	kws_notify_status(&n, "Listening");
	kws_notify_status(&n, "Listening");
	assert_string_equal(told(), "STATUS=Listening|");
	/* what comes from a device's name cannot tell systemd anything */
	kws_notify_status(&n, "a\nSTOPPING=1");
	assert_string_equal(told(), "STATUS=a?STOPPING=1|");
	assert_true(kws_notify_step(&n, true, 0.0, 0.0));
	assert_false(kws_notify_step(&n, true, 0.0, 4.0));
	assert_true(kws_notify_step(&n, true, 0.0, 5.0));
}

static void test_no_watchdog(void **state)
{
	kws_notify n;

	(void)state;
	unsetenv("WATCHDOG_USEC");
	kws_notify_init(&n, 300, 0.0);
	kws_notify_step(&n, true, 1.0, 0.0);
	assert_string_equal(told(), "READY=1|");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ready_with_the_first_audio),
		cmocka_unit_test(test_watchdog),
		cmocka_unit_test(test_never_ready),
		cmocka_unit_test(test_nobody_is_to_hear),
		cmocka_unit_test(test_status),
		cmocka_unit_test(test_no_watchdog),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
