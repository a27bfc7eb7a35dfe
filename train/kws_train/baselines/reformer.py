"""Reformer (Kitaev et al. 2020, arXiv 2001.04451): locality-sensitive hashing attention, section 2.

Queries and keys are one, keys of unit length, k_j = q_j / |q_j|. Each round r hashes by a random rotation R_r [d, b / 2],

    h(x) = argmax([x R; -x R])      P_i = union over rounds {j <= i: h_r(q_i) = h_r(q_j)}
    o_i = sum_{j in P_i} exp(q_i k_j / sqrt(d) - z_i) v_j      (equations 2, 3 and, for rounds, 8)

A frame hears itself only if nothing else is in P_i. The sets are made with masks, which is that function exactly; the paper
sorts by bucket and cuts into chunks to save work on long sequences, and its reversible residuals save memory in
training: both are left out. Rotations are drawn anew for each batch in training, and are fixed otherwise.

q, v [B, G, T, d], d = D / G. Causal; a stream has to keep the keys and values of every frame it wants to hear.
"""
import torch
import torch.nn.functional as F
from torch import nn

from ..layers import wide
from .mixer import Mixer, mean_past, merge, past, split

ITSELF = -1e5  # the score of a frame for itself: it matters only where there is no other


class Reformer(Mixer):
    def __init__(self, dim, *, heads, buckets, rounds):
        super().__init__(dim)
        self.dim, self.heads, self.buckets, self.rounds = dim, heads, buckets, rounds
        self.qk, self.v, self.out = nn.Linear(dim, dim), nn.Linear(dim, dim), nn.Linear(dim, dim)
        self.register_buffer("rotations", self._draw())

    def _draw(self):
        return torch.randn(self.rounds, 1, self.heads, self.dim // self.heads, self.buckets // 2)

    def seen(self, q):
        """P_i as a mask [B, G, T, T]."""
        turned = wide(q) @ (self._draw() if self.training else self.rotations).to(wide(q).dtype)
        bucket = torch.cat([turned, -turned], -1).argmax(-1)  # [rounds, B, G, T]
        return (bucket[..., :, None] == bucket[..., None, :]).any(0) & past(q.shape[2])

    def mix(self, y):
        q, v = split(self.qk(y), self.heads), split(self.v(y), self.heads)
        s = wide(q @ F.normalize(q, dim=-1).transpose(2, 3)) / q.shape[-1] ** 0.5
        s = s.masked_fill(torch.eye(q.shape[2], dtype=torch.bool), ITSELF)
        a = torch.softmax(s.masked_fill(~self.seen(q.detach()), -torch.inf), -1)
        return self.out(merge(a.to(v.dtype) @ v))

    def mixing(self, t):
        """With even buckets: a frame shares one with another in 1 - (1 - 1 / b)^rounds of all cases."""
        hashes = self.rounds * self.dim * self.buckets // 2
        return hashes + 2 * self.dim * mean_past(t) * (1 - (1 - 1 / self.buckets) ** self.rounds)

    def state(self, t):
        return 2 * self.dim * t
