/* clips.h - a folder with clips, for the tests of them, and what is in it. */
#ifndef KWS_TESTS_CLIPS_H
#define KWS_TESTS_CLIPS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "daemon/clips.h"
#include "runtime/log.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char dir[64];

typedef struct {
	unsigned files;
	long bytes;
	char first[128];
} seen;

static inline seen look(void)
{
	seen s = { 0, 0, "" };
	DIR *d = opendir(dir);
	struct dirent *e;
	struct stat st;
	char path[512];

	while ((e = readdir(d))) {
		snprintf(path, sizeof path, "%s/%s", dir, e->d_name);
		if (stat(path, &st) != 0 || !S_ISREG(st.st_mode))
			continue;
		s.files++;
		s.bytes += st.st_size;
		if (!*s.first || strcmp(e->d_name, s.first) < 0)
			snprintf(s.first, sizeof s.first, "%.127s", e->d_name);
	}
	closedir(d);
	return s;
}

static inline void empty(void)
{
	while (look().files) {
		seen s = look();
		char path[512];

		snprintf(path, sizeof path, "%s/%s", dir, s.first);
		unlink(path);
	}
}

static inline kws_conf_clips conf(void)
{
	kws_conf_clips c = { .quota_mb = 1, .pre_ms = 100, .post_ms = 50, .queue = 8 };

	snprintf(c.dir, sizeof c.dir, "%s", dir);
	return c;
}

static inline void fill(const char *name, size_t bytes)
{
	char path[256];
	FILE *f;

	snprintf(path, sizeof path, "%s/%s", dir, name);
	f = fopen(path, "w");
	for (size_t i = 0; i < bytes; i++)
		fputc(0, f);
	fclose(f);
}

static inline bool there(const char *name)
{
	char path[256];

	snprintf(path, sizeof path, "%s/%s", dir, name);
	return access(path, F_OK) == 0;
}

static inline int setup(void **state)
{
	(void)state;
	kws_log_level(0);
	snprintf(dir, sizeof dir, "/tmp/kws-test-clips.XXXXXX");
	return mkdtemp(dir) ? 0 : -1;
}

static inline int teardown(void **state)
{
	(void)state;
	empty();
	return rmdir(dir);
}

#endif
