#include "audio/encoding.h"

#include <string.h>

typedef struct {
	const char *name, *arecord;
	unsigned char bytes, bits;
} row;

static const row table[KWS_N_ENCODINGS] = {
	[KWS_ENC_S8] = { "s8", "S8", 1, 8 },
	[KWS_ENC_U8] = { "u8", "U8", 1, 8 },
	[KWS_ENC_S16_LE] = { "s16le", "S16_LE", 2, 16 },
	[KWS_ENC_S16_BE] = { "s16be", "S16_BE", 2, 16 },
	[KWS_ENC_S24_LE] = { "s24le", "S24_3LE", 3, 24 },
	[KWS_ENC_S24_BE] = { "s24be", "S24_3BE", 3, 24 },
	[KWS_ENC_S24_IN_32_LE] = { "s24in32le", "S24_LE", 4, 24 },
	[KWS_ENC_S24_IN_32_BE] = { "s24in32be", "S24_BE", 4, 24 },
	[KWS_ENC_S32_LE] = { "s32le", "S32_LE", 4, 32 },
	[KWS_ENC_S32_BE] = { "s32be", "S32_BE", 4, 32 },
	[KWS_ENC_F32_LE] = { "f32le", "FLOAT_LE", 4, 32 },
	[KWS_ENC_F32_BE] = { "f32be", "FLOAT_BE", 4, 32 },
	[KWS_ENC_F64_LE] = { "f64le", "FLOAT64_LE", 8, 64 },
	[KWS_ENC_F64_BE] = { "f64be", "FLOAT64_BE", 8, 64 },
	[KWS_ENC_MU_LAW] = { "mulaw", "MU_LAW", 1, 8 },
	[KWS_ENC_A_LAW] = { "alaw", "A_LAW", 1, 8 },
};

/* Names without a byte order or width. bits 0: the name includes the width. */
static const struct {
	const char *name;
	unsigned bits;
	enum kws_encoding enc;
} aliases[] = {
	{ "s16", 0, KWS_ENC_S16_LE },
	{ "s24", 0, KWS_ENC_S24_LE },
	{ "s32", 0, KWS_ENC_S32_LE },
	{ "f32", 0, KWS_ENC_F32_LE },
	{ "f64", 0, KWS_ENC_F64_LE },
	{ "mu-law", 0, KWS_ENC_MU_LAW },
	{ "u-law", 0, KWS_ENC_MU_LAW },
	{ "a-law", 0, KWS_ENC_A_LAW },
	{ "signed-integer", 8, KWS_ENC_S8 },
	{ "signed-integer", 16, KWS_ENC_S16_LE },
	{ "signed-integer", 24, KWS_ENC_S24_LE },
	{ "signed-integer", 32, KWS_ENC_S32_LE },
	{ "unsigned-integer", 8, KWS_ENC_U8 },
	{ "floating-point", 32, KWS_ENC_F32_LE },
	{ "floating-point", 64, KWS_ENC_F64_LE },
};

static int lower(int c)
{
	return c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c;
}

static int same(const char *a, const char *b)
{
	while (*a && lower(*a) == lower(*b)) {
		a++;
		b++;
	}
	return lower(*a) == lower(*b);
}

enum kws_status kws_encoding_parse(enum kws_encoding *out, const char *name, unsigned bits,
				   kws_error *err)
{
	int found = KWS_N_ENCODINGS, wants_bits = 0, known = 0;
	for (int i = 0; i < KWS_N_ENCODINGS; i++)
		if (same(name, table[i].name) || same(name, table[i].arecord))
			found = i;
	for (size_t i = 0; i < sizeof aliases / sizeof *aliases; i++)
		if (same(name, aliases[i].name)) {
			known = 1;
			wants_bits = aliases[i].bits != 0;
			if (!wants_bits || aliases[i].bits == bits)
				found = (int)aliases[i].enc;
		}
	if (found == KWS_N_ENCODINGS && !known)
		return kws_fail(err, KWS_ERR_ARG, "encoding %.40s is not known", name);
	if (found == KWS_N_ENCODINGS && bits == 0)
		return kws_fail(err, KWS_ERR_ARG, "encoding %s needs its number of bits", name);
	if (found == KWS_N_ENCODINGS || (bits && bits != table[found].bits))
		return kws_fail(err, KWS_ERR_ARG, "encoding %s does not come in %u bits", name,
				bits);
	*out = (enum kws_encoding)found;
	return KWS_OK;
}

