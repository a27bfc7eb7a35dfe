/* levels.h - the tables compiled from vec.c and the products compiled from product.c, one for each
 * level of the processor. The Makefile chooses the levels of the architecture, and choose.c or
 * choose_x86.c to go with them. */
#ifndef KWS_VEC_LEVELS_H
#define KWS_VEC_LEVELS_H

#include "vec/vec.h"

/* SSE2, NEON: what every processor of the architecture has. */
extern const kws_vec kws_vec_baseline;
extern const kws_vec kws_vec_v3; /* AVX2 and FMA */
extern const kws_vec kws_vec_v4; /* AVX-512 F, BW, CD, DQ, VL */

typedef void kws_vec_product_fn(const kws_product *g, const float *x, size_t rows, float *y,
				size_t ldy);
kws_vec_product_fn kws_vec_product_baseline, kws_vec_product_v3, kws_vec_product_v4;

#endif
