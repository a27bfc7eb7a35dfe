/* ema.h - multi-dimensional damped EMA (Mega eq. 3-6;
 * fairseq/modules/exponential_moving_average.py), in its recurrent form.
 *
 *   p = sigma(delta)   q = 1 - p sigma(alpha)   a = p beta   g = gamma sqrt(1/N)
 *   h[d,n] <- q h + a x[d];   y[d] = silu(sum_n g h + omega x[d])
 *
 * With ndim 0 there is no EMA: y = x. The state is h / a, so that a becomes part of c = g a; this
 * saves one multiply-add per state. */
#ifndef KWS_MODEL_EMA_H
#define KWS_MODEL_EMA_H

#include "model/tensors.h"

typedef struct {
	size_t dim, ndim, ld; /* ld: dim padded */
	float *q, *c;	      /* (ndim, ld) */
	float *omega;	      /* (ld,) */
} kws_ema;

/* Tensors: prefix + {delta, alpha, beta [dim, ndim, 1], gamma [dim, ndim], omega [dim]}. */
enum kws_status kws_ema_init(kws_ema *e, size_t dim, size_t ndim, kws_tensors *ts,
			     const char *prefix, kws_error *err);
void kws_ema_free(kws_ema *e);

/* Floats of state: (ndim, ld), zero at the start. */
size_t kws_ema_state(const kws_ema *e);

/* t steps: x (t, ld) -> y (t, ld). */
void kws_ema_run(const kws_ema *e, float *h, const float *x, size_t t, float *y);

#endif
