/* gemm.h - a linear layer's weights, packed once for this machine, and its product with a block of rows.
 *
 * BLAS works through the rows of a product in tiles, with other instructions for some rows of a tile than for others, so
 * a row's last bit can depend on its neighbours' number. Therefore a frame has its place: frame k of a stream always
 * stands in row k % KWS_BLOCK of the block buffers, and a product always covers whole tiles. How many rows a tile of
 * this BLAS has on this processor is found at load. So a frame's result never depends on how the stream was cut. */
#ifndef KWS_MODEL_GEMM_H
#define KWS_MODEL_GEMM_H

#include "kws.h"

enum {
	KWS_BLOCK =
		24, /* rows of a block: its buffers stay in the second-level cache; a multiple of every tile */
	KWS_ALIGN = 16 /* floats: columns are padded to a multiple of it */
};

static inline size_t kws_pad(size_t n)
{
	return (n + KWS_ALIGN - 1) / KWS_ALIGN * KWS_ALIGN;
}

/* The rows of a block that a call is about: first .. first + n - 1, all below KWS_BLOCK. */
typedef struct {
	size_t first, n;
} kws_rows;

typedef struct {
	size_t n_in, n_out; /* n_out counts the padding of each part */
	size_t tile;	    /* rows in a tile; 0: none found, one row at a time */
	float *w;	    /* (n_in, n_out) */
} kws_gemm;

/* Pack w (sum of parts, n_in), a Linear weight [out, in]. The output columns come in n_parts runs of part[p] columns,
 * each padded with zeros to a multiple of KWS_ALIGN. KWS_ERR_NOMEM. */
enum kws_status kws_gemm_init(kws_gemm *g, const float *w, size_t n_in, const size_t *part,
			      size_t n_parts);
void kws_gemm_free(kws_gemm *g);

/* y (KWS_BLOCK, n_out) = x (KWS_BLOCK, ldx) w for some rows. The other rows of x MUST be finite; those of y may be
 * overwritten. */
void kws_gemm_run(const kws_gemm *g, const float *x, size_t ldx, kws_rows rows, float *y);

#endif
