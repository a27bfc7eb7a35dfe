/* fastformer.h - layer kind "fastformer": the block of the original Fastformer (wuch15/Fastformer),
 * normalised after each residual, eps 1e-12:
 *
 *   a = norm(x + W_o fastself(x))             fastself.h
 *   y = norm(a + W_2 gelu(W_1 a)) */
#ifndef KWS_MODEL_FASTFORMER_H
#define KWS_MODEL_FASTFORMER_H

#include "model/layer.h"

extern const kws_layer_kind kws_fastformer_kind;

#endif
