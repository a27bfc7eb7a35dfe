/* The service: microphones that are turned off, and settings that are kept, by a fake clock. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/service.h"

#include <sys/stat.h>
#include <sysexits.h>

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

static int tests(void)
{
	const struct CMUnitTest all[] = {
		SERVICE_TEST(test_off_and_on),	  SERVICE_TEST(test_all_off),
		SERVICE_TEST(test_set_and_keep),  SERVICE_TEST(test_what_cannot_be_set),
		SERVICE_TEST(test_kept_and_gone),
	};

	return cmocka_run_group_tests(all, NULL, NULL);
}

int main(void)
{
	return run_service_tests(tests);
}
