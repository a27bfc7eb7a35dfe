#include "model/ema.h"

#include "model/linear.h"
#include "vec/vec.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static double sigmoid(double x)
{
	return 1.0 / (1.0 + exp(-x));
}

enum kws_status kws_ema_init(kws_ema *e, size_t dim, size_t ndim, kws_tensors *ts,
			     const char *prefix, kws_error *err)
{
	static const char *const names[] = { "delta", "alpha", "beta", "gamma" };
	enum { DELTA, ALPHA, BETA, GAMMA };
	const size_t shape[] = { dim, ndim, 1 };
	float *w[4] = { NULL }, *omega = NULL;
	*e = (kws_ema){ .dim = dim, .ndim = ndim, .ld = kws_pad(dim) };
	if (!ndim)
		return KWS_OK;
	enum kws_status s = kws_tensors_take(&omega, ts, prefix, "omega", 1, shape, err);
	for (size_t k = 0; !s && k < 4; k++)
		s = kws_tensors_take(&w[k], ts, prefix, names[k], k == GAMMA ? 2 : 3, shape, err);
	if (!s) {
		e->q = calloc(ndim * e->ld, sizeof *e->q);
		e->c = calloc(ndim * e->ld, sizeof *e->c);
		e->omega = calloc(e->ld, sizeof *e->omega);
		if (!e->q || !e->c || !e->omega)
			s = kws_fail(err, KWS_ERR_NOMEM, "out of memory");
	}
	for (size_t d = 0; !s && d < dim; d++) {
		e->omega[d] = omega[d];
		for (size_t n = 0; n < ndim; n++) {
			const size_t from = d * ndim + n, to = n * e->ld + d;
			const double p = sigmoid((double)w[DELTA][from]);
			e->q[to] = (float)(1.0 - p * sigmoid((double)w[ALPHA][from]));
			e->c[to] = (float)((double)w[GAMMA][from] * sqrt(1.0 / (double)ndim) * p
					   * (double)w[BETA][from]);
		}
	}
	for (size_t k = 0; k < 4; k++)
		free(w[k]);
	free(omega);
	return s;
}

void kws_ema_free(kws_ema *e)
{
	free(e->q);
	free(e->c);
	free(e->omega);
	*e = (kws_ema){ 0 };
}

size_t kws_ema_state(const kws_ema *e)
{
	return e->ndim * e->ld;
}

void kws_ema_run(const kws_ema *e, float *h, const float *x, size_t t, float *y)
{
	if (!e->ndim)
		memcpy(y, x, t * e->ld * sizeof *y);
	else
		kws_vec_get()->ema(h, e->q, e->c, e->omega, e->ndim, e->ld, x, y, t, e->dim, e->ld);
}
