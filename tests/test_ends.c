/* Where sound really ends, whatever a header says; streams one behind the other; what is cut off;
 * and the same from a pipe. */
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

static void put(blob *b, const void *bytes, size_t n)
{
	assert_true(b->n + n <= ROOM);
	memcpy(b->bytes + b->n, bytes, n);
	b->n += n;
}

static void set(size_t at, uint64_t value, size_t n, bool is_big)
{
	for (size_t i = 0; i < n; i++)
		made.bytes[at + (is_big ? n - 1 - i : i)] = (unsigned char)(value >> (8 * i));
}

static size_t find(const char *what)
{
	for (size_t i = 0; i + strlen(what) <= whole.n; i++)
		if (memcmp(whole.bytes + i, what, strlen(what)) == 0)
			return i;
	fail_msg("no %s in it", what);
	return 0;
}

/* A file of noise that comes and goes, into whole and made. */
static void write_sound(int format, int rate, int channels)
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

static outcome drain(kws_source *src)
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

static outcome from_file(void)
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

static void *pour(void *arg)
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

static outcome from_pipe(void)
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

static void check(outcome o, size_t n, const char *error, const char *note)
{
	if (o.n != n || (*error ? !strstr(o.text, error) : *o.text)
	    || (*note ? !strstr(o.note, note) : *o.note))
		fail_msg("%zu samples, error '%s', note '%s'; want %zu, '%s', '%s'", o.n, o.text,
			 o.note, n, error, note);
}

/* From a file and from a pipe. */
static void want(size_t n, const char *error, const char *note)
{
	check(from_file(), n, error, note);
	check(from_pipe(), n, error, note);
}

static const char lies[] = "heard to their end", cut[] = "cut off";
static const unsigned char list[] = "LIST\x1a\0\0\0INFOISFT\x0e\0\0\0Lavf59.27.100";

/* ---- the tests ---- */

typedef struct {
	int format;
	const char *mark; /* the size stands so far behind it */
	size_t behind, bytes;
	bool is_big;
	uint64_t more; /* of the size, beside the samples */
	uint64_t open; /* size that leaves it open */
} container;

static const container containers[] = {
	{ SF_FORMAT_WAV, "data", 4, 4, false, 0, 0xffffffff },
	{ SF_FORMAT_WAV | SF_ENDIAN_BIG, "data", 4, 4, true, 0, 0x7fffffff },
	{ SF_FORMAT_AIFF, "SSND", 4, 4, true, 8, 0xffffffff },
	{ SF_FORMAT_AU, ".snd", 8, 4, true, 0, 0xffffffff },
	{ SF_FORMAT_W64, "data\xf3\xac", 16, 8, false, 24, UINT64_MAX },
	{ SF_FORMAT_CAF, "data", 4, 8, true, 4, UINT64_MAX },
};

static void sizes_that_are_wrong(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof containers / sizeof *containers; i++) {
		const container *c = &containers[i];
		write_sound(c->format | SF_FORMAT_PCM_16, 16000, 1);
		const size_t at = find(c->mark) + c->behind;
		want(FRAMES, "", "");
		set(at, 0, c->bytes, c->is_big);
		want(FRAMES, "", "the header says 0 samples, there are 20000, heard to their end");
		set(at, c->more, c->bytes, c->is_big);
		want(FRAMES, "", lies);
		set(at, c->more + 10000, c->bytes, c->is_big);
		want(FRAMES, "", "the header says 5000 samples, ");
		set(at, c->open, c->bytes, c->is_big);
		want(FRAMES, "", "");
		set(at, c->more + 60000, c->bytes, c->is_big);
		want(FRAMES, "at sample 20000: cut off: the header says 30000 samples", "");
	}
}

static void sound_that_is_cut_off(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof containers / sizeof *containers; i++) {
		write_sound(containers[i].format | SF_FORMAT_PCM_16, 16000, 1);
		made.n = whole.n - 10000;
		want(15000, "at sample 15000: cut off", "");
		made.n--; /* in the middle of a sample */
		want(14999, "at sample 14999: cut off", "");
	}
}

/* Sizes in 32 bits run over: more than 4 GiB are claimed to be little. The file has holes, and is
 * not read. */
