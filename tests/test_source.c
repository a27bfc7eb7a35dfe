/* Samples from files and pipes: the right ones whatever the format, channel and block; faults named
 * by place. */
#include "audio/source.h"

#include <fcntl.h>
#include <math.h>
#include <pthread.h>
#include <setjmp.h>
#include <sndfile.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static char file[] = "/tmp/test_source_XXXXXX";

static uint32_t draw(uint32_t *s)
{
	*s = *s * 1664525u + 1013904223u;
	return *s >> 8;
}

/* 16-bit noise, so that every lossless format holds it exactly. */
static float *noise(size_t n)
{
	float *x = malloc(n * sizeof *x);
	assert_non_null(x);
	uint32_t seed = 1;
	for (size_t i = 0; i < n; i++)
		x[i] = (float)((int)(draw(&seed) % 65536) - 32768) / 32768.0f;
	return x;
}

static void write_file(int format, unsigned rate, unsigned channels, const float *x, size_t frames)
{
	SF_INFO info = { .samplerate = (int)rate, .channels = (int)channels, .format = format };
	SNDFILE *snd = sf_open(file, SFM_WRITE, &info);
	if (!snd)
		fail_msg("format %x: %s", (unsigned)format, sf_strerror(NULL));
	const int kind = format & SF_FORMAT_SUBMASK;
	if (kind == SF_FORMAT_PCM_16 || kind == SF_FORMAT_PCM_24 || kind == SF_FORMAT_PCM_32) {
		/* from floats libsndfile scales by 32767, which would not come back the same */
		int *whole = malloc((frames * channels + 1) * sizeof *whole);
		assert_non_null(whole);
		for (size_t i = 0; i < frames * channels; i++)
			whole[i] = (int)((double)x[i] * 2147483648.0);
		assert_int_equal(sf_writef_int(snd, whole, (sf_count_t)frames), frames);
		free(whole);
	} else {
		assert_int_equal(sf_writef_float(snd, x, (sf_count_t)frames), frames);
	}
	assert_int_equal(sf_close(snd), 0);
}

static kws_source *open_file(int channel)
{
	kws_source *src = NULL;
	kws_error err;
	if (kws_source_open_file(&src, file, channel, &err) != KWS_OK)
		fail_msg("%s", err.text);
	assert_non_null(src);
	return src;
}

/* Read to the end in blocks of n; returns how many came, which MUST be at most room. */
static size_t read_all(kws_source *src, size_t n, float *mono, size_t room)
{
	size_t total = 0, got = 0;
	float *block = malloc(n * sizeof *block);
	assert_non_null(block);
	do {
		kws_error err;
		if (kws_source_read(src, block, n, &got, &err) != KWS_OK)
			fail_msg("%s", err.text);
		assert_true(got <= n && total + got <= room);
		memcpy(mono + total, block, got * sizeof *block);
		total += got;
	} while (got);
	assert_int_equal(kws_source_read(src, block, n, &got, NULL),
			 KWS_OK); /* the end stays the end */
	assert_int_equal(got, 0);
	free(block);
	return total;
}

static float expected(const float *x, unsigned channels, int channel)
{
	float sum = 0.0f;
	for (unsigned c = 0; c < channels; c++)
		sum += x[c];
	return channel ? x[channel - 1] : sum / (float)channels;
}

static void formats_rates_and_channels(void **state)
{
	(void)state;
	static const struct {
		int format;
		unsigned rate, channels;
	} table[] = {
		{ SF_FORMAT_WAV | SF_FORMAT_PCM_16, 8000, 1 },
		{ SF_FORMAT_WAV | SF_FORMAT_PCM_24, 44100, 2 },
		{ SF_FORMAT_WAV | SF_FORMAT_FLOAT, 192000, 3 },
		{ SF_FORMAT_FLAC | SF_FORMAT_PCM_16, 16000, 1 },
		{ SF_FORMAT_FLAC | SF_FORMAT_PCM_24, 96000, 8 },
		{ SF_FORMAT_AIFF | SF_FORMAT_PCM_16, 11025, 2 },
		{ SF_FORMAT_AU | SF_FORMAT_PCM_32, 22050, 5 },
		{ SF_FORMAT_CAF | SF_FORMAT_DOUBLE, 48000, 2 },
		{ SF_FORMAT_WAV | SF_FORMAT_PCM_16, 8001, 100 },
	};
	static const size_t blocks[] = { 1, 160, 4096, 100000 };
	enum { FRAMES = 3000 };
	float *x = noise(FRAMES * 100), *mono = malloc(FRAMES * sizeof *mono);
	assert_non_null(mono);
	for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
		const unsigned channels = table[i].channels;
		write_file(table[i].format, table[i].rate, channels, x, FRAMES);
		for (size_t b = 0; b < 4; b++)
			for (int channel = 0; channel <= (int)channels;
			     channel += 1 + (int)channels / 4) {
				kws_source *src = open_file(channel);
				assert_int_equal(kws_source_rate(src), table[i].rate);
				assert_int_equal(kws_source_channels(src), channels);
				assert_int_equal(kws_source_frames(src), FRAMES);
				assert_int_equal(read_all(src, blocks[b], mono, FRAMES), FRAMES);
				for (size_t t = 0; t < FRAMES; t++)
					assert_true(
						mono[t]
						== expected(x + t * channels, channels, channel));
				assert_int_equal(kws_source_leftover(src), 0);
				kws_source_close(src);
			}
	}
	free(x);
	free(mono);
}

