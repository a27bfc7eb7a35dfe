/* bytes.h - a convolution with weights of 8 bits, and the image of 8 bits that it reads. vec/int8.h
 * has the arithmetic; given the same image, its result is the same on every processor. */
#ifndef KWS_MODEL_BYTES_H
#define KWS_MODEL_BYTES_H

#include "model/tensors.h"
#include "vec/vec.h"

typedef struct {
	size_t channels;  /* of the image, padded to KWS_INT8_GROUP */
	size_t pixel;	  /* bytes of a pixel */
	size_t n_out, ld; /* channels out, padded to 16 in the arrays */
	void *w;	  /* packed for this processor */
	int32_t *start;	  /* (ld,) what the sums begin with: the image's zeros, times the weights */
	float *scale, *bias;	   /* (ld,) */
	float *in_scale, *in_zero; /* (channels padded to 16,): the image's code */
	unsigned char *zeros;	   /* (KWS_MAX_PAD * pixel,) pixels of zeros in its code */
} kws_bytes;

enum { KWS_MAX_PAD = 3 };

/* The convolution of shape [n_out, channels, frames, bands], from the tensors prefix + weight (I8),
 * scale and bias [n_out], step and zero [channels]: the real number of an element is
 * (number - zero) * step, and the weights are weight * scale / step. KWS_ERR_FORMAT names a
 * tensor; KWS_ERR_NOMEM. A failed init leaves what kws_bytes_free() copes with. */
enum kws_status kws_bytes_init(kws_bytes *c, kws_tensors *ts, const char *prefix,
			       const size_t shape[4], kws_error *err);
void kws_bytes_free(kws_bytes *c);

/* How real numbers become those of the image. */
kws_int8_code kws_bytes_code(const kws_bytes *c);

#endif
