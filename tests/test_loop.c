/* The loop: descriptors and times, added, changed and removed in the midst of it all. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "runtime/clock.h"
#include "runtime/loop.h"
#include "tests/fake/clock.h"

#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

static kws_loop *loop;

static int set_up(void **state)
{
	(void)state;
	return kws_loop_create(&loop, NULL) == KWS_OK ? 0 : -1;
}

static int tear_down(void **state)
{
	(void)state;
	kws_loop_destroy(loop);
	return 0;
}

static int ready_fd(void)
{
	int fd = eventfd(1, EFD_NONBLOCK | EFD_CLOEXEC);

	assert_true(fd >= 0);
	return fd;
}

static void step(void)
{
	assert_int_equal(kws_loop_step(loop, 0, NULL), KWS_OK);
}

typedef struct {
	int calls, other; /* other: a descriptor to be removed, closed and taken by the next */
	unsigned events;
	kws_timer *timer; /* to be cancelled */
} seen;

static void note(void *ctx, unsigned events)
{
	seen *s = ctx;

	s->calls++;
	s->events = events;
}

static void test_ready_and_not(void **state)
{
	seen s = { 0 };
	int fd[2];

	(void)state;
	assert_int_equal(pipe(fd), 0);
	assert_int_equal(kws_loop_add(loop, fd[0], KWS_LOOP_READ, note, &s, NULL), KWS_OK);
	step();
	assert_int_equal(s.calls, 0);
	assert_int_equal(write(fd[1], "x", 1), 1);
	step();
	step(); /* as long as it is ready */
	assert_int_equal(s.calls, 2);
	assert_int_equal(s.events, KWS_LOOP_READ);
	kws_loop_remove(loop, fd[0]);
	kws_loop_remove(loop, fd[0]);
	kws_loop_remove(loop, -1);
	step();
	assert_int_equal(s.calls, 2);
	close(fd[0]);
	close(fd[1]);
}

static void test_modify(void **state)
{
	seen s = { 0 };
	int fd[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fd), 0);
	assert_int_equal(kws_loop_add(loop, fd[0], 0, note, &s, NULL), KWS_OK);
	step();
	assert_int_equal(s.calls, 0);
	kws_loop_modify(loop, fd[0], KWS_LOOP_WRITE);
	step();
	assert_int_equal(s.calls, 1);
	assert_int_equal(s.events, KWS_LOOP_WRITE);
	kws_loop_modify(loop, fd[0], KWS_LOOP_READ);
	step();
	assert_int_equal(s.calls, 1);
	/* a hang-up is told to who asked for anything, and to nobody else */
	close(fd[1]);
	kws_loop_modify(loop, fd[0], 0);
	step();
	assert_int_equal(s.calls, 1);
	kws_loop_modify(loop, fd[0], KWS_LOOP_READ | KWS_LOOP_WRITE);
	step();
	assert_int_equal(s.calls, 2);
	assert_int_equal(s.events, KWS_LOOP_READ | KWS_LOOP_WRITE);
	kws_loop_remove(loop, fd[0]);
	close(fd[0]);
}

/* The first of two that are ready removes the other, whose number somebody else takes at once. */
static seen taker;

static void replace_other(void *ctx, unsigned events)
{
	seen *s = ctx;

	(void)events;
	s->calls++;
	kws_loop_remove(loop, s->other);
	close(s->other);
	assert_int_equal(eventfd(0, EFD_NONBLOCK), s->other);
	assert_int_equal(kws_loop_add(loop, s->other, KWS_LOOP_READ, note, &taker, NULL), KWS_OK);
}

static void test_removed_while_ready(void **state)
{
	int a = ready_fd(), b = ready_fd();
	seen of_a = { .other = b }, of_b = { .other = a };

	(void)state;
	taker = (seen){ 0 };
	assert_int_equal(kws_loop_add(loop, a, KWS_LOOP_READ, replace_other, &of_a, NULL), KWS_OK);
	assert_int_equal(kws_loop_add(loop, b, KWS_LOOP_READ, replace_other, &of_b, NULL), KWS_OK);
	step();
	assert_int_equal(of_a.calls + of_b.calls, 1);
	assert_int_equal(taker.calls, 0);
	kws_loop_remove(loop, a);
	kws_loop_remove(loop, b);
	close(a);
	close(b);
}

