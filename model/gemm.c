#include "model/gemm.h"

#include <cblas.h>
#include <stdlib.h>
#include <string.h>

/* Rows from .. to - 1 of the block. */
static void product(const kws_gemm *g, const float *x, size_t ldx, size_t from, size_t to, float *y)
{
	cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, (blasint)(to - from),
		    (blasint)g->n_out, (blasint)g->n_in, 1.0f, x + from * ldx, (blasint)ldx, g->w,
		    (blasint)g->n_out, 0.0f, y + from * g->n_out, (blasint)g->n_out);
}

/* Are rows from .. to - 1 the same as in the product of the whole block? */
static int agree(const kws_gemm *g, const float *x, const float *want, float *y, size_t from,
		 size_t to)
{
	product(g, x, g->n_in, from, to, y);
	return memcmp(y + from * g->n_out, want + from * g->n_out,
		      (to - from) * g->n_out * sizeof *y)
	       == 0;
}

static int is_tile(const kws_gemm *g, const float *x, const float *want, float *y, size_t tile)
{
	for (size_t n = tile; n < KWS_BLOCK;
	     n += tile) /* at every place while n is small, then at both ends */
		for (size_t from = 0; from + n <= KWS_BLOCK;
		     from += n < 4 * tile || from ? n : KWS_BLOCK - n)
			if (!agree(g, x, want, y, from, from + n))
				return 0;
	return 1;
}

static size_t find_tile(const kws_gemm *g, const float *x, const float *want, float *y)
{
	static const size_t tiles[] = { 1, 2, 4, 8, 12, KWS_BLOCK };
	for (size_t i = 0; i < sizeof tiles / sizeof *tiles; i++)
		if (is_tile(g, x, want, y, tiles[i]))
			return tiles[i];
	return 0;
}

/* Random rows against the layer's own weights: a different order of additions shows in some of the many values. */
static enum kws_status choose_tile(kws_gemm *g)
{
	float *x = calloc(KWS_BLOCK * g->n_in, sizeof *x);
	float *want = calloc(KWS_BLOCK * g->n_out, sizeof *want);
	float *y = calloc(KWS_BLOCK * g->n_out, sizeof *y);
	if (x && want && y) {
		uint32_t seed = 1;
		for (size_t i = 0; i < KWS_BLOCK * g->n_in; i++) {
			seed = seed * 1664525u + 1013904223u;
			x[i] = (float)(seed >> 8) / 16777216.0f - 0.5f;
		}
		product(g, x, g->n_in, 0, KWS_BLOCK, want);
		g->tile = find_tile(g, x, want, y);
	}
	const enum kws_status s = x && want && y ? KWS_OK : KWS_ERR_NOMEM;
	free(x);
	free(want);
	free(y);
	return s;
}

enum kws_status kws_gemm_init(kws_gemm *g, const float *w, size_t n_in, const size_t *part,
			      size_t n_parts)
{
	*g = (kws_gemm){ .n_in = n_in };
	for (size_t p = 0; p < n_parts; p++)
		g->n_out += kws_pad(part[p]);
	g->w = aligned_alloc(64, n_in * g->n_out * sizeof *g->w);
	if (!g->w)
		return KWS_ERR_NOMEM;
	memset(g->w, 0, n_in * g->n_out * sizeof *g->w);
	for (size_t p = 0, from = 0, to = 0; p < n_parts;
	     from += part[p], to += kws_pad(part[p]), p++)
		for (size_t o = 0; o < part[p]; o++)
			for (size_t i = 0; i < n_in; i++)
				g->w[i * g->n_out + to + o] = w[(from + o) * n_in + i];
	openblas_set_num_threads(
		1); /* our products are too small to share; live audio wants no waiting */
	return choose_tile(g);
}

void kws_gemm_free(kws_gemm *g)
{
	free(g->w);
	*g = (kws_gemm){ 0 };
}

void kws_gemm_run(const kws_gemm *g, const float *x, size_t ldx, kws_rows rows, float *y)
{
	const size_t tile = g->tile, end = rows.first + rows.n;
	if (tile && rows.n)
		product(g, x, ldx, rows.first / tile * tile, (end + tile - 1) / tile * tile, y);
	for (size_t r = rows.first; !tile && r < end; r++)
		product(g, x, ldx, r, r + 1, y);
}
