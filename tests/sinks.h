/* sinks.h - what the tests of sinks share: an event, a folder that goes afterwards, and waiting for
 * what another thread or process does. */
#ifndef KWS_TESTS_SINKS_H
#define KWS_TESTS_SINKS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "runtime/log.h"
#include "daemon/sink/sink.h"
#include "tests/schema.h"

#include <dirent.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static char dir[64];

static inline kws_report event(unsigned n)
{
	kws_report r = { .word = "yes",
			 .score = 0.91234567,
			 .threshold = 0.7,
			 .rate_hz = 16000,
			 .snr_db = (double)NAN,
			 .level_dbfs = -20.5,
			 .model = "m",
			 .model_hash = "0123456789abcdef0123456789abcdef"
				       "0123456789abcdef0123456789abcdef",
			 .live = true,
			 .device = "a \"quoted\" \xff name",
			 .host = "h",
			 .start_time = "2026-01-01T00:00:00.000Z",
			 .end_time = "2026-01-01T00:00:01.000Z" };

	r.start_sample = n;
	r.start_s = n / 16000.0;
	return r;
}

/* The same with every field that an event can have. */
static inline kws_report whole_event(unsigned n)
{
	kws_report r = event(n);
	const char *name;
	char value[256];
	size_t fields = 0;

	r.start_monotonic = 1.0;
	r.file = "a.wav";
	strcpy(r.spotter, "jarvis");
	strcpy(r.listener, "kitchen");
	strcpy(r.after, "wake");
	strcpy(r.id, "01234567-0123456789abcdef-5-1");
	strcpy(r.after_id, "01234567-0123456789abcdef-1-1");
	while (kws_report_field(&r, fields, &name, value, sizeof value))
		fields++;
	assert_in_range(fields, KWS_REPORT_FIELDS - 4, KWS_REPORT_FIELDS);
	return r;
}

static inline const char *in_dir(const char *name)
{
	static char path[4][384];
	static int k;

	k = (k + 1) % 4;
	snprintf(path[k], sizeof path[k], "%s/%s", dir, name);
	return path[k];
}

/* A sink that is open, as the daemon's are. */
#define OPENED(sink, create)                                                                       \
	do {                                                                                       \
		kws_error err_ = { "" };                                                           \
		assert_int_equal(create, KWS_OK);                                                  \
		if (kws_sink_open(sink, NULL, &err_) != KWS_OK)                                    \
			fail_msg("%s", err_.text);                                                 \
	} while (0)

/* Wait for a condition that another thread or process brings about; bounded, and no claim about
 * time. */
#define UNTIL(condition)                                                                           \
	do {                                                                                       \
		for (int tries_ = 0; !(condition) && tries_ < 5000; tries_++) {                    \
			struct timespec t_ = { .tv_nsec = 2000000 };                               \
			nanosleep(&t_, NULL);                                                      \
		}                                                                                  \
		assert_true(condition);                                                            \
	} while (0)

static inline char *slurp(const char *path)
{
	static char text[1 << 18];
	FILE *f = fopen(path, "r");
	size_t n = f ? fread(text, 1, sizeof text - 1, f) : 0;

	if (f)
		fclose(f);
	text[n] = 0;
	return text;
}

static inline unsigned count_lines(const char *text)
{
	unsigned n = 0;

	for (; *text; text++)
		n += *text == '\n';
	return n;
}

/* Names in the folder. */
static inline unsigned count_names(void)
{
	DIR *d = opendir(dir);
	unsigned n = 0;

	while (readdir(d))
		n++;
	closedir(d);
	return n - 2;
}

/* Of a socket that events go to. */
static inline kws_conf_socket socket_conf(void)
{
	kws_conf_socket c = { .mode = 0620, .clients = 4, .buffer_kb = 4 };

	snprintf(c.path, sizeof c.path, "%s", in_dir("events.sock"));
	return c;
}

static inline int setup(void **state)
{
	(void)state;
	signal(SIGPIPE, SIG_IGN);
	kws_log_level(0);
	snprintf(dir, sizeof dir, "/tmp/kws-test-sink.XXXXXX");
	return mkdtemp(dir) ? 0 : -1;
}

static inline int teardown(void **state)
{
	char command[128];

	(void)state;
	snprintf(command, sizeof command, "rm -rf %s", dir);
	return system(command);
}

#endif
