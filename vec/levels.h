/* levels.h - the tables compiled from vec.c and int8.c and the products compiled from product.c,
 * one for each level of the processor. The Makefile chooses the levels of the architecture, and
 * choose.c, choose_x86.c or choose_arm64.c to go with them. */
#ifndef KWS_VEC_LEVELS_H
#define KWS_VEC_LEVELS_H

#include "vec/vec.h"

/* SSE2, NEON: what every processor of the architecture has. */
extern const kws_vec kws_vec_baseline;
extern const kws_vec kws_vec_v3; /* AVX2 and FMA */
extern const kws_vec kws_vec_v4; /* AVX-512 F, BW, CD, DQ, VL */
/* These with instructions for products of 8 bits: AVX-VNNI, AVX-512 VNNI, and of arm64. */
extern const kws_vec kws_vec_v3_vnni, kws_vec_v4_vnni, kws_vec_dotprod;
extern const kws_int8 kws_int8_baseline, kws_int8_v3, kws_int8_v4, kws_int8_v3_vnni,
	kws_int8_v4_vnni, kws_int8_dotprod;

typedef void kws_vec_product_fn(const kws_product *g, const float *x, size_t rows, float *y,
				size_t ldy);
kws_vec_product_fn kws_vec_product_baseline, kws_vec_product_v3, kws_vec_product_v4;

#endif
