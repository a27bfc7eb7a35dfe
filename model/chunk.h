/* chunk.h - causal attention within a chunk, one frame at a time, with a relative bias (Mega eq.
 * 13-17; fairseq/modules/moving_average_gated_attention.py and relative_positional_bias.py).
 *
 * Frame i of a chunk sees frames 0..i of that chunk. After the last frame of a chunk, keys and
 * values are forgotten. */
#ifndef KWS_MODEL_CHUNK_H
#define KWS_MODEL_CHUNK_H

#include "model/attention.h"

extern const kws_attention_kind kws_softmax_attention, kws_laplace_attention, kws_relu2_attention;

#endif
