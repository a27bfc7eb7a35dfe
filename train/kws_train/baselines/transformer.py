"""Transformer (Vaswani et al. 2017, arXiv 1706.03762), prenorm as nearly everybody builds it today.

    o_i = sum_{j <= i} softmax_j(q_i k_j / sqrt(d)) v_j      (equation 1, masked as in the decoder)

q, k, v [B, G, T, d], d = D / G. Causal; a stream has to keep the keys and values of every frame it wants to hear. `fused`:
the same by torch's own kernel, which never holds all scores at once.
"""
import math

import torch
import torch.nn.functional as F
from torch import nn

from ..layers import wide
from .mixer import Mixer, mean_past, merge, past, split


def attend(q, k, v, seen):
    """Softmax attention where seen [T, J] or [B, G, T, J]; q [B, G, T, d], k, v [B, G, J, d]."""
    s = wide(q @ k.transpose(2, 3)) / math.sqrt(q.shape[-1])
    return torch.softmax(s.masked_fill(~seen, -math.inf), -1).to(v.dtype) @ v


class SelfAttention(Mixer):
    """Queries, keys and values of the same frames; a kind of layer says with seen(t) which frame hears which."""

    def __init__(self, dim, *, heads):
        super().__init__(dim)
        self.dim, self.heads = dim, heads
        self.qkv, self.out = nn.Linear(dim, 3 * dim), nn.Linear(dim, dim)

    def mix(self, y):
        q, k, v = (split(s, self.heads) for s in self.qkv(y).chunk(3, -1))
        return self.out(merge(attend(q, k, v, self.seen(y.shape[1]))))


class Transformer(SelfAttention):
    def __init__(self, dim, *, heads, fused=False):
        super().__init__(dim, heads=heads)
        self.fused = fused

    def mix(self, y):
        if not self.fused:
            return super().mix(y)
        q, k, v = (split(s, self.heads) for s in self.qkv(y).chunk(3, -1))
        return self.out(merge(F.scaled_dot_product_attention(q, k, v, is_causal=True)))

    def seen(self, t):
        return past(t)

    def mixing(self, t):
        return 2 * self.dim * mean_past(t)

    def state(self, t):
        return 2 * self.dim * t


KINDS = {"transformer": Transformer}
ENCODERS = {"transformer": dict(title="Transformer", ffn=304, kind="transformer", heads=4)}