static void lossy_formats_come_close(void **state)
{
	(void)state;
	enum { FRAMES = 48000 };
	float *x = malloc(FRAMES * sizeof *x), *mono = malloc(FRAMES * sizeof *mono);
	assert_true(x && mono);
	for (size_t t = 0; t < FRAMES; t++)
		x[t] = 0.5f * sinf(0.05f * (float)t);
	static const int formats[] = { SF_FORMAT_OGG | SF_FORMAT_VORBIS,
				       SF_FORMAT_OGG | SF_FORMAT_OPUS,
				       SF_FORMAT_WAV | SF_FORMAT_ULAW };
	for (size_t i = 0; i < 3; i++) {
		write_file(formats[i], 48000, 1, x, FRAMES);
		kws_source *src = open_file(0);
		assert_int_equal(read_all(src, 1000, mono, FRAMES), FRAMES);
		double error = 0;
		for (size_t t = 0; t < FRAMES; t++)
			error += pow((double)mono[t] - (double)x[t], 2.0) / FRAMES;
		assert_true(error < 1e-3);
		kws_source_close(src);
	}
	free(x);
	free(mono);
}

static int next_fd(void)
{
	const int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	close(fd);
	return fd;
}

static void refused(const char *path, int channel, enum kws_status want, const char *why)
{
	kws_source *src = (kws_source *)&src;
	kws_error err = { "" };
	const int fd = next_fd();
	assert_int_equal(kws_source_open_file(&src, path, channel, &err), want);
	assert_null(src);
	if (strncmp(err.text, path, strlen(path)) != 0 || !strstr(err.text, why))
		fail_msg("%s: want %s", err.text, why);
	assert_int_equal(kws_source_open_file(&src, path, channel, NULL), want);
	assert_int_equal(next_fd(), fd); /* nothing left open */
}

static void files_are_refused_by_name(void **state)
{
	(void)state;
	float *x = noise(2000);
	FILE *f = fopen(file, "wb");
	assert_non_null(f);
	assert_int_equal(fclose(f), 0);
	refused(file, 0, KWS_ERR_FORMAT, ": it is empty");
	f = fopen(file, "wb");
	assert_non_null(f);
	fputs("Once upon a time there was no audio in here.\n", f);
	assert_int_equal(fclose(f), 0);
	refused(file, 0, KWS_ERR_FORMAT, ": its format is not known; raw PCM is heard from");
	refused("no/such/file.wav", 0, KWS_ERR_IO, ": No such file");
	refused(".", 0, KWS_ERR_IO, ": Is a directory");
	refused("/dev/null", 0, KWS_ERR_IO, ": not a regular file");
	write_file(SF_FORMAT_WAV | SF_FORMAT_PCM_16, 7999, 1, x, 1000);
	refused(file, 0, KWS_ERR_ARG, ": rate 7999 Hz is not in 8000..192000");
	write_file(SF_FORMAT_WAV | SF_FORMAT_PCM_16, 192001, 1, x, 1000);
	refused(file, 0, KWS_ERR_ARG, ": rate 192001 Hz");
	write_file(SF_FORMAT_WAV | SF_FORMAT_PCM_16, 8000, 2, x, 1000);
	refused(file, 3, KWS_ERR_ARG, ": channel 3 is not in 1..2");
	refused(file, -1, KWS_ERR_ARG, ": channel -1");
	kws_source_close(NULL);
	free(x);
}