static void remove_self(void *ctx, unsigned events)
{
	seen *s = ctx;

	(void)events;
	s->calls++;
	kws_loop_remove(loop, s->other);
}

static void test_removes_itself(void **state)
{
	int fd = ready_fd();
	seen s = { .other = fd };

	(void)state;
	assert_int_equal(kws_loop_add(loop, fd, KWS_LOOP_READ, remove_self, &s, NULL), KWS_OK);
	step();
	step();
	assert_int_equal(s.calls, 1);
	close(fd);
}

/* More than fit in one call of the kernel, and numbers beyond the first table. */
static void test_many(void **state)
{
	enum { MANY = 200 };
	static seen s[MANY];
	int fd[MANY];

	(void)state;
	memset(s, 0, sizeof s);
	for (int i = 0; i < MANY; i++) {
		fd[i] = ready_fd();
		assert_int_equal(kws_loop_add(loop, fd[i], KWS_LOOP_READ, note, &s[i], NULL),
				 KWS_OK);
	}
	for (int i = 0; i < 10; i++)
		step();
	for (int i = 0; i < MANY; i++) {
		assert_true(s[i].calls > 0);
		kws_loop_remove(loop, fd[i]);
		close(fd[i]);
	}
}

static void test_refused(void **state)
{
	kws_error err = { "" };
	seen s = { 0 };
	int fd = open("/proc/self/exe", O_RDONLY);

	(void)state;
	assert_int_equal(kws_loop_add(loop, fd, KWS_LOOP_READ, note, &s, &err), KWS_ERR_IO);
	assert_true(strlen(err.text) > 0);
	/* and it is not watched now */
	assert_int_equal(kws_loop_add(loop, fd, KWS_LOOP_READ, note, &s, &err), KWS_ERR_IO);
	close(fd);
}

/* ---- times ---- */

static char order[64];

static void put(void *ctx)
{
	size_t n = strlen(order);

	assert_true(n + 1 < sizeof order);
	order[n] = *(const char *)ctx;
}

static void run_timers(size_t until)
{
	while (strlen(order) < until)
		assert_int_equal(kws_loop_step(loop, -1, NULL), KWS_OK);
}

static void test_in_order(void **state)
{
	kws_timer a = { 0 }, b = { 0 }, c = { 0 };

	(void)state;
	memset(order, 0, sizeof order);
	kws_loop_time(loop, &a, 0.03, 0.0, put, "a");
	kws_loop_time(loop, &b, 0.01, 0.0, put, "b");
	kws_loop_time(loop, &c, 0.02, 0.0, put, "c");
	run_timers(3);
	assert_string_equal(order, "bca");
	assert_false(a.set);
	step();
	assert_string_equal(order, "bca");
}

static void test_again_and_again(void **state)
{
	kws_timer a = { 0 };

	(void)state;
	memset(order, 0, sizeof order);
	kws_loop_time(loop, &a, 0.0, 0.005, put, "a");
	run_timers(3);
	assert_true(a.set);
	/* anew, and only once from here on */
	kws_loop_time(loop, &a, 0.0, 0.0, put, "z");
	run_timers(4);
	assert_string_equal(order, "aaaz");
	assert_false(a.set);
}

/* A turn that was missed is not made up for: one call a step, however late it is. */
static void test_late(void **state)
{
	kws_timer a = { 0 };

	(void)state;
	memset(order, 0, sizeof order);
	kws_loop_time(loop, &a, -5.0, 1000.0, put, "a");
	step();
	step();
	assert_string_equal(order, "a");
	kws_loop_cancel(loop, &a);
}

static void cancel_other(void *ctx)
{
	seen *s = ctx;

	s->calls++;
	kws_loop_cancel(loop, s->timer);
}

