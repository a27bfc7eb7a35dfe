/* Choosing a device by name, and headerless PCM as a device. Real PortAudio streams are in
 * tests/system. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "audio/device.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static const kws_device_info list[] = {
	{ .name = "HDA Intel: ALC (hw:0,0)",
	  .id = "hw:CARD=PCH,DEV=0",
	  .card = "PCH",
	  .channels = 2 },
	{ .name = "Blue Yeti: USB Audio (hw:1,0)",
	  .id = "hw:CARD=Yeti,DEV=0",
	  .card = "Yeti",
	  .channels = 2 },
	{ .name = "Blue Yeti: USB Audio (hw:1,1)",
	  .id = "hw:CARD=Yeti,DEV=1",
	  .card = "Yeti",
	  .channels = 1 },
	{ .name = "pulse", .id = "pulse", .channels = 32, .is_default = true },
	{ .name = "Speaker Box: Yeti clone", .id = "x", .channels = 1 },
};

static int match(const char *name)
{
	kws_error err;

	return kws_device_match(name, list, sizeof list / sizeof list[0], &err);
}

static void test_names(void **state)
{
	(void)state;
	assert_int_equal(match("Blue Yeti: USB Audio (hw:1,1)"), 2);
	assert_int_equal(match("hw:CARD=Yeti,DEV=1"), 2);
	assert_int_equal(match("hw:CARD=Yeti"), 1);
	assert_int_equal(match("plughw:CARD=Yeti,DEV=1"), 2);
	assert_int_equal(match("hw:Yeti,1"), 2);
	assert_int_equal(match("yeti"), 1); /* the card's id goes before a part of another's name */
	assert_int_equal(match("blue yeti"), 1);
	assert_int_equal(match("SPEAKER"), 4);
	assert_int_equal(match("pulse"), 3);
	assert_int_equal(match("default"), 3);
	assert_int_equal(match("hw:CARD=Nothing"), -1);
	/* a subdevice is a small number, and nothing that only begins with one or overflows */
	assert_int_equal(match("hw:CARD=Yeti,DEV=1x"), -1);
	assert_int_equal(match("hw:CARD=Yeti,DEV="), -1);
	assert_int_equal(match("hw:CARD=Yeti,DEV=-1"), -1);
	assert_int_equal(match("hw:CARD=Yeti,DEV=4294967297"), -1);
	assert_int_equal(match("nothing"), -1);
	assert_int_equal(match(""), -1);
}

static void test_a_number_is_no_name(void **state)
{
	kws_error err = { "" };

	(void)state;
	assert_int_equal(kws_device_match("1", list, 5, &err), -1);
	assert_non_null(strstr(err.text, "by name, because numbers change"));
	assert_int_equal(kws_device_match("default", list, 2, &err), -1);
	assert_non_null(strstr(err.text, "no default input"));
}

static void test_a_slip_is_told(void **state)
{
	kws_error err = { "" };

	(void)state;
	assert_int_equal(kws_device_match("hw:CARD=Yety,DEV=0", list, 5, &err), -1);
	assert_string_equal(err.text, "hw:CARD=Yety,DEV=0: no such card among 5 inputs; did you "
				      "mean 'hw:CARD=Yeti,DEV=0'?");
	assert_int_equal(kws_device_match("Yteti", list, 5, &err), -1);
	assert_non_null(strstr(err.text, "did you mean 'Yeti'?"));
	assert_int_equal(kws_device_match("nothing like it", list, 5, &err), -1);
	assert_null(strstr(err.text, "did you mean"));
}

static char path[64];

static void fill(unsigned n)
{
	FILE *f = fopen(path, "wb");

	for (unsigned i = 0; i < n; i++) {
		int16_t s = (int16_t)(i * 7 % 30000);
		fwrite(&s, 2, 1, f);
	}
	fclose(f);
}

/* Read until the end, in hops and then the rest, as the daemon does. */
static size_t hear(kws_device *d, float *pcm, size_t hop)
{
	kws_device_state st;
	size_t n = 0, k;

	for (;;) {
		kws_device_state_get(d, &st);
		while ((k = kws_device_read(d, pcm + n, hop)) > 0)
			n += k;
		if (st.ended)
			break;
		struct timespec t = { .tv_nsec = 1000000 };
		nanosleep(&t, NULL);
	}
	k = kws_device_available(d);
	assert_true(k < hop);
	return n + (k ? kws_device_read(d, pcm + n, k) : 0);
}

