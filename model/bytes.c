#include "model/bytes.h"

#include "model/linear.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Steps of an image: what lies outside has no inverse, or none that is of use. */
static const float least_step = 1e-12f, largest_step = 1e12f;

static float *floats(size_t n)
{
	float *x = aligned_alloc(64, kws_pad(n) * sizeof *x);
	if (x)
		memset(x, 0, kws_pad(n) * sizeof *x);
	return x;
}

/* A new array of n floats from a tensor, padded with zeros. */
static enum kws_status take(float **out, kws_tensors *ts, const char *prefix, const char *name,
			    size_t n, kws_error *err)
{
	float *x = NULL;
	enum kws_status status = kws_tensors_take(&x, ts, prefix, name, 1, &n, err);
	*out = status ? NULL : floats(n);
	if (!status && !*out)
		status = kws_fail(err, KWS_ERR_NOMEM, "out of memory");
	if (!status)
		memcpy(*out, x, n * sizeof *x);
	free(x);
	return status;
}

/* The code of an image of n channels: the inverse of its steps, and its zeros. */
static enum kws_status read_code(kws_bytes *c, kws_tensors *ts, const char *prefix, size_t n,
				 kws_error *err)
{
	enum kws_status status;
	if ((status = take(&c->in_scale, ts, prefix, "step", n, err))
	    || (status = take(&c->in_zero, ts, prefix, "zero", n, err)))
		return status;
	for (size_t i = 0; i < n; i++) {
		const float step = c->in_scale[i], zero = c->in_zero[i];
		if (!(step >= least_step && step <= largest_step))
			return kws_fail(err, KWS_ERR_FORMAT, "%sstep: value %zu is not in %g..%g",
					prefix, i, (double)least_step, (double)largest_step);
		if (!(zero >= 0.0f && zero <= 255.0f && zero == floorf(zero)))
			return kws_fail(err, KWS_ERR_FORMAT,
					"%szero: value %zu is no whole number in 0..255", prefix,
					i);
		c->in_scale[i] = 1.0f / step;
	}
	return KWS_OK;
}

/* [n_out, n_in, frames, bands] -> [n_out, frames, bands, channels]: the order of pixels in the
 * image, with its padding. start[o] = - sum of w zero. */
static void channels_last(const kws_bytes *c, const int8_t *w, size_t n_in, size_t places,
			  int8_t *to)
{
	for (size_t o = 0; o < c->n_out; o++, to += places * c->channels)
		for (size_t i = 0; i < n_in; i++)
			for (size_t k = 0; k < places; k++) {
				const int8_t x = *w++;
				to[k * c->channels + i] = x;
				c->start[o] -= x * (int32_t)c->in_zero[i];
			}
}

static enum kws_status pack(kws_bytes *c, const int8_t *w, size_t n_in, size_t places,
			    kws_error *err)
{
	const kws_int8 *vec = kws_vec_get()->int8;
	const size_t n = places * c->channels;
	int8_t *last = calloc(c->n_out * n, sizeof *last);
	c->w = aligned_alloc(64, n * c->ld * vec->width);
	c->start = aligned_alloc(64, c->ld * sizeof *c->start);
	c->zeros = calloc(KWS_MAX_PAD, c->pixel);
	float *none = calloc(KWS_MAX_PAD * n_in, sizeof *none);
	const bool good = last && c->w && c->start && c->zeros && none;
	if (good) {
		memset(c->start, 0, c->ld * sizeof *c->start);
		channels_last(c, w, n_in, places, last);
		vec->pack(c->w, c->start, last, c->n_out, n, c->ld);
		vec->encode(c->zeros, kws_bytes_code(c), none, KWS_MAX_PAD, n_in);
	}
	free(none);
	free(last);
	return good ? KWS_OK : kws_fail(err, KWS_ERR_NOMEM, "out of memory");
}

enum kws_status kws_bytes_init(kws_bytes *c, kws_tensors *ts, const char *prefix,
			       const size_t shape[4], kws_error *err)
{
	const int8_t *w;
	enum kws_status status;
	*c = (kws_bytes){ .channels = kws_int8_pad(shape[1]),
			  .n_out = shape[0],
			  .ld = kws_pad(shape[0]) };
	c->pixel = c->channels * kws_vec_get()->int8->width;
	if ((status = kws_tensors_bytes(&w, ts, prefix, "weight", 4, shape, err))
	    || (status = take(&c->scale, ts, prefix, "scale", c->n_out, err))
	    || (status = take(&c->bias, ts, prefix, "bias", c->n_out, err))
	    || (status = read_code(c, ts, prefix, shape[1], err)))
		return status;
	return pack(c, w, shape[1], shape[2] * shape[3], err);
}

void kws_bytes_free(kws_bytes *c)
{
	free(c->w);
	free(c->start);
	free(c->scale);
	free(c->bias);
	free(c->in_scale);
	free(c->in_zero);
	free(c->zeros);
	*c = (kws_bytes){ 0 };
}

kws_int8_code kws_bytes_code(const kws_bytes *c)
{
	return (kws_int8_code){ c->in_scale, c->in_zero };
}
