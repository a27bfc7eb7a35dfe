/* dot.h - how a processor multiplies integers of 8 bits. vec/int8.c is compiled once for each way:
 *
 *   element, weight   what images and weights consist of; an element is its number less OFFSET
 *   spread()          a word of the image in all lanes
 *   dot()             adds to each lane the products of the word with the lane's word of weights
 *   put()             writes n elements, a multiple of 4 and at most LANES; their numbers are the
 *                     low bytes of the lanes */
#ifndef KWS_VEC_DOT_H
#define KWS_VEC_DOT_H

#include "vec/lanes.h"

#include <stdint.h>

#define KWS_DOT_WORDS                                                                              \
	typedef vi image_word;                                                                     \
	static inline image_word spread(const void *p)                                             \
	{                                                                                          \
		int32_t x;                                                                         \
		memcpy(&x, p, sizeof x);                                                           \
		return x - (vi){ 0 };                                                              \
	}

#if defined __AVX512VNNI__ && KWS_VEC_BYTES == 64

#define HOW "avx512-vnni"
enum { OFFSET = 0 };
typedef uint8_t element;
typedef int8_t weight;
KWS_DOT_WORDS

static inline vi dot(vi sum, image_word x, vi w)
{
	return (vi)_mm512_dpbusd_epi32((__m512i)sum, (__m512i)x, (__m512i)w);
}

static inline void put(element *to, vi x, size_t n)
{
	_mm_mask_storeu_epi8(to, (__mmask16)((1u << n) - 1), _mm512_cvtepi32_epi8((__m512i)x));
}

#elif defined __AVXVNNI__ && KWS_VEC_BYTES == 32

#define HOW "avx-vnni"
enum { OFFSET = 0 };
typedef uint8_t element;
typedef int8_t weight;
KWS_DOT_WORDS

static inline vi dot(vi sum, image_word x, vi w)
{
	return (vi)_mm256_dpbusd_avx_epi32((__m256i)sum, (__m256i)x, (__m256i)w);
}

static inline void put(element *to, vi x, size_t n)
{
	const __m256i low = _mm256_and_si256((__m256i)x, _mm256_set1_epi32(0xff));
	const __m128i pairs = _mm_packs_epi32(_mm256_castsi256_si128(low),
					      _mm256_extracti128_si256(low, 1)),
		      bytes = _mm_packus_epi16(pairs, pairs);
	memcpy(to, &bytes, 4);
	if (n == LANES)
		memcpy(to + 4, (const char *)&bytes + 4, 4);
}

#elif defined __aarch64__

enum { OFFSET = 128 };
typedef int8_t element, weight;

static inline void put(element *to, vi x, size_t n)
{
	const int16x4_t pairs = vmovn_s32((int32x4_t)(x - OFFSET));
	const int8x8_t bytes = vmovn_s16(vcombine_s16(pairs, pairs));
	(void)n; /* 4 */
	memcpy(to, &bytes, LANES);
}

#if defined __ARM_FEATURE_DOTPROD

#define HOW "neon-dot"
KWS_DOT_WORDS

static inline vi dot(vi sum, image_word x, vi w)
{
	return (vi)vdotq_s32((int32x4_t)sum, (int8x16_t)w, (int8x16_t)x);
}

#else

/* The first and last two bytes of a word, each four times. The products of two pairs stay within
 * 16 bits: 2 * 128 * 127. */
#define HOW "neon"
#define KWS_DOT_PAIRS
typedef struct {
	int8x8_t first, last;
} image_word;

static inline image_word spread(const void *p)
{
	int16_t x[2];
	memcpy(x, p, sizeof x);
	return (image_word){ vreinterpret_s8_s16(vdup_n_s16(x[0])),
			     vreinterpret_s8_s16(vdup_n_s16(x[1])) };
}

static inline vi dot(vi sum, image_word x, vi w)
{
	const int8x16_t pairs = (int8x16_t)w;
	const int16x8_t two =
		vmlal_s8(vmull_s8(vget_low_s8(pairs), x.first), vget_high_s8(pairs), x.last);
	return (vi)vpadalq_s16((int32x4_t)sum, two);
}

#endif

#else

/* Elements of 16 bits, two in a word: no product of theirs is ever too large. */
enum { OFFSET = 0 };
typedef int16_t element, weight;
KWS_DOT_WORDS

#if defined __AVX512BW__ && KWS_VEC_BYTES == 64
#define HOW "avx512"

static inline vi dot(vi sum, image_word x, vi w)
{
	return sum + (vi)_mm512_madd_epi16((__m512i)x, (__m512i)w);
}

static inline void put(element *to, vi x, size_t n)
{
	const __m512i low = _mm512_and_si512((__m512i)x, _mm512_set1_epi32(0xff));
	_mm256_mask_storeu_epi16(to, (__mmask16)((1u << n) - 1), _mm512_cvtepi32_epi16(low));
}

#elif defined __AVX2__ && KWS_VEC_BYTES == 32
#define HOW "avx2"

static inline vi dot(vi sum, image_word x, vi w)
{
	return sum + (vi)_mm256_madd_epi16((__m256i)x, (__m256i)w);
}

static inline void put(element *to, vi x, size_t n)
{
	const __m256i low = _mm256_and_si256((__m256i)x, _mm256_set1_epi32(0xff));
	const __m128i e =
		_mm_packs_epi32(_mm256_castsi256_si128(low), _mm256_extracti128_si256(low, 1));
	if (n == LANES)
		memcpy(to, &e, sizeof e);
	else
		memcpy(to, &e, sizeof e / 2);
}

#elif defined __SSE2__
#define HOW "sse2"

static inline vi dot(vi sum, image_word x, vi w)
{
	return sum + (vi)_mm_madd_epi16((__m128i)x, (__m128i)w);
}

static inline void put(element *to, vi x, size_t n)
{
	const __m128i low = _mm_and_si128((__m128i)x, _mm_set1_epi32(0xff)),
		      e = _mm_packs_epi32(low, low);
	(void)n; /* 4 */
	memcpy(to, &e, LANES * sizeof *to);
}

#else
#define HOW "plain"

static inline vi dot(vi sum, image_word x, vi w)
{
	return sum + (x << 16 >> 16) * (w << 16 >> 16) + (x >> 16) * (w >> 16);
}

static inline void put(element *to, vi x, size_t n)
{
	for (size_t i = 0; i < n; i++)
		to[i] = (element)(x[i] & 0xff);
}

#endif

#endif
#undef KWS_DOT_WORDS

#endif
