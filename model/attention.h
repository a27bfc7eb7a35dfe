/* attention.h - causal attention inside a chunk, one frame at a time, with its relative bias (Mega eq. 13-17;
 * fairseq/modules/moving_average_gated_attention.py and relative_positional_bias.py).
 *
 * Frame i of a chunk sees frames 0..i of it. After the last frame of a chunk keys and values are forgotten. */
#ifndef KWS_MODEL_ATTENTION_H
#define KWS_MODEL_ATTENTION_H

#include "model/tensors.h"

extern const char *const kws_attention_names[]; /* softmax, laplace, relu2, NULL */
extern const char *const kws_bias_names[];      /* simple, rotary, NULL */

typedef struct {
	size_t function;      /* index in kws_attention_names */
	size_t span;          /* frames of a chunk, or of the longest clip */
	size_t zdim, hdim;
	size_t ld_span, ld_h; /* padded */
	float *bias;          /* (span + padding,): bias(i, j) = bias[span - 1 - i + j] */
} kws_attention;

/* Needs the tensors of bias_kind under prefix. span >= 1. */
enum kws_status kws_attention_init(kws_attention *a, size_t function, size_t bias_kind, size_t span, size_t zdim,
				   size_t hdim, kws_tensors *ts, const char *prefix, kws_error *err);
void kws_attention_free(kws_attention *a);

/* Floats of state: keys (zdim, ld_span), values (span, ld_h); any content will do at the start, if finite. */
size_t kws_attention_state(const kws_attention *a);
/* Floats of scratch. */
size_t kws_attention_scratch(const kws_attention *a);

/* Frame i, i < span: remember k (zdim,) and v (hdim,), then o (hdim,) = attention of q (zdim,) over frames 0..i. */
void kws_attention_step(const kws_attention *a, float *state, float *scratch, size_t i, const float *q, const float *k,
			const float *v, float *o);

#endif
