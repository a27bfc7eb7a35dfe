"""Longformer (Beltagy et al. 2020, arXiv 2004.05150), the autoregressive form of section 4: dilated sliding windows.

    o_i = sum_{j in N(i)} softmax_j(q_i k_j / sqrt(d)) v_j      N(i) = {i - dilation_g l >= 0: 0 <= l < window}

dilation_g is that of head g: some heads hear what is near, others, with gaps, what is farther back (section 3.1). In the
autoregressive form there is no global attention: nothing is there yet that could have heard everything. Windows are of
one size in all layers here. q, k, v [B, G, T, d], d = D / G; work linear in T. A stream keeps the keys and values of the
longest reach.
"""
import torch

from .mixer import among, merge, split
from .transformer import SelfAttention


class Longformer(SelfAttention):
    def __init__(self, dim, *, window, dilations):
        super().__init__(dim, heads=len(dilations))
        self.window, self.dilations = window, dilations

    def index(self, t):
        """The frames that each hears, [G, T, window], below 0: none."""
        back = torch.tensor(self.dilations)[:, None] * torch.arange(self.window)
        return torch.arange(t)[:, None] - back[:, None]

    def mix(self, y):
        q, k, v = (split(s, self.heads) for s in self.qkv(y).chunk(3, -1))
        return self.out(merge(among(q, k, v, self.index(y.shape[1]))))

    def mixing(self, t):
        return 2 * self.dim * float((self.index(t) >= 0).float().mean()) * self.window

    def state(self, t):
        reach = sum(min(t, d * (self.window - 1)) for d in self.dilations)
        return 2 * self.dim // self.heads * reach


KINDS = {"longformer": Longformer}
ENCODERS = {"longformer": dict(title="Longformer, causal", ffn=304, kind="longformer", window=8, dilations=[1, 1, 2, 4])}