static void more_than_32_bits_hold(void **state)
{
	(void)state;
	static const uint64_t times[] = { 1, 3 };
	write_sound(SF_FORMAT_WAV | SF_FORMAT_PCM_16, 16000, 1);
	for (size_t i = 0; i < 2; i++) {
		const uint64_t more = times[i] << 32;
		from_file();
		FILE *f = fopen(path, "r+b");
		assert_non_null(f);
		assert_int_equal(ftruncate(fileno(f), (off_t)(more + whole.n)), 0);
		assert_int_equal(fseeko(f, 0, SEEK_END), 0);
		assert_int_equal(fwrite(list, 1, 34, f), 34); /* is no sound */
		fclose(f);
		const int fd = open(path, O_RDONLY);
		kws_tape *t = kws_tape_open(fd);
		kws_header h;
		assert_non_null(t);
		assert_int_equal(kws_header_read(&h, t, NULL), KWS_OK);
		assert_int_equal(h.claim, 2 * FRAMES);
		assert_int_equal(kws_header_end(&h, t), h.data + more + 2 * FRAMES);
		kws_tape_close(t);
		close(fd);
	}
}

static void chunks_behind_the_sound_are_no_sound(void **state)
{
	(void)state;
	write_sound(SF_FORMAT_WAV | SF_FORMAT_PCM_16, 16000, 1);
	const size_t at = find("data") + 4;
	put(&made, list, 34);
	want(FRAMES, "", "");
	set(at, 0xffffffff, 4, false); /* only a file can be looked through to its end */
	check(from_file(), FRAMES, "", "");
	set(at, 0, 4, false);
	check(from_file(), FRAMES, "", lies);
	/* a second chunk of sound is not heard, which is said; one without a byte is none */
	made.n = whole.n;
	set(at, 2 * FRAMES, 4, false);
	put(&made, "data\0\0\0\0", 8);
	want(FRAMES, "", "");
	made.n = whole.n;
	put(&made, "data\4\0\0\0abcd", 12);
	want(FRAMES, "at sample 20000: what follows is not heard: it is a second chunk", "");
	made.n = whole.n;
	put(&made, list, 34);
	set(at, 0, 4, false);
	made.n = at + 4; /* nothing but a header and a chunk */
	put(&made, list, 34);
	want(0, "", "");
	made.n = at + 4;
	want(0, "", "");
}

/* Bytes that make a chunk even are often forgotten. */
static void odd_sizes(void **state)
{
	(void)state;
	write_sound(SF_FORMAT_WAV | SF_FORMAT_PCM_U8, 16000, 1);
	const size_t at = find("data") + 4;
	for (int pad = 0; pad < 2; pad++) {
		made.n = at + 4 + FRAMES - 1;
		set(at, FRAMES - 1, 4, false);
		put(&made, "\0", (size_t)pad);
		put(&made, list, 34);
		want(FRAMES - 1, "", "");
	}
}

static const int links[] = { SF_FORMAT_WAV | SF_FORMAT_PCM_16,	SF_FORMAT_AU | SF_FORMAT_PCM_16,
			     SF_FORMAT_AIFF | SF_FORMAT_PCM_24, SF_FORMAT_FLAC | SF_FORMAT_PCM_16,
			     SF_FORMAT_OGG | SF_FORMAT_VORBIS,	SF_FORMAT_OGG | SF_FORMAT_OPUS };

static void one_behind_the_other(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof links / sizeof *links; i++) {
		write_sound(links[i], 16000, 1);
		const outcome one = from_file();
		assert_true(one.n == FRAMES && !*one.text && !*one.note);
		float *first = malloc(FRAMES * sizeof *first);
		assert_non_null(first);
		memcpy(first, heard, FRAMES * sizeof *first);
		put(&made, whole.bytes, whole.n);
		put(&made, whole.bytes, whole.n);
		for (int from = 0; from < 2; from++) {
			check(from ? from_pipe() : from_file(), 3 * FRAMES, "", "");
			for (size_t k = 0; k < 3; k++)
				assert_memory_equal(heard + k * FRAMES, first,
						    FRAMES * sizeof *first);
		}
		free(first);
		/* two channels are mixed as ever; another rate cannot be heard, and that is said */
		made.n = 0;
		write_sound(links[i], 16000, 1);
		static blob one_channel;
		one_channel = whole;
		write_sound(links[i], 16000, 2);
		put(&made, one_channel.bytes, one_channel.n);
		want(2 * FRAMES, "", "");
		write_sound(links[i], 24000, 1);
		made.n = 0;
		put(&made, one_channel.bytes, one_channel.n);
		put(&made, whole.bytes, whole.n);
		want(FRAMES,
		     "at sample 20000: what follows is not heard: it has 24000 Hz instead of 16000",
		     "");
	}
}

