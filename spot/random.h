/* random.h - random numbers that are the same on every machine: PCG32 (M. E. O'Neill, 2014). */
#ifndef KWS_SPOT_RANDOM_H
#define KWS_SPOT_RANDOM_H

#include <stddef.h>
#include <stdint.h>

typedef struct {
	uint64_t state;
} kws_random;

static inline uint32_t kws_random_next(kws_random *r)
{
	const uint64_t old = r->state;
	r->state = old * 6364136223846793005u + 1442695040888963407u;
	const uint32_t x = (uint32_t)(((old >> 18) ^ old) >> 27), turn = (uint32_t)(old >> 59);
	return x >> turn | x << (-turn & 31);
}

/* Two streams of numbers: one for each seed and part. */
static inline kws_random kws_random_init(uint64_t seed, uint64_t part)
{
	kws_random r = { seed * 0x9e3779b97f4a7c15u + part * 0xd1b54a32d192ed03u + 1 };
	kws_random_next(&r);
	kws_random_next(&r);
	return r;
}

/* 0 <= x < n, n > 0 */
static inline size_t kws_random_below(kws_random *r, size_t n)
{
	return (size_t)(((uint64_t)kws_random_next(r) * n) >> 32);
}

static inline float kws_random_uniform(kws_random *r, float lo, float hi)
{
	return lo + (hi - lo) * (float)(kws_random_next(r) >> 8) / 16777216.0f;
}

/* About a normal distribution of variance 1: the sum of twelve. */
static inline float kws_random_normal(kws_random *r)
{
	float sum = -6.0f;
	for (int i = 0; i < 12; i++)
		sum += (float)(kws_random_next(r) >> 8) / 16777216.0f;
	return sum;
}

#endif
