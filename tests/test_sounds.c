/* Sounds of a bank, added to the frames of a take: as loud as they should be, and where they should be. */
#include "spot/sounds.h"

#include "model/write.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

enum { MELS = 4, N = 200, START = 120, END = 160, SOUND = 50 };

static kws_bank *bank;
static float frames[N * MELS];

/* Silence, with a word of power 1 in each band. */
static kws_word_frames take(void)
{
	for (size_t i = 0; i < N; i++)
		for (size_t m = 0; m < MELS; m++)
			frames[i * MELS + m] = i >= START && i < END ? 0.0f : -15.0f;
	return (kws_word_frames){ frames, N, MELS, START, END };
}

static double power(size_t first, size_t n)
{
	double sum = 0.0;
	for (size_t i = first * MELS; i < (first + n) * MELS; i++)
		sum += exp((double)frames[i]);
	return sum / (double)(n * MELS);
}

static double db(double ratio)
{
	return 10.0 * log10(ratio);
}

static void noise_is_under_all_of_it(void **state)
{
	double lowest = 1e9, highest = -1e9;
	(void)state;
	for (uint64_t seed = 0; seed < 40; seed++) {
		kws_random r = kws_random_init(seed, 0);
		kws_word_frames f = take();
		kws_sounds_add_noise(&r, bank, &f);
		const double before = db(power(0, 100)), in = power(START, END - START);
		assert_true(before > -25.5 && before < -2.5);
		assert_true(in > 1.0 && in < 1.6); /* powers add */
		assert_true(db(power(END, N - END)) > -26.5);
		lowest = fmin(lowest, before);
		highest = fmax(highest, before);
	}
	assert_true(lowest < -18.0 && highest > -8.0);
}

static void speech_ends_before_the_word(void **state)
{
	(void)state;
	for (uint64_t seed = 0; seed < 40; seed++) {
		kws_random r = kws_random_init(seed, 0);
		kws_word_frames f = take();
		kws_sounds_add_speech(&r, bank, &f);
		const double before = db(power(0, START - 30));
		assert_true(before > -9.0 && before < 6.0);
		for (size_t i = START * MELS; i < END * MELS; i++)
			assert_true(frames[i] == 0.0f);
		for (size_t i = END * MELS; i < N * MELS; i++)
			assert_true(frames[i] == -15.0f);
	}
}

static void a_word_at_the_start_has_nothing_before_it(void **state)
{
	(void)state;
	kws_random r = kws_random_init(1, 0);
	kws_word_frames f = take();
	f.start = 0;
	kws_sounds_add_speech(&r, bank, &f);
	for (size_t i = 0; i < N * MELS; i++)
		assert_true(isfinite(frames[i]) && (frames[i] == 0.0f || frames[i] == -15.0f));
}

static void sounds_are_of_the_same_features(void **state)
{
	(void)state;
	assert_true(kws_sounds_has(bank, KWS_BANK_NOISE, MELS));
	assert_true(kws_sounds_has(bank, KWS_BANK_SPEECH, MELS));
	assert_false(kws_sounds_has(bank, KWS_BANK_NOISE, MELS - 1));
	assert_false(kws_sounds_has(bank, KWS_BANK_NOISE, MELS + 1));
}

static int set_up(void **state)
{
	static const char hash[] =
		"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
	static const signed char rows[2] = { 0 };
	signed char sound[SOUND * MELS];
	const size_t shape[] = { 2, 1 }, frames_shape[] = { SOUND, MELS };
	unsigned char *bytes;
	size_t len;
	kws_write *w;
	(void)state;
	for (size_t i = 0; i < SOUND * MELS; i++)
		sound[i] = (signed char)(i % 7 * 8); /* of 0 to 26 dB */
	assert_int_equal(kws_write_create(&w, NULL, 0, NULL), KWS_OK);
	kws_write_text(w, "format", "kws-bank");
	kws_write_text(w, "version", "2");
	kws_write_text(w, "base", hash);
	kws_write_text(w, "dim", "2");
	kws_write_text(w, "row_ms", "80");
	kws_write_text(w, "parts", "[{\"name\":\"a\",\"rows\":2,\"use\":\"fit\"}]");
	kws_write_tensor(w, "rows", KWS_I8, 2, shape, rows);
	kws_write_tensor(w, "noise", KWS_I8, 2, frames_shape, sound);
	kws_write_tensor(w, "speech", KWS_I8, 2, frames_shape, sound);
	assert_int_equal(kws_write_bytes(w, &bytes, &len, NULL), KWS_OK);
	assert_int_equal(kws_bank_parse(&bank, bytes, len, NULL), KWS_OK);
	kws_write_destroy(w);
	free(bytes);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	kws_bank_close(bank);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(noise_is_under_all_of_it),
		cmocka_unit_test(speech_ends_before_the_word),
		cmocka_unit_test(a_word_at_the_start_has_nothing_before_it),
		cmocka_unit_test(sounds_are_of_the_same_features),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down) != 0;
}
