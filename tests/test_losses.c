/* A listener and what is lost on the way to it: how much, and when was what heard? By fake microphones and
 * a fake clock. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "runtime/clock.h"
#include "daemon/listener.h"
#include "runtime/log.h"
#include "tests/fake/clock.h"
#include "tests/fake/device.h"

enum { RATE = 16000 };

static fake_microphone *mic;
static fake_behaviour *does;
static kws_listener *l;
static kws_listener_stats st;
static bool loud; /* against what it was until then */

static void sound(void *ctx, uint64_t at, unsigned rate_hz, float *pcm, size_t n)
{
	(void)ctx;
	(void)rate_hz;
	for (size_t i = 0; i < n; i++)
		pcm[i] = (loud ? 0.1f : 0.01f) * (float)((at + i) % 7);
}

static int set_up(void **state)
{
	static const kws_observer nobody;
	const kws_conf_audio conf = { .device = "desk",
				      .enabled = 1,
				      .stall_ms = 500,
				      .backoff_ms = 250,
				      .backoff_max_s = 4,
				      .open_s = 15,
				      .teardown_ms = 3000,
				      .latency_ms = 40 };

	(void)state;
	loud = false;
	kws_log_level(KWS_LOG_ERROR - 1);
	fake_clock_start(1e9);
	fake_devices_start();
	mic = fake_microphone_add("desk", RATE, sound, NULL);
	does = fake_microphone_does(mic);
	return kws_listener_create(&l, &conf, &nobody, NULL) == KWS_OK ? 0 : -1;
}

static int tear_down(void **state)
{
	(void)state;
	if (!kws_listener_destroy(l, 60000))
		return -1;
	fake_devices_stop();
	fake_clock_stop();
	return 0;
}

static void run(double s)
{
	const double until = kws_clock_mono() + s;

	do {
		kws_listener_step(l);
		fake_clock_settle();
		fake_clock_pass(0.02);
	} while (kws_clock_mono() < until - 1e-9);
	kws_listener_stats_get(l, &st);
}

static void assert_about(double got, double want, double off)
{
	if (!(got > want - off && got < want + off))
		fail_msg("%.3f s, not %.3f", got, want);
}

static void lost(unsigned gaps, double s)
{
	assert_int_equal(st.gaps, gaps);
	assert_about(st.gap_s, s, 0.03);
}

/* The monotonic time of the sample that was heard last. */
static double heard_at(void)
{
	return kws_anchor_time(kws_hearing_anchor(kws_listener_hearing(l)),
			       kws_listener_heard_s(l));
}

static void an_overflow_takes_what_it_took(void **state)
{
	(void)state;
	run(5.0);
	fake_microphone_overflow(mic, RATE / 10);
	run(5.0);
	lost(1, 0.1);
	assert_about(st.heard_s, 9.9, 0.03);
	assert_about(heard_at(), kws_clock_mono(), 0.03);
}

/* Somebody sets the clock, by half a day: nothing was lost, also not where something is. */
static void a_set_clock_loses_nothing(void **state)
{
	(void)state;
	for (double by = 43200.0; by > -50000.0; by -= 86400.0) {
		run(5.0);
		const double s = st.gap_s;
		const unsigned gaps = st.gaps;
		fake_clock_set_wall(by);
		run(15.0);
		lost(gaps, s);
		fake_clock_set_wall(by);
		fake_microphone_overflow(mic, RATE / 10);
		run(15.0);
		lost(gaps + 1, s + 0.1);
		assert_about(heard_at(), kws_clock_mono(), 0.03);
	}
}

/* Too short for a stall, and the device says nothing. */
static void what_nobody_tells_of(void **state)
{
	(void)state;
	run(5.0);
	does->stalled = true;
	run(0.4);
	does->stalled = false;
	run(5.0);
	lost(0, 0.0); /* it may come yet */
	run(20.0);
	lost(1, 0.4);
	assert_string_equal(kws_hearing_gaps(kws_listener_hearing(l))->reason, "lost unnoticed");
	assert_about(heard_at(), kws_clock_mono(), 0.03);
	assert_int_equal(st.streams, 1);
}

static void what_comes_late_is_not_lost(void **state)
{
	(void)state;
	run(5.0);
	does->late = true;
	run(0.4);
	does->late = false;
	run(30.0);
	lost(0, 0.0);
	assert_about(st.heard_s, 35.4, 0.03);
}

static double wait_after_a_step(void)
{
	const double now = kws_clock_mono();

	kws_listener_step(l);
	return kws_listener_next(l) - now;
}

/* Three pieces of 40 ms at a time, until there is voice, and again half a second after it. */
static void a_quiet_room_is_looked_at_less_often(void **state)
{
	(void)state;
	run(1.0);
	assert_about(wait_after_a_step(), 0.12, 0.01);
	loud = true;
	run(0.14);
	assert_about(wait_after_a_step(), 0.04, 0.01);
	loud = false;
	run(0.4);
	assert_about(wait_after_a_step(), 0.04, 0.01);
	run(0.2);
	assert_about(wait_after_a_step(), 0.12, 0.01);
}

/* The next look is a little before the next piece of 40 ms; close looks follow while it is late, and
 * rare ones if it does not come; none is closer while there is no device. */
static void looks_follow_the_pieces(void **state)
{
	(void)state;
	run(1.0);
	loud = true;
	run(0.2);
	assert_about(wait_after_a_step(), 0.04 * 31 / 32, 1e-6);
	for (unsigned i = 1; i < 8; i++)
		assert_about(wait_after_a_step(), 0.005, 1e-6);
	assert_about(wait_after_a_step(), 0.04, 1e-6);
	fake_clock_pass(0.04);
	assert_about(wait_after_a_step(), 0.04 * 31 / 32, 1e-6);
	does->refuses = "gone";
	fake_microphone_end(mic, false, "gone");
	run(1.0);
	assert_true(wait_after_a_step() > 0.04);
}

#define each(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		each(an_overflow_takes_what_it_took), each(a_set_clock_loses_nothing),
		each(what_nobody_tells_of),	      each(what_comes_late_is_not_lost),
		each(looks_follow_the_pieces),	      each(a_quiet_room_is_looked_at_less_often),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
