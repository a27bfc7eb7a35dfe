/* The service: microphones that come and go, hang and are turned off, settings that are kept, by a fake
 * clock and fake microphones. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "daemon/clock.h"
#include "daemon/log.h"
#include "daemon/service_parts.h"
#include "daemon/signals.h"
#include "tests/fake/clock.h"
#include "tests/fake/device.h"
#include "tests/heart.h"

#include <math.h>
#include <signal.h>
#include <sys/stat.h>
#include <sysexits.h>

enum { RATE = 16000 };

static fake_microphone *desk, *door;
static kws_service *service;
static kws_setup_source source;
static kws_snapshot shot;
static double begun;
static char conf_path[384];

/* Noise that comes and goes, so that the random network changes its mind now and then. */
static void sound(void *ctx, uint64_t at, float *pcm, size_t n)
{
	(void)ctx;
	for (size_t i = 0; i < n; i++) {
		const uint64_t t = at + i;
		const unsigned beat = (unsigned)(t / (RATE / 5)) * 2654435761u >> 28;
		const unsigned noise = (unsigned)t * 1664525u + 1013904223u;

		pcm[i] = 1e-4f * (float)(beat % 8) * (float)((noise >> 20) % 128)
			 + 1e-2f * (float)(t % (20 + beat)) / 40.0f;
	}
}

static int set_up(void **state)
{
	(void)state;
	kws_log_level(KWS_LOG_ERROR - 1);
	fake_clock_start(1e9);
	fake_devices_start();
	desk = fake_microphone_add("desk", RATE, sound, NULL);
	door = fake_microphone_add("door", RATE, sound, NULL);
	begun = kws_clock_mono();
	snprintf(conf_path, sizeof conf_path, "%s", heart_path("kwsd.conf"));
	source = (kws_setup_source){ .path = conf_path };
	unlink(heart_path("kept"));
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	fake_devices_stop();
	fake_clock_stop();
	return 0;
}

/* ---- what is done, and when ---- */

/* The configuration: what every test has, and this. */
static void write_conf(const char *text)
{
	char all[4096];
	int n = snprintf(all, sizeof all,
			 "[log]\nlevel = error\n[control]\npath =\nstate = %s\n[stdout]\nenabled = "
			 "no\n[journal]\nenabled "
			 "= no\n[file]\npath = %s\n[model m]\npath = %s\n%s",
			 heart_path("kept"), heart_path("events"), heart_path("model"), text);

	heart_write("kwsd.conf", all, (size_t)n);
}

static void refuse(void *ctx, const char *text)
{
	(void)ctx;
	fail_msg("%s", text);
}

static void start(const char *conf)
{
	static kws_setup setup;
	kws_error err = { "" };

	write_conf(conf);
	assert_int_equal(kws_setup_read(&setup, &source, refuse, NULL), 0);
	if (kws_setup_build(&setup, NULL, &err) != KWS_OK || kws_setup_open(&setup, &err) != KWS_OK
	    || kws_service_create(&service, &source, &setup, &err) != KWS_OK)
		fail_msg("%s", err.text);
}

static void do_at(double s, fake_clock_fn *fn)
{
	fake_clock_at(begun + s, fn, NULL);
}

static void stop(void *ctx)
{
	(void)ctx;
	raise(SIGTERM);
}

/* Until it ends, or is ended after so many seconds: the exit status. */
static int run(double s)
{
	do_at(s, stop);
	return kws_service_run(service);
}

static float threshold_of(const char *word)
{
	const kws_spotter_stats *st = &shot.listener[0].spotter[0];

	return st->threshold[kws_model_word_index(st->model, word)];
}

/* Texts of a snapshot are the service's, which may be gone when the test looks. */
static void keep_texts(kws_snapshot *s, char text[][2][32])
{
	for (size_t i = 0; i < s->n_listeners; i++) {
		snprintf(text[i][0], 32, "%s", s->listener[i].name);
		snprintf(text[i][1], 32, "%s", s->listener[i].state);
		s->listener[i].name = text[i][0];
		s->listener[i].state = text[i][1];
	}
}

static float yes;

static void look(void *ctx)
{
	static char text[KWS_CONF_AUDIOS][2][32];

	(void)ctx;
	kws_service_snapshot(service, &shot);
	yes = threshold_of("yes");
	keep_texts(&shot, text);
}

static enum kws_control_result set(const char *what, bool keep)
{
	static char errors[KWS_CONTROL_ERRORS];

	errors[0] = 0;
	return kws_service_control.set(service, &what, 1, keep, errors);
}

static const kws_listener_stats *listener(const char *name)
{
	for (size_t i = 0; i < shot.n_listeners; i++)
		if (!strcmp(shot.listener[i].name, name))
			return &shot.listener[i];
	fail_msg("there is no %s", name);
	return NULL;
}

static bool is_near(double a, double b, double most)
{
	return fabs(a - b) <= most;
}

/* ---- the tests ---- */

#define TWO "[audio desk]\ndevice = desk\n[audio door]\ndevice = door\n"

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

static kws_snapshot before;

