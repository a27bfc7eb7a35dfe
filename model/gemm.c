#include "model/gemm.h"

#include <cblas.h>
#include <stdlib.h>
#include <string.h>

static void product(const kws_gemm *g, const float *x, size_t ldx, size_t rows, float *y)
{
	cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, (blasint)rows, (blasint)g->n_out, (blasint)g->n_in, 1.0f, x,
		    (blasint)ldx, g->w, (blasint)g->n_out, 0.0f, y, (blasint)g->n_out);
}

/* Is a row the same in the whole block and in calls of `rows` rows at either end of it? */
static int rows_agree(const kws_gemm *g, const float *x, const float *want, float *y, size_t rows)
{
	const size_t n = rows * g->n_out, last = KWS_BLOCK - rows;
	product(g, x, g->n_in, rows, y);
	if (memcmp(y, want, n * sizeof *y) != 0)
		return 0;
	product(g, x + last * g->n_in, g->n_in, rows, y);
	return memcmp(y, want + last * g->n_out, n * sizeof *y) == 0;
}

static size_t find_tile(const kws_gemm *g, const float *x, const float *want, float *y)
{
	static const size_t tiles[] = { 1, 2, 4, 8, 12, 16, 24, KWS_BLOCK };
	static const size_t times[] = { 1, 2, 3, 5, 7, 11, 15, 23, 47 };
	for (size_t i = 0; i < sizeof tiles / sizeof *tiles; i++) {
		size_t k = 0;
		while (k < sizeof times / sizeof *times &&
		       (times[k] * tiles[i] > KWS_BLOCK || rows_agree(g, x, want, y, times[k] * tiles[i])))
			k++;
		if (k == sizeof times / sizeof *times)
			return tiles[i];
	}
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
		product(g, x, g->n_in, KWS_BLOCK, want);
		g->tile = find_tile(g, x, want, y);
	}
	const enum kws_status s = x && want && y ? KWS_OK : KWS_ERR_NOMEM;
	free(x);
	free(want);
	free(y);
	return s;
}

enum kws_status kws_gemm_init(kws_gemm *g, const float *w, size_t n_in, const size_t *part, size_t n_parts)
{
	*g = (kws_gemm){ .n_in = n_in };
	for (size_t p = 0; p < n_parts; p++)
		g->n_out += kws_pad(part[p]);
	g->w = aligned_alloc(64, n_in * g->n_out * sizeof *g->w);
	if (!g->w)
		return KWS_ERR_NOMEM;
	memset(g->w, 0, n_in * g->n_out * sizeof *g->w);
	for (size_t p = 0, from = 0, to = 0; p < n_parts; from += part[p], to += kws_pad(part[p]), p++)
		for (size_t o = 0; o < part[p]; o++)
			for (size_t i = 0; i < n_in; i++)
				g->w[i * g->n_out + to + o] = w[(from + o) * n_in + i];
	openblas_set_num_threads(1); /* our products are too small to share; live audio wants no waiting */
	return choose_tile(g);
}

void kws_gemm_free(kws_gemm *g)
{
	free(g->w);
	*g = (kws_gemm){ 0 };
}

void kws_gemm_run(const kws_gemm *g, const float *x, size_t ldx, size_t t, float *y)
{
	if (g->tile) {
		if (t)
			product(g, x, ldx, (t + g->tile - 1) / g->tile * g->tile, y);
		return;
	}
	for (size_t r = 0; r < t; r++)
		product(g, x + r * ldx, ldx, 1, y + r * g->n_out);
}
