"""Linear Transformer (Katharopoulos et al. 2020, arXiv 2006.16236): attention by a feature map instead of softmax.

    phi(x) = elu(x) + 1      (equation 7)
    o_i = phi(q_i) S_i / (phi(q_i) z_i)      S_i = sum_{j <= i} phi(k_j)^T v_j,  z_i = sum_{j <= i} phi(k_j)    (9 to 12)

Causal with constant state S [d, d] and z [d] a head: the paper's "transformers are RNNs" (equations 16 to 20). q, k, v
[B, G, T, d], d = D / G. Sums are in float32.
"""
import torch
import torch.nn.functional as F
from torch import nn

from ..layers import wide
from .mixer import Mixer, merge, running, split


class Linear(Mixer):
    def __init__(self, dim, *, heads):
        super().__init__(dim)
        self.dim, self.heads = dim, heads
        self.qkv, self.out = nn.Linear(dim, 3 * dim), nn.Linear(dim, dim)

    def mix(self, y):
        q, k, v = (wide(split(s, self.heads)) for s in self.qkv(y).chunk(3, -1))
        with torch.autocast("cpu", enabled=False):
            o = running(F.elu(q) + 1, F.elu(k) + 1, torch.cat([v, torch.ones_like(v[..., :1])], -1))
            o = o[..., :-1] / o[..., -1:]
        return self.out(merge(o.to(y.dtype)))

    def mixing(self, t):
        per_head = self.dim // self.heads
        return self.heads * (2 * per_head ** 2 + per_head)  # an outer product in, one read, one sum of z

    def state(self, t):
        per_head = self.dim // self.heads
        return self.heads * per_head * (per_head + 1)


KINDS = {"linear": Linear}
ENCODERS = {"linear": dict(title="Linear Transformer", ffn=304, kind="linear", heads=4)}
