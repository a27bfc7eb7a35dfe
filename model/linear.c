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

enum kws_status kws_linear_read(kws_linear *l, kws_tensors *ts, const char *prefix,
				const char *name, size_t n_in, const size_t *part, size_t n_parts,
				kws_error *err)
{
	size_t shape[] = { 0, n_in };
	char full[128];
	float *w = NULL, *bias = NULL;
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

void kws_linear_run(const kws_linear *l, const float *x, size_t ldx, size_t t, float *y)
{
	const kws_product g = kws_linear_product(l, ldx);
	kws_vec_get()->product(&g, x, t, y, l->n_out);
}
