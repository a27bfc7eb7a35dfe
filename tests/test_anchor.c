/* The time of a sample, over hours of a crystal that runs wrong. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "daemon/anchor.h"

#include <math.h>
#include <string.h>

/* A microphone whose crystal is 200 parts in a million wrong, read every 20 ms with up to 80 ms of
 * delay, for a day: the time of a sample stays within 10 ms; without the correction it would be 17
 * s off. */
static void drift(double ppm)
{
	kws_anchor a;
	double t0 = 1.7e9, worst = 0.0;
	unsigned seed = 1;

	kws_anchor_start(&a, false, t0, 0.0);
	for (double t = 0.02; t < 86400.0; t += 0.02) {
		double heard = t * (1.0 + 1e-6 * ppm);

		seed = seed * 1664525u + 1013904223u;
		assert_true(kws_anchor_update(&a, t0 + t + 0.08 * (seed >> 8) / 16777216.0, heard)
			    == 0.0);
		worst = fmax(worst, fabs(kws_anchor_time(&a, heard) - (t0 + t)));
	}
	assert_true(worst < 0.01);
}

static void test_drift(void **state)
{
	(void)state;
	drift(200.0);
	drift(-200.0);
	drift(0.0);
}

static void test_jumps(void **state)
{
	kws_anchor a;
	double jump = 0.0, t0 = 1.7e9;

	(void)state;
	kws_anchor_start(&a, false, t0, 0.0);
	for (double t = 0.02; t < 60.0; t += 0.02) /* an hour is lost after 20 s */
		jump += kws_anchor_update(&a, t0 + t + (t > 20.0 ? 3600.0 : 0.0), t);
	assert_true(fabs(jump - 3600.0) < 0.1);
	assert_true(fabs(kws_anchor_time(&a, 60.0) - (t0 + 3660.0)) < 0.1);
	jump = kws_anchor_update(&a, t0 + 60.0, 60.0); /* or comes after all */
	assert_true(fabs(jump + 3600.0) < 0.1);
	assert_true(fabs(kws_anchor_time(&a, 60.0) - (t0 + 60.0)) < 0.1);
}

/* The audio is late by `late' all the time, a second of it a second. Returns the sum of the
 * jumps up to this second, and where the anchor stands. */
static double follow(kws_anchor *a, double late, int seconds, double *moved)
{
	double jump = 0.0, t0 = 1.7e9;

	kws_anchor_start(a, false, t0, 0.0);
	for (int t = 1; t <= seconds; t++)
		jump += kws_anchor_update(a, t0 + t + late, t);
	*moved = kws_anchor_time(a, 0.0) - t0;
	return jump;
}

/* In each window of 10 s the anchor moves a quarter of the way. */
static void test_a_quarter_in_each_window(void **state)
{
	kws_anchor a;
	double moved, share = 0.0;

	(void)state;
	for (int window = 1; window <= 4; window++) { /* the first one began on time */
		assert_true(follow(&a, 0.125, 10 * window - 1, &moved) == 0.0);
		assert_true(fabs(moved - 0.125 * share) < 1e-6);
		share = window == 1 ? 0.0 : share + 0.25 * (1.0 - share);
		assert_true(follow(&a, 0.125, 10 * window, &moved) == 0.0);
		assert_true(fabs(moved - 0.125 * share) < 1e-6);
	}
}

/* What is taken over whole: a quarter of a second late, after a window of it; a second early, at once. */
static void test_what_is_a_jump(void **state)
{
	const double less = 0.25 - 1.0 / 128.0, more = 0.25 + 1.0 / 128.0,
		     sooner = 1.0 - 1.0 / 128.0;
	kws_anchor a;
	double moved;

	(void)state;
	assert_true(follow(&a, less, 20, &moved) == 0.0);
	assert_true(fabs(moved - 0.25 * less) < 1e-6);
	assert_true(follow(&a, more, 19, &moved) == 0.0);
	assert_true(moved == 0.0);
	assert_true(fabs(follow(&a, more, 20, &moved) - more) < 1e-6);
	assert_true(fabs(moved - more) < 1e-6);
	assert_true(follow(&a, -sooner, 10, &moved) == 0.0);
	assert_true(moved == 0.0);
	assert_true(follow(&a, -sooner, 11, &moved) == 0.0);
	assert_true(fabs(moved + 0.25 * sooner) < 1e-6);
	assert_true(fabs(follow(&a, -1.0 - 1.0 / 128.0, 1, &moved) + 1.0 + 1.0 / 128.0) < 1e-6);
	assert_true(fabs(moved + 1.0 + 1.0 / 128.0) < 1e-6);
}

static void test_before_the_start_nothing_moves(void **state)
{
	kws_anchor a;

	(void)state;
	memset(&a, 0, sizeof a);
	assert_true(kws_anchor_update(&a, 1.7e9, 5.0) == 0.0);
	assert_true(kws_anchor_time(&a, 5.0) == 5.0);
}

/* A server that stops for three seconds and then sends them all at once has lost nothing: no jump.
 */
static void test_burst(void **state)
{
	kws_anchor a;
	double t0 = 1.7e9;

	(void)state;
	kws_anchor_start(&a, false, t0, 0.0);
	for (double t = 0.02; t < 60.0; t += 0.02) {
		bool stopped = t > 30.0 && t < 33.0;

		assert_true(kws_anchor_update(&a, t0 + t, stopped ? 30.0 : t) == 0.0);
	}
	assert_true(fabs(kws_anchor_time(&a, 60.0) - (t0 + 60.0)) < 0.01);
}

static void test_file_keeps_its_start(void **state)
{
	kws_anchor a;
	double t0 = 1.7e9;

	(void)state;
	kws_anchor_start(&a, true, t0, 0.0);
	for (double s = 0.0; s < 3600.0; s += 1.0) /* an hour of audio in 36 s */
		assert_true(kws_anchor_update(&a, t0 + s / 100.0, s) == 0.0);
	assert_true(kws_anchor_time(&a, 3600.0) == t0 + 3600.0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_drift),
		cmocka_unit_test(test_jumps),
		cmocka_unit_test(test_a_quarter_in_each_window),
		cmocka_unit_test(test_what_is_a_jump),
		cmocka_unit_test(test_before_the_start_nothing_moves),
		cmocka_unit_test(test_burst),
		cmocka_unit_test(test_file_keeps_its_start),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
