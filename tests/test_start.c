/* The start: what is built while signals are heard, and what is left behind when one comes first. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "runtime/clock.h"
#include "runtime/log.h"
#include "runtime/signals.h"
#include "daemon/start.h"
#include "tests/heart.h"

#include <errno.h>
#include <math.h>
#include <semaphore.h>
#include <signal.h>
#include <time.h>

static kws_setup setup; /* large, and the thread's that was left behind */
static kws_error err;

static void want(const char *model)
{
	kws_conf *c = &setup.conf;

	kws_conf_defaults(c);
	c->out.enabled = c->journal.enabled = KWS_NO;
	snprintf(c->model[0].path, sizeof c->model[0].path, "%s", heart_path(model));
	err.text[0] = 0;
}

static void test_builds(void **state)
{
	bool stopped = true;

	(void)state;
	want("model");
	assert_int_equal(kws_start_build(&setup, &stopped, &err), KWS_OK);
	assert_false(stopped);
	assert_int_equal(setup.models.n, 1);
	assert_non_null(setup.engine[0][0]);
	kws_setup_drop(&setup);
	want("none");
	stopped = true;
	assert_int_not_equal(kws_start_build(&setup, &stopped, &err), KWS_OK);
	assert_false(stopped);
	assert_non_null(strstr(err.text, heart_path("none")));
}

/* A reload or a line of statistics that is asked for meanwhile does not end the start, and is heeded after it. */
static void test_other_signals_wait(void **state)
{
	bool stopped = true;

	(void)state;
	raise(SIGHUP);
	raise(SIGUSR1);
	want("model");
	assert_int_equal(kws_start_build(&setup, &stopped, &err), KWS_OK);
	assert_false(stopped);
	kws_setup_drop(&setup);
	assert_int_equal(kws_signals_next(), SIGHUP);
	assert_int_equal(kws_signals_next(), SIGUSR1);
	assert_int_equal(kws_signals_next(), 0);
}

/* ---- a clock whose threads wait, or are refused ---- */

static sem_t may_run, has_run;
static void *(*run)(void *arg);

static double now(enum kws_clock_id id)
{
	struct timespec t;

	clock_gettime(id == KWS_CLOCK_THREAD ? CLOCK_THREAD_CPUTIME_ID : CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void *run_later(void *arg)
{
	sem_wait(&may_run);
	run(arg);
	sem_post(&has_run);
	return NULL;
}

static int start_later(pthread_t *thread, const pthread_attr_t *attr, void *(*fn)(void *arg),
		       void *arg)
{
	run = fn;
	return pthread_create(thread, attr, run_later, arg);
}

static int refuse(pthread_t *thread, const pthread_attr_t *attr, void *(*fn)(void *arg), void *arg)
{
	(void)thread;
	(void)attr;
	(void)fn;
	(void)arg;
	return EAGAIN;
}

/* A model that takes its time: SIGTERM and SIGINT end the wait at once, and the loop still finds them. */
static void test_stop_comes_first(void **state)
{
	static const int ends[] = { SIGTERM, SIGINT };
	const kws_clock later = { .now = now, .start = start_later };

	(void)state;
	sem_init(&may_run, 0, 0);
	sem_init(&has_run, 0, 0);
	kws_clock_use(&later);
	for (size_t i = 0; i < 2; i++) {
		bool stopped = false;

		want("model");
		raise(ends[i]);
		assert_int_equal(kws_start_build(&setup, &stopped, &err), KWS_OK);
		assert_true(stopped);
		assert_int_equal(kws_signals_next(), ends[i]);
		sem_post(&may_run);
		sem_wait(&has_run);
		kws_setup_drop(&setup);
	}
	kws_clock_use(NULL);
}

static void test_no_thread(void **state)
{
	const kws_clock none = { .now = now, .start = refuse };
	bool stopped = true;

	(void)state;
	want("model");
	kws_clock_use(&none);
	assert_int_equal(kws_start_build(&setup, &stopped, &err), KWS_ERR_NOMEM);
	kws_clock_use(NULL);
	assert_false(stopped);
	assert_non_null(strstr(err.text, strerror(EAGAIN)));
}

static int set_up(void **state)
{
	kws_log_level(KWS_LOG_ERROR - 1);
	if (heart_set_up(state) != 0 || kws_signals_catch(NULL) != KWS_OK)
		return -1;
	heart_model("model", 1);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_builds),
		cmocka_unit_test(test_other_signals_wait),
		cmocka_unit_test(test_stop_comes_first),
		cmocka_unit_test(test_no_thread),
	};

	return cmocka_run_group_tests(tests, set_up, heart_tear_down);
}
