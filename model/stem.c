#include "model/stem.h"

#include "vec/vec.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { KERNEL = 3 }; /* frames and bands */

static size_t frames_out(const kws_conv *c)
{
	return c->frames - (KERNEL - 1);
}

static size_t bands_out(const kws_conv *c)
{
	return (c->bands + 1) / 2;
}

static size_t places(const kws_conv *c)
{
	return frames_out(c) * bands_out(c);
}

static size_t taps(const kws_conv *c)
{
	return KERNEL * KERNEL * c->n_in;
}

/* Floats of a frame of c's input, with the band of zeros at both ends. */
static size_t frame_size(const kws_conv *c)
{
	return (c->bands + 2) * c->n_in;
}

static enum kws_status read_conv(kws_conv *c, size_t i, kws_tensors *ts, kws_error *err)
{
	const size_t shape[] = { c->n_out, c->n_in, KERNEL, KERNEL }, n = KERNEL * KERNEL;
	char prefix[32];
	float *w = NULL, *packed = calloc(c->n_out * taps(c), sizeof *packed);
	snprintf(prefix, sizeof prefix, "stem.%zu.", i);
	enum kws_status s = packed ? KWS_OK : kws_fail(err, KWS_ERR_NOMEM, "out of memory");
	if (!s && !(s = kws_tensors_take(&w, ts, prefix, "weight", 4, shape, err)) &&
	    !(s = kws_tensors_take(&c->bias, ts, prefix, "bias", 1, shape, err))) {
		for (size_t o = 0; o < c->n_out; o++) /* channels last, as they lie in memory */
			for (size_t ch = 0; ch < c->n_in; ch++)
				for (size_t k = 0; k < n; k++)
					packed[(o * n + k) * c->n_in + ch] = w[(o * c->n_in + ch) * n + k];
		if (kws_gemm_init(&c->g, packed, taps(c), &c->n_out, 1))
			s = kws_fail(err, KWS_ERR_NOMEM, "out of memory");
	}
	free(packed);
	free(w);
	return s;
}

enum kws_status kws_stem_init(kws_stem *s, const json_t *conf, size_t stack, size_t n_mels, kws_tensors *ts,
			      kws_error *err)
{
	const size_t n = json_array_size(conf);
	size_t frames = stack, bands = n_mels, n_in = 1, product = 0;
	*s = (kws_stem){ 0 };
	if (!json_is_array(conf) || n < 1 || n > KWS_MAX_CONVS)
		return kws_fail(err, KWS_ERR_FORMAT, "network: stem: want a list of 1..%d numbers of channels", KWS_MAX_CONVS);
	if (stack < (KERNEL - 1) * n + 1)
		return kws_fail(err, KWS_ERR_FORMAT, "network: stem: %zu convolutions want a stack of %zu frames or more, "
				"not %zu", n, (KERNEL - 1) * n + 1, stack);
	for (; s->n_convs < n; s->n_convs++) {
		const json_t *channels = json_array_get(conf, s->n_convs);
		const json_int_t n_out = json_integer_value(channels);
		kws_conv *c = &s->conv[s->n_convs];
		if (!json_is_integer(channels) || n_out < 1 || n_out > KWS_MAX_CHANNELS)
			return kws_fail(err, KWS_ERR_FORMAT, "network: stem[%zu]: want a whole number in 1..%d", s->n_convs,
					KWS_MAX_CHANNELS);
		*c = (kws_conv){ .frames = frames, .bands = bands, .n_in = n_in, .n_out = (size_t)n_out };
		const enum kws_status status = read_conv(c, s->n_convs, ts, err);
		if (status) {
			s->n_convs++; /* what it has of this one is freed too */
			return status;
		}
		if (frames * frame_size(c) > s->image)
			s->image = frames * frame_size(c);
		if (KWS_BLOCK * (taps(c) + c->g.n_out) > product)
			product = KWS_BLOCK * (taps(c) + c->g.n_out);
		frames = frames_out(c);
		bands = bands_out(c);
		n_in = c->n_out;
	}
	s->n_out = frames * bands * n_in;
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

size_t kws_conv_products(const kws_conv *c)
{
	return (places(c) + KWS_BLOCK - 1) / KWS_BLOCK;
}

kws_rows kws_conv_rows(const kws_conv *c, size_t i)
{
	const size_t left = places(c) - i * KWS_BLOCK;
	return (kws_rows){ 0, left < KWS_BLOCK ? left : KWS_BLOCK };
}

/* What the kernel sees at a place of the output: 3 runs of 3 bands with their channels. */
static void see(const kws_conv *c, const float *image, size_t place, float *row)
{
	const size_t run = KERNEL * c->n_in;
	const float *x = image + place / bands_out(c) * frame_size(c) + place % bands_out(c) * 2 * c->n_in;
	for (size_t k = 0; k < KERNEL; k++)
		memcpy(row + k * run, x + k * frame_size(c), run * sizeof *row);
}

/* image (frames, bands + 2, n_in) -> y, with `edge` floats left alone at both ends of a frame */
static void convolve(const kws_conv *c, const float *image, float *product, float *y, size_t edge)
{
	const size_t n = taps(c);
	float *rows = product, *out = rows + KWS_BLOCK * n;
	for (size_t i = 0, place = 0; i < kws_conv_products(c); i++) {
		const kws_rows r = kws_conv_rows(c, i);
		for (size_t k = 0; k < r.n; k++)
			see(c, image, place + k, rows + k * n);
		kws_gemm_run(&c->g, rows, n, r, out);
		kws_vec_get()->silu(out, c->g.n_out, r.n, c->bias, c->n_out);
		for (size_t k = 0; k < r.n; k++, place++)
			memcpy(y + place * c->n_out + (2 * (place / bands_out(c)) + 1) * edge, out + k * c->g.n_out,
			       c->n_out * sizeof *y);
	}
}

/* A band of zeros at both ends of each frame of the image. */
static void fence(const kws_conv *c, float *image)
{
	for (size_t t = 0; t < c->frames; t++, image += frame_size(c)) {
		memset(image, 0, c->n_in * sizeof *image);
		memset(image + (c->bands + 1) * c->n_in, 0, c->n_in * sizeof *image);
	}
}

void kws_stem_run(const kws_stem *s, const float *x, float *scratch, float *y)
{
	const kws_conv *c = s->conv;
	float *image = scratch, *next = image + s->image, *product = next + s->image;
	fence(c, image);
	for (size_t t = 0; t < c->frames; t++)
		memcpy(image + t * frame_size(c) + 1, x + t * c->bands, c->bands * sizeof *x);
	for (; c + 1 < s->conv + s->n_convs; c++) {
		float *const done = image;
		fence(c + 1, next);
		convolve(c, image, product, next, c[1].n_in);
		image = next;
		next = done;
	}
	convolve(c, image, product, y, 0);
}
