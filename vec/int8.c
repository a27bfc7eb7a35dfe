/* int8.c - convolutions with integers of 8 bits (vec/int8.h), compiled once for each way in which
 * processors multiply them (vec/dot.h).
 *
 * The image is read a word of four bytes at a time, and so are the weights of each column: the word
 * of the image goes to all lanes, and the sums of a tile stay in registers, as in vec/product.c. */
#include "vec/int8.h"

#include "vec/dot.h"
#include "vec/levels.h"

enum { WIDTH = sizeof(element), IN_WORD = 4 / WIDTH, MOST_ROWS = 5 };

/* Most vectors of columns in a tile: its sums, the weights and a word fill 32 registers, or 16. */
#if defined __AVX512F__ && KWS_VEC_BYTES == 64
enum { MOST_VECTORS = 5 };
#elif defined __aarch64__
enum { MOST_VECTORS = 4 };
#else
enum { MOST_VECTORS = 2 };
#endif
#define INLINE static inline __attribute__((always_inline))

static inline vi load_words(const void *p)
{
	vi v;
	memcpy(&v, p, sizeof v);
	return v;
}

/* The nearest whole numbers, in the low bytes: adding 1.5 * 2^23 rounds to them. */
static inline vi code_v(vf x, vf scale, vf zero)
{
	const vf t = min_v(max_v(x * scale + zero, SPLAT(0.0f)), SPLAT(255.0f));
	return (vi)(t + SPLAT(12582912.0f));
}

/* The results of one vector of columns; `last' of them are in use. */
INLINE void finish(const kws_int8_product *g, size_t R, const vi *sum, size_t column, void *y,
		   size_t ldy, size_t last)
{
	const vf scale = load(g->scale + column), bias = load(g->bias + column);
	vf code = { 0 }, zero = { 0 };
	if (g->code.scale) {
		code = load(g->code.scale + column);
		zero = load(g->code.zero + column);
	}
	for (size_t r = 0; r < R; r++) {
		vf x = __builtin_convertvector(sum[r], vf) * scale + bias;
		x = g->linear ? x : leaky_relu_v(x);
		if (g->code.scale)
			put((element *)y + r * ldy + column, code_v(x, code, zero),
			    kws_int8_pad(last));
		else
			memcpy((float *)y + r * ldy + column, &x, last * sizeof(float));
	}
}

/* R rows by V vectors of columns. */
INLINE void tile(size_t R, size_t V, const kws_int8_product *g, const element *x, size_t column,
		 void *y, size_t ldy)
{
	vi sum[MOST_VECTORS][MOST_ROWS], wv[MOST_VECTORS];
	const char *w = (const char *)g->w + 4 * column;
	for (size_t v = 0; v < V; v++) {
		const vi start = load_words(g->start + column + v * LANES);
		for (size_t r = 0; r < R; r++)
			sum[v][r] = start;
	}
	for (size_t p = 0; p < g->taps; p++, x += g->tap)
		for (size_t k = 0; k < g->n_in; k += IN_WORD, w += 4 * g->ld) {
			for (size_t v = 0; v < V; v++)
				wv[v] = load_words(w + v * sizeof(vi));
			for (size_t r = 0; r < R; r++) {
				const image_word in = spread(x + r * g->step + k);
				for (size_t v = 0; v < V; v++)
					sum[v][r] = dot(sum[v][r], in, wv[v]);
			}
		}
	const size_t left = g->n_out - column;
	for (size_t v = 0; v < V; v++)
		finish(g, R, sum[v], column + v * LANES, y, ldy,
		       v + 1 < V || left >= V * LANES ? LANES : left - v * LANES);
}

#define WIDE(n)                                                                                    \
	case (n):                                                                                  \
		if ((n) <= MOST_VECTORS)                                                           \
			tile(R, (n) <= MOST_VECTORS ? (n) : 1, g, x, column, y, ldy);              \
		break;

/* R rows, in tiles of nearly the same width. */
INLINE void columns(size_t R, const kws_int8_product *g, const element *x, void *y, size_t ldy)
{
	size_t vectors = (g->n_out + LANES - 1) / LANES, column = 0;
	size_t tiles = (vectors + MOST_VECTORS - 1) / MOST_VECTORS;
	for (; tiles; tiles--) {
		const size_t V = (vectors + tiles - 1) / tiles;
		switch (V) {
		case 1: tile(R, 1, g, x, column, y, ldy); break;
		case 2:
			tile(R, 2, g, x, column, y, ldy);
			break;
			WIDE(3)
			WIDE(4)
			WIDE(5)
		}
		vectors -= V;
		column += V * LANES;
	}
}

static void product(const kws_int8_product *g, const void *image, size_t rows, void *to, size_t ldy)
{
	const element *x = image;
	char *y = to;
	const size_t row_bytes = ldy * (g->code.scale ? WIDTH : sizeof(float));
	while (rows) {
		const size_t n = rows < MOST_ROWS ? rows : MOST_ROWS;
		switch (n) {
		case 1: columns(1, g, x, y, ldy); break;
		case 2: columns(2, g, x, y, ldy); break;
		case 3: columns(3, g, x, y, ldy); break;
		case 4: columns(4, g, x, y, ldy); break;
		default: columns(5, g, x, y, ldy); break;
		}
		rows -= n;
		x += n * g->step;
		y += n * row_bytes;
	}
}

