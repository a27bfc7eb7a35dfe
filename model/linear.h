/* linear.h - the dense layer, y = W x + b, with its weights packed for the products of vec/vec.h.
 *
 * Each row of y is summed in a fixed order, whatever other rows are computed with it. So the result
 * for a frame depends neither on how its stream was cut nor on the other streams in the block. */
#ifndef KWS_MODEL_LINEAR_H
#define KWS_MODEL_LINEAR_H

#include "model/tensors.h"
#include "vec/vec.h"

enum {
	/* Most frames that go through the network together: their rows stay in the second-level
	 * cache. */
	KWS_BLOCK = 24,
	KWS_ALIGN = 16 /* in floats: columns are padded to a multiple of it */
};

static inline size_t kws_pad(size_t n)
{
	return (n + KWS_ALIGN - 1) / KWS_ALIGN * KWS_ALIGN;
}

typedef struct {
	size_t n_in, n_out; /* n_out includes the padding of each part */
	float *w;	    /* (n_in, n_out); NULL: weights of 8 bits */
	float *bias;	    /* (n_out,) */
	/* Weights of 8 bits: packed; what their sums begin with; their scales. unit, none: (n_out,)
	 * ones and zeros. */
	void *w8;
	int32_t *start;
	float *scale, *unit, *none;
} kws_linear;

enum { KWS_MAX_INT8_IN = 1024 }; /* inputs of weights of 8 bits */

/* Pack w (sum of parts, n_in), a Linear weight [out, in], and bias (sum of parts,). The output
 * columns are n_parts runs of part[p] columns, each padded with zeros to a multiple of KWS_ALIGN.
 * KWS_ERR_NOMEM. */
enum kws_status kws_linear_init(kws_linear *l, const float *w, const float *bias, size_t n_in,
				const size_t *part, size_t n_parts);

/* The same from the tensors prefix + name + ".weight" and ".bias". A weight of bytes (I8) has ".scale"
 * (sum of parts,) besides. Each row of x then becomes numbers of 8 bits whose step is its largest
 * value over 127: rows stay independent of each other. KWS_ERR_FORMAT names the tensor;
 * KWS_ERR_NOMEM. */
enum kws_status kws_linear_read(kws_linear *l, kws_tensors *ts, const char *prefix,
				const char *name, size_t n_in, const size_t *part, size_t n_parts,
				kws_error *err);
void kws_linear_free(kws_linear *l);

/* The product for rows that are ldx floats apart; that of weights of 8 bits, for rows of bytes. They
 * live as long as l, and are of the one kind or the other. */
kws_product kws_linear_product(const kws_linear *l, size_t ldx);
kws_int8_product kws_linear_int8_product(const kws_linear *l);

/* One of the two kinds. */
typedef struct {
	const kws_product *floats;
	const kws_int8_product *bytes;
} kws_any_product;

/* What is called for each product of something, with its number of rows. */
typedef void kws_product_fn(void *ctx, const kws_any_product *g, size_t rows);
void kws_linear_products(const kws_linear *l, size_t rows, kws_product_fn *fn, void *ctx);

/* y (t, n_out) = x (t, ldx) w + bias. y MUST NOT be x. */
void kws_linear_run(const kws_linear *l, const float *x, size_t ldx, size_t t, float *y);

#endif
