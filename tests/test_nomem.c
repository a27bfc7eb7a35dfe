/* Out of memory, at each allocation of a start in turn: it says so, and nothing is left behind. Those of libraries are left
 * out: without memory FFTW aborts, and jansson blames the text. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/allocations.h"

#include "runtime/log.h"
#include "runtime/loop.h"
#include "daemon/capture.h"
#include "daemon/scope.h"
#include "daemon/service.h"
#include "runtime/signals.h"
#include "tests/heart.h"

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/stat.h>
#include <time.h>

static kws_setup setup; /* large */
static kws_conf_source source;
static kws_service *service;
static kws_capture *capture;
static kws_listener *listener;
static kws_loop *loop;
static kws_scope *scope;
static kws_model *model;

/* A daemon with all there is: several microphones and models, each sink, clips, a control socket. */
static void read_conf(void)
{
	kws_conf *c = &setup.conf;

	kws_conf_defaults(c);
	c->out.enabled = c->journal.enabled = KWS_YES;
	c->n_audio = c->n_model = 2;
	c->audio[1] = c->audio[0];
	for (size_t i = 0; i < 2; i++) {
		snprintf(c->audio[i].name, sizeof c->audio[i].name, "a%zu", i);
		snprintf(c->audio[i].device, sizeof c->audio[i].device, "raw:%s",
			 heart_path("pipe"));
		c->audio[i].channel = (unsigned)i;
		snprintf(c->model[i].name, sizeof c->model[i].name, "m%zu", i);
		snprintf(c->model[i].path, sizeof c->model[i].path, "%s",
			 heart_path(i ? "other" : "model"));
		c->model[i].within_s = 5.0f;
	}
	snprintf(c->model[1].after, sizeof c->model[1].after, "m0");
	snprintf(c->file[0].path, sizeof c->file[0].path, "%s", heart_path("events"));
	snprintf(c->socket[0].path, sizeof c->socket[0].path, "%s", heart_path("socket"));
	snprintf(c->hook[0].command, sizeof c->hook[0].command, "/bin/true");
	snprintf(c->clips.dir, sizeof c->clips.dir, "%s", heart_dir);
	snprintf(c->control.path, sizeof c->control.path, "%s", heart_path("control"));
	c->log.level = 0; /* nothing */
	setup.said = setup.conf;
}

static enum kws_status make_setup(kws_error *err)
{
	return kws_setup_build(&setup, NULL, err);
}

static void drop_setup(void)
{
	kws_setup_drop(&setup);
}

static void open_setup(void)
{
	kws_error err = { "" };

	read_conf();
	if (kws_setup_build(&setup, NULL, &err) != KWS_OK || kws_setup_open(&setup, &err) != KWS_OK)
		fail_msg("%s", err.text);
}

static enum kws_status make_service(kws_error *err)
{
	return kws_service_create(&service, &source, &setup, err);
}

static void run_service(void)
{
	raise(SIGTERM);
	assert_int_equal(kws_service_run(service), 0);
}

static enum kws_status make_listener(kws_error *err)
{
	static const kws_observer to;

	return kws_listener_create(&listener, &setup.conf.audio[0], &to, err);
}

static void drop_listener(void)
{
	assert_true(kws_listener_destroy(listener, 10000));
}

static enum kws_status make_capture(kws_error *err)
{
	return kws_capture_create(&capture, &setup.conf.audio[0], err);
}

/* A device is given up, and comes back before anybody says whose the capture is. */
static void give_up_capture(void)
{
	struct pollfd ended = { .fd = kws_capture_fd(capture), .events = POLLIN };

	if (kws_capture_destroy(capture, -1))
		return;
	assert_int_equal(poll(&ended, 1, 10000), 1);
	kws_capture_retire(capture);
}

static void ignore(void *ctx, unsigned events)
{
	(void)ctx;
	(void)events;
}

static enum kws_status make_loop(kws_error *err)
{
	enum kws_status status = kws_loop_create(&loop, err);
	int fd[2];