/* A file is longer than the ring: it waits for us, and no sample is lost. */
static void test_raw_file(void **state)
{
	enum { N = 200123 };
	static float pcm[N];
	char name[80];
	kws_device_config c = { .name = name, .latency_ms = 40 };
	kws_device_state st;
	kws_device *d;

	(void)state;
	fill(N);
	snprintf(name, sizeof name, "raw:%s", path);
	assert_int_equal(kws_device_open(&d, &c, NULL), KWS_OK);
	assert_int_equal(kws_device_rate(d), 16000);
	assert_true(kws_device_is_pipe(d));
	assert_true(kws_device_fd(d) >= 0);
	assert_int_equal(hear(d, pcm, 160), N);
	for (size_t i = 0; i < N; i++)
		assert_true(pcm[i] == (float)(i * 7 % 30000) / 32768.0f);
	kws_device_state_get(d, &st);
	assert_true(st.finished);
	assert_int_equal(st.dropped, 0);
	kws_device_close(d);
}

static void test_raw_channels(void **state)
{
	static float pcm[1000];
	char name[80];
	kws_device_config c = {
		.name = name, .rate_hz = 48000, .channels = 2, .channel = 2, .latency_ms = 40
	};
	kws_device *d;

	(void)state;
	fill(1000);
	snprintf(name, sizeof name, "raw:%s", path);
	assert_int_equal(kws_device_open(&d, &c, NULL), KWS_OK);
	assert_int_equal(kws_device_rate(d), 48000);
	assert_int_equal(kws_device_channels(d), 2);
	assert_int_equal(hear(d, pcm, 480), 500);
	for (size_t i = 0; i < 500; i++)
		assert_true(pcm[i] == (float)((2 * i + 1) * 7 % 30000) / 32768.0f);
	kws_device_close(d);
	c.channel = 0; /* the mean of both */
	assert_int_equal(kws_device_open(&d, &c, NULL), KWS_OK);
	assert_int_equal(hear(d, pcm, 480), 500);
	assert_true(pcm[0] == 3.5f / 32768.0f);
	kws_device_close(d);
}

/* A named pipe may be silent for long; closing does not wait for its writer. Its end is not the end
 * for good. */
static void test_named_pipe(void **state)
{
	char name[96], fifo[80];
	static float pcm[400];
	kws_device_config c = { .name = name, .latency_ms = 40 };
	kws_device_state st;
	kws_device *d;
	int16_t s[320] = { 0 };

	(void)state;
	snprintf(fifo, sizeof fifo, "%s.fifo", path);
	snprintf(name, sizeof name, "raw:%s", fifo);
	assert_int_equal(mkfifo(fifo, 0600), 0);
	assert_int_equal(kws_device_open(&d, &c, NULL), KWS_OK);
	kws_device_close(d);
	assert_int_equal(kws_device_open(&d, &c, NULL), KWS_OK);
	kws_device_state_get(d, &st);
	assert_false(st.ended);
	int w = open(fifo, O_WRONLY);
	assert_int_equal(write(w, s, sizeof s), sizeof s);
	close(w);
	assert_int_equal(hear(d, pcm, 160), 320);
	kws_device_state_get(d, &st);
	assert_true(st.ended);
	assert_false(st.finished);
	kws_device_close(d);
	unlink(fifo);
}

/* A WAV file of n frames that count up, at 48000 Hz, of two channels of which one is the other
 * inverted. */
static size_t wav(unsigned char *to, unsigned n)
{
	unsigned char head[44] =
		"RIFF\0\0\0\0WAVEfmt \x10\0\0\0\1\0\2\0\x80\xbb\0\0\0\xee\2\0\4\0\x10\0"
		"data";
	for (int i = 0; i < 4; i++)
		head[40 + i] = (unsigned char)(4 * n >> (8 * i));
	memcpy(to, head, sizeof head);
	for (unsigned i = 0; i < n; i++) {
		const int16_t s[2] = { (int16_t)(i % 10000), (int16_t)(-(int)(i % 10000)) };
		memcpy(to + sizeof head + 4 * i, s, 4);
	}
	return sizeof head + 4 * n;
}

enum { FRAMES = 60000 };
static unsigned char bytes[44 + 4 * FRAMES];

static void is_counted(const float *pcm, size_t n)
{
	for (size_t i = 0; i < n; i++)
		assert_true(pcm[i] == (float)(i % 10000) / 32768.0f);
}

