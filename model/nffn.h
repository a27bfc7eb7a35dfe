/* nffn.h - layer kind "nffn": normalised feed-forward
 * (fairseq/modules/normalized_feedforward_network.py).
 *
 *   y = x + W_2 silu(W_1 norm(x) + b_1) + b_2      if prenorm
 *   y = norm(x + W_2 silu(W_1 x + b_1) + b_2)      if not */
#ifndef KWS_MODEL_NFFN_H
#define KWS_MODEL_NFFN_H

#include "model/layer.h"

extern const kws_layer_kind kws_nffn_kind;

#endif
