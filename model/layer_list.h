/* layer_list.h - the layers of a network, or of its embedding, that run one behind the other. */
#ifndef KWS_MODEL_LAYER_LIST_H
#define KWS_MODEL_LAYER_LIST_H

#include "model/layer.h"

typedef struct {
	size_t n;
	kws_layer **each;   /* (n,) a layer that shares another's tensors has its pointer */
	size_t *at;	    /* (n,) offset of each layer in their part of a stream's state, bytes */
	size_t state_bytes; /* of all, a multiple of 64; all zero at the start */
	size_t scratch_floats; /* of the largest; finite at first */
} kws_layer_list;

/* list: 1..most entries, each {"kind": ...} or {"share": i}, layer i again with the same tensors and
 * a state of its own. before: "" or what stands before `layers` in messages, and before layers.<i>.
 * in the names of tensors. A failed init leaves what kws_layer_list_free() copes with. */
enum kws_status kws_layer_list_init(kws_layer_list *l, const json_t *list, size_t most, size_t dim,
				    kws_tensors *ts, const char *before, kws_error *err);
void kws_layer_list_free(kws_layer_list *l);

/* The rows x in place, as a layer's run; the state of the first layer begins `at` bytes into each
 * stream's. */
void kws_layer_list_run(const kws_layer_list *l, const kws_span *s, size_t n_s, size_t at,
			float *scratch, float *x);

/* Call fn for every product with weights that so many rows need, in order. */
void kws_layer_list_products(const kws_layer_list *l, size_t rows, kws_product_fn *fn, void *ctx);

#endif