/* A header counts, whatever the device was told; and what is wrong with the sound is known. */
static void test_raw_with_a_header(void **state)
{
	static float pcm[FRAMES];
	char name[80];
	kws_device_config c = { .name = name, .channel = 1, .latency_ms = 40 };
	kws_findings f;
	kws_device *d;

	(void)state;
	FILE *file = fopen(path, "wb");
	assert_int_equal(fwrite(bytes, 1, wav(bytes, FRAMES), file), sizeof bytes);
	fclose(file);
	snprintf(name, sizeof name, "raw:%s", path);
	assert_int_equal(kws_device_open(&d, &c, NULL), KWS_OK);
	assert_int_equal(kws_device_rate(d), 48000);
	assert_int_equal(kws_device_channels(d), 2);
	assert_int_equal(hear(d, pcm, 480), FRAMES);
	is_counted(pcm, FRAMES);
	assert_string_equal(kws_device_trouble(d), "");
	assert_true(kws_device_findings(d, &f) && !f.has[KWS_FLAW_CANCELLING]);
	kws_device_close(d);
	c.channel = 0;
	assert_int_equal(kws_device_open(&d, &c, NULL), KWS_OK);
	assert_int_equal(hear(d, pcm, 480), FRAMES);
	assert_true(kws_device_findings(d, &f) && f.has[KWS_FLAW_CANCELLING]);
	kws_device_close(d);
	/* cut off: all that is there, and why there is no more */
	assert_int_equal(truncate(path, 44 + 4 * 1000), 0);
	assert_int_equal(kws_device_open(&d, &c, NULL), KWS_OK);
	assert_int_equal(hear(d, pcm, 480), 1000);
	assert_non_null(strstr(kws_device_trouble(d), "at sample 1000: cut off"));
	kws_device_close(d);
}

static void await_end(const kws_device *d, kws_device_state *st)
{
	do {
		struct timespec t = { .tv_nsec = 1000000 };
		nanosleep(&t, NULL);
		kws_device_state_get(d, st);
	} while (!st->ended);
}

/* The header comes when the device is open for long. It is opened anew as what it is, and nothing is
 * lost; also not when it is closed in the middle of a stream. */
static void test_a_header_that_comes_late(void **state)
{
	enum { FIRST = 8000 };
	static float pcm[FRAMES];
	char name[96], fifo[80];
	kws_device_config c = { .name = name, .channel = 1, .latency_ms = 40 };
	kws_device_state st;
	kws_device *d;
	size_t n = 0;

	(void)state;
	snprintf(fifo, sizeof fifo, "%s.fifo", path);
	snprintf(name, sizeof name, "raw:%s", fifo);
	assert_int_equal(mkfifo(fifo, 0600), 0);
	assert_int_equal(kws_device_open(&d, &c, NULL), KWS_OK);
	assert_int_equal(kws_device_rate(d), 16000);
	const int w = open(fifo, O_WRONLY);
	wav(bytes, FRAMES);
	assert_int_equal(write(w, bytes, 44 + 4 * FIRST), 44 + 4 * FIRST);
	await_end(d, &st);
	assert_false(st.finished);
	assert_non_null(strstr(kws_device_trouble(d), "WAV at 48000 Hz"));
	kws_device_close(d);
	for (int round = 0; round < 2; round++) {
		assert_int_equal(kws_device_open(&d, &c, NULL), KWS_OK);
		assert_int_equal(kws_device_rate(d), 48000);
		while (n < (size_t)(round + 1) * FIRST) {
			struct timespec t = { .tv_nsec = 1000000 };
			const size_t k = kws_device_read(d, pcm + n, 100);
			n += k;
			if (!k)
				nanosleep(&t, NULL);
		}
		kws_device_close(d);
		assert_int_equal(write(w, bytes + 44 + 4 * (round + 1) * FIRST, 4 * FIRST),
				 4 * FIRST);
	}
	is_counted(pcm, 2 * FIRST);
	close(w);
	unlink(fifo);
	kws_device_forget(name);
}

/* Several pipes: each goes on behind its header, also when the others were closed and opened in
 * between. Of one that is forgotten nobody reads any more. */
