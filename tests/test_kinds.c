/* What bytes are: other formats are refused by name, from a file and from a pipe, and never heard as
 * raw PCM; bytes that only begin like one are raw PCM. */
#include "audio/source.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

enum { MOST = 8192 };

static char path[] = "/tmp/test_kinds_XXXXXX";
static unsigned char bytes[MOST];
static size_t n;

static const kws_source_raw raw = { 16000, 1, KWS_ENC_S16_LE };

static void put(const void *more, size_t k)
{
	assert_true(n + k <= MOST);
	memcpy(bytes + n, more, k);
	n += k;
}

/* Frames of so many bytes each, which begin with head; the rest of them is anything. */
static void put_frames(const void *head, size_t k, size_t length, int frames)
{
	static unsigned char frame[1024];
	for (size_t i = 0; i < length; i++)
		frame[i] = (unsigned char)(i * 7 + 1);
	memcpy(frame, head, k);
	for (int i = 0; i < frames; i++)
		put(frame, length);
}

static enum kws_status open_file(kws_source **src, kws_error *err)
{
	FILE *f = fopen(path, "wb");
	assert_non_null(f);
	assert_int_equal(fwrite(bytes, 1, n, f), n);
	fclose(f);
	return kws_source_open_file(src, path, 0, err);
}

static int ends[2];

/* ends[0] stays open. */
static enum kws_status open_pipe(kws_source **src, kws_error *err)
{
	assert_int_equal(pipe(ends), 0);
	assert_int_equal(write(ends[1], bytes, n), n); /* a pipe holds that */
	close(ends[1]);
	return kws_source_open_stream(src, ends[0], "-", &raw, 0, -1, err);
}

static void refused(const char *name, const char *why)
{
	kws_source *src = NULL;
	kws_error err = { "" };
	for (int i = 0; i < 2; i++) {
		assert_int_equal((i ? open_pipe : open_file)(&src, &err), KWS_ERR_FORMAT);
		assert_null(src);
		if (!strstr(err.text, name) || !strstr(err.text, why))
			fail_msg("%s, want %s and %s", err.text, name, why);
		if (i)
			close(ends[0]);
	}
	n = 0;
}

static void frames_without_a_mark(void **state)
{
	(void)state;
	/* 300 bytes each but where the format has its own length */
	const unsigned char adts[] = { 0xff, 0xf1, 0x50, 0x80, 300 >> 3, (300 & 7) << 5 | 0x1f };
	const unsigned char loas[] = { 0x56, 0xe0 | (300 - 3) >> 8, (300 - 3) & 0xff };
	const unsigned char ac3[] = { 0x0b, 0x77, 1, 2, 0x0a, 0x40 };	 /* 80 kbit/s, 48 kHz */
	const unsigned char ac3_44[] = { 0x0b, 0x77, 1, 2, 0x4b, 0x40 }; /* 44.1 kHz, padded */
	const unsigned char ac3_32[] = { 0x0b, 0x77, 1, 2, 0x8a, 0x40 };
	const unsigned char eac3[] = { 0x0b, 0x77, 0x00, 300 / 2 - 1, 0x3f, 0x80 };
	const unsigned char ts[] = { 0x47, 0x40, 0x11, 0x10 };
	put_frames(adts, sizeof adts, 300, 6);
	refused("AAC: ", "ffmpeg");
	put_frames(loas, sizeof loas, 300, 6);
	refused("AAC: ", "ffmpeg");
	put_frames(ac3, sizeof ac3, 320, 5);
	refused("AC-3: ", "ffmpeg");
	put_frames(ac3_44, sizeof ac3_44, 350, 5);
	refused("AC-3: ", "ffmpeg");
	put_frames(ac3_32, sizeof ac3_32, 480, 5);
	refused("AC-3: ", "ffmpeg");
	put_frames(eac3, sizeof eac3, 300, 5);
	refused("AC-3: ", "ffmpeg");
	put_frames(ts, sizeof ts, 188, 9);
	refused("MPEG transport stream: ", "ffmpeg");
}

static void files_with_a_mark(void **state)
{
	(void)state;
	static const struct {
		const char *bytes;
		size_t n;
		const char *name, *why;
	} table[] = {
		{ "\x7f\xfe\x80\1", 4, "DTS: ", "ffmpeg" },
		{ "\0\0\1\xba", 4, "MPEG program stream: ", "ffmpeg" },
		{ "\x72\xf8\x1f\x4e", 4, "IEC 61937", "ffmpeg" },
		{ ".RMF\0\0", 6, "RealMedia: ", "ffmpeg" },
		{ "\0\0\0\x20"
		  "ftypM4A ",
		  12, "MP4 or M4A: ", "ffmpeg" },
		{ "<!DOCTYPE html><title>404", 25, "HTML: ", "not sound" },
		{ "#EXTM3U\nhttp://", 15, "playlist: ", "not sound" },
		{ "\x89PNG\r\n\x1a\n", 8, "PNG: ", "not sound" },
		{ "PK\3\4\0\0", 6, "ZIP: ", "not sound" },
	};
	for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
		put(table[i].bytes, table[i].n);
		put_frames("", 0, 500, 2);
		refused(table[i].name, table[i].why);
	}
}

/* A header that is known, with sound behind it that is not. */
static void codings_that_are_not_known(void **state)
{
	(void)state;
	static const unsigned char wav[] = "RIFF\0\1\0\0WAVEfmt \x10\0\0\0\xff\0\1\0\x80\x3e\0\0"
					   "\0\x7d\0\0\1\0\0\0data\xd4\0\0";
	put(wav, sizeof wav);
	put_frames("", 0, 212, 1);
	refused("WAV: its coding 0x00ff cannot be", "ffmpeg");
	static const unsigned char aifc[] =
		"FORM\0\0\1\0AIFCCOMM\0\0\0\x18\0\1\0\0\0\x64\0\x10"
		"\x40\x0c\xfa\0\0\0\0\0\0\0MAC6\0\0SSND\0\0\0\xd4\0\0\0\0\0\0\0";
	put(aifc, sizeof aifc);
	put_frames("", 0, 212, 1);
	refused("AIFC: its coding MAC6 cannot be", "ffmpeg");
}

static void what_only_begins_so_is_raw(void **state)
{
	(void)state;
	static const struct {
		const char *bytes;
		size_t n;
	} table[] = { { "\xff\xf1\x50\x80\x25\x9f", 6 },
		      { "\x56\xe1\x29", 3 },
		      { "\x0b\x77\1\2\x0a\x40", 6 },
		      { "\x47\x40\x11", 3 },
		      { "\xff\xff", 2 },
		      { "\x7f\xfe\x81", 3 },
		      { "<!DOG", 5 } };
	for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
		kws_source *src = NULL;
		kws_error err = { "" };
		put(table[i].bytes, table[i].n);
		put_frames("", 0, 700, 2);
		assert_int_equal(open_pipe(&src, &err), KWS_OK);
		assert_string_equal(kws_source_format(src), "raw PCM");
		kws_source_close(src);
		close(ends[0]);
		n = 0;
	}
}

static int make_file(void **state)
{
	(void)state;
	const int fd = mkstemp(path);
	return fd < 0 || close(fd);
}

static int remove_file(void **state)
{
	(void)state;
	return unlink(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(frames_without_a_mark),
		cmocka_unit_test(files_with_a_mark),
		cmocka_unit_test(codings_that_are_not_known),
		cmocka_unit_test(what_only_begins_so_is_raw),
	};
	return cmocka_run_group_tests(tests, make_file, remove_file);
}
