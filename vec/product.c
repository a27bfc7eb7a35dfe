/* product.c - matrix products, compiled once for each level (vec/lanes.h).
 *
 * The sums of a tile, some rows by some vectors of columns, stay in registers while k runs over the
 * inputs once. How an output is summed up never depends on its tile, so tiles may be as wide and
 * high as the registers allow: many rows by few columns for a file, few rows by many columns for a
 * live stream's single frame. */
#include "vec/lanes.h"
#include "vec/levels.h"

/* Half a vector, for the 8 columns left over from 24 or 72. */
typedef float half __attribute__((vector_size(KWS_VEC_BYTES / 2)));

/* in * w + sum, like fma_v() */
static inline half fma_half(float in, half w, half sum)
{
#if defined __AVX512F__ && KWS_VEC_BYTES == 64
	return _mm256_fmadd_ps(_mm256_set1_ps(in), w, sum);
#elif defined __FMA__ && KWS_VEC_BYTES == 32
	return _mm_fmadd_ps(_mm_set1_ps(in), w, sum);
#elif defined __aarch64__
	return vfma_n_f32(sum, w, in);
#else
	return in * w + sum;
#endif
}

enum { HALF = LANES / 2 };

/* Vectors of columns in a tile of 1, 2, ... rows: the sums, the weights and one input fill 32
 * registers, or 16. rows_of: how many rows to take when up to ten are left; MANY when there are more.
 * With 16 registers five rows are three and two, whose tiles are wider: they read weights that are
 * not in the cache in longer runs. */
#if defined __AVX512F__ || defined __aarch64__
enum { OF_1 = 8, OF_2 = 8, OF_3 = 8, OF_4 = 6, OF_5 = 5, OF_8 = 3, MANY = 8 };
static const unsigned char rows_of[] = { 0, 1, 2, 3, 4, 5, 3, 4, 8, 5, 5 };
#else
enum { OF_1 = 8, OF_2 = 6, OF_3 = 4, OF_4 = 3, OF_5 = 2, OF_8 = 1, MANY = 4 };
static const unsigned char rows_of[] = { 0, 1, 2, 3, 4, 3, 3, 4, 4, 3, 4 };
#endif
enum { FEW = sizeof rows_of - 1 };

#define INLINE static inline __attribute__((always_inline))

/* The first n of a vector, and of half of one. They come by value: a sum whose address is taken
 * would stay in memory, and be written there after every input. */
INLINE void store_first(float *to, vf v, size_t n)
{
	memcpy(to, &v, n * sizeof *to);
}

INLINE void store_first_half(float *to, half v, size_t n)
{
	memcpy(to, &v, n * sizeof *to);
}

/* The sums are variables of their own, not an array: gcc 12 for arm64 kept one in memory, and wrote
 * every sum there after every input. Those that a tile does not have cost nothing, as its size is
 * a constant where it is inlined. */
_Static_assert(OF_1 <= 8 && MANY <= 8, "no tile has more than eight rows, or vectors");
#define EIGHT(f)	  f(0) f(1) f(2) f(3) f(4) f(5) f(6) f(7)
#define EACH_OF_ROW(f, r) f(r, 0) f(r, 1) f(r, 2) f(r, 3) f(r, 4) f(r, 5) f(r, 6) f(r, 7)
#define EACH(f)                                                                                    \
	EACH_OF_ROW(f, 0)                                                                          \
	EACH_OF_ROW(f, 1)                                                                          \
	EACH_OF_ROW(f, 2)                                                                          \
	EACH_OF_ROW(f, 3)                                                                          \
	EACH_OF_ROW(f, 4)                                                                          \
	EACH_OF_ROW(f, 5)                                                                          \
	EACH_OF_ROW(f, 6)                                                                          \
	EACH_OF_ROW(f, 7)