static void test_pipes_put_aside(void **state)
{
	enum { PIPES = 3, ROUNDS = 3, N = 400 };
	static float pcm[N];
	char name[PIPES][96];
	int to[PIPES];
	kws_device *d;

	(void)state;
	const size_t head = wav(bytes, FRAMES) - 4 * FRAMES;
	for (int i = 0; i < PIPES; i++) {
		snprintf(name[i], sizeof name[i], "raw:%s.%d", path, i);
		assert_int_equal(mkfifo(name[i] + 4, 0600), 0);
		to[i] = open(name[i] + 4, O_RDWR);
		assert_int_equal(write(to[i], bytes, head), head);
	}
	for (int k = 0; k < ROUNDS * PIPES; k++) {
		const kws_device_config c = { .name = name[k % PIPES],
					      .channel = 1,
					      .latency_ms = 40 };
		const unsigned char *from = bytes + head + 4 * N * (k / PIPES);

		assert_int_equal(write(to[k % PIPES], from, 4 * N), 4 * N);
		assert_int_equal(kws_device_open(&d, &c, NULL), KWS_OK);
		assert_int_equal(kws_device_rate(d), 48000);
		for (size_t n = 0; n < N;) {
			struct timespec t = { .tv_nsec = 1000000 };
			n += kws_device_read(d, pcm + n, N / 8);
			nanosleep(&t, NULL);
		}
		assert_true(pcm[0] == (float)(N * (k / PIPES)) / 32768.0f);
		kws_device_close(d);
	}
	for (int i = 0; i < PIPES; i++) {
		kws_device_forget(name[i]);
		close(to[i]);
		assert_int_equal(open(name[i] + 4, O_WRONLY | O_NONBLOCK), -1);
		assert_int_equal(errno, ENXIO);
		unlink(name[i] + 4);
	}
}

/* A file that cannot be heard is refused for good; a named pipe may have a better writer next. */
static void test_raw_that_is_no_sound(void **state)
{
	static const char m4a[] = "\0\0\0\x20"
				  "ftypM4A and so on and on";
	char name[96], fifo[80];
	kws_device_config c = { .name = name, .latency_ms = 40 };
	kws_error err = { "" };
	kws_device_state st;
	kws_device *d;

	(void)state;
	FILE *file = fopen(path, "wb");
	fwrite(m4a, 1, sizeof m4a, file);
	fclose(file);
	snprintf(name, sizeof name, "raw:%s", path);
	assert_int_equal(kws_device_open(&d, &c, &err), KWS_ERR_FORMAT);
	assert_non_null(strstr(err.text, "MP4 or M4A"));
	snprintf(fifo, sizeof fifo, "%s.fifo", path);
	snprintf(name, sizeof name, "raw:%s", fifo);
	assert_int_equal(mkfifo(fifo, 0600), 0);
	assert_int_equal(kws_device_open(&d, &c, NULL), KWS_OK);
	const int w = open(fifo, O_WRONLY);
	assert_int_equal(write(w, m4a, sizeof m4a), sizeof m4a);
	await_end(d, &st);
	assert_false(st.finished || st.refused);
	assert_non_null(strstr(kws_device_trouble(d), "MP4 or M4A"));
	kws_device_close(d);
	close(w);
	unlink(fifo);
}

static void test_raw_that_cannot_be(void **state)
{
	kws_device_config c = { .name = "raw:/nonexistent/pipe", .latency_ms = 40 };
	kws_device *d;
	kws_error err = { "" };

	(void)state;
	assert_int_equal(kws_device_open(&d, &c, &err), KWS_ERR_DEVICE);
	assert_null(d);
	assert_non_null(strstr(err.text, "raw:/nonexistent/pipe: "));
	c.name = "raw:/";
	assert_int_equal(kws_device_open(&d, &c, &err), KWS_ERR_ARG);
}

static int setup(void **state)
{
	int fd;

	(void)state;
	snprintf(path, sizeof path, "/tmp/kws-test-device.XXXXXX");
	fd = mkstemp(path);
	return fd < 0 ? -1 : close(fd);
}

static int teardown(void **state)
{
	(void)state;
	return unlink(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_a_number_is_no_name),
		cmocka_unit_test(test_a_slip_is_told),
		cmocka_unit_test(test_raw_file),
		cmocka_unit_test(test_raw_channels),
		cmocka_unit_test(test_named_pipe),
		cmocka_unit_test(test_raw_that_cannot_be),
		cmocka_unit_test(test_raw_with_a_header),
		cmocka_unit_test(test_a_header_that_comes_late),
		cmocka_unit_test(test_pipes_put_aside),
		cmocka_unit_test(test_raw_that_is_no_sound),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
