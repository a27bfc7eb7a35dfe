/* linear.h - the one dense layer, y = W x + b, its weights packed as products of vec/vec.h take them.
 *
 * A row of y is a sum in one order, whatever other rows are computed beside it. So a frame's result depends neither on
 * how its stream was cut nor on which other streams stand in the block. */
#ifndef KWS_MODEL_LINEAR_H
#define KWS_MODEL_LINEAR_H

#include "model/tensors.h"
#include "vec/vec.h"

enum {
	KWS_BLOCK =
		24, /* frames that go through the network together at most: their rows stay in the second-level cache */
	KWS_ALIGN = 16 /* floats: columns are padded to a multiple of it */
};

static inline size_t kws_pad(size_t n)
{
	return (n + KWS_ALIGN - 1) / KWS_ALIGN * KWS_ALIGN;
}

typedef struct {
	size_t n_in, n_out; /* n_out counts the padding of each part */
	float *w;	    /* (n_in, n_out) */
	float *bias;	    /* (n_out,) */
} kws_linear;

/* Pack w (sum of parts, n_in), a Linear weight [out, in], and bias (sum of parts,). The output columns come in n_parts
 * runs of part[p] columns, each padded with zeros to a multiple of KWS_ALIGN. KWS_ERR_NOMEM. */
enum kws_status kws_linear_init(kws_linear *l, const float *w, const float *bias, size_t n_in,
				const size_t *part, size_t n_parts);

/* The same from the tensors prefix + name + ".weight" and ".bias". KWS_ERR_FORMAT naming the tensor, KWS_ERR_NOMEM. */
enum kws_status kws_linear_read(kws_linear *l, kws_tensors *ts, const char *prefix,
				const char *name, size_t n_in, const size_t *part, size_t n_parts,
				kws_error *err);
void kws_linear_free(kws_linear *l);

/* The product of rows ldx apart; it lives as long as l. */
kws_product kws_linear_product(const kws_linear *l, size_t ldx);

/* y (t, n_out) = x (t, ldx) w + bias. y MUST NOT be x. */
void kws_linear_run(const kws_linear *l, const float *x, size_t ldx, size_t t, float *y);

#endif
