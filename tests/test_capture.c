/* A device that is kept open, by a fake microphone and a fake clock. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "daemon/capture.h"
#include "runtime/clock.h"
#include "runtime/log.h"
#include "tests/fake/clock.h"
#include "tests/fake/device.h"

#include <string.h>

enum { RATE = 16000 };

static fake_microphone *mic, *other;
static fake_behaviour *does;
static kws_capture *c;
static kws_conf_audio conf;
static size_t heard;
static bool deaf; /* nobody reads what came */

static void sound(void *ctx, uint64_t at, unsigned rate_hz, float *pcm, size_t n)
{
	(void)ctx;
	(void)rate_hz;
	for (size_t i = 0; i < n; i++)
		pcm[i] = 0.01f * (float)((at + i) % 7);
}

static int set_up(void **state)
{
	(void)state;
	kws_log_level(KWS_LOG_ERROR - 1);
	fake_clock_start(1e9);
	fake_devices_start();
	mic = fake_microphone_add("desk", RATE, sound, NULL);
	other = fake_microphone_add("door", 48000, sound, NULL);
	does = fake_microphone_does(mic);
	conf = (kws_conf_audio){ .device = "desk",
				 .stall_ms = 500,
				 .backoff_ms = 250,
				 .backoff_max_s = 4,
				 .open_s = 15,
				 .teardown_ms = 3000,
				 .latency_ms = 40 };
	conf.enabled = 1;
	heard = 0;
	deaf = false;
	return kws_capture_create(&c, &conf, NULL) == KWS_OK ? 0 : -1;
}

static int tear_down(void **state)
{
	(void)state;
	if (c && !kws_capture_destroy(c, 60000))
		return -1;
	fake_devices_stop();
	fake_clock_stop();
	return 0;
}

static enum kws_capture_state step(void)
{
	enum kws_capture_state s = kws_capture_step(c, kws_clock_mono());
	kws_device *d = kws_capture_device(c);
	float pcm[160];

	while (d && !deaf && kws_device_read(d, pcm, 160))
		heard += 160;
	fake_clock_settle();
	return s;
}

/* Look after it every 20 ms, so long. Returns its last state. */
static enum kws_capture_state run(double s)
{
	const double until = kws_clock_mono() + s;

	while (kws_clock_mono() < until - 1e-9) {
		fake_clock_pass(0.02);
		step();
	}
	return step();
}

/* Until it is in that state; returns after how many seconds, or -1 when it is not within a minute. */
static double until(enum kws_capture_state s)
{
	const double from = kws_clock_mono();

	while (step() != s) {
		if (kws_clock_mono() > from + 60.0)
			return -1.0;
		fake_clock_pass(0.02);
	}
	return kws_clock_mono() - from;
}

static void assert_about(double got, double want)
{
	if (!(got > want - 1e-6 && got < want + 0.05))
		fail_msg("%.3f s, not %.3f", got, want);
}

static void opens_and_hears(void **state)
{
	(void)state;
	assert_about(until(KWS_CAPTURE_RUNNING), 0.0);
	assert_int_equal(kws_capture_stream(c), 1);
	assert_string_equal(kws_device_name(kws_capture_device(c)), "desk");
	assert_int_equal(run(10.0), KWS_CAPTURE_RUNNING);
	assert_in_range(heard, 10 * RATE - 320, 10 * RATE + 320);
	assert_int_equal(fake_microphone_asked(mic), 1);
	assert_true(kws_capture_destroy(c, 1000));
	c = NULL;
	assert_false(fake_microphone_is_open(mic));
}

/* A server may take seconds to the first block; after that, silence is a loss. */
static void stalls(void **state)
{
	(void)state;
	does->stalled = true;
	until(KWS_CAPTURE_RUNNING);
	assert_about(until(KWS_CAPTURE_CLOSING), 5.0);
	assert_non_null(strstr(kws_capture_reason(c), "stalled"));
	does->stalled = false;
	until(KWS_CAPTURE_RUNNING);
	assert_int_equal(kws_capture_stream(c), 2);
	run(1.0);
	does->stalled = true;
	run(0.4);
	does->stalled = false; /* it was not so long */
	assert_int_equal(run(1.0), KWS_CAPTURE_RUNNING);
	does->stalled = true;
	assert_about(until(KWS_CAPTURE_CLOSING), 0.5);
}