/* Element i of a column's group k: where it lies among the n * ld of them. */
static size_t place(size_t k, size_t column, size_t ld)
{
	const size_t group = k / IN_WORD * ld;
#ifdef KWS_DOT_PAIRS
	const size_t i = k % IN_WORD;
	return (group + column / 4 * 4) * IN_WORD + i / 2 * 8 + column % 4 * 2 + i % 2;
#else
	return (group + column) * IN_WORD + k % IN_WORD;
#endif
}

static void pack(void *to, int32_t *start, const int8_t *w, size_t n_out, size_t n, size_t ld)
{
	weight *weights = to;
	memset(to, 0, n * ld * WIDTH);
	for (size_t o = 0; o < n_out; o++)
		for (size_t k = 0; k < n; k++) {
			weights[place(k, o, ld)] = w[o * n + k];
			start[o] += OFFSET * w[o * n + k];
		}
}

/* n floats of x, of which so many can be read; the other lanes hold anything. */
static inline vf load_some(const float *x, size_t n, size_t readable)
{
	vf part = { 0 };
	if (readable >= LANES)
		return load(x);
	memcpy(&part, x, n * sizeof *x);
	return part;
}

static void encode(void *to, kws_int8_code code, const float *x, size_t rows, size_t n)
{
	const size_t ld = kws_int8_pad(n);
	element *y = to;
	for (; rows; rows--, x += n, y += ld)
		for (size_t i = 0; i < n; i += LANES) {
			const size_t left = n - i < LANES ? n - i : LANES;
			const vf part = load_some(x + i, left, rows * n - i);
			put(y + i, code_v(part, load(code.scale + i), load(code.zero + i)),
			    kws_int8_pad(left));
		}
}

static float encode_row(void *to, const float *x, size_t n)
{
	vf most = { 0 };
	float top = 0.0f;
	for (size_t i = 0; i < n; i += LANES) {
		const vf part = load_some(x + i, n - i < LANES ? n - i : LANES, n - i);
		most = max_v(max_v(part, -part), most);
	}
	for (size_t i = 0; i < LANES; i++)
		top = most[i] > top ? most[i] : top;
	const vf scale = SPLAT(top > 0.0f ? 127.0f / top : 0.0f);
	for (size_t i = 0; i < n; i += LANES) {
		const size_t left = n - i < LANES ? n - i : LANES;
		put((element *)to + i, code_v(load_some(x + i, left, n - i), scale, SPLAT(128.0f)),
		    kws_int8_pad(left));
	}
	return top / 127.0f;
}

enum { MANY = 16 };
typedef element group __attribute__((vector_size(KWS_INT8_GROUP * WIDTH)));
typedef element groups __attribute__((vector_size(MANY * WIDTH)));

#define LARGER(type, i)                                                                            \
	do {                                                                                       \
		type x, z;                                                                         \
		memcpy(&x, a + (i), sizeof x);                                                     \
		memcpy(&z, b + (i), sizeof z);                                                     \
		const type more = (type)(x > z);                                                   \
		x = (x & more) | (z & ~more);                                                      \
		memcpy(y + (i), &x, sizeof x);                                                     \
	} while (0)

/* The last of many may be taken twice: their greater stays the same. */
static void larger(void *to, const void *first, const void *second, size_t n)
{
	element *y = to;
	const element *a = first, *b = second;
	if (n < MANY) {
		for (size_t i = 0; i < n; i += KWS_INT8_GROUP)
			LARGER(group, i);
		return;
	}
	for (size_t i = 0; i + MANY < n; i += MANY)
		LARGER(groups, i);
	LARGER(groups, n - MANY);
}

static double peak(size_t rounds)
{
	const element zeros[4 / WIDTH] = { 0 };
	const void *factor = zeros;
#define BEGIN(i) vi sum##i = { 0 };
#define ADD(i)                                                                                     \
	OPAQUE(w);                                                                                 \
	sum##i = dot(sum##i, x, w);                                                                \
	OPAQUE(sum##i);
	__asm__ volatile("" : "+r"(factor) : : "memory");
	const image_word x = spread(factor);
	vi w = { 0 };
	EACH_SUM(BEGIN)
	for (size_t k = 0; k < rounds; k++) {
		EACH_SUM(ADD)
	}
#undef BEGIN
#undef ADD
	return (double)rounds * PEAK_SUMS * LANES * IN_WORD;
}

const kws_int8 KWS_VEC_NAMED(kws_int8_, KWS_VEC_LEVEL) = {
	.name = HOW,
	.width = WIDTH,
	.pack = pack,
	.product = product,
	.encode = encode,
	.encode_row = encode_row,
	.max = larger,
	.peak = peak,
};