static void no_samples_is_no_fault(void **state)
{
	(void)state;
	float x = 0.0f;
	write_file(SF_FORMAT_WAV | SF_FORMAT_PCM_16, 16000, 1, &x, 0);
	kws_source *src = open_file(0);
	assert_int_equal(kws_source_frames(src), 0);
	assert_int_equal(read_all(src, 10, &x, 0), 0);
	kws_source_close(src);
}

/* Overwrite bytes in the middle of the file. */
static void damage(int format)
{
	float *x = noise(48000);
	write_file(format, 16000, 1, x, 48000);
	FILE *f = fopen(file, "r+b");
	assert_non_null(f);
	assert_int_equal(fseek(f, 0, SEEK_END), 0);
	assert_int_equal(fseek(f, ftell(f) / 2, SEEK_SET), 0);
	for (int i = 0; i < 2000; i++)
		fputc(0, f);
	assert_int_equal(fclose(f), 0);
	free(x);
}

/* What is damaged is left out and the rest heard; the error names where the first of it was. */
static void damage_is_named_by_place(void **state)
{
	(void)state;
	static const int formats[] = { SF_FORMAT_FLAC | SF_FORMAT_PCM_16,
				       SF_FORMAT_OGG | SF_FORMAT_VORBIS };
	for (size_t i = 0; i < 2; i++) {
		damage(formats[i]);
		kws_source *src = open_file(0);
		float mono[1000];
		size_t got = 0, total = 0, place = 0;
		kws_error err = { "" };
		enum kws_status s = KWS_OK;
		do {
			s = kws_source_read(src, mono, 1000, &got, &err);
			total += got;
		} while (s == KWS_OK && got);
		assert_int_equal(s, KWS_ERR_FORMAT);
		assert_true(total > 30000 && total < 48000);
		assert_int_equal(strncmp(err.text, file, strlen(file)), 0);
		assert_int_equal(
			sscanf(err.text + strlen(file), ": at sample %zu: damaged", &place), 1);
		assert_true(place > 8000 && place < 30000);
		assert_int_equal(kws_source_read(src, mono, 1000, &got, &err), KWS_OK);
		assert_int_equal(got, 0);
		kws_source_close(src);
	}
}

enum { PIPE_FRAMES = 20000, PIPE_CHANNELS = 3 };

static unsigned char *pcm_bytes(size_t n)
{
	unsigned char *bytes = malloc(n);
	assert_non_null(bytes);
	uint32_t seed = 6;
	for (size_t i = 0; i < n; i++)
		bytes[i] = (unsigned char)draw(&seed);
	return bytes;
}

static float s16(const unsigned char *p)
{
	const int v = p[0] | p[1] << 8;
	return (float)(v >= 32768 ? v - 65536 : v) / 32768.0f;
}

typedef struct {
	int fd;
	const unsigned char *bytes;
	size_t n;
} sender;

/* In pieces that split frames and samples anywhere. */
static void *send_pieces(void *arg)
{
	const sender *s = arg;
	uint32_t seed = 3;
	for (size_t at = 0; at < s->n;) {
		size_t k = 1 + draw(&seed) % (draw(&seed) % 8 ? 11 : 3000);
		k = k < s->n - at ? k : s->n - at;
		const ssize_t done = write(s->fd, s->bytes + at, k);
		if (done < 0)
			break; /* the reader sees what is missing */
		at += (size_t)done;
	}
	close(s->fd);
	return NULL;
}

static void pieces_of_a_pipe_join(void **state)
{
	(void)state;
	const size_t n = PIPE_FRAMES * PIPE_CHANNELS * 2;
	unsigned char *bytes = pcm_bytes(n + 5);
	float *mono = malloc(PIPE_FRAMES * sizeof *mono);
	assert_non_null(mono);
	for (int round = 0; round < 4; round++) { /* the mean, a channel; blocking or not */
		int ends[2];
		assert_int_equal(pipe(ends), 0);
		if (round % 2)
			assert_int_equal(fcntl(ends[0], F_SETFL, O_NONBLOCK), 0);
		const int channel = round / 2 * 2;
		sender s = { ends[1], bytes, n + 5 };
		pthread_t thread;
		kws_source *src = NULL;
		assert_int_equal(kws_source_open_raw(&src, ends[0], 16000, PIPE_CHANNELS,
						     KWS_ENC_S16_LE, channel, NULL),
				 KWS_OK);
		assert_int_equal(kws_source_frames(src), 0);
		assert_int_equal(pthread_create(&thread, NULL, send_pieces, &s), 0);
		assert_int_equal(read_all(src, 320, mono, PIPE_FRAMES), PIPE_FRAMES);
		assert_int_equal(pthread_join(thread, NULL), 0);
		assert_int_equal(kws_source_leftover(src), 5);
		for (size_t t = 0; t < PIPE_FRAMES; t++) {
			const unsigned char *p = bytes + t * PIPE_CHANNELS * 2;
			const float x[] = { s16(p), s16(p + 2), s16(p + 4) };
			assert_true(mono[t] == expected(x, PIPE_CHANNELS, channel));
		}
		kws_source_close(src);
		assert_int_equal(close(ends[0]), 0); /* it was left open */
	}
	free(bytes);
	free(mono);
}

