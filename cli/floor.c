#include "cli/floor.h"

#include "cli/bench.h"
#include "model/model.h"
#include "model/network.h"

#include <fftw3.h>
#include <stdlib.h>
#include <string.h>

struct kws_floor {
	const kws_network *network;
	size_t hops, blocks, n_x, n_y;
	float *x, *y; /* (n_x,), (n_y,): for the largest product */
	float *in;
	fftwf_complex *out;
	fftwf_plan plan;
};

static size_t larger(size_t a, size_t b)
{
	return a > b ? a : b;
}

static void measure_product(void *ctx, const kws_any_product *p, size_t rows)
{
	kws_floor *f = ctx;
	const kws_product *g = p->floats;
	const kws_int8_product *h = p->bytes;
	f->n_x = larger(f->n_x, g ? rows * g->step + g->taps * g->tap + g->n_in
				  : rows * h->step + h->taps * h->tap + h->n_in);
	f->n_y = larger(f->n_y, rows * (g ? g->n_out : kws_int8_pad(h->n_out)));
}

static void one_product(void *ctx, const kws_any_product *p, size_t rows)
{
	const kws_floor *f = ctx;
	const kws_vec *vec = kws_vec_get();
	if (p->floats)
		vec->product(p->floats, f->x, rows, f->y, p->floats->n_out);
	else
		vec->int8->product(p->bytes, f->x, rows, f->y, kws_int8_pad(p->bytes->n_out));
}

kws_floor *kws_floor_create(const kws_model *m, size_t hops)
{
	const kws_features *features = kws_model_features(m);
	kws_floor *f = calloc(1, sizeof *f);
	if (!f)
		return NULL;
	f->network = kws_model_network(m);
	f->hops = hops;
	f->blocks = hops / (kws_model_stride(m) * KWS_BLOCK);
	kws_network_products(f->network, measure_product, f);
	f->x = calloc(f->n_x, sizeof *f->x);
	f->y = calloc(f->n_y, sizeof *f->y);
	f->in = fftwf_alloc_real(features->n_fft);
	f->out = fftwf_alloc_complex(features->n_fft / 2 + 1);
	if (!f->x || !f->y || !f->in || !f->out) {
		kws_floor_destroy(f);
		return NULL;
	}
	f->plan = fftwf_plan_dft_r2c_1d((int)features->n_fft, f->in, f->out, FFTW_ESTIMATE);
	memset(f->in, 0, features->n_fft * sizeof *f->in);
	return f;
}

void kws_floor_destroy(kws_floor *f)
{
	if (!f)
		return;
	if (f->plan)
		fftwf_destroy_plan(f->plan);
	fftwf_free(f->in);
	fftwf_free(f->out);
	free(f->x);
	free(f->y);
	free(f);
}

void kws_floor_products(kws_floor *f)
{
	for (size_t i = 0; i < f->blocks; i++)
		kws_network_products(f->network, one_product, f);
}

void kws_floor_ffts(kws_floor *f)
{
	for (size_t i = 0; i < f->hops; i++)
		fftwf_execute_dft_r2c(f->plan, f->in, f->out);
}

static void count(void *ctx, const kws_any_product *p, size_t rows)
{
	kws_multiply_adds *n = ctx;
	const kws_product *g = p->floats;
	const kws_int8_product *h = p->bytes;
	if (g)
		n->floats += (double)(rows * g->taps * g->n_in * g->n_out);
	else
		n->bytes += (double)(rows * h->taps * h->n_in * h->n_out);
}

kws_multiply_adds kws_floor_multiply_adds(const kws_floor *f)
{
	kws_multiply_adds n = { 0.0, 0.0 };
	kws_network_products(f->network, count, &n);
	n.floats *= (double)f->blocks;
	n.bytes *= (double)f->blocks;
	return n;
}

static double a_second(double (*peak)(size_t rounds))
{
	enum { ROUNDS = 10000 };
	const double t0 = kws_bench_cpu(), n = peak(ROUNDS);
	return n / (kws_bench_cpu() - t0);
}

kws_multiply_adds kws_floor_peak(void)
{
	const kws_vec *vec = kws_vec_get();
	return (kws_multiply_adds){ a_second(vec->peak), a_second(vec->int8->peak) };
}
