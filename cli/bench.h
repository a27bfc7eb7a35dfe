/* bench.h - what the measurements of kws bench share, and its measurement of many streams. */
#ifndef KWS_CLI_BENCH_H
#define KWS_CLI_BENCH_H

#include "cli/out.h"

double kws_bench_now(void); /* seconds */
double kws_bench_cpu(void); /* of this thread: other programs do not count */

/* Sort x (n,); the median sorts, too. */
void kws_bench_sort(double *x, size_t n);
double kws_bench_median(double *x, size_t n);

/* Noise whose level rises and falls twice a second, like speech. The cost does not depend on the
 * sound. */
void kws_bench_fill(float *pcm, size_t n, unsigned rate_hz);

/* Bytes that the C library has allocated for the main thread. */
size_t kws_bench_allocated(void);

/* Measure n live streams of a model on one core, or with 0 find how many it carries, and print that.
 * Returns an exit status. */
int kws_bench_streams(const kws_model *m, unsigned n, enum kws_format format);

#endif
