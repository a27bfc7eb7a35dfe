/* ends.h - files of sound that are changed byte by byte, heard from a file and from a pipe. */
#ifndef KWS_TEST_ENDS_H
#define KWS_TEST_ENDS_H

#include "audio/header.h"
#include "audio/source.h"
#include "audio/tape.h"

#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <sndfile.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

enum { FRAMES = 20000, MOST = 100000, ROOM = 1 << 21 };

static char path[] = "/tmp/test_ends_XXXXXX";

typedef struct {
	unsigned char bytes[ROOM];
	size_t n;
} blob;

static blob whole, made;
static float heard[3 * MOST];
static size_t frames = FRAMES; /* of the files that are written */

/* ---- files ---- */

static inline void put(blob *b, const void *bytes, size_t n)
{
	assert_true(b->n + n <= ROOM);
	memcpy(b->bytes + b->n, bytes, n);
	b->n += n;
}

static inline void set(size_t at, uint64_t value, size_t n, bool is_big)
{
	for (size_t i = 0; i < n; i++)
		made.bytes[at + (is_big ? n - 1 - i : i)] = (unsigned char)(value >> (8 * i));
}

static inline size_t find(const char *what)
{
	for (size_t i = 0; i + strlen(what) <= whole.n; i++)
		if (memcmp(whole.bytes + i, what, strlen(what)) == 0)
			return i;
	fail_msg("no %s in it", what);
	return 0;
}

/* A file of noise that comes and goes, into whole and made. */
static inline void write_sound(int format, int rate, int channels)
{
	static short x[MOST * 2];
	uint32_t seed = 1;
	for (size_t i = 0; i < frames * (size_t)channels; i++) {
		seed = seed * 1664525u + 1013904223u;
		x[i] = (short)((int)(seed >> 20) - 2048);
	}
	SF_INFO info = { .samplerate = rate, .channels = channels, .format = format };
	SNDFILE *snd = sf_open(path, SFM_WRITE, &info);
	if (!snd)
		fail_msg("format %x: %s", (unsigned)format, sf_strerror(NULL));
	assert_int_equal(sf_writef_short(snd, x, (sf_count_t)frames), frames);
	assert_int_equal(sf_close(snd), 0);
	FILE *f = fopen(path, "rb");
	assert_non_null(f);
	whole.n = fread(whole.bytes, 1, ROOM, f);
	assert_true(whole.n > 100 && whole.n < ROOM);
	fclose(f);
	made.n = 0;
	put(&made, whole.bytes, whole.n);
}

/* ---- hearing ---- */

typedef struct {
	size_t n;
	char text[300], note[300];
} outcome;

static inline outcome drain(kws_source *src)
{
	outcome o = { 0 };
	size_t got = 0;
	kws_error err = { "" };
	enum kws_status status;
	do {
		float block[777];
		status = kws_source_read(src, block, 777, &got, &err);
		assert_true(o.n + got <= sizeof heard / sizeof *heard);
		memcpy(heard + o.n, block, got * sizeof *block);
		o.n += got;
	} while (status == KWS_OK && got);
	/* without the name of the file */
	snprintf(o.text, sizeof o.text, "%s", status == KWS_OK ? "" : strchr(err.text, ':') + 2);
	snprintf(o.note, sizeof o.note, "%s", kws_source_note(src));
	kws_source_close(src);
	return o;
}

static inline outcome from_file(void)
{
	kws_source *src = NULL;
	kws_error err = { "" };
	FILE *f = fopen(path, "wb");
	assert_non_null(f);
	assert_int_equal(fwrite(made.bytes, 1, made.n, f), made.n);
	fclose(f);
	if (kws_source_open_file(&src, path, 0, &err) != KWS_OK)
		fail_msg("%s", err.text);
	return drain(src);
}

static inline void *pour(void *arg)
{
	const int fd = *(int *)arg;
	for (size_t at = 0; at < made.n;) {
		const size_t k = made.n - at < 1001 ? made.n - at : 1001;
		const ssize_t done = write(fd, made.bytes + at, k);
		if (done <= 0)
			break;
		at += (size_t)done;
	}
	close(fd);
	return NULL;
}

static inline outcome from_pipe(void)
{
	const kws_source_raw raw = { 16000, 1, KWS_ENC_S16_LE };
	kws_source *src = NULL;
	kws_error err = { "" };
	outcome o = { 0 };
	int ends[2];
	pthread_t thread;
	assert_int_equal(pipe(ends), 0);
	assert_int_equal(pthread_create(&thread, NULL, pour, &ends[1]), 0);
	if (kws_source_open_stream(&src, ends[0], "-", &raw, 0, -1, &err) != KWS_OK)
		snprintf(o.text, sizeof o.text, "%s", err.text);
	else
		o = drain(src);
	close(ends[0]);
	assert_int_equal(pthread_join(thread, NULL), 0);
	return o;
}

static inline void check(outcome o, size_t n, const char *error, const char *note)
{
	if (o.n != n || (*error ? !strstr(o.text, error) : *o.text)
	    || (*note ? !strstr(o.note, note) : *o.note))
		fail_msg("%zu samples, error '%s', note '%s'; want %zu, '%s', '%s'", o.n, o.text,
			 o.note, n, error, note);
}

/* From a file and from a pipe. */
static inline void want(size_t n, const char *error, const char *note)
{
	check(from_file(), n, error, note);
	check(from_pipe(), n, error, note);
}

static const char lies[] = "heard to their end", cut[] = "cut off";
static const unsigned char list[] = "LIST\x1a\0\0\0INFOISFT\x0e\0\0\0Lavf59.27.100";

static inline int make_file(void **state)
{
	(void)state;
	signal(SIGPIPE, SIG_IGN);
	const int fd = mkstemp(path);
	return fd < 0 || close(fd);
}

static inline int remove_file(void **state)
{
	(void)state;
	return unlink(path);
}

#endif
