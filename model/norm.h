/* norm.h - the four normalisations of Mega, over the channels of each row
 * (fairseq/modules/sequence_norm.py, eps 1e-5; Fastformer's layernorm has eps 1e-12). */
#ifndef KWS_MODEL_NORM_H
#define KWS_MODEL_NORM_H

#include "model/tensors.h"

typedef struct {
	size_t kind; /* index in kws_norm_names */
	float eps;
	size_t dim;
	float *w, *b; /* (dim,), b NULL where the kind has none; batchnorm is folded to x * w + b */
} kws_norm;

extern const char *const kws_norm_names[]; /* layernorm, rmsnorm, scalenorm, batchnorm, NULL */
enum { KWS_LAYERNORM };

#define KWS_EPS 1e-5f

/* Tensors: prefix + {weight, bias, ...} for kind, an index in kws_norm_names. */
enum kws_status kws_norm_init(kws_norm *n, size_t kind, float eps, size_t dim, kws_tensors *ts,
			      const char *prefix, kws_error *err);
void kws_norm_free(kws_norm *n);

/* y (t, ld) = norm of each row of x (t, ld); y may be x. Columns dim..ld-1 are unchanged. */
void kws_norm_run(const kws_norm *n, const float *x, size_t ld, size_t t, float *y);

#endif