	if (status != KWS_OK)
		return status;
	assert_int_equal(pipe(fd), 0);
	status = kws_loop_add(loop, fd[0], KWS_LOOP_READ, ignore, NULL, err);
	close(fd[0]);
	close(fd[1]);
	if (status != KWS_OK)
		kws_loop_destroy(loop);
	return status;
}

static void drop_loop(void)
{
	kws_loop_destroy(loop);
}

static enum kws_status make_scope(kws_error *err)
{
	return kws_scope_create(&scope, "a", "m", model, err);
}

static void drop_scope(void)
{
	kws_scope_destroy(scope);
}

typedef struct {
	const char *name;
	void (*prepare)(void);
	enum kws_status (*make)(kws_error *err);
	void (*drop)(void);
} part;

static const part parts[] = {
	{ "loop", read_conf, make_loop, drop_loop },
	{ "scope", read_conf, make_scope, drop_scope },
	{ "capture", read_conf, make_capture, give_up_capture },
	{ "listener", read_conf, make_listener, drop_listener },
	{ "setup", read_conf, make_setup, drop_setup },
	{ "service", open_setup, make_service, run_service },
};

/* Threads that end in the background free what they have a little later. */
static void expect_blocks(const part *p, long want, size_t k)
{
	for (int i = 0; i < 20000 && n_blocks != want; i++)
		nanosleep(&(struct timespec){ .tv_nsec = 1000000L }, NULL);
	if (n_blocks != want)
		fail_msg("%s, allocation %zu: %ld blocks more than before", p->name, k,
			 n_blocks - want);
}

static void once(const part *p)
{
	kws_error err = { "" };

	p->prepare();
	if (p->make(&err) != KWS_OK)
		fail_msg("%s: %s", p->name, err.text);
	p->drop();
}

static size_t in_turn(const part *p)
{
	bool reached = true;
	size_t k;

	once(p); /* what the libraries keep for ever */
	for (k = 1; reached; k++) {
		const long before = n_blocks;
		kws_error err = { "" };

		p->prepare();
		const size_t at = n_own_allocations + k;
		own_allocation_that_fails = at;
		const enum kws_status status = p->make(&err);
		own_allocation_that_fails = 0;
		reached = n_own_allocations >= at;
		if (status == KWS_OK)
			p->drop();
		else if (status != KWS_ERR_NOMEM || !*err.text)
			fail_msg("%s, allocation %zu: status %d: %s", p->name, k, (int)status,
				 err.text);
		expect_blocks(p, before, k);
	}
	return k - 1;
}

static void test_each_allocation(void **state)
{
	(void)state;
	if (!allocations_are_counted()) {
		print_message("skip: another allocator is in force\n");
		skip();
	}
	for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
		size_t n = in_turn(&parts[i]);

		print_message("%s: %zu allocations\n", parts[i].name, n);
		assert_true(n > 1);
	}
}

static void *wait_for_all(void *barrier)
{
	pthread_barrier_wait(barrier);
	return NULL;
}

/* More threads at once than ever before are no leak: how many overlap is a matter of how busy the machine is. */
static void test_threads_leave_nothing(void **state)
{
	pthread_t thread[4];
	pthread_barrier_t barrier;
	const long before = n_blocks;

	(void)state;
	assert_int_equal(pthread_barrier_init(&barrier, NULL, 4), 0);
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&thread[i], NULL, wait_for_all, &barrier), 0);
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(pthread_join(thread[i], NULL), 0);
	pthread_barrier_destroy(&barrier);
	assert_int_equal(n_blocks, before);
}

static int set_up(void **state)
{
	kws_log_level(KWS_LOG_ERROR - 1);
	if (heart_set_up(state) != 0 || kws_signals_catch(NULL) != KWS_OK)
		return -1;
	heart_model("model", 1);
	heart_model("other", 2);
	model = tiny_model_open(&tiny_default);
	return mkfifo(heart_path("pipe"), 0600);
}

static int tear_down(void **state)
{
	kws_model_close(model);
	return heart_tear_down(state);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_threads_leave_nothing),
					    cmocka_unit_test(test_each_allocation) };

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
