"""Transformer-XL (Dai et al. 2019, arXiv 1901.02860): attention over a segment and the one before it, section 3.

    s_ij = (q_i + u) k_j + (q_i + v) W_R R_{i-j}      R of distances, sines; u, v of each head      (section 3.3)
    o_i = sum_{j in N(i)} softmax_j(s_ij / sqrt(d)) v_j      N(i) = {j <= i in the segment of i or the one before it}

k_j and v_j of the segment before are of frames through which no gradient flows: its memory, as long as a segment. Each layer
reaches one segment farther back. A segment is a chunk here, as in Mega: a recording may begin at any frame of one. y [B, T, D];
q [B, n, G, C, d], k, v [B, n, G, 2 C, d], n chunks of C, d = D / G; work linear in T. Positions are distances, so a stream
needs no end: it keeps the keys and values of two chunks.
"""
import math

import torch
import torch.nn.functional as F
from torch import nn

from ..layers import wide
from .mixer import Mixer, chunks, sines


class TransformerXL(Mixer):
    def __init__(self, dim, *, heads, chunk):
        super().__init__(dim)
        self.dim, self.heads, self.chunk = dim, heads, chunk
        self.q, self.kv, self.out = nn.Linear(dim, dim), nn.Linear(dim, 2 * dim), nn.Linear(dim, dim)
        self.place = nn.Linear(dim, dim)  # W_R; its bias adds the same to all scores of a frame
        self.u, self.v = (nn.Parameter(0.02 * torch.randn(heads, 1, dim // heads)) for _ in range(2))

    def forward(self, x, phase=0):
        return x + self.mix(self.norm(x), phase)

    def seen(self, there):
        """there [n, C] -> which of the memory and the chunk each frame hears, [n, C, 2 C], and how far they are, [C, 2 C]."""
        far = torch.arange(self.chunk)[:, None] - torch.arange(-self.chunk, self.chunk)
        keys = torch.cat([F.pad(there[:-1], (0, 0, 1, 0)), there], 1)
        return (far >= 0) & keys[:, None], far

    def mix(self, y, phase=0):
        t, c = y.shape[1], self.chunk
        added, there = chunks(t, c, phase)
        y = F.pad(y, (0, 0, *added)).unflatten(1, (-1, c))  # [B, n, C, D]
        memory = F.pad(y[:, :-1], (0, 0, 0, 0, 1, 0)).detach()
        per_head = lambda s: s.unflatten(-1, (self.heads, -1)).transpose(-3, -2)
        q, (k, v) = per_head(self.q(y)), map(per_head, self.kv(torch.cat([memory, y], 2)).chunk(2, -1))
        r = per_head(self.place(sines(2 * c, self.dim).to(y.dtype)))  # [G, 2 C, d]
        seen, far = self.seen(there)
        where = far.clamp_min(0).expand(*q.shape[:3], -1, -1)
        s = wide((q + self.u) @ k.transpose(-2, -1)) + wide((q + self.v) @ r.transpose(-2, -1)).gather(-1, where)
        seen = (seen | (far == 0))[:, None]  # an added frame hears itself: something
        a = torch.softmax((s / math.sqrt(q.shape[-1])).masked_fill(~seen, -math.inf), -1).to(v.dtype)
        o = (a @ v).transpose(2, 3).flatten(3).flatten(1, 2)
        return self.out(o[:, added[0] : added[0] + t])

    def mixing(self, t):
        """Scores by content and by distance, and sums. W_R R does not change: it is no work for a stream."""
        heard = int(self.seen(chunks(t, self.chunk, 0)[1])[0].flatten(0, 1)[:t].sum()) / t
        return 3 * self.dim * heard - self.dim ** 2

    def state(self, t):
        return 2 * self.dim * min(t, 2 * self.chunk)


KINDS = {"transformer_xl": TransformerXL}
ENCODERS = {"transformer-xl": dict(title="Transformer-XL, chunk 25", ffn=272, sines=False, kind="transformer_xl", heads=4,
                                   chunk=25)}
