#include "model/norm.h"

#include "vec/vec.h"

#include <math.h>
#include <stdlib.h>

enum { LAYER = KWS_LAYERNORM, RMS, SCALE, BATCH };
const char *const kws_norm_names[] = { "layernorm", "rmsnorm", "scalenorm", "batchnorm", NULL };

static enum kws_status init_scale(kws_norm *n, kws_tensors *ts, const char *prefix, kws_error *err)
{
	float *scalar;
	const enum kws_status s =
		kws_tensors_take(&scalar, ts, prefix, "scalar", 1, &(size_t){ 1 }, err);
	if (s)
		return s;
	n->w = calloc(n->dim, sizeof *n->w);
	for (size_t i = 0; n->w && i < n->dim; i++)
		n->w[i] = *scalar;
	free(scalar);
	return n->w ? KWS_OK : kws_fail(err, KWS_ERR_NOMEM, "out of memory");
}

/* (x - mean) / sqrt(var + eps) * w + b with running statistics becomes one multiplication and one
 * addition. */
static enum kws_status fold_batch(kws_norm *n, kws_tensors *ts, const char *prefix, kws_error *err)
{
	float *mean = NULL, *var = NULL;
	enum kws_status s = kws_tensors_take(&mean, ts, prefix, "running_mean", 1, &n->dim, err);
	if (!s)
		s = kws_tensors_take(&var, ts, prefix, "running_var", 1, &n->dim, err);
	for (size_t i = 0; !s && i < n->dim; i++) {
		if (var[i] < 0.0f) {
			s = kws_fail(err, KWS_ERR_FORMAT, "%srunning_var: value %zu is negative",
				     prefix, i);
			break;
		}
		const double w = (double)n->w[i] / sqrt((double)var[i] + (double)n->eps);
		n->b[i] = (float)((double)n->b[i] - (double)mean[i] * w);
		n->w[i] = (float)w;
	}
	free(mean);
	free(var);
	return s;
}

enum kws_status kws_norm_init(kws_norm *n, size_t kind, float eps, size_t dim, kws_tensors *ts,
			      const char *prefix, kws_error *err)
{
	*n = (kws_norm){ .kind = kind, .eps = eps, .dim = dim };
	if (kind == SCALE)
		return init_scale(n, ts, prefix, err);
	enum kws_status s = kws_tensors_take(&n->w, ts, prefix, "weight", 1, &dim, err);
	if (!s && kind != RMS)
		s = kws_tensors_take(&n->b, ts, prefix, "bias", 1, &dim, err);
	if (!s && kind == BATCH)
		s = fold_batch(n, ts, prefix, err);
	return s;
}

void kws_norm_free(kws_norm *n)
{
	free(n->w);
	free(n->b);
	*n = (kws_norm){ 0 };
}

void kws_norm_run(const kws_norm *n, const float *x, size_t ld, size_t t, float *y)
{
	const kws_vec *v = kws_vec_get();
	const float dim = (float)n->dim;
	for (size_t r = 0; r < t; r++, x += ld, y += ld) {
		if (n->kind == BATCH) {
			v->affine(y, x, n->w, n->b, n->dim);
			continue;
		}
		const float mean = n->kind == LAYER ? v->sum(x, n->dim) / dim : 0.0f;
		const float var = v->sumsq(x, mean, n->dim) / dim;
		v->normalise(y, x, mean, 1.0f / sqrtf(var + n->eps), n->w, n->b, n->dim);
	}
}
