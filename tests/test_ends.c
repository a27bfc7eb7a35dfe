/* Where sound really ends, whatever a header says; streams one behind the other; what is cut off;
 * and the same from a pipe. */
#include "tests/ends.h"

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sizes_that_are_wrong),
		cmocka_unit_test(sound_that_is_cut_off),
		cmocka_unit_test(more_than_32_bits_hold),
		cmocka_unit_test(chunks_behind_the_sound_are_no_sound),
		cmocka_unit_test(odd_sizes),
		cmocka_unit_test(one_behind_the_other),
		cmocka_unit_test(pipes_refuse_by_name),
		cmocka_unit_test(raw_does_not_wait),
	};
	return cmocka_run_group_tests(tests, make_file, remove_file);
}
