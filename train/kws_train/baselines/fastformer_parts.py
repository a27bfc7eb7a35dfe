"""Fastformer (Wu et al. 2021, arXiv 2108.09084) with more or fewer parameters shared (section 4.5 and its figure).

    K = W_k x, Q = W_q x, V = Q, or W_v x if values are not shared      u = K' V, K' the global key      r = W_r u + Q

shares_values: V is Q, as in the original's code. shares_heads: all heads have the same W_q, W_k and W_v [D, D / G], of which each
still has pools of its own. Layers are shared by the network (`share`). x, Q, K, V [B, T, D]. Causal as layers.Fastformer is.
"""
from torch import nn

from ..layers import Fastformer, FastSelf


class Self(FastSelf):
    def __init__(self, dim, *, heads, forget, causal, shares_values, shares_heads):
        super().__init__(dim, heads=heads, forget=forget, causal=causal)
        width, self.again = (dim // heads, heads) if shares_heads else (dim, 1)
        self.query, self.key = nn.Linear(dim, width), nn.Linear(dim, width)
        self.value = None if shares_values else nn.Linear(dim, width)

    def forward(self, x):
        q, k = (w(x).repeat(1, 1, self.again) for w in (self.query, self.key))
        v = q if self.value is None else self.value(x).repeat(1, 1, self.again)
        rate = self.rates()
        p = k * self._pool(q, self.query_att, rate[0])
        return self.transform(v * self._pool(p, self.key_att, rate[1])) + q


class FastformerParts(Fastformer):
    def __init__(self, dim, *, heads, ffn, forget, causal, shares_values, shares_heads):
        super().__init__(dim, heads=heads, ffn=ffn, forget=forget, causal=causal)
        self.attention["self"] = Self(dim, heads=heads, forget=forget, causal=causal, shares_values=shares_values,
                                      shares_heads=shares_heads)

    def state(self, t):
        """Two pools: weighted sum, sum of weights and the largest weight so far."""
        return 2 * (self.attention["self"].key.in_features + 2 * self.attention["self"].heads)


KINDS = {"fastformer_parts": FastformerParts}  # its rows are in ablations.py
