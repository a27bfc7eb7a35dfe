/* levels.h - the tables that vec.c is compiled into. The Makefile sets KWS_VEC_X86 where it builds the x86 levels. */
#ifndef KWS_VEC_LEVELS_H
#define KWS_VEC_LEVELS_H

#include "vec/vec.h"

extern const kws_vec
	kws_vec_baseline;	 /* SSE2, NEON: what every processor of the architecture has */
extern const kws_vec kws_vec_v3; /* AVX2 and FMA */
extern const kws_vec kws_vec_v4; /* AVX-512 F, BW, CD, DQ, VL */

#endif
