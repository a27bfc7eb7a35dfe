#include "model/stem.h"

#include "vec/vec.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { KERNEL = 3 }; /* frames and bands */

static size_t bands_out(const kws_conv *c)
{
	return (c->bands + 1) / 2;
}

/* The kernel w [n_out, n_in, 3, 3] at every place among `frames` frames -> a Linear weight [frames_out * n_out, 3 * ld]. */
static void unroll(const float *w, size_t n_in, size_t n_out, size_t frames, size_t ld, float *to)
{
	for (size_t t = 0; t + KERNEL <= frames; t++)
		for (size_t o = 0; o < n_out; o++, to += KERNEL * ld)
			for (size_t i = 0; i < n_in; i++)
				for (size_t k = 0; k < KERNEL; k++)
					for (size_t b = 0; b < KERNEL; b++)
						to[b * ld + (t + k) * n_in + i] =
							w[((o * n_in + i) * KERNEL + k) * KERNEL + b];
}

/* Convolution i: frames of n_in channels, ld floats a band -> frames - 2 of n_out. */
static enum kws_status read_conv(kws_conv *c, size_t i, size_t frames, size_t n_in, size_t n_out, kws_tensors *ts,
				 kws_error *err)
{
	const size_t shape[] = { n_out, n_in, KERNEL, KERNEL };
	char prefix[32];
	float *w = NULL, *bias = NULL, *all = NULL;
	snprintf(prefix, sizeof prefix, "stem.%zu.", i);
	c->n_out = (frames - (KERNEL - 1)) * n_out;
	enum kws_status s = kws_tensors_take(&w, ts, prefix, "weight", 4, shape, err);
	if (!s)
		s = kws_tensors_take(&bias, ts, prefix, "bias", 1, shape, err);
	if (!s) {
		all = calloc(c->n_out * KERNEL * c->ld, sizeof *all);
		c->bias = calloc(c->n_out, sizeof *c->bias);
		if (all && c->bias) {
			unroll(w, n_in, n_out, frames, c->ld, all);
			for (size_t k = 0; k < c->n_out; k++)
				c->bias[k] = bias[k % n_out];
		}
		if (!all || !c->bias || kws_gemm_init(&c->g, all, KERNEL * c->ld, &c->n_out, 1))
			s = kws_fail(err, KWS_ERR_NOMEM, "out of memory");
	}
	free(all);
	free(bias);
	free(w);
	return s;
}

static void grow(size_t *most, size_t n)
{
	*most = n > *most ? n : *most;
}

enum kws_status kws_stem_init(kws_stem *s, const json_t *conf, size_t stack, size_t n_mels, kws_tensors *ts,
			      kws_error *err)
{
	const size_t n = json_array_size(conf);
	size_t frames = stack, bands = n_mels, n_in = 1, ld = stack, product = 0;
	*s = (kws_stem){ .stack = stack };
	if (!json_is_array(conf) || n < 1 || n > KWS_MAX_CONVS)
		return kws_fail(err, KWS_ERR_FORMAT, "network: stem: want a list of 1..%d numbers of channels", KWS_MAX_CONVS);
	if (stack < (KERNEL - 1) * n + 1 || stack > KWS_MAX_STEM_STACK)
		return kws_fail(err, KWS_ERR_FORMAT, "network: stem: %zu convolutions want a stack of %zu..%d frames, not %zu",
				n, (KERNEL - 1) * n + 1, KWS_MAX_STEM_STACK, stack);
	for (size_t i = 0; i < n; i++) {
		const json_t *channels = json_array_get(conf, i);
		const json_int_t n_out = json_integer_value(channels);
		kws_conv *c = &s->conv[s->n_convs++];
		*c = (kws_conv){ .bands = bands, .ld = ld };
		if (!json_is_integer(channels) || n_out < 1 || n_out > KWS_MAX_CHANNELS)
			return kws_fail(err, KWS_ERR_FORMAT, "network: stem[%zu]: want a whole number in 1..%d", i,
					KWS_MAX_CHANNELS);
		const enum kws_status status = read_conv(c, i, frames, n_in, (size_t)n_out, ts, err);
		if (status)
			return status;
		grow(&s->image, (bands + 2) * ld);
		grow(&product, KWS_BLOCK * (c->g.n_in + c->g.n_out));
		frames -= KERNEL - 1;
		bands = bands_out(c);
		n_in = (size_t)n_out;
		ld = c->g.n_out;
	}
	s->n_out = bands * frames * n_in;
	s->scratch_floats = 2 * s->image + product;
	return KWS_OK;
}

void kws_stem_free(kws_stem *s)
{
	for (size_t i = 0; i < s->n_convs; i++) {
		kws_gemm_free(&s->conv[i].g);
		free(s->conv[i].bias);
	}
	*s = (kws_stem){ 0 };
}

/* The bands of c's output from the given one on that one product makes. */
static kws_rows rows_from(const kws_conv *c, size_t band)
{
	const size_t left = bands_out(c) - band;
	return (kws_rows){ 0, left < KWS_BLOCK ? left : KWS_BLOCK };
}

void kws_stem_products(const kws_stem *s, void (*fn)(void *ctx, const kws_gemm *g, kws_rows rows), void *ctx)
{
	for (const kws_conv *c = s->conv; c < s->conv + s->n_convs; c++)
		for (size_t band = 0; band < bands_out(c); band += KWS_BLOCK)
			fn(ctx, &c->g, rows_from(c, band));
}

/* image (bands + 2, ld) -> y (bands_out, ldy) */
static void convolve(const kws_conv *c, const float *image, float *product, float *y, size_t ldy)
{
	const size_t n = c->g.n_in;
	float *rows = product, *out = rows + KWS_BLOCK * n;
	for (size_t band = 0; band < bands_out(c); band += KWS_BLOCK) {
		const kws_rows r = rows_from(c, band);
		for (size_t k = 0; k < r.n; k++) /* two bands on, three bands wide */
			memcpy(rows + k * n, image + (band + k) * 2 * c->ld, n * sizeof *rows);
		kws_gemm_run(&c->g, rows, n, r, out);
		kws_vec_get()->silu(out, c->g.n_out, r.n, c->bias, c->n_out);
		for (size_t k = 0; k < r.n; k++)
			memcpy(y + (band + k) * ldy, out + k * c->g.n_out, ldy * sizeof *y);
	}
}

/* A band of zeros at both ends of the image that c sees. */
static void fence(const kws_conv *c, float *image)
{
	memset(image, 0, c->ld * sizeof *image);
	memset(image + (c->bands + 1) * c->ld, 0, c->ld * sizeof *image);
}

void kws_stem_run(const kws_stem *s, const float *x, float *scratch, float *y)
{
	const kws_conv *c = s->conv, *last = s->conv + s->n_convs - 1;
	float *image = scratch, *next = image + s->image, *product = next + s->image;
	fence(c, image);
	for (size_t b = 0; b < c->bands; b++)
		for (size_t t = 0; t < s->stack; t++)
			image[(b + 1) * c->ld + t] = x[t * c->bands + b];
	for (; c < last; c++) {
		float *const done = image;
		fence(c + 1, next);
		convolve(c, image, product, next + c[1].ld, c[1].ld);
		image = next;
		next = done;
	}
	convolve(c, image, product, y, c->n_out);
}
