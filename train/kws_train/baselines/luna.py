"""Luna (Ma et al. 2021, arXiv 2106.01540): linear unified nested attention, the causal variant of section 3.3.

With f(X, Y, Z)_t = 1/t X_t sum_{j <= t} Y_j^T Z_j, which is causal and needs only a running sum,

    A_pack = omega(P W_p (X W_c)^T / sqrt(d))      P [L, D] learnt, omega(x) = log(1 + 2^x) / log 2
    A_unpack = softmax(f(X W_q / sqrt(d), X W_k, A_pack^T))
    O = f(A_unpack, A_pack^T, X W_k)

The keys are the values (W_k is also W_v), as in the authors' code. As no frame may hear a summary of later ones, P is not passed
from layer to layer: each has its own. X [B, T, D], per head A_pack^T [B, G, T, L], A_unpack [B, G, T, L]. State: two running
sums of [d, L] a head and the frame number.
"""
import math

import torch
import torch.nn.functional as F
from torch import nn

from ..layers import wide
from .mixer import Mixer, merge, running, split


def average(x, y, z):
    """f(X, Y, Z): x [..., T, a], y [..., T, a], z [..., T, b] -> [..., T, b]"""
    return running(x, y, z) / torch.arange(1, x.shape[-2] + 1, dtype=z.dtype)[:, None]


class Luna(Mixer):
    def __init__(self, dim, *, heads, length):
        super().__init__(dim)
        self.dim, self.heads, self.length = dim, heads, length
        self.memory = nn.Parameter(torch.randn(length, dim) * dim ** -0.5)
        self.p = nn.Linear(dim, dim)
        self.c, self.q, self.kv, self.out = (nn.Linear(dim, dim) for _ in range(4))

    def pack(self, y):
        """-> A_pack^T [B, G, T, L]"""
        p = split(self.p(self.memory)[None], self.heads) * (self.dim // self.heads) ** -0.5
        return F.softplus(wide(split(self.c(y), self.heads) @ p.transpose(2, 3)), beta=math.log(2))

    def mix(self, y):
        pack = self.pack(y)
        q = split(self.q(y), self.heads) * (self.dim // self.heads) ** -0.5
        kv = wide(split(self.kv(y), self.heads))
        with torch.autocast("cpu", enabled=False):
            unpack = torch.softmax(average(wide(q), kv, pack), -1)
            o = average(unpack, pack, kv)
        return self.out(merge(o.to(y.dtype)))

    def mixing(self, t):
        """pack; two outer products into the sums and two reads. P W_p does not change: it is no work for a stream."""
        return 5 * self.dim * self.length - self.dim ** 2

    def state(self, t):
        return 2 * self.dim * self.length


KINDS = {"luna": Luna}
ENCODERS = {"luna": dict(title="Luna, causal", ffn=264, kind="luna", heads=4, length=16)}
