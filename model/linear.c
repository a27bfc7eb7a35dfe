#include "model/linear.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum kws_status kws_linear_init(kws_linear *l, const float *w, const float *bias, size_t n_in,
				const size_t *part, size_t n_parts)
{
	*l = (kws_linear){ .n_in = n_in };
	for (size_t p = 0; p < n_parts; p++)
		l->n_out += kws_pad(part[p]);
	l->w = aligned_alloc(64, n_in * l->n_out * sizeof *l->w);
	l->bias = aligned_alloc(64, l->n_out * sizeof *l->bias);
	if (!l->w || !l->bias)
		return KWS_ERR_NOMEM;
	memset(l->w, 0, n_in * l->n_out * sizeof *l->w);
	memset(l->bias, 0, l->n_out * sizeof *l->bias);
	for (size_t p = 0, from = 0, to = 0; p < n_parts;
	     from += part[p], to += kws_pad(part[p]), p++) {
		memcpy(l->bias + to, bias + from, part[p] * sizeof *bias);
		for (size_t o = 0; o < part[p]; o++)
			for (size_t i = 0; i < n_in; i++)
				l->w[i * l->n_out + to + o] = w[(from + o) * n_in + i];
	}
	return KWS_OK;
}

static void *zeros(size_t bytes)
{
	void *p = aligned_alloc(64, (bytes + 63) / 64 * 64);
	return p ? memset(p, 0, bytes) : NULL;
}

/* w (sum of parts, n_in) -> packed columns with the padding of each part. */
static bool pack_int8(kws_linear *l, const int8_t *w, const float *scale, const float *bias,
		      const size_t *part, size_t n_parts)
{
	const kws_int8 *vec = kws_vec_get()->int8;
	const size_t n = kws_int8_pad(l->n_in);
	int8_t *rows = calloc(l->n_out, n);
	l->w8 = zeros(n * l->n_out * vec->width);
	l->start = zeros(l->n_out * sizeof *l->start);
	l->bias = zeros(l->n_out * sizeof *l->bias);
	l->scale = zeros(l->n_out * sizeof *l->scale);
	l->unit = zeros(l->n_out * sizeof *l->unit);
	l->none = zeros(l->n_out * sizeof *l->none);
	const bool good = rows && l->w8 && l->start && l->bias && l->scale && l->unit && l->none;
	for (size_t p = 0, from = 0, to = 0; good && p < n_parts;
	     from += part[p], to += kws_pad(part[p]), p++) {
		memcpy(l->bias + to, bias + from, part[p] * sizeof *bias);
		memcpy(l->scale + to, scale + from, part[p] * sizeof *scale);
		for (size_t o = 0; o < part[p]; o++)
			memcpy(rows + (to + o) * n, w + (from + o) * l->n_in, l->n_in);
	}
	for (size_t o = 0; good && o < l->n_out; o++) {
		l->unit[o] = 1.0f;
		for (size_t i = 0; i < l->n_in; i++)
			l->start[o] -= 128 * rows[o * n + i];
	}
	if (good)
		vec->pack(l->w8, l->start, rows, l->n_out, n, l->n_out);
	free(rows);
	return good;
}

static enum kws_status read_int8(kws_linear *l, kws_tensors *ts, const char *prefix,
				 const char *name, size_t n_in, const size_t *part, size_t n_parts,
				 kws_error *err)
{
	size_t shape[] = { 0, n_in };
	char full[128];
	const int8_t *w;
	float *scale = NULL, *bias = NULL;
	*l = (kws_linear){ .n_in = n_in };
	if (n_in > KWS_MAX_INT8_IN)
		return kws_fail(err, KWS_ERR_FORMAT, "%s%s.weight: bytes of more than %d inputs",
				prefix, name, KWS_MAX_INT8_IN);
	for (size_t p = 0; p < n_parts; p++) {
		shape[0] += part[p];
		l->n_out += kws_pad(part[p]);
	}
	snprintf(full, sizeof full, "%s.weight", name);
	enum kws_status status = kws_tensors_bytes(&w, ts, prefix, full, 2, shape, err);
	snprintf(full, sizeof full, "%s.scale", name);
	if (!status)
		status = kws_tensors_take(&scale, ts, prefix, full, 1, shape, err);
	snprintf(full, sizeof full, "%s.bias", name);
	if (!status)
		status = kws_tensors_take(&bias, ts, prefix, full, 1, shape, err);
	if (!status && !pack_int8(l, w, scale, bias, part, n_parts))
		status = kws_fail(err, KWS_ERR_NOMEM, "out of memory");
	free(scale);
	free(bias);
	return status;
}

