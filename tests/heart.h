/* heart.h - a folder with models and a configuration, for tests of the daemon's heart. Include it behind
 * cmocka.h. */
#ifndef KWS_TESTS_HEART_H
#define KWS_TESTS_HEART_H

#include "tests/tiny_model.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char heart_dir[64];

static inline const char *heart_path(const char *name)
{
	static char path[4][384];
	static unsigned n;
	char *p = path[n++ % 4];

	snprintf(p, sizeof path[0], "%s/%s", heart_dir, name);
	return p;
}

static inline void heart_write(const char *name, const void *bytes, size_t n)
{
	FILE *f = fopen(heart_path(name), "wb");

	if (!f || fwrite(bytes, 1, n, f) != n || fclose(f) != 0)
		abort();
}

static inline void heart_model(const char *name, unsigned seed)
{
	tiny_config cfg = tiny_default;
	size_t n;

	cfg.seed = seed;
	void *bytes = tiny_model_bytes(&cfg, &n);
	heart_write(name, bytes, n);
	free(bytes);
}

/* All of a small file. */
static inline const char *heart_read(const char *name)
{
	static char text[16384];
	FILE *f = fopen(heart_path(name), "rb");
	size_t n = f ? fread(text, 1, sizeof text - 1, f) : 0;

	if (f)
		fclose(f);
	text[n] = 0;
	return text;
}

static inline int heart_set_up(void **state)
{
	(void)state;
	snprintf(heart_dir, sizeof heart_dir, "/tmp/kws-heart.XXXXXX");
	return mkdtemp(heart_dir) ? 0 : -1;
}

static inline int heart_tear_down(void **state)
{
	DIR *d = opendir(heart_dir);
	struct dirent *e;

	(void)state;
	while (d && (e = readdir(d)))
		unlink(heart_path(e->d_name));
	if (d)
		closedir(d);
	return rmdir(heart_dir);
}

#endif
