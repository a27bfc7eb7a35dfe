/* Raw samples of every encoding against libsndfile's reading of the same bytes; all the names. */
#include "audio/encoding.h"

#include <math.h>
#include <setjmp.h>
#include <sndfile.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static const struct {
	enum kws_encoding enc;
	const char *name;
	int format;
} table[] = {
	{ KWS_ENC_S8, "s8", SF_FORMAT_PCM_S8 },
	{ KWS_ENC_U8, "u8", SF_FORMAT_PCM_U8 },
	{ KWS_ENC_S16_LE, "s16le", SF_FORMAT_PCM_16 | SF_ENDIAN_LITTLE },
	{ KWS_ENC_S16_BE, "s16be", SF_FORMAT_PCM_16 | SF_ENDIAN_BIG },
	{ KWS_ENC_S24_LE, "s24le", SF_FORMAT_PCM_24 | SF_ENDIAN_LITTLE },
	{ KWS_ENC_S24_BE, "s24be", SF_FORMAT_PCM_24 | SF_ENDIAN_BIG },
	{ KWS_ENC_S32_LE, "s32le", SF_FORMAT_PCM_32 | SF_ENDIAN_LITTLE },
	{ KWS_ENC_S32_BE, "s32be", SF_FORMAT_PCM_32 | SF_ENDIAN_BIG },
	{ KWS_ENC_F32_LE, "f32le", SF_FORMAT_FLOAT | SF_ENDIAN_LITTLE },
	{ KWS_ENC_F32_BE, "f32be", SF_FORMAT_FLOAT | SF_ENDIAN_BIG },
	{ KWS_ENC_F64_LE, "f64le", SF_FORMAT_DOUBLE | SF_ENDIAN_LITTLE },
	{ KWS_ENC_F64_BE, "f64be", SF_FORMAT_DOUBLE | SF_ENDIAN_BIG },
	{ KWS_ENC_MU_LAW, "mulaw", SF_FORMAT_ULAW },
	{ KWS_ENC_A_LAW, "alaw", SF_FORMAT_ALAW },
};
enum { N_TABLE = sizeof table / sizeof *table, N = 65536 };

static uint32_t draw(uint32_t *s)
{
	*s = *s * 1664525u + 1013904223u;
	return *s >> 8;
}

static void fill(enum kws_encoding enc, unsigned char *bytes)
{
	const size_t size = kws_encoding_bytes(enc);
	const int is_float = enc >= KWS_ENC_F32_LE && enc <= KWS_ENC_F64_BE;
	const int is_big = enc == KWS_ENC_F32_BE || enc == KWS_ENC_F64_BE;
	uint32_t seed = (uint32_t)enc + 1;
	for (size_t i = 0; i < N; i++) {
		unsigned char *p = bytes + i * size;
		for (size_t b = 0; b < size; b++) /* 8 and 16 bits: every value there is */
			p[b] = (unsigned char)(size <= 2 ? i >> (8 * b) : draw(&seed));
		if (is_float) { /* sign and exponent of a number up to 4 */
			p[is_big ? 0 : size - 1] = (unsigned char)(draw(&seed) % 2 ? 0x3f : 0xbf);
			p[is_big ? 1 : size - 2] &= 0xf7;
		}
	}
}

static void samples_equal_libsndfile(void **state)
{
	(void)state;
	unsigned char *bytes = malloc(N * 8);
	float *got = malloc(N * sizeof *got), *want = malloc(N * sizeof *want);
	assert_true(bytes && got && want);
	for (size_t i = 0; i < N_TABLE; i++) {
		const size_t size = N * kws_encoding_bytes(table[i].enc);
		FILE *f = tmpfile();
		assert_non_null(f);
		fill(table[i].enc, bytes);
		assert_int_equal(fwrite(bytes, 1, size, f), size);
		assert_int_equal(fflush(f), 0);
		assert_int_equal(lseek(fileno(f), 0, SEEK_SET), 0);
		SF_INFO info = { .samplerate = 8000,
				 .channels = 1,
				 .format = SF_FORMAT_RAW | table[i].format };
		SNDFILE *snd = sf_open_fd(fileno(f), SFM_READ, &info, SF_FALSE);
		assert_non_null(snd);
		assert_int_equal(sf_readf_float(snd, want, N), N);
		sf_close(snd);
		fclose(f);
		kws_encoding_decode(table[i].enc, bytes, N, got);
		for (size_t k = 0; k < N; k++)
			if (!(got[k] == want[k]))
				fail_msg("%s, sample %zu: %.9g, want %.9g", table[i].name, k,
					 (double)got[k], (double)want[k]);
	}
	free(bytes);
	free(got);
	free(want);
}

/* arecord's S24_LE: 24 bits in 32, whatever the fourth byte holds. */
static void padded_24_bits(void **state)
{
	(void)state;
	static const unsigned char le[] = { 0,	  0, 0, 0xff, 1,    0,	  0,	0,    0xff, 0xff,
					    0xff, 0, 0, 0,    0x80, 0x55, 0xff, 0xff, 0x7f, 0 };
	static const float want[] = { 0.0f, 1.0f / 8388608.0f, -1.0f / 8388608.0f, -1.0f,
				      8388607.0f / 8388608.0f };
	unsigned char be[sizeof le];
	for (size_t i = 0; i < sizeof le; i++)
		be[i] = le[i / 4 * 4 + 3 - i % 4];
	float x[5];
	kws_encoding_decode(KWS_ENC_S24_IN_32_LE, le, 5, x);
	assert_memory_equal(x, want, sizeof want);
	kws_encoding_decode(KWS_ENC_S24_IN_32_BE, be, 5, x);
	assert_memory_equal(x, want, sizeof want);
}

