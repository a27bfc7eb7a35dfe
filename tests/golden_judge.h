/* golden_judge.h - how far a float32 output may be from the original's, and whether it is farther. tests/golden/README.md says
 * why so far and no farther. */
#ifndef KWS_TESTS_GOLDEN_JUDGE_H
#define KWS_TESTS_GOLDEN_JUDGE_H

#include "model/tensors.h"

/* Of all comparisons so far. */
typedef struct {
	double worst;	 /* |difference| over its tolerance; above 1, or NaN: too far */
	double diff;	 /* that difference, */
	double ulp;	 /* what one ulp in the data may do to its row, */
	char at[64];	 /* in this tensor */
	char names[256]; /* of all that were compared */
} golden_verdict;

/* Value i of a float tensor. */
double golden_value(const kws_tensor *t, size_t i);

/* A copy of a safetensors file in which each number is one float32 ulp farther up or down, at random; zeros stay. To be
 * freed; NULL: out of memory, or no such file. */
unsigned char *golden_nudged(const unsigned char *file, size_t len, unsigned seed);

/* y (n,) is the end of a layer that added to x (n,): one ulp of the larger of the two farther up or down, at random, as the
 * rounding of that sum may move it. */
void golden_jolt(float *y, const float *x, size_t n, unsigned *seed);

/* Widen ulp (rows,) to the largest difference of each row (dim,) between y and what the nudged data makes. */
void golden_widen(double *ulp, const float *y, const float *nudged, size_t rows, size_t dim);

/* Compare got (rows, dim), whose rows one ulp in the data moves by ulp (rows,), with what the original says: want holds the
 * same rows, or more. */
void golden_compare(golden_verdict *v, const char *name, const kws_tensor *want, const float *got,
		    const double *ulp, size_t rows, size_t dim);

#endif
