/* golden_stack.h - the layers that a golden file describes, built from its weights. */
#ifndef KWS_TESTS_GOLDEN_STACK_H
#define KWS_TESTS_GOLDEN_STACK_H

#include "model/ema.h"
#include "model/fastself.h"
#include "model/layer.h"
#include "model/norm.h"

#include <stdbool.h>

enum { GOLDEN_LAYERS = 128 };

/* An EMA or additive attention alone, or layers in a row with an optional norm behind. */
typedef struct {
	size_t dim, ld, n_layers;
	kws_ema ema;
	kws_fastself fast;
	bool has_ema, has_fast, has_norm;
	kws_layer *layers[GOLDEN_LAYERS];
	kws_norm norm;
} stack;

/* A text of the metadata; "" where it has none. */
const char *golden_meta(const kws_tensors *ts, const char *key);

/* What the metadata names, of that many channels. A failed build leaves what stack_free() copes with. */
enum kws_status stack_build(stack *st, kws_tensors *ts, size_t dim, kws_error *err);

/* Additive attention in one of its forms; the tensor decay holds the forgetting rates of the two pools. */
enum kws_status stack_build_fast(stack *st, kws_tensors *ts, size_t dim, bool causal, bool forgets,
				 kws_error *err);
void stack_free(stack *st);

#endif
