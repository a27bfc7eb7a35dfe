/* stem.h - convolutions over the stack of feature frames that becomes a network frame.
 *
 * Each is 3 frames by 3 bands with a bias and silu. It steps over every second band, with a band of zeros at both ends, and
 * adds no frames: (frames, bands) -> (frames - 2, (bands + 1) / 2). There is no state: the stack is all that it sees. */
#ifndef KWS_MODEL_STEM_H
#define KWS_MODEL_STEM_H

#include "model/gemm.h"
#include "model/tensors.h"

#include <jansson.h>

enum { KWS_MAX_CONVS = 4, KWS_MAX_CHANNELS = 64 };

typedef struct {
	size_t frames, bands, n_in; /* of its input */
	size_t n_out;               /* channels */
	kws_gemm g;                 /* 3 * 3 * n_in, in the order frame, band, channel -> n_out */
	float *bias;                /* (n_out,) */
} kws_conv;

typedef struct {
	size_t n_convs;
	kws_conv conv[KWS_MAX_CONVS];
	size_t n_out;          /* floats of a network frame */
	size_t image;          /* floats of the largest input of a convolution */
	size_t scratch_floats; /* all finite at first */
} kws_stem;

/* conf: the list of channels, with tensors stem.<i>.weight [n_out, n_in, 3 frames, 3 bands] and stem.<i>.bias. A failed
 * init leaves what kws_stem_free() copes with. */
enum kws_status kws_stem_init(kws_stem *s, const json_t *conf, size_t stack, size_t n_mels, kws_tensors *ts,
			      kws_error *err);
void kws_stem_free(kws_stem *s);

/* x (stack, n_mels) -> y (n_out,), in the order frame, band, channel. */
void kws_stem_run(const kws_stem *s, const float *x, float *scratch, float *y);

/* Products of conv c that one network frame takes, each of at most KWS_BLOCK places: rows of product i. */
size_t kws_conv_products(const kws_conv *c);
kws_rows kws_conv_rows(const kws_conv *c, size_t i);

#endif
