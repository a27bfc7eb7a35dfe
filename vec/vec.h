/* vec.h - elementwise maths on float rows, compiled once for each level of the processor and chosen
 * at run time.
 *
 * All functions take any length and any alignment. The last elements use the same arithmetic as the
 * others, so a result never depends on the position in a row. exp and log are within 2 ulp of the
 * true value. Arrays MUST NOT overlap, except where they are the same pointer. Nothing allocates,
 * fails or blocks. */
#ifndef KWS_VEC_VEC_H
#define KWS_VEC_VEC_H

#include "vec/int8.h"

#include <stddef.h>

/* A matrix product with weights, for both linear layers and convolutions. Row r is
 *
 *   y[o] = b[o] + sum over p < taps, i < n_in of x[r * step + p * tap + i] * w[p * n_in + i][o],
 *          o < n_out
 *
 * Each y is one sum in this order, with fused multiply-adds if the level has them. So it does not
 * depend on which or how many rows are computed together, nor on n_out. A linear layer has one tap,
 * and step is at least n_in. A convolution has one tap for each frame of the kernel, and its rows
 * overlap. */
typedef struct {
	size_t taps, tap, n_in; /* runs of n_in floats of x, tap floats apart */
	size_t step;		/* floats from one row of x to the next */
	size_t n_out;
	/* Columns of w and b: a multiple of 16, at least n_out; zeros from n_out on. */
	size_t ld;
	const float *w; /* (taps * n_in, ld) */
	const float *b; /* (ld,) */
} kws_product;

typedef struct {
	/* "baseline", "x86-64-v3", "x86-64-v3-vnni", "x86-64-v4", "x86-64-v4-vnni", "dotprod" */
	const char *name;
	const kws_int8 *int8; /* convolutions with integers of 8 bits */

	/* x (n,) in place. exp: x is clamped to [-87.3, 88.3]. log: x MUST be normal and
	 * positive. */
	void (*exp)(float *x, size_t n);
	void (*log)(float *x, size_t n);

	/* Rows of a matrix product, y[r][o] = b[o] + sum x w; see kws_product. */
	void (*product)(const kws_product *g, const float *x, size_t rows, float *y, size_t ldy);

	/* Activations y = f(y) of t rows of n columns, ld apart, in place. */
	void (*silu)(float *y, size_t ld, size_t t, size_t n);
	void (*sigmoid)(float *y, size_t ld, size_t t, size_t n);
	void (*gelu)(float *y, size_t ld, size_t t, size_t n); /* with erf, within 4e-7 of |y| */
	void (*leaky_relu)(float *y, size_t ld, size_t t, size_t n); /* max(y, 0.2 y, -0.4) */

	void (*add)(float *y, const float *a, const float *b,
		    size_t n); /* y = a + b; y may be a or b */
	void (*max)(float *y, const float *a, const float *b,
		    size_t n); /* the greater; y may be a or b */
	void (*mul)(float *y, const float *a, const float *b,
		    size_t n); /* y = a * b; y may be a or b */
	void (*affine)(float *y, const float *x, const float *w, const float *b,
		       size_t n); /* x * w + b; y may be x */
	void (*gate)(float *x, const float *u, const float *h, size_t n); /* x += u * (h - x) */

	/* sum: sum of x. sumsq: sum of (x - centre)^2. */
	float (*sum)(const float *x, size_t n);
	float (*sumsq)(const float *x, float centre, size_t n);
	/* y = (x - centre) * scale * w + b; b NULL: zeros. y may be x. */
	void (*normalise)(float *y, const float *x, float centre, float scale, const float *w,
			  const float *b, size_t n);

	/* Damped EMA, t steps of d channels with n states each, then silu with the residual weight:
	 *
	 *   h[n][d] = q[n][d] * h[n][d] + x[d]
	 *   y[d] = silu(sum_n c[n][d] * h[n][d] + omega[d] * x[d])
	 *
	 * h, q, c (n, ld) with ld >= d and (ld % 16) == 0; omega (ld,); x, y (t, ldx), ldx >= d; y
	 * may be x. */
	void (*ema)(float *h, const float *q, const float *c, const float *omega, size_t n,
		    size_t ld, const float *x, float *y, size_t t, size_t d, size_t ldx);

	/* s (n,) = scale * sum_z q[z] * kt[z][j] + bias[j], j < n; kt (n_z, ld). In scores and
	 * softmax, inputs MUST be readable, and s is written, up to the next multiple of 16 from n
	 * on. */
	void (*scores)(float *s, const float *q, const float *kt, size_t ld, size_t n_z,
		       float scale, const float *bias, size_t n);
	/* s (n,) = exp(s - max s); returns their sum. n >= 1; the entries after n hold -1e30. */
	float (*softmax)(float *s, size_t n);
	/* y (n,) = scale * sum_j a[j] * v[j][i], j < n_j; v (n_j, ld). a NULL: all ones. */
	void (*weighted_sum)(float *y, const float *a, const float *v, size_t ld, size_t n_j,
			     float scale, size_t n);

	/* For measurements: so many rounds of nothing but multiply-adds in registers, which is the
	 * most that this processor can do. Returns how many they were. */
	double (*peak)(size_t rounds);
} kws_vec;

/* The best level that this processor has. The pointer stays the same for the life of the process.
 * Any thread. */
const kws_vec *kws_vec_get(void);

/* For tests. named: a level by name; NULL if this build or processor lacks it. choose: the level to
 * use from now on; call it before anything else asks for one. */
const kws_vec *kws_vec_named(const char *name);
void kws_vec_choose(const kws_vec *level);

#endif
