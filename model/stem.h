/* stem.h - convolutions over the stack of feature frames that becomes a network frame.
 *
 * Each is 3 frames by 3 bands with a bias and silu. It steps over every second band, with a band of zeros at both ends, and
 * adds no frames: (frames, bands) -> (frames - 2, (bands + 1) / 2). There is no state: the stack is all that it sees.
 *
 * What goes into a convolution lies band by band, each with all its frames and their channels. So what the kernel sees of
 * all frames at one band is one run in memory, and one product, with the kernel at every place among the frames, gives
 * all frames of that band. */
#ifndef KWS_MODEL_STEM_H
#define KWS_MODEL_STEM_H

#include "model/gemm.h"
#include "model/tensors.h"

#include <jansson.h>

enum { KWS_MAX_CONVS = 4, KWS_MAX_CHANNELS = 64, KWS_MAX_STEM_STACK = 16 };

typedef struct {
	size_t bands, ld; /* of its input: (bands, ld) */
	size_t n_out;     /* frames * channels of its output, for each band */
	kws_gemm g;       /* 3 * ld -> n_out */
	float *bias;      /* (n_out,) */
} kws_conv;

typedef struct {
	size_t n_convs, stack;
	kws_conv conv[KWS_MAX_CONVS];
	size_t n_out;          /* floats of a network frame */
	size_t image;          /* floats of the largest input, with its band of zeros at both ends */
	size_t scratch_floats; /* all finite at first */
} kws_stem;

/* conf: the list of channels, with tensors stem.<i>.weight [n_out, n_in, 3 frames, 3 bands] and stem.<i>.bias. A failed
 * init leaves what kws_stem_free() copes with. */
enum kws_status kws_stem_init(kws_stem *s, const json_t *conf, size_t stack, size_t n_mels, kws_tensors *ts,
			      kws_error *err);
void kws_stem_free(kws_stem *s);

/* x (stack, n_mels) -> y (n_out,), in the order band, frame, channel. */
void kws_stem_run(const kws_stem *s, const float *x, float *scratch, float *y);

/* Call fn for every product that one network frame takes. */
void kws_stem_products(const kws_stem *s, void (*fn)(void *ctx, const kws_gemm *g, kws_rows rows), void *ctx);

#endif
