/* int8.h - convolutions with integers of 8 bits, compiled for each level of the processor like the
 * rest of vec/.
 *
 * An image holds whole numbers 0..255, as elements of the level's own width and offset; only the
 * functions here look into it. Its pixels are padded with elements of no weight to a multiple of
 * KWS_INT8_GROUP. Sums of integers are exact, and what follows them is one multiplication, addition
 * or comparison at a time, which every processor rounds the same: given the same numbers, every
 * level gives the same bits. All functions take any alignment; nothing allocates, fails or
 * blocks. */
#ifndef KWS_VEC_INT8_H
#define KWS_VEC_INT8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { KWS_INT8_GROUP = 4 };

static inline size_t kws_int8_pad(size_t channels)
{
	return (channels + KWS_INT8_GROUP - 1) / KWS_INT8_GROUP * KWS_INT8_GROUP;
}

/* How real numbers become elements, one of each for a channel: the nearest whole number to
 * x * scale + zero, ties to the even one, within 0..255. */
typedef struct {
	const float *scale, *zero;
} kws_int8_code;

/* A convolution. Row r is
 *
 *   sum[o] = start[o] + sum over p < taps, i < n_in of x[r * step + p * tap + i] * w[o][p * n_in + i]
 *   y[o] = leaky_relu(sum[o] * scale[o] + bias[o]), o < n_out
 *
 * as a float or, with a code, as an element; see kws_product for taps, tap, n_in and step, here in
 * elements and multiples of KWS_INT8_GROUP. start, scale, bias and the code are (ld,), with zeros
 * from n_out on. |sum| MUST stay below 2^31. */
typedef struct {
	size_t taps, tap, n_in, step;
	size_t n_out, ld;     /* ld: a multiple of 16, at least n_out */
	const void *w;	      /* as pack() laid it out */
	const int32_t *start; /* as pack() set it */
	const float *scale, *bias;
	kws_int8_code code; /* of what is written; scale NULL: floats are */
	bool linear;	    /* without leaky_relu */
} kws_int8_product;

typedef struct {
	const char *name; /* of the instructions, e.g. "avx512-vnni" */
	size_t width;	  /* bytes of an element */

	/* Weights w (n_out, n), -127..127, n a multiple of KWS_INT8_GROUP -> to (n * ld * width bytes);
	 * adds to start (ld,) what the elements' offset needs. */
	void (*pack)(void *to, int32_t *start, const int8_t *w, size_t n_out, size_t n, size_t ld);

	/* y: floats, or elements; its rows are ldy of them apart. A row of elements is written up to
	 * the padding's end. */
	void (*product)(const kws_int8_product *g, const void *x, size_t rows, void *y, size_t ldy);

	/* x (rows, n) -> y (rows, kws_int8_pad(n)) */
	void (*encode)(void *y, kws_int8_code code, const float *x, size_t rows, size_t n);
	/* x (n,) -> y (kws_int8_pad(n)), 128 + x / step. Returns step: the largest |x|, over 127. */
	float (*encode_row)(void *y, const float *x, size_t n);
	/* The greater of n elements, a multiple of KWS_INT8_GROUP; y may be a or b. */
	void (*max)(void *y, const void *a, const void *b, size_t n);

	double (*peak)(size_t rounds); /* as kws_vec's */
} kws_int8;

#endif
