/* mega.h - layer kind "mega": moving average equipped gated attention (Mega section 3;
 * fairseq/modules/moving_average_gated_attention.py).
 *
 *   x = norm(x0) if prenorm, else x0
 *   v = silu(W_v x)                           m = EMA(x)
 *   u | z | r | hx = W_mx m                   u = sigma(u)   z = silu(z)   r = silu(r)
 *   q = gamma_0 z + beta_0                    k = gamma_1 z + beta_1
 *   o = attention(q, k, v)                    h = silu(hx + W_h (o r))
 *   y = x0 + u (h - x0), normalised if not prenorm */
#ifndef KWS_MODEL_MEGA_H
#define KWS_MODEL_MEGA_H

#include "model/layer.h"

extern const kws_layer_kind kws_mega_kind;

#endif