/* Whoever was stopped for a while must not blame the device. */
static void is_stopped_itself(void **state)
{
	(void)state;
	until(KWS_CAPTURE_RUNNING);
	run(1.0);
	does->late = true;
	fake_clock_pass(3.0);
	assert_int_equal(step(), KWS_CAPTURE_RUNNING);
	does->late = false;
	assert_int_equal(run(1.0), KWS_CAPTURE_RUNNING);
	assert_in_range(heard, 5 * RATE - 480, 5 * RATE + 480);
}

/* Attempts after a quarter of a second, a half, 1, 2 and then every 4 s. */
static void backs_off(void **state)
{
	(void)state;
	static const double after[] = { 0.25, 0.5, 1.0, 2.0, 4.0, 4.0 };

	does->refuses = "unplugged";
	run(0.1);
	for (unsigned i = 0; i < sizeof after / sizeof *after; i++) {
		const double from = kws_clock_mono() - (i ? 0.0 : 0.1);
		const unsigned asked = fake_microphone_asked(mic);

		assert_int_equal(asked, i + 1);
		assert_int_equal(kws_capture_attempts(c), i + 1);
		while (fake_microphone_asked(mic) == asked)
			run(0.02);
		assert_true(kws_clock_mono() - from > after[i] - 0.05);
		assert_true(kws_clock_mono() - from < after[i] + 0.1);
	}
	assert_string_equal(kws_capture_reason(c), "desk: unplugged");
	assert_int_equal(kws_capture_step(c, kws_clock_mono()), KWS_CAPTURE_CLOSED);
	does->refuses = NULL;
	until(KWS_CAPTURE_RUNNING);
	assert_int_equal(kws_capture_attempts(c), 0);
	run(5.0); /* not a good stream yet: it goes on where it was */
	fake_microphone_end(mic, false, "");
	until(KWS_CAPTURE_CLOSING);
	assert_about(until(KWS_CAPTURE_OPENING), 4.0);
	until(KWS_CAPTURE_RUNNING);
	run(11.0);
	fake_microphone_end(mic, false, "");
	until(KWS_CAPTURE_CLOSING);
	assert_about(until(KWS_CAPTURE_OPENING), 0.25);
}

static void hangs_when_opened(void **state)
{
	(void)state;
	does->open_hangs = true;
	assert_about(until(KWS_CAPTURE_HUNG), 15.0);
	assert_false(kws_capture_destroy(c, 100)); /* all is left behind */
	assert_int_equal(run(60.0), KWS_CAPTURE_HUNG);
	c = NULL;
}

static void hangs_when_closed(void **state)
{
	(void)state;
	until(KWS_CAPTURE_RUNNING);
	run(1.0);
	does->close_hangs = does->stalled = true;
	until(KWS_CAPTURE_CLOSING);
	assert_about(until(KWS_CAPTURE_HUNG), 3.0);
	assert_null(kws_capture_device(c));
	assert_false(kws_capture_destroy(c, 100));
	c = NULL;
}

/* Slow is not hung; who is in the middle of it at the end is waited for. */
static void takes_long(void **state)
{
	(void)state;
	does->open_takes_s = 14.0;
	does->close_takes_s = 2.5;
	assert_about(until(KWS_CAPTURE_RUNNING), 14.0);
	kws_capture_lose(c, "tried");
	assert_about(until(KWS_CAPTURE_CLOSED), 2.5);
	until(KWS_CAPTURE_OPENING);
	run(1.0);
	const double from = kws_clock_mono();
	assert_false(kws_capture_destroy(c, 1000));
	assert_about(kws_clock_mono() - from, 1.0);
	assert_true(kws_capture_destroy(c, 60000));
	c = NULL;
	assert_int_equal(fake_microphone_opened(mic), 2);
	assert_false(fake_microphone_is_open(mic));
}

