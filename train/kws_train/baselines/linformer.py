"""Linformer (Wang et al. 2020, arXiv 2006.04768): keys and values projected over time, equation 7.

    o = softmax(Q (E K)^T / sqrt(d)) (F V)      E, F [rank, n], Q, K, V [B, G, T, d], d = D / G

E and F are shared by the heads ("headwise sharing", section 4). E K mixes all frames, later ones too: not causal, and it
needs the whole clip, of at most n = max_positions frames; a shorter one uses the first T columns.
"""
import torch
from torch import nn

from .mixer import LONGEST, Mixer, merge, split
from .transformer import attend


class Linformer(Mixer):
    causal = False

    def __init__(self, dim, *, heads, rank, max_positions):
        super().__init__(dim)
        self.dim, self.heads, self.rank = dim, heads, rank
        self.qkv, self.out = nn.Linear(dim, 3 * dim), nn.Linear(dim, dim)
        self.over_time = nn.Parameter(torch.randn(2, rank, max_positions) * rank ** -0.5)  # E, F

    def mix(self, y):
        q, k, v = (split(s, self.heads) for s in self.qkv(y).chunk(3, -1))
        e, f = self.over_time[:, :, : y.shape[1]].to(y.dtype)
        return self.out(merge(attend(q, e @ k, f @ v, torch.tensor(True))))

    def mixing(self, t):
        return 2 * self.dim * self.rank + 2 * self.dim * self.rank  # projections, then scores and sums

    def state(self, t):
        return None


KINDS = {"linformer": Linformer}
ENCODERS = {"linformer": dict(title="Linformer", ffn=280, kind="linformer", heads=4, rank=16, max_positions=LONGEST)}
