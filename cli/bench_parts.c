#include "cli/bench.h"

#include <malloc.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>

static double seconds_of(clockid_t clock)
{
	struct timespec t;
	clock_gettime(clock, &t);
	return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

double kws_bench_now(void)
{
	return seconds_of(CLOCK_MONOTONIC);
}

double kws_bench_cpu(void)
{
	return seconds_of(CLOCK_THREAD_CPUTIME_ID);
}

static int by_size(const void *a, const void *b)
{
	const double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

void kws_bench_sort(double *x, size_t n)
{
	qsort(x, n, sizeof *x, by_size);
}

double kws_bench_median(double *x, size_t n)
{
	kws_bench_sort(x, n);
	return x[n / 2];
}

void kws_bench_fill(float *pcm, size_t n, unsigned rate_hz)
{
	uint32_t seed = 1;
	for (size_t i = 0; i < n; i++) {
		seed = seed * 1664525u + 1013904223u;
		const size_t half = rate_hz / 2;
		const float swell = (float)(i % half) / (float)half;
		pcm[i] = swell * 0.3f * ((float)(seed >> 8) / 8388608.0f - 1.0f);
	}
}

size_t kws_bench_allocated(void)
{
	const struct mallinfo2 m = mallinfo2();
	return m.uordblks + m.hblkhd;
}