/* R rows by V vectors and, if odd, half a vector. The last of them has `last' columns in use. */
INLINE void tile(size_t R, size_t V, bool odd, const kws_product *g, const float *x, size_t column,
		 float *y, size_t ldy, size_t last)
{
	const float *w = g->w + column, *b = g->b + column;
#define SUM(r, v) vf sum##r##v = r < R && v < V ? load(b + v * LANES) : (vf){ 0 };
#define SUM_HALF(r)                                                                                \
	half sum_h##r = { 0 };                                                                     \
	if (odd && r < R)                                                                          \
		memcpy(&sum_h##r, b + V * LANES, sizeof sum_h##r);
	EACH(SUM)
	EIGHT(SUM_HALF)
	for (size_t p = 0; p < g->taps; p++, x += g->tap)
		for (size_t k = 0; k < g->n_in; k++, w += g->ld) {
#define WEIGHTS(v) const vf w##v = v < V ? load(w + v * LANES) : (vf){ 0 };
#define INPUT(r)   const float in##r = r < R ? x[r * g->step + k] : 0;
#define ADD(r, v)                                                                                  \
	if (r < R && v < V)                                                                        \
		sum##r##v = fma_v(SPLAT(in##r), w##v, sum##r##v);
#define ADD_HALF(r)                                                                                \
	if (odd && r < R)                                                                          \
		sum_h##r = fma_half(in##r, wh, sum_h##r);
			half wh = { 0 };
			if (odd)
				memcpy(&wh, w + V * LANES, sizeof wh);
			EIGHT(WEIGHTS)
			EIGHT(INPUT)
			EACH(ADD)
			EIGHT(ADD_HALF)
		}
	y += column;
#define STORE(r, v)                                                                                \
	if (r < R && v < V) {                                                                      \
		if (odd || v + 1 < V || last == LANES)                                             \
			store(y + r * ldy + v * LANES, sum##r##v);                                 \
		else                                                                               \
			store_first(y + r * ldy + v * LANES, sum##r##v, last);                     \
	}
#define STORE_HALF(r)                                                                              \
	if (odd && r < R) {                                                                        \
		if (last == HALF)                                                                  \
			memcpy(y + r * ldy + V * LANES, &sum_h##r, sizeof sum_h##r);               \
		else                                                                               \
			store_first_half(y + r * ldy + V * LANES, sum_h##r, last);                 \
	}
	EACH(STORE)
	EIGHT(STORE_HALF)
#undef SUM
#undef SUM_HALF
#undef WEIGHTS
#undef INPUT
#undef ADD
#undef ADD_HALF
#undef STORE
#undef STORE_HALF
}

/* R rows: tiles of V vectors while there are enough columns, then one tile for the rest. */
INLINE void columns(size_t R, size_t V, const kws_product *g, const float *x, float *y, size_t ldy)
{
	size_t column = 0;
	for (; column + V * LANES <= g->n_out; column += V * LANES)
		tile(R, V, false, g, x, column, y, ldy, LANES);
	const size_t left = g->n_out - column, halves = (left + HALF - 1) / HALF;
	const size_t last =
		halves % 2 ? left - halves / 2 * LANES : left - (halves / 2 - 1) * LANES;
#define REST(v)                                                                                    \
	case 2 * (v):                                                                              \
		if ((v) <= V)                                                                      \
			tile(R, (v), false, g, x, column, y, ldy, last);                           \
		break;                                                                             \
	case 2 * (v) + 1:                                                                          \
		if ((v) < V)                                                                       \
			tile(R, (v), true, g, x, column, y, ldy, last);                            \
		break
	switch (halves) {
	case 1:
		tile(R, 0, true, g, x, column, y, ldy, last);
		break;
		REST(1);
		REST(2);
		REST(3);
		REST(4);
		REST(5);
		REST(6);
		REST(7);
		REST(8);
	}
#undef REST
}

void KWS_VEC_NAMED(kws_vec_product_, KWS_VEC_LEVEL)(const kws_product *g, const float *x,
						    size_t rows, float *y, size_t ldy)
{
	while (rows) {
		const size_t n = rows > FEW ? MANY : rows_of[rows];
		switch (n) {
		case 1: columns(1, OF_1, g, x, y, ldy); break;
		case 2: columns(2, OF_2, g, x, y, ldy); break;
		case 3: columns(3, OF_3, g, x, y, ldy); break;
		case 4: columns(4, OF_4, g, x, y, ldy); break;
		case 5: columns(5, OF_5, g, x, y, ldy); break;
		default: columns(8, OF_8, g, x, y, ldy); break;
		}
		rows -= n;
		x += n * g->step;
		y += n * ldy;
	}
}
