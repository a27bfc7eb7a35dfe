/* The same of FLAC, Ogg and MP3: their real end, faults in the middle, streams one behind the other. */
#include "tests/ends.h"

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
	static const int codecs[] = { SF_FORMAT_OGG | SF_FORMAT_VORBIS,
				      SF_FORMAT_OGG | SF_FORMAT_OPUS };
	for (size_t i = 0; i < 2; i++) {
		write_sound(codecs[i], 16000, 1);
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(flac_that_counts_wrong),
		cmocka_unit_test(ogg_with_faults),
		cmocka_unit_test(mp3_to_its_end),
		cmocka_unit_test(mp3_in_wav),
	};
	return cmocka_run_group_tests(tests, make_file, remove_file);
}