enum kws_status kws_linear_read(kws_linear *l, kws_tensors *ts, const char *prefix,
				const char *name, size_t n_in, const size_t *part, size_t n_parts,
				kws_error *err)
{
	size_t shape[] = { 0, n_in };
	char full[256];
	float *w = NULL, *bias = NULL;
	snprintf(full, sizeof full, "%s%s.weight", prefix, name);
	const kws_tensor *weight = kws_tensors_find(ts, full);
	if (weight && weight->dtype == KWS_I8)
		return read_int8(l, ts, prefix, name, n_in, part, n_parts, err);
	for (size_t p = 0; p < n_parts; p++)
		shape[0] += part[p];
	snprintf(full, sizeof full, "%s.weight", name);
	enum kws_status status = kws_tensors_take(&w, ts, prefix, full, 2, shape, err);
	snprintf(full, sizeof full, "%s.bias", name);
	if (!status)
		status = kws_tensors_take(&bias, ts, prefix, full, 1, shape, err);
	if (!status && kws_linear_init(l, w, bias, n_in, part, n_parts))
		status = kws_fail(err, KWS_ERR_NOMEM, "out of memory");
	free(w);
	free(bias);
	return status;
}

void kws_linear_free(kws_linear *l)
{
	free(l->w);
	free(l->bias);
	free(l->w8);
	free(l->start);
	free(l->scale);
	free(l->unit);
	free(l->none);
	*l = (kws_linear){ 0 };
}

kws_product kws_linear_product(const kws_linear *l, size_t ldx)
{
	return (kws_product){ .taps = 1,
			      .n_in = l->n_in,
			      .step = ldx,
			      .n_out = l->n_out,
			      .ld = l->n_out,
			      .w = l->w,
			      .b = l->bias };
}

kws_int8_product kws_linear_int8_product(const kws_linear *l)
{
	return (kws_int8_product){ .taps = 1,
				   .n_in = kws_int8_pad(l->n_in),
				   .step = kws_int8_pad(l->n_in),
				   .n_out = l->n_out,
				   .ld = l->n_out,
				   .w = l->w8,
				   .start = l->start,
				   .scale = l->unit,
				   .bias = l->none,
				   .linear = true };
}

void kws_linear_products(const kws_linear *l, size_t rows, kws_product_fn *fn, void *ctx)
{
	const kws_product floats = kws_linear_product(l, l->n_in);
	const kws_int8_product bytes = kws_linear_int8_product(l);
	const kws_any_product g = { l->w8 ? NULL : &floats, l->w8 ? &bytes : NULL };
	fn(ctx, &g, rows);
}

/* A few rows at a time: their numbers of 8 bits, the exact sums, and what these stand for. */
static void run_int8(const kws_linear *l, const float *x, size_t ldx, size_t t, float *y)
{
	enum { ROWS = 5, WIDEST = 2 };
	_Alignas(64) unsigned char numbers[ROWS * KWS_MAX_INT8_IN * WIDEST];
	const kws_vec *vec = kws_vec_get();
	const kws_int8_product g = kws_linear_int8_product(l);
	for (size_t n; t; t -= n, x += n * ldx, y += n * l->n_out) {
		float step[ROWS];
		n = t < ROWS ? t : ROWS;
		for (size_t r = 0; r < n; r++)
			step[r] = vec->int8->encode_row(numbers + r * g.step * vec->int8->width,
							x + r * ldx, l->n_in);
		vec->int8->product(&g, numbers, n, y, l->n_out);
		for (size_t r = 0; r < n; r++)
			vec->normalise(y + r * l->n_out, y + r * l->n_out, 0.0f, step[r], l->scale,
				       l->bias, l->n_out);
	}
}

void kws_linear_run(const kws_linear *l, const float *x, size_t ldx, size_t t, float *y)
{
	const kws_product g = kws_linear_product(l, ldx);
	if (l->w8)
		run_int8(l, x, ldx, t, y);
	else
		kws_vec_get()->product(&g, x, t, y, l->n_out);
}