const char *kws_encoding_name(enum kws_encoding enc)
{
	return table[enc].name;
}

size_t kws_encoding_bytes(enum kws_encoding enc)
{
	return table[enc].bytes;
}

/* Read n bytes, least significant first, from p on with a stride of step. */
static inline uint64_t gather(const unsigned char *p, int step, size_t n)
{
	uint64_t v = 0;
	for (size_t i = 0; i < n; i++, p += step)
		v |= (uint64_t)*p << (8 * i);
	return v;
}

static inline uint64_t little(const unsigned char *p, size_t n)
{
	return gather(p, 1, n);
}

static inline uint64_t big(const unsigned char *p, size_t n)
{
	return gather(p + n - 1, -1, n);
}

/* The low `bits' bits of v as two's complement, divided by full scale. Exact up to 24 bits; rounded
 * once above that. */
static inline float whole(uint64_t v, unsigned bits)
{
	const int64_t full = (int64_t)1 << (bits - 1);
	const int64_t x = (int64_t)(v & (((uint64_t)1 << bits) - 1));
	return (float)((double)(x >= full ? x - 2 * full : x) / (double)full);
}

static inline float single(uint64_t v)
{
	const uint32_t u = (uint32_t)v;
	float x;
	memcpy(&x, &u, sizeof x);
	return x;
}

/* Values beyond the range of float become infinite. */
static inline float twice(uint64_t v)
{
	double x;
	memcpy(&x, &v, sizeof x);
	return (float)x;
}

/* ITU-T G.711: sign, 3 bits of exponent, 4 bits of mantissa; all bits inverted, full scale
 * 32768. */
static inline float mu_law(unsigned char byte)
{
	const unsigned v = ~byte & 0xffu;
	const int size = (int)((((v & 15u) << 3) + 132u) << (v >> 4 & 7u)) - 132;
	return (float)(v & 0x80u ? -size : size) / 32768.0f;
}

/* ITU-T G.711: even bits inverted; the lowest two segments are linear. */
static inline float a_law(unsigned char byte)
{
	const unsigned v = byte ^ 0x55u, e = v >> 4 & 7u, m = (v & 15u) << 4;
	const int size = (int)(e ? (m + 0x108u) << (e - 1) : m + 8u);
	return (float)(v & 0x80u ? size : -size) / 32768.0f;
}

void kws_encoding_decode(enum kws_encoding enc, const unsigned char *p, size_t n, float *x)
{
	const size_t step = kws_encoding_bytes(enc);
	for (size_t i = 0; i < n; i++, p += step)
		switch (enc) {
		case KWS_ENC_S8: x[i] = whole(*p, 8); break;
		case KWS_ENC_U8: x[i] = whole(*p ^ 0x80u, 8); break;
		case KWS_ENC_S16_LE: x[i] = whole(little(p, 2), 16); break;
		case KWS_ENC_S16_BE: x[i] = whole(big(p, 2), 16); break;
		case KWS_ENC_S24_LE: x[i] = whole(little(p, 3), 24); break;
		case KWS_ENC_S24_BE: x[i] = whole(big(p, 3), 24); break;
		case KWS_ENC_S24_IN_32_LE: x[i] = whole(little(p, 4), 24); break;
		case KWS_ENC_S24_IN_32_BE: x[i] = whole(big(p, 4), 24); break;
		case KWS_ENC_S32_LE: x[i] = whole(little(p, 4), 32); break;
		case KWS_ENC_S32_BE: x[i] = whole(big(p, 4), 32); break;
		case KWS_ENC_F32_LE: x[i] = single(little(p, 4)); break;
		case KWS_ENC_F32_BE: x[i] = single(big(p, 4)); break;
		case KWS_ENC_F64_LE: x[i] = twice(little(p, 8)); break;
		case KWS_ENC_F64_BE: x[i] = twice(big(p, 8)); break;
		case KWS_ENC_MU_LAW: x[i] = mu_law(*p); break;
		case KWS_ENC_A_LAW: x[i] = a_law(*p); break;
		case KWS_N_ENCODINGS: break;
		}
}
