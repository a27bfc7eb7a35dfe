/* Signals: each is told once, by whichever thread it was caught. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "runtime/signals.h"

#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

static bool is_ready(void)
{
	struct pollfd p = { .fd = kws_signals_fd(), .events = POLLIN };

	return poll(&p, 1, 0) == 1;
}

static void test_each_once(void **state)
{
	(void)state;
	assert_false(is_ready());
	assert_int_equal(kws_signals_next(), 0);
	raise(SIGHUP);
	raise(SIGHUP);
	raise(SIGUSR1);
	assert_true(is_ready());
	int first = kws_signals_next(), second = kws_signals_next();
	assert_int_equal(first + second, SIGHUP + SIGUSR1);
	assert_int_equal(kws_signals_next(), 0);
	assert_false(is_ready());
	raise(SIGPIPE); /* ends nothing */
	raise(SIGHUP);	/* counts again */
	assert_int_equal(kws_signals_next(), SIGHUP);
}

static void test_stop_is_left_to_be_told(void **state)
{
	(void)state;
	raise(SIGHUP);
	assert_false(kws_signals_stop_asked());
	raise(SIGTERM);
	assert_true(kws_signals_stop_asked());
	assert_true(kws_signals_stop_asked());
	/* the wake-up is gone, the signals are not */
	int first = kws_signals_next(), second = kws_signals_next();
	assert_int_equal(first + second, SIGTERM + SIGHUP);
	assert_false(kws_signals_stop_asked());
}

static void *raise_here(void *arg)
{
	(void)arg;
	raise(SIGINT);
	return NULL;
}

static void test_of_another_thread(void **state)
{
	pthread_t t;

	(void)state;
	assert_int_equal(pthread_create(&t, NULL, raise_here, NULL), 0);
	pthread_join(t, NULL);
	assert_true(is_ready());
	assert_int_equal(kws_signals_next(), SIGINT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_once),
		cmocka_unit_test(test_stop_is_left_to_be_told),
		cmocka_unit_test(test_of_another_thread),
	};
	sigset_t all;

	/* what who started us has blocked is heard all the same */
	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, NULL);
	if (kws_signals_catch(NULL) != KWS_OK)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
