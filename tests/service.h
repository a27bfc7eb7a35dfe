/* service.h - a service with fake microphones by a fake clock, and what is done to it when. Include it behind
 * cmocka.h. */
#ifndef KWS_TESTS_SERVICE_H
#define KWS_TESTS_SERVICE_H

#include "runtime/clock.h"
#include "runtime/log.h"
#include "daemon/service_parts.h"
#include "runtime/signals.h"
#include "tests/fake/clock.h"
#include "tests/fake/device.h"
#include "tests/heart.h"

#include <math.h>
#include <signal.h>
#include <sys/stat.h>

enum { RATE = 16000 };

static fake_microphone *desk, *door;
static kws_service *service;
static kws_conf_source source;
static kws_snapshot shot;
static double begun;
static char conf_path[384];

/* Noise that comes and goes, so that the random network changes its mind now and then. */
static inline void sound(void *ctx, uint64_t at, unsigned hz, float *pcm, size_t n)
{
	(void)ctx;
	(void)hz;
	for (size_t i = 0; i < n; i++) {
		const uint64_t t = at + i;
		const unsigned beat = (unsigned)(t / (RATE / 5)) * 2654435761u >> 28;
		const unsigned noise = (unsigned)t * 1664525u + 1013904223u;

		pcm[i] = 1e-4f * (float)(beat % 8) * (float)((noise >> 20) % 128)
			 + 1e-2f * (float)(t % (20 + beat)) / 40.0f;
	}
}

static inline int set_up(void **state)
{
	(void)state;
	kws_log_level(KWS_LOG_ERROR - 1);
	fake_clock_start(1e9);
	fake_devices_start();
	desk = fake_microphone_add("desk", RATE, sound, NULL);
	door = fake_microphone_add("door", RATE, sound, NULL);
	begun = kws_clock_mono();
	snprintf(conf_path, sizeof conf_path, "%s", heart_path("kwsd.conf"));
	source = (kws_conf_source){ .path = conf_path };
	unlink(heart_path("kept"));
	return 0;
}

static inline int tear_down(void **state)
{
	(void)state;
	fake_devices_stop();
	fake_clock_stop();
	return 0;
}

/* ---- what is done, and when ---- */

/* The configuration: what every test has, and this. */
static inline void write_conf(const char *text)
{
	char all[4096];
	int n = snprintf(all, sizeof all,
			 "[log]\nlevel = error\n[control]\npath =\nstate = %s\n[stdout]\nenabled = "
			 "no\n[journal]\nenabled "
			 "= no\n[file]\npath = %s\n[model m]\npath = %s\n%s",
			 heart_path("kept"), heart_path("events"), heart_path("model"), text);

	heart_write("kwsd.conf", all, (size_t)n);
}

static inline void refuse(void *ctx, const char *text)
{
	(void)ctx;
	fail_msg("%s", text);
}

static inline void start(const char *conf)
{
	static kws_setup setup;
	kws_error err = { "" };

	write_conf(conf);
	assert_int_equal(kws_setup_read(&setup, &source, refuse, NULL), 0);
	if (kws_setup_build(&setup, NULL, &err) != KWS_OK || kws_setup_open(&setup, &err) != KWS_OK
	    || kws_service_create(&service, &source, &setup, &err) != KWS_OK)
		fail_msg("%s", err.text);
}

static inline void do_at(double s, fake_clock_fn *fn)
{
	fake_clock_at(begun + s, fn, NULL);
}

static inline void stop(void *ctx)
{
	(void)ctx;
	raise(SIGTERM);
}

/* Until it ends, or is ended after so many seconds: the exit status. */
static inline int run(double s)
{
	do_at(s, stop);
	return kws_service_run(service);
}

static inline float threshold_of(const char *word)
{
	const kws_spotter_stats *st = &shot.listener[0].spotter[0];

	return st->threshold[kws_model_word_index(st->model, word)];
}

/* Texts of a snapshot are the service's, which may be gone when the test looks. */
static inline void keep_texts(kws_snapshot *s, char text[][2][32])
{
	for (size_t i = 0; i < s->n_listeners; i++) {
		snprintf(text[i][0], 32, "%s", s->listener[i].name);
		snprintf(text[i][1], 32, "%s", s->listener[i].state);
		s->listener[i].name = text[i][0];
		s->listener[i].state = text[i][1];
	}
}

static float yes;

static inline void look(void *ctx)
{
	static char text[KWS_CONF_AUDIOS][2][32];

	(void)ctx;
	kws_service_snapshot(service, &shot);
	yes = threshold_of("yes");
	keep_texts(&shot, text);
}

static inline enum kws_control_result set(const char *what, bool keep)
{
	static char errors[KWS_CONTROL_ERRORS];

	errors[0] = 0;
	return kws_service_control.set(service, &what, 1, keep, errors);
}

static inline const kws_listener_stats *listener(const char *name)
{
	for (size_t i = 0; i < shot.n_listeners; i++)
		if (!strcmp(shot.listener[i].name, name))
			return &shot.listener[i];
	fail_msg("there is no %s", name);
	return NULL;
}

static inline bool is_near(double a, double b, double most)
{
	return fabs(a - b) <= most;
}

static kws_snapshot before;

static inline void look_before(void *ctx)
{
	static char text[KWS_CONF_AUDIOS][2][32];

	(void)ctx;
	kws_service_snapshot(service, &before);
	keep_texts(&before, text);
}

/* Two microphones. */
#define TWO "[audio desk]\ndevice = desk\n[audio door]\ndevice = door\n"

#define SERVICE_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

static inline int run_service_tests(int (*tests)(void))
{
	int failed;

	if (kws_signals_catch(NULL) != KWS_OK || heart_set_up(NULL) != 0)
		return 1;
	heart_model("model", 1);
	failed = tests();
	return heart_tear_down(NULL) || failed;
}

#endif
