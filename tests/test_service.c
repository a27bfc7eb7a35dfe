/* The service: microphones that come and go, and hang, by a fake clock. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/service.h"

#include <sysexits.h>

static void test_two_microphones(void **state)
{
	(void)state;
	start(TWO);
	do_at(9.99, look);
	assert_int_equal(run(10.0), EX_OK);
	assert_int_equal(shot.n_listeners, 2);
	assert_true(is_near(listener("desk")->heard_s, 10.0, 0.2));
	assert_true(is_near(listener("door")->heard_s, 10.0, 0.2));
	assert_true(listener("desk")->events > 0);
	assert_int_equal(listener("desk")->events, listener("door")->events);
	assert_string_equal(listener("desk")->state, "running");
	assert_int_equal(shot.sink[0].taken, listener("desk")->events * 2);
	assert_false(fake_microphone_is_open(desk) || fake_microphone_is_open(door));
}

static void hang(void *ctx)
{
	fake_behaviour *b = fake_microphone_does(ctx ? door : desk);

	b->stalled = b->close_hangs = true;
}

static void hang_door(void *ctx)
{
	(void)ctx;
	hang(door);
}

static kws_service *volatile left_behind; /* volatile: it is never read */

/* One that hangs is given up while another hears; when all hang, only a new process can help. */
static void test_hung(void **state)
{
	(void)state;
	start(TWO);
	do_at(2.0, hang);
	do_at(20.0, look);
	do_at(30.0, hang_door);
	assert_int_equal(run(100.0), EX_TEMPFAIL);
	assert_string_equal(listener("desk")->state, "hung");
	assert_true(is_near(listener("desk")->heard_s, 2.0, 0.2));
	assert_true(is_near(listener("door")->heard_s, 20.0, 0.2));
	assert_true(kws_clock_mono() - begun < 40.0);
	fake_microphone_release(desk);
	fake_microphone_release(door);
	fake_clock_pass(1.0);
	left_behind = service; /* with all of its memory, on purpose */
}

static void reload_with_door(void *ctx)
{
	(void)ctx;
	write_conf(TWO);
	raise(SIGHUP);
}

static void reload_without_desk(void *ctx)
{
	(void)ctx;
	write_conf("[audio door]\ndevice = door\nlatency_ms = 41\n");
	raise(SIGHUP);
}

/* Nobody else notices that one comes or goes. One whose device is set otherwise opens only itself anew. */
static void test_reload(void **state)
{
	(void)state;
	start("[audio desk]\ndevice = desk\n");
	do_at(3.0, reload_with_door);
	do_at(8.0, look_before);
	do_at(9.0, reload_without_desk);
	do_at(15.0, look);
	assert_int_equal(run(16.0), EX_OK);
	assert_int_equal(before.reloads, 1);
	assert_int_equal(before.n_listeners, 2);
	assert_true(is_near(before.listener[0].heard_s, 8.0, 0.2));
	assert_int_equal(before.listener[0].gaps, 0);
	assert_true(is_near(before.listener[1].heard_s, 5.0, 0.2));
	assert_int_equal(shot.n_listeners, 1);
	assert_int_equal(listener("door")->streams, 2);
	assert_int_equal(listener("door")->gaps, 1);
	assert_true(is_near(listener("door")->heard_s + listener("door")->gap_s, 12.0, 0.2));
	assert_int_equal(fake_microphone_opened(desk), 1);
	assert_false(fake_microphone_is_open(desk));
	assert_true(listener("door")->events > 0);
}

static void reload_wrong(void *ctx)
{
	(void)ctx;
	write_conf("[audio desk]\ndevice = desk\nrate_hz = x\n[hook]\nqueue = 0\n");
	raise(SIGHUP);
}

/* All that is wrong, for who asks. */
static void look_errors(void *ctx)
{
	(void)ctx;
	look(NULL);
	assert_non_null(strstr(shot.reload, "[audio desk] rate_hz: x"));
	assert_non_null(strstr(shot.reload, "\n"));
	assert_non_null(strstr(shot.reload, "[hook] queue: 0"));
}

static void test_refused_reload(void **state)
{
	(void)state;
	start(TWO);
	do_at(3.0, reload_wrong);
	do_at(8.0, look_errors);
	assert_int_equal(run(9.0), EX_OK);
	assert_int_equal(shot.n_listeners, 2);
	assert_int_equal(shot.reloads, 1);
	for (size_t i = 0; i < 2; i++) {
		assert_int_equal(shot.listener[i].gaps, 0);
		assert_true(is_near(shot.listener[i].heard_s, 8.0, 0.2));
	}
}

static int tests(void)
{
	const struct CMUnitTest all[] = {
		SERVICE_TEST(test_two_microphones),
		SERVICE_TEST(test_hung),
		SERVICE_TEST(test_reload),
		SERVICE_TEST(test_refused_reload),
	};

	return cmocka_run_group_tests(all, NULL, NULL);
}

int main(void)
{
	return run_service_tests(tests);
}