static void flac_that_counts_wrong(void **state)
{
	(void)state;
	write_sound(SF_FORMAT_FLAC | SF_FORMAT_PCM_16, 16000, 1);
	set(22, 0, 4, true);
	want(FRAMES, "", "");
	set(22, 100, 4, true);
	want(FRAMES, "", "the header says 100 samples");
	set(22, FRAMES + 1, 4, true);
	want(FRAMES, "at sample 20000: cut off", "");
	set(22, 0, 4, true);
	made.n = whole.n - 1000;
	const outcome o = from_file();
	assert_true(o.n < FRAMES && strstr(o.text, cut));
}

static void ogg_with_faults(void **state)
{
	(void)state;
	frames = MOST; /* for several pages */
	for (size_t i = 4; i < 6; i++) {
		write_sound(links[i], 16000, 1);
		made.n = whole.n - 1000;
		outcome o = from_file();
		assert_true(o.n > 0 && o.n < MOST && strstr(o.text, cut));
		made.n = whole.n;
		made.bytes[whole.n - 100] ^= 1; /* no codec would notice */
		o = from_file();
		assert_true(o.n > 0 && o.n < MOST && strstr(o.text, cut));
		made.n = 0; /* the same in a link that is not the last */
		put(&made, whole.bytes, whole.n);
		put(&made, whole.bytes, whole.n);
		made.bytes[whole.n - 100] ^= 1;
		o = from_file();
		assert_true(o.n > MOST && o.n < 2 * MOST && strstr(o.text, "damaged"));
		made.n = 0; /* something that is no Ogg behind it */
		put(&made, whole.bytes, whole.n);
		put(&made, list, 34);
		want(MOST, "", "");
	}
	frames = FRAMES;
}

/* The place of frame number i of an MP3 file whose frames are all found by their first bytes. */
static size_t mp3_frame(int number)
{
	for (size_t at = 0; at + 4 <= whole.n; at++)
		if (whole.bytes[at] == 0xff && whole.bytes[at + 1] == whole.bytes[0 + 1]
		    && (whole.bytes[at + 2] & 0xc) == (whole.bytes[2] & 0xc) && number-- == 0)
			return at;
	fail_msg("too few frames");
	return 0;
}

static void mp3_to_its_end(void **state)
{
	(void)state;
	write_sound(SF_FORMAT_MPEG | SF_FORMAT_MPEG_LAYER_III, 16000, 1);
	assert_int_equal(whole.bytes[0], 0xff);
	const outcome plain = from_file();
	assert_true(plain.n >= FRAMES && !*plain.text && !*plain.note);
	check(from_pipe(), plain.n, "", "");
	/* without the first frame, which counts them */
	const size_t first = mp3_frame(1);
	made.n = 0;
	put(&made, whole.bytes + first, whole.n - first);
	const outcome bare = from_file();
	assert_true(bare.n >= plain.n && bare.n < plain.n + 3000 && !*bare.text);
	/* two, with and without a tag between them; bytes that are neither are said */
	static const char tag[128] = "TAG";
	for (int i = 0; i < 3; i++) {
		unsigned char between[1000];
		memset(between, 0x55, sizeof between);
		made.n = 0;
		put(&made, whole.bytes + first, whole.n - first);
		put(&made, i == 1 ? (const void *)tag : between, i == 0 ? 0 : i == 1 ? 128 : 1000);
		put(&made, whole.bytes + first, whole.n - first);
		want(2 * bare.n, i == 2 ? "damaged: 1000 bytes are no MPEG frames" : "", "");
	}
	/* behind a tag; cut into, as a radio's stream is: a file is searched for it */
	static const char ape[64] = "APETAGEX\xd0\7\0\0\x20\0\0\0\0\0\0\0\0\0\0\xa0";
	made.n = 0;
	put(&made, ape, sizeof ape);
	put(&made, whole.bytes + first, whole.n - first);
	want(bare.n, "", "");
	made.n = 0;
	put(&made, whole.bytes + first + 50, whole.n - first - 50);
	const outcome radio = from_file();
	assert_true(radio.n < bare.n && radio.n > bare.n - 2000 && !*radio.text);
	made.n = 0;
	put(&made, whole.bytes, whole.n - 20);
	const outcome o = from_file();
	assert_true(o.n < plain.n && strstr(o.text, cut));
}

