/* lanes.h - vectors of KWS_VEC_BYTES: 16, 32 or 64, whatever the compiler may use beside them. The
 * Makefile compiles the sources of vec/ once for each level, with its width and with
 *
 *   KWS_VEC_LEVEL  its name in the tables of levels.h, e.g. v3
 *   KWS_VEC_DOT    where there is one: the name of the level that has instructions for products of
 *                  8 bits besides, e.g. v3_vnni */
#ifndef KWS_VEC_LANES_H
#define KWS_VEC_LANES_H

#include <stdbool.h>
#include <string.h>

#if defined __SSE2__
#include <immintrin.h>
#elif defined __aarch64__
#include <arm_neon.h>
#endif

enum { LANES = KWS_VEC_BYTES / sizeof(float) };

typedef float vf __attribute__((vector_size(KWS_VEC_BYTES)));
typedef int vi __attribute__((vector_size(KWS_VEC_BYTES)));
typedef unsigned vu __attribute__((vector_size(KWS_VEC_BYTES)));

static inline vf load(const float *p)
{
	vf v;
	memcpy(&v, p, sizeof v);
	return v;
}

static inline void store(float *p, vf v)
{
	memcpy(p, &v, sizeof v);
}

/* a * b + c, rounded once where the level can do so. We use intrinsics here, and -ffp-contract=off
 * for everything else. A compiler would choose in each place whether to fuse, and which of two
 * products; the same sum would then differ between a block of steps and a single step. */
static inline vf fma_v(vf a, vf b, vf c)
{
#if defined __AVX512F__ && KWS_VEC_BYTES == 64
	return _mm512_fmadd_ps(a, b, c);
#elif defined __FMA__ && KWS_VEC_BYTES == 32
	return _mm256_fmadd_ps(a, b, c);
#elif defined __aarch64__
	return vfmaq_f32(c, a, b);
#else
	return a * b + c;
#endif
}

/* A scalar in all lanes. Compilers remove the subtraction of 0, and -0 stays -0. */
#define SPLAT(x) ((x) - (vf){ 0 })

static inline vf select(vi mask, vf a, vf b)
{
	return (vf)(((vi)a & mask) | ((vi)b & ~mask));
}

/* a > b ? a : b, which of two zeros or with a NaN is b. */
static inline vf max_v(vf a, vf b)
{
#if defined __AVX512F__ && KWS_VEC_BYTES == 64
	return _mm512_max_ps(a, b);
#elif defined __AVX__ && KWS_VEC_BYTES == 32
	return _mm256_max_ps(a, b);
#elif defined __SSE2__ && KWS_VEC_BYTES == 16
	return _mm_max_ps(a, b);
#else
	return select(a > b, a, b);
#endif
}

/* a < b ? a : b, likewise. */
static inline vf min_v(vf a, vf b)
{
#if defined __AVX512F__ && KWS_VEC_BYTES == 64
	return _mm512_min_ps(a, b);
#elif defined __AVX__ && KWS_VEC_BYTES == 32
	return _mm256_min_ps(a, b);
#elif defined __SSE2__ && KWS_VEC_BYTES == 16
	return _mm_min_ps(a, b);
#else
	return select(a < b, a, b);
#endif
}

/* The activation of speech_embedding, arXiv 2002.01322. */
static inline vf leaky_relu_v(vf x)
{
	return max_v(x, max_v(x * 0.2f, SPLAT(-0.4f)));
}

/* The compiler takes v for changed, in a register: measurements of bare instructions need it. */
#if defined __SSE2__
#define OPAQUE(v) __asm__ volatile("" : "+x"(v))
#elif defined __aarch64__
#define OPAQUE(v) __asm__ volatile("" : "+w"(v))
#else
#define OPAQUE(v) __asm__ volatile("" : "+m"(v))
#endif

/* The sums of such a measurement, f(0) to f(11): enough to hide how long a multiply-add takes, few
 * enough for 16 registers with two factors. */
enum { PEAK_SUMS = 12 };
#define EACH_SUM(f) f(0) f(1) f(2) f(3) f(4) f(5) f(6) f(7) f(8) f(9) f(10) f(11)

#define KWS_VEC_JOIN(a, b)  a##b
#define KWS_VEC_NAMED(a, b) KWS_VEC_JOIN(a, b)

#endif