static void extremes(void **state)
{
	(void)state;
	const double big = 1e300;
	unsigned char bytes[8];
	float x;
	memcpy(bytes, &big, sizeof big); /* of the machine's order */
	const uint16_t one = 1;
	const int little = *(const unsigned char *)&one;
	kws_encoding_decode(little ? KWS_ENC_F64_LE : KWS_ENC_F64_BE, bytes, 1, &x);
	assert_true(isinf(x) && x > 0.0f);
	kws_encoding_decode(KWS_ENC_F32_BE, (const unsigned char[]){ 0x7f, 0xc0, 0, 0 }, 1, &x);
	assert_true(isnan(x));
	kws_encoding_decode(KWS_ENC_S32_LE, (const unsigned char[]){ 0, 0, 0, 0x80 }, 1, &x);
	assert_true(x == -1.0f);
	kws_encoding_decode(KWS_ENC_U8, (const unsigned char[]){ 128 }, 1, &x);
	assert_true(x == 0.0f);
}

static const struct {
	const char *name;
	unsigned bits;
	int want; /* -1: refused */
} tries[] = {
	{ "s16", 0, KWS_ENC_S16_LE },
	{ "s16", 16, KWS_ENC_S16_LE },
	{ "S16_LE", 0, KWS_ENC_S16_LE },
	{ "s16be", 0, KWS_ENC_S16_BE },
	{ "S16_BE", 0, KWS_ENC_S16_BE },
	{ "s16_le", 0, KWS_ENC_S16_LE },
	{ "s24", 0, KWS_ENC_S24_LE },
	{ "S24_3LE", 0, KWS_ENC_S24_LE },
	{ "S24_LE", 0, KWS_ENC_S24_IN_32_LE },
	{ "S24_LE", 24, KWS_ENC_S24_IN_32_LE },
	{ "S24_3BE", 0, KWS_ENC_S24_BE },
	{ "s32", 0, KWS_ENC_S32_LE },
	{ "S32_LE", 0, KWS_ENC_S32_LE },
	{ "U8", 0, KWS_ENC_U8 },
	{ "u8", 8, KWS_ENC_U8 },
	{ "S8", 0, KWS_ENC_S8 },
	{ "FLOAT_LE", 0, KWS_ENC_F32_LE },
	{ "f32", 0, KWS_ENC_F32_LE },
	{ "FLOAT_BE", 32, KWS_ENC_F32_BE },
	{ "FLOAT64_LE", 0, KWS_ENC_F64_LE },
	{ "f64be", 0, KWS_ENC_F64_BE },
	{ "MU_LAW", 0, KWS_ENC_MU_LAW },
	{ "mu-law", 8, KWS_ENC_MU_LAW },
	{ "u-law", 0, KWS_ENC_MU_LAW },
	{ "mulaw", 0, KWS_ENC_MU_LAW },
	{ "A_LAW", 0, KWS_ENC_A_LAW },
	{ "a-law", 0, KWS_ENC_A_LAW },
	{ "alaw", 0, KWS_ENC_A_LAW },
	{ "signed-integer", 8, KWS_ENC_S8 },
	{ "signed-integer", 16, KWS_ENC_S16_LE },
	{ "signed-integer", 24, KWS_ENC_S24_LE },
	{ "signed-integer", 32, KWS_ENC_S32_LE },
	{ "unsigned-integer", 8, KWS_ENC_U8 },
	{ "floating-point", 32, KWS_ENC_F32_LE },
	{ "Floating-Point", 64, KWS_ENC_F64_LE },
	{ "", 0, -1 },
	{ "s1", 0, -1 },
	{ "s16l", 0, -1 },
	{ "s160", 0, -1 },
	{ "s16", 24, -1 },
	{ "u16", 0, -1 },
	{ "S24_LE", 32, -1 },
	{ "signed-integer", 0, -1 },
	{ "signed-integer", 12, -1 },
	{ "unsigned-integer", 16, -1 },
	{ "floating-point", 16, -1 },
	{ "mu-law", 16, -1 },
	{ "mp3", 0, -1 },
};

static void names(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof tries / sizeof *tries; i++) {
		enum kws_encoding enc = KWS_N_ENCODINGS;
		kws_error err = { "" };
		const enum kws_status s =
			kws_encoding_parse(&enc, tries[i].name, tries[i].bits, &err);
		if (tries[i].want < 0) {
			assert_int_equal(s, KWS_ERR_ARG);
			assert_int_equal(enc, KWS_N_ENCODINGS);
			assert_non_null(strstr(err.text, tries[i].name));
		} else if (s != KWS_OK || (int)enc != tries[i].want) {
			fail_msg("%s %u: %d %s", tries[i].name, tries[i].bits, (int)enc, err.text);
		}
	}
	for (size_t i = 0; i < N_TABLE; i++) /* each encoding answers to its own name */
		assert_string_equal(kws_encoding_name(table[i].enc), table[i].name);
	for (int i = 0; i < KWS_N_ENCODINGS; i++) {
		enum kws_encoding enc = KWS_N_ENCODINGS;
		assert_int_equal(
			kws_encoding_parse(&enc, kws_encoding_name((enum kws_encoding)i), 0, NULL),
			KWS_OK);
		assert_int_equal(enc, i);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(samples_equal_libsndfile),
		cmocka_unit_test(padded_24_bits),
		cmocka_unit_test(extremes),
		cmocka_unit_test(names),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
