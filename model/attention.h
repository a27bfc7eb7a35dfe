/* attention.h - the interface of all attention functions in the gated block (mega.h). A new one
 * needs a pair of files that defines a kws_attention_kind, and a line in the table of
 * attention.c. */
#ifndef KWS_MODEL_ATTENTION_H
#define KWS_MODEL_ATTENTION_H

#include "model/linear.h"

#include <jansson.h>

typedef struct kws_attention kws_attention;
typedef struct kws_attention_kind kws_attention_kind;

struct kws_attention_kind {
	const char *name; /* "attention" in the model file */
	/* The keys of the layer that belong to this attention; NULL at the end. */
	const char *const *keys;
	bool values; /* v is an input; otherwise v is only the output */
	enum kws_status (*create)(kws_attention **out, const kws_attention_kind *kind,
				  const json_t *conf, const char *where, size_t hdim,
				  kws_tensors *ts, const char *prefix, kws_error *err);
	void (*destroy)(kws_attention *a); /* a may be half-built */
	/* Process the next t <= KWS_BLOCK rows of a stream: q and k (t, kws_pad(a->zdim)) and v (t,
	 * kws_pad(hdim)). The output replaces v. */
	void (*run)(const kws_attention *a, void *state, float *scratch, const float *q,
		    const float *k, float *v, size_t t);
};

/* The common part. The struct of each kind begins with it. */
struct kws_attention {
	const kws_attention_kind *kind;
	size_t zdim;	       /* channels of q and k; 0: none */
	size_t state_bytes;    /* of one stream, a multiple of 64; all zero at the start */
	size_t scratch_floats; /* as in a layer */
	size_t max_frames;     /* the longest clip; 0: endless */
};

/* No attention: o = v. No keys, no tensors. */
extern const kws_attention_kind kws_no_attention;

/* Find the kind named by "attention" in conf. KWS_ERR_VERSION if it is unknown. */
enum kws_status kws_attention_find(const kws_attention_kind **out, const json_t *conf,
				   const char *where, kws_error *err);
void kws_attention_destroy(kws_attention *a);

#endif
