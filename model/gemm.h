/* gemm.h - a linear layer's weights, packed once for this machine, and its product with a block of rows.
 *
 * BLAS computes the rows at the edge of a product with other instructions than those inside, so a row's last bit can
 * depend on how many rows go together. We find at load how many rows this BLAS, on this processor, treats alike, and
 * always ask for a multiple of it. So a row's result never depends on the block it came in. */
#ifndef KWS_MODEL_GEMM_H
#define KWS_MODEL_GEMM_H

#include "kws.h"

enum {
	KWS_BLOCK = 48, /* most rows at once; a multiple of every row tile */
	KWS_ALIGN = 16  /* floats: columns are padded to a multiple of it */
};

static inline size_t kws_pad(size_t n)
{
	return (n + KWS_ALIGN - 1) / KWS_ALIGN * KWS_ALIGN;
}

typedef struct {
	size_t n_in, n_out; /* n_out counts the padding of each part */
	size_t tile;        /* rows are asked for in multiples of it; 0: one at a time */
	float *w;           /* (n_in, n_out) */
} kws_gemm;

/* Pack w (sum of parts, n_in), a Linear weight [out, in]. The output columns come in n_parts runs of part[p] columns,
 * each padded with zeros to a multiple of KWS_ALIGN. KWS_ERR_NOMEM. */
enum kws_status kws_gemm_init(kws_gemm *g, const float *w, size_t n_in, const size_t *part, size_t n_parts);
void kws_gemm_free(kws_gemm *g);

/* y (KWS_BLOCK, n_out) = x (KWS_BLOCK, ldx) w, of which the first t rows count, t <= KWS_BLOCK. Rows of x behind t MUST be readable
 * and finite; those of y may be overwritten. */
void kws_gemm_run(const kws_gemm *g, const float *x, size_t ldx, size_t t, float *y);

#endif