static void configured_anew(void **state)
{
	(void)state;
	until(KWS_CAPTURE_RUNNING);
	conf.stall_ms = 2000; /* nothing of the stream */
	kws_capture_configure(c, &conf);
	assert_int_equal(run(1.0), KWS_CAPTURE_RUNNING);
	does->stalled = true;
	assert_about(until(KWS_CAPTURE_CLOSING), 2.0);
	does->stalled = false;
	until(KWS_CAPTURE_RUNNING);
	strcpy(conf.device, "door");
	kws_capture_configure(c, &conf);
	assert_true(until(KWS_CAPTURE_RUNNING) < 0.1);
	assert_int_equal(kws_capture_stream(c), 3);
	assert_int_equal(kws_device_rate(kws_capture_device(c)), 48000);
	assert_false(fake_microphone_is_open(mic));
}

/* With long pieces, a device has three of them to send something, and looks that are as rare as
 * pieces count in full. */
static void stalls_by_its_pieces(void **state)
{
	(void)state;
	conf.latency_ms = 200;
	conf.stall_ms = 100;
	kws_capture_configure(c, &conf);
	until(KWS_CAPTURE_RUNNING);
	run(1.0);
	does->stalled = true;
	const double from = kws_clock_mono();
	double took = 0.0;
	while (step() == KWS_CAPTURE_RUNNING && took < 5.0) {
		fake_clock_pass(0.2);
		took = kws_clock_mono() - from;
	}
	assert_true(took > 0.6 && took < 1.1);
}

/* While it is being opened, and while it waits for the next attempt. */
static void configured_anew_in_between(void **state)
{
	(void)state;
	does->open_takes_s = 2.0;
	until(KWS_CAPTURE_OPENING);
	strcpy(conf.device, "door");
	kws_capture_configure(c, &conf);
	run(3.0);
	assert_int_equal(kws_capture_stream(c), 2); /* the first was closed at once */
	assert_string_equal(kws_device_name(kws_capture_device(c)), "door");
	assert_false(fake_microphone_is_open(mic));
	strcpy(conf.device, "cellar");
	kws_capture_configure(c, &conf);
	run(20.0);
	assert_int_equal(step(), KWS_CAPTURE_CLOSED);
	assert_non_null(strstr(kws_capture_reason(c), "no such microphone"));
	strcpy(conf.device, "desk");
	does->open_takes_s = 0.0;
	kws_capture_configure(c, &conf);
	assert_about(until(KWS_CAPTURE_RUNNING), 0.0); /* without waiting any longer */
}

static void another_rate(void **state)
{
	(void)state;
	until(KWS_CAPTURE_RUNNING);
	fake_microphone_set_rate(mic, 44100);
	fake_microphone_end(mic, false, "gone");
	until(KWS_CAPTURE_CLOSED);
	assert_string_equal(kws_capture_reason(c), "gone");
	until(KWS_CAPTURE_RUNNING);
	assert_int_equal(kws_device_rate(kws_capture_device(c)), 44100);
}

/* What came before the end is heard first. */
static void ends(void **state)
{
	(void)state;
	until(KWS_CAPTURE_RUNNING);
	deaf = true;
	run(1.0);
	fake_microphone_end(mic, true, "");
	assert_int_equal(run(5.0), KWS_CAPTURE_RUNNING);
	deaf = false;
	run(0.04);
	assert_int_equal(step(), KWS_CAPTURE_ENDED);
	assert_in_range(heard, RATE - 480, RATE + 480);
	assert_int_equal(run(100.0), KWS_CAPTURE_ENDED);
	assert_int_equal(fake_microphone_asked(mic), 1);
}

static void is_refused(void **state)
{
	(void)state;
	does->refuses = "no sound";
	does->refuses_as = KWS_ERR_FORMAT;
	until(KWS_CAPTURE_REFUSED);
	does->refuses = NULL;
	assert_int_equal(run(100.0), KWS_CAPTURE_REFUSED);
	assert_string_equal(kws_capture_reason(c), "desk: no sound");
	assert_int_equal(fake_microphone_asked(mic), 1);
}

#define each(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		each(opens_and_hears),	 each(stalls),
		each(is_stopped_itself), each(backs_off),
		each(hangs_when_opened), each(hangs_when_closed),
		each(takes_long),	 each(stalls_by_its_pieces),
		each(configured_anew),	 each(configured_anew_in_between),
		each(another_rate),	 each(ends),
		each(is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
