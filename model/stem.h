/* stem.h - convolutions and maximum pools on the feature frames, before the first layer.
 *
 * The stem processes a stream of frames; each frame has bands, and each band has channels. At first
 * a frame has n_mels bands of one channel. A convolution is causal: it sees each frame together
 * with the frames just before it, which the state holds. Silence precedes the start, and zeros
 * surround the bands of a frame. Strides and pools leave out frames and bands, so that `stride`
 * feature frames become one stem frame. The last field of a pool may have fewer bands than the
 * others.
 *
 * The pixels of an output frame are the rows of a matrix product that reads the image in place,
 * with one tap for each frame of the kernel.
 *
 * A convolution with weights of 8 bits reads an image of 8 bits (model/bytes.h). What comes before it
 * writes one: pools in between choose the largest number, which is that of the largest value. */
#ifndef KWS_MODEL_STEM_H
#define KWS_MODEL_STEM_H

#include "model/bytes.h"
#include "model/linear.h"

#include <jansson.h>

enum { KWS_MAX_STEM = 64, KWS_MAX_CHANNELS = 256, KWS_MAX_KERNEL = 7, KWS_MAX_STEM_STRIDE = 64 };

typedef struct {
	size_t bands, channels;	  /* of the input */
	size_t frames_k, bands_k; /* size of the kernel or pool */
	size_t frames_s, bands_s; /* stride; for a pool its size */
	/* The input also has `keep' frames of the past, and `pad' bands of zeros at either end. */
	size_t keep, pad;
	size_t bands_out, channels_out;
	size_t frames_out; /* of the output, for each stem frame */
	size_t state;	   /* offset of its past, in bytes */
	enum {
		KWS_STEM_POOL,
		KWS_STEM_SILU,
		KWS_STEM_LEAKY_RELU
	} kind;		 /* all but the first: a convolution, then this function */
	bool int8;	 /* a convolution of `bytes' instead of `conv' */
	kws_linear conv; /* frames_k * bands_k * channels -> channels_out */
	kws_bytes bytes;
	const kws_bytes *reads, *writes; /* whose images of 8 bits; NULL: floats */
	size_t pixel;			 /* bytes, of the image that it reads */
} kws_stem_step;

typedef struct {
	size_t n_steps;
	kws_stem_step *steps;  /* (n_steps,) */
	size_t stride;	       /* feature frames per stem frame */
	size_t n_out;	       /* floats of a stem frame: bands * channels, band by band */
	size_t state_floats;   /* of one stream */
	size_t reach;	       /* stem frames after which the state holds nothing older */
	float *start;	       /* (state_floats,) the state after endless silence */
	size_t image_floats;   /* of the largest input */
	size_t scratch_floats; /* finite at first */
} kws_stem;

/* conf: a list of {"kind": "conv", ...} and {"kind": "pool", ...}; entry i has the tensors
 * stem.<i>.weight [channels, channels before, frames, bands] and stem.<i>.bias, with `before` in
 * front of their names; those of 8 bits are in model/bytes.h. quiet (n_mels,): a normalised feature
 * frame of silence. A failed init leaves what kws_stem_free() copes with. */
enum kws_status kws_stem_init(kws_stem *s, const json_t *conf, const float *quiet, size_t n_mels,
			      kws_tensors *ts, const char *before, kws_error *err);
void kws_stem_free(kws_stem *s);

/* x (n * stride, n_mels), normalised -> y (n, n_out) */
void kws_stem_run(const kws_stem *s, float *state, float *scratch, const float *x, size_t n,
		  float *y);

/* Call fn for every product that a stem frame needs, with its number of rows. */
void kws_stem_products(const kws_stem *s, kws_product_fn *fn, void *ctx);

#endif