/* What has arrived comes at once: a read that waited for 320 samples would wait for ever here. */
static void a_pipe_gives_what_it_has(void **state)
{
	(void)state;
	int ends[2];
	assert_int_equal(pipe(ends), 0);
	kws_source *src = NULL;
	assert_int_equal(kws_source_open_raw(&src, ends[0], 16000, 1, KWS_ENC_S16_LE, 0, NULL),
			 KWS_OK);
	float mono[320];
	size_t got = 0;
	const unsigned char bytes[] = { 0, 0x40, 0, 0xc0, 7 };
	assert_int_equal(write(ends[1], bytes, 5), 5);
	assert_int_equal(kws_source_read(src, mono, 320, &got, NULL), KWS_OK);
	assert_int_equal(got, 2);
	assert_true(mono[0] == 0.5f && mono[1] == -0.5f);
	assert_int_equal(kws_source_leftover(src), 0); /* it may still be completed */
	assert_int_equal(write(ends[1], "\x20", 1), 1);
	assert_int_equal(kws_source_read(src, mono, 320, &got, NULL), KWS_OK);
	assert_int_equal(got, 1);
	assert_true(mono[0] == (float)0x2007 / 32768.0f);
	close(ends[1]);
	assert_int_equal(kws_source_read(src, mono, 320, &got, NULL), KWS_OK);
	assert_int_equal(got, 0);
	kws_source_close(src);
	close(ends[0]);
}

static void raw_is_refused_by_name(void **state)
{
	(void)state;
	static const struct {
		unsigned rate, channels;
		int enc, channel;
		const char *why;
	} table[] = {
		{ 7999, 1, KWS_ENC_S16_LE, 0, "rate 7999" },
		{ 192001, 1, KWS_ENC_S16_LE, 0, "rate 192001" },
		{ 16000, 0, KWS_ENC_S16_LE, 0, "0 channels" },
		{ 16000, 1025, KWS_ENC_S16_LE, 0, "1025 channels" },
		{ 16000, 2, KWS_ENC_S16_LE, 3, "channel 3" },
		{ 16000, 2, KWS_ENC_S16_LE, -1, "channel -1" },
		{ 16000, 1, KWS_N_ENCODINGS, 0, "encoding 16" },
	};
	for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
		kws_source *src = (kws_source *)&src;
		kws_error err = { "" };
		assert_int_equal(kws_source_open_raw(&src, 0, table[i].rate, table[i].channels,
						     (enum kws_encoding)table[i].enc,
						     table[i].channel, &err),
				 KWS_ERR_ARG);
		assert_null(src);
		if (!strstr(err.text, table[i].why))
			fail_msg("%s, want %s", err.text, table[i].why);
	}
	kws_source *src = NULL;
	kws_error err = { "" };
	float x = 0.0f;
	size_t got = 7;
	assert_int_equal(kws_source_open_raw(&src, -1, 16000, 1, KWS_ENC_S16_LE, 0, NULL), KWS_OK);
	assert_int_equal(kws_source_read(src, &x, 1, &got, &err), KWS_ERR_IO);
	assert_int_equal(got, 0);
	assert_string_equal(err.text, "raw audio: at sample 0: Bad file descriptor");
	kws_source_close(src);
}

static int make_file(void **state)
{
	(void)state;
	const int fd = mkstemp(file);
	return fd < 0 || close(fd);
}

static int remove_file(void **state)
{
	(void)state;
	return unlink(file);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(formats_rates_and_channels),
		cmocka_unit_test(lossy_formats_come_close),
		cmocka_unit_test(files_are_refused_by_name),
		cmocka_unit_test(no_samples_is_no_fault),
		cmocka_unit_test(damage_is_named_by_place),
		cmocka_unit_test(pieces_of_a_pipe_join),
		cmocka_unit_test(a_pipe_gives_what_it_has),
		cmocka_unit_test(raw_is_refused_by_name),
	};
	return cmocka_run_group_tests(tests, make_file, remove_file);
}