static void test_cancelled_while_due(void **state)
{
	kws_timer a = { 0 }, b = { 0 };
	seen of_a = { .timer = &b }, of_b = { .timer = &a };

	(void)state;
	kws_loop_time(loop, &a, -1.0, 0.0, cancel_other, &of_a);
	kws_loop_time(loop, &b, -1.0, 0.0, cancel_other, &of_b);
	step();
	assert_int_equal(of_a.calls + of_b.calls, 1);
	assert_false(a.set || b.set);
	kws_loop_cancel(loop, &a);
}

static void set_again(void *ctx)
{
	seen *s = ctx;

	s->calls++;
	kws_loop_time(loop, s->timer, 0.0, 0.0, set_again, s);
}

/* Who asks for "at once" each time it is called does not keep the others from their turns. */
static void test_at_once_is_the_next_step(void **state)
{
	kws_timer a = { 0 };
	seen s = { .timer = &a };

	(void)state;
	kws_loop_time(loop, &a, 0.0, 0.0, set_again, &s);
	step();
	assert_int_equal(s.calls, 1);
	step();
	assert_int_equal(s.calls, 2);
	kws_loop_cancel(loop, &a);
}

static void stop(void *ctx)
{
	(void)ctx;
	kws_loop_stop(loop);
}

static void test_run(void **state)
{
	kws_timer a = { 0 }, b = { 0 };

	(void)state;
	memset(order, 0, sizeof order);
	kws_loop_time(loop, &a, 0.0, 0.0, put, "a");
	kws_loop_time(loop, &b, 0.01, 0.0, stop, NULL);
	assert_int_equal(kws_loop_run(loop, NULL), KWS_OK);
	assert_string_equal(order, "a");
}

/* It waits for as long as nothing is due, and no longer than it may. */
static void test_how_long(void **state)
{
	kws_timer a = { 0 };

	(void)state;
	memset(order, 0, sizeof order);
	fake_clock_start(1e9);
	const double begun = kws_clock_mono();
	assert_int_equal(kws_loop_step(loop, 250, NULL), KWS_OK);
	assert_true(fabs(kws_clock_mono() - begun - 0.25) < 1e-9);
	kws_loop_time(loop, &a, 0.1, 0.0, put, "a");
	assert_int_equal(kws_loop_step(loop, 250, NULL), KWS_OK);
	assert_true(fabs(kws_clock_mono() - begun - 0.35) < 1e-9);
	assert_string_equal(order, "a");
	kws_loop_time(loop, &a, 1.0, 0.0, put, "a");
	assert_int_equal(kws_loop_step(loop, 250, NULL), KWS_OK);
	assert_true(fabs(kws_clock_mono() - begun - 0.6) < 1e-9);
	assert_string_equal(order, "a");
	kws_loop_cancel(loop, &a);
	fake_clock_stop();
}

/* What the kernel refuses for good ends it, and is told. */
static void test_cannot_wait(void **state)
{
	kws_loop *broken;
	kws_error err = { "" };
	const int fd = ready_fd();

	(void)state;
	close(fd);
	assert_int_equal(kws_loop_create(&broken, NULL), KWS_OK); /* has the number that was free */
	close(fd);
	assert_int_equal(kws_loop_run(broken, &err), KWS_ERR_IO);
	assert_non_null(strstr(err.text, "epoll"));
	kws_loop_destroy(broken);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ready_and_not),
		cmocka_unit_test(test_modify),
		cmocka_unit_test(test_removed_while_ready),
		cmocka_unit_test(test_removes_itself),
		cmocka_unit_test(test_many),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_in_order),
		cmocka_unit_test(test_again_and_again),
		cmocka_unit_test(test_late),
		cmocka_unit_test(test_cancelled_while_due),
		cmocka_unit_test(test_at_once_is_the_next_step),
		cmocka_unit_test(test_run),
		cmocka_unit_test(test_how_long),
		cmocka_unit_test(test_cannot_wait),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
