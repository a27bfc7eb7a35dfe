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
	float *w;	    /* (n_in, n_out) */
	float *bias;	    /* (n_out,) */
} kws_linear;

/* Pack w (sum of parts, n_in), a Linear weight [out, in], and bias (sum of parts,). The output
 * columns are n_parts runs of part[p] columns, each padded with zeros to a multiple of KWS_ALIGN.
 * KWS_ERR_NOMEM. */
enum kws_status kws_linear_init(kws_linear *l, const float *w, const float *bias, size_t n_in,
				const size_t *part, size_t n_parts);

/* The same from the tensors prefix + name + ".weight" and ".bias". KWS_ERR_FORMAT names the tensor;
 * KWS_ERR_NOMEM. */
enum kws_status kws_linear_read(kws_linear *l, kws_tensors *ts, const char *prefix,
				const char *name, size_t n_in, const size_t *part, size_t n_parts,
				kws_error *err);
void kws_linear_free(kws_linear *l);

/* The product for rows that are ldx floats apart. It lives as long as l. */
kws_product kws_linear_product(const kws_linear *l, size_t ldx);

/* y (t, n_out) = x (t, ldx) w + bias. y MUST NOT be x. */
void kws_linear_run(const kws_linear *l, const float *x, size_t ldx, size_t t, float *y);

#endif