static void look_before(void *ctx)
{
	static char text[KWS_CONF_AUDIOS][2][32];

	(void)ctx;
	kws_service_snapshot(service, &before);
	keep_texts(&before, text);
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

/* ---- settings ---- */

static void desk_off(void *ctx)
{
	(void)ctx;
	assert_int_equal(set("audio desk.enabled=no", false), KWS_CONTROL_DONE);
}

static void desk_on(void *ctx)
{
	(void)ctx;
	assert_false(fake_microphone_is_open(desk));
	assert_int_equal(set("audio desk.enabled=yes", false), KWS_CONTROL_DONE);
}

static void test_off_and_on(void **state)
{
	(void)state;
	start(TWO);
	do_at(3.0, desk_off);
	do_at(6.0, look_before);
	do_at(8.0, desk_on);
	do_at(12.0, look);
	assert_int_equal(run(13.0), EX_OK);
	assert_string_equal(before.listener[0].state, "off");
	assert_false(before.listener[0].enabled);
	assert_int_equal(fake_microphone_asked(desk), 2);
	assert_true(is_near(listener("desk")->heard_s, 7.0, 0.3));
	assert_true(is_near(listener("desk")->gap_s, 5.0, 0.3));
	assert_true(is_near(listener("door")->heard_s, 12.0, 0.2));
}

/* With nobody who is to hear, it goes on: somebody may be turned on again. */
static void test_all_off(void **state)
{
	(void)state;
	start("[audio desk]\ndevice = desk\nenabled = no\n");
	do_at(600.0, look_before);
	do_at(700.0, desk_on);
	do_at(705.0, look);
	assert_int_equal(run(706.0), EX_OK);
	assert_string_equal(before.listener[0].state, "off");
	assert_int_equal(fake_microphone_asked(desk), 1);
	assert_true(is_near(listener("desk")->heard_s, 5.0, 0.3));
}

static float seen[4];
static unsigned n_seen;

static void note_yes(void *ctx)
{
	(void)ctx;
	look(NULL);
	seen[n_seen++] = yes;
}

static void set_yes(void *ctx)
{
	(void)ctx;
	assert_int_equal(set("threshold.yes=0.25", false), KWS_CONTROL_DONE);
	note_yes(NULL);
}

static void keep_yes(void *ctx)
{
	(void)ctx;
	assert_int_equal(set("threshold.yes=0.25", true), KWS_CONTROL_DONE);
	note_yes(NULL);
}

static void reload(void *ctx)
{
	(void)ctx;
	raise(SIGHUP);
}

/* What is set holds until the next reload; what is kept also then, and at the next start. */
static void test_set_and_keep(void **state)
{
	(void)state;
	for (int kept = 0; kept < 2; kept++) {
		n_seen = 0;
		begun = kws_clock_mono();
		start("[audio desk]\ndevice = desk\n");
		do_at(1.0, kept ? keep_yes : set_yes);
		do_at(2.0, reload);
		do_at(4.0, note_yes);
		assert_int_equal(run(5.0), EX_OK);
		begun = kws_clock_mono();
		start("[audio desk]\ndevice = desk\n");
		do_at(1.0, note_yes);
		assert_int_equal(run(2.0), EX_OK);
		assert_int_equal(n_seen, 3);
		assert_true(is_near((double)seen[0], 0.25, 1e-6));
		for (int i = 1; i < 3; i++)
			assert_true(is_near((double)seen[i], kept ? 0.25 : 0.5, 1e-6));
	}
	assert_non_null(strstr(heart_read("kept"), "yes = 0.25"));
	assert_int_equal(access(heart_path("kept.new"), F_OK), -1);
}

static void set_wrong(void *ctx)
{
	const char *const both[] = { "threshold.no=0.3", "threshold.perhaps=0.5" };
	char errors[KWS_CONTROL_ERRORS] = "";

	(void)ctx;
	assert_int_equal(kws_service_control.set(service, both, 2, true, errors),
			 KWS_CONTROL_REFUSED);
	assert_non_null(strstr(errors, "perhaps"));
	assert_int_equal(set("audio desk.device=door", true), KWS_CONTROL_REFUSED);
	assert_int_equal(set("audio nobody.enabled=no", true), KWS_CONTROL_REFUSED);
	look(NULL);
	assert_true(is_near((double)threshold_of("no"), 0.6, 1e-6)); /* all or nothing */
	assert_int_equal(access(heart_path("kept"), F_OK), -1);
}

static void keep_nowhere(void *ctx)
{
	(void)ctx;
	assert_int_equal(mkdir(heart_path("kept.new"), 0700), 0);
	assert_int_equal(set("threshold.no=0.3", true), KWS_CONTROL_IN_PART);
	assert_int_equal(rmdir(heart_path("kept.new")), 0);
	look(NULL);
	assert_true(is_near((double)threshold_of("no"), 0.3, 1e-6));
	assert_int_equal(access(heart_path("kept"), F_OK), -1);
}

static void test_what_cannot_be_set(void **state)
{
	(void)state;
	start("[audio desk]\ndevice = desk\n");
	do_at(1.0, set_wrong);
	do_at(2.0, keep_nowhere);
	assert_int_equal(run(3.0), EX_OK);
}

/* What was kept for a microphone that is gone is left out, and the rest holds. */
static void test_kept_and_gone(void **state)
{
	static const char kept[] = "[audio attic]\nenabled = no\n[threshold]\nyes = 0.125\n";

	(void)state;
	heart_write("kept", kept, sizeof kept - 1);
	start("[audio desk]\ndevice = desk\n");
	do_at(1.0, look);
	assert_int_equal(run(2.0), EX_OK);
	assert_true(is_near((double)yes, 0.125, 1e-6));
	assert_true(shot.listener[0].enabled);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_two_microphones), TEST(test_hung),
		TEST(test_reload),	    TEST(test_refused_reload),
		TEST(test_off_and_on),	    TEST(test_all_off),
		TEST(test_set_and_keep),    TEST(test_what_cannot_be_set),
		TEST(test_kept_and_gone),
	};
	int failed;

	if (kws_signals_catch(NULL) != KWS_OK || heart_set_up(NULL) != 0)
		return 1;
	heart_model("model", 1);
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	return heart_tear_down(NULL) || failed;
}
