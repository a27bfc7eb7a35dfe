/* lanes.h - the vectors of one level, for the sources that the Makefile compiles once for each level with
 *   KWS_VEC_BYTES  width of the level's vector registers: 16, 32 or 64
 *   KWS_VEC_LEVEL  its name in the tables of levels.h, e.g. v3 */
#ifndef KWS_VEC_LANES_H
#define KWS_VEC_LANES_H

#include <stdbool.h>
#include <string.h>

enum { LANES = KWS_VEC_BYTES / sizeof(float) };

typedef float vf __attribute__((vector_size(KWS_VEC_BYTES)));

static inline vf load(const float *p)
{
	vf v;
	memcpy(&v, p, sizeof v);
	return v;
}

static inline void store(float *p, vf v)
{
	memcpy(p, &v, sizeof v);
}

#define KWS_VEC_JOIN(a, b)  a##b
#define KWS_VEC_NAMED(a, b) KWS_VEC_JOIN(a, b)

#endif