/* MP3 in a WAV file is complete when its bytes are. */
static void mp3_in_wav(void **state)
{
	(void)state;
	static const unsigned char head[] =
		"RIFF\0\0\0\0WAVEfmt \x1e\0\0\0\x55\0\1\0\x80\x3e\0\0\0\x10\0\0\1\0\0\0"
		"\x0c\0\1\0\2\0\0\0\x40\2\1\0\x71\5data\0\0\0\0";
	write_sound(SF_FORMAT_MPEG | SF_FORMAT_MPEG_LAYER_III, 16000, 1);
	const size_t n = from_file().n;
	made.n = 0;
	put(&made, head, sizeof head - 1);
	set(sizeof head - 5, whole.n, 4, false);
	put(&made, whole.bytes, whole.n);
	want(n, "", "");
	put(&made, list, 34);
	check(from_file(), n, "", "");
	set(sizeof head - 5, 0, 4, false);
	check(from_file(), n, "", "");
}

/* What cannot be heard from a pipe is refused by name, not heard as noise. */
static void pipes_refuse_by_name(void **state)
{
	(void)state;
	write_sound(SF_FORMAT_WAV | SF_FORMAT_MS_ADPCM, 16000, 1);
	assert_non_null(
		strstr(from_pipe().text, "-: WAV: its coding 0x0002 cannot be heard from a pipe"));
	const size_t n = from_file().n;
	assert_true(n >= FRAMES);
	set(find("data") + 4, 0, 4, false);
	check(from_file(), n, "", "the header says 0 bytes of sound");
	made.n = 0;
	put(&made,
	    "\0\0\0\x20"
	    "ftypM4A \0\0\0\0M4A mp42isom",
	    28);
	assert_non_null(strstr(from_pipe().text,
			       "-: MP4 or M4A: cannot be heard from a pipe; put `ffmpeg"));
}

/* A pipe without a header is raw PCM, and its first sample comes without waiting for more. */
static void raw_does_not_wait(void **state)
{
	(void)state;
	const kws_source_raw raw = { 16000, 1, KWS_ENC_S16_LE };
	kws_source *src = NULL;
	float x[100];
	size_t got = 0;
	int ends[2];
	assert_int_equal(pipe(ends), 0);
	assert_int_equal(write(ends[1], "\0\x40", 2), 2);
	assert_int_equal(write(ends[1], "RIF", 3), 3); /* is sound here */
	assert_int_equal(kws_source_open_stream(&src, ends[0], "-", &raw, 0, -1, NULL), KWS_OK);
	assert_string_equal(kws_source_format(src), "raw PCM");
	assert_int_equal(kws_source_read(src, x, 100, &got, NULL), KWS_OK);
	assert_int_equal(got, 2);
	assert_true(x[0] == 0.5f);
	kws_source_close(src);
	close(ends[0]);
	close(ends[1]);
}

static int make_file(void **state)
{
	(void)state;
	signal(SIGPIPE, SIG_IGN);
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
		cmocka_unit_test(sizes_that_are_wrong),
		cmocka_unit_test(sound_that_is_cut_off),
		cmocka_unit_test(more_than_32_bits_hold),
		cmocka_unit_test(chunks_behind_the_sound_are_no_sound),
		cmocka_unit_test(odd_sizes),
		cmocka_unit_test(one_behind_the_other),
		cmocka_unit_test(flac_that_counts_wrong),
		cmocka_unit_test(ogg_with_faults),
		cmocka_unit_test(mp3_to_its_end),
		cmocka_unit_test(mp3_in_wav),
		cmocka_unit_test(pipes_refuse_by_name),
		cmocka_unit_test(raw_does_not_wait),
	};
	return cmocka_run_group_tests(tests, make_file, remove_file);
}
