"""Reformer (Kitaev et al. 2020, arXiv 2001.04451): locality-sensitive hashing attention, section 2.

Queries and keys are one, keys of unit length, k_j = q_j / |q_j|. Each round r hashes by a random rotation R_r [d, b / 2],

    h(x) = argmax([x R; -x R])      P_i = union over rounds {j <= i: h_r(q_i) = h_r(q_j)}
    o_i = sum_{j in P_i} exp(q_i k_j / sqrt(d) - z_i) v_j      (equations 2, 3 and, for rounds, 8)

A frame hears itself only if nothing else is in P_i. Up to SHORT frames the sets are made with masks, which is that function
exactly. Beyond, frames are sorted by bucket and cut into chunks of 2 T / b, each of which hears itself and the one before
(figure 2): the same as long as no bucket is larger than a chunk. The paper's reversible residuals, which save memory in
training, are left out. Rotations are drawn anew for each batch in training, and are fixed otherwise.

q, v [B, G, T, d], d = D / G. Causal; a stream has to keep the keys and values of every frame it wants to hear.
"""
import torch
import torch.nn.functional as F
from torch import nn

from ..layers import wide
from .mixer import Mixer, mean_past, merge, past, split

SHORT = 128
ITSELF = -1e5  # the score of a frame for itself: it matters only where there is no other


class Reformer(Mixer):
    def __init__(self, dim, *, heads, buckets, rounds):
        super().__init__(dim)
        self.dim, self.heads, self.buckets, self.rounds = dim, heads, buckets, rounds
        self.qk, self.v, self.out = nn.Linear(dim, dim), nn.Linear(dim, dim), nn.Linear(dim, dim)
        self.register_buffer("rotations", self._draw())

    def _draw(self):
        return torch.randn(self.rounds, 1, self.heads, self.dim // self.heads, self.buckets // 2)

    def hash(self, q):
        """h of each round, [rounds, B, G, T]."""
        turned = wide(q) @ (self._draw() if self.training else self.rotations).to(wide(q).dtype)
        return torch.cat([turned, -turned], -1).argmax(-1)

    def masked(self, q, k, v, bucket):
        """q, k, v [B, G, T, d], bucket [rounds, B, G, T] -> o [B, G, T, d], by masks."""
        seen = (bucket[..., :, None] == bucket[..., None, :]).any(0) & past(q.shape[2])
        s = wide(q @ k.transpose(2, 3)) / q.shape[-1] ** 0.5
        s = s.masked_fill(torch.eye(q.shape[2], dtype=torch.bool), ITSELF)
        return torch.softmax(s.masked_fill(~seen, -torch.inf), -1).to(v.dtype) @ v

    def sorted(self, q, k, v, bucket):
        """The same by chunks of the sorted frames."""
        t, size = q.shape[2], 2 * -(-q.shape[2] // self.buckets)
        pad = -t % size
        q, k, v = (F.pad(s, (0, 0, 0, pad)) for s in (q, k, v))
        bucket, place = F.pad(bucket, (0, pad), value=self.buckets), torch.arange(t + pad)
        order = (bucket * (t + pad) + place).argsort(-1)  # [rounds, B, G, T], by bucket, then by time
        cut = lambda x: x.unflatten(3, (-1, size))  # [rounds, B, G, chunks, size, ...]
        both = lambda x: torch.cat([x.roll(1, 3), x], 4)  # with the chunk before
        take = lambda x: cut(x.expand(self.rounds, *x.shape).gather(3, order[..., None].expand(*order.shape, x.shape[-1])))
        at, of = cut(order), take(bucket.permute(1, 2, 3, 0))  # where it stood, and its bucket of every round
        mine = cut(bucket.gather(-1, order))
        alike = sum((of[..., r][..., :, None] == both(of[..., r])[..., None, :]).float() for r in range(self.rounds))
        seen = (mine[..., :, None] == both(mine)[..., None, :]) & (at[..., :, None] >= both(at)[..., None, :])
        seen[:, :, :, 0, :, :size] = False  # there is no chunk before the first
        s = wide(take(q) @ both(take(k)).transpose(4, 5)) / q.shape[-1] ** 0.5
        s = s.masked_fill(at[..., :, None] == both(at)[..., None, :], ITSELF) - alike.clamp_min(1).log()
        s = s.masked_fill(~seen, -torch.inf)  # what is met in several rounds counts once
        z = s.logsumexp(-1)
        o = torch.exp(s - z[..., None]).to(v.dtype) @ both(take(v))
        back = order.argsort(-1)
        o = o.flatten(3, 4).gather(3, back[..., None].expand(*back.shape, v.shape[-1]))
        w = torch.softmax(z.flatten(3).gather(3, back), 0).to(v.dtype)
        return (w[..., None] * o).sum(0)[:, :, :t]

    def mix(self, y):
        q, v = split(self.qk(y), self.heads), split(self.v(y), self.heads)
        form = self.masked if y.shape[1] <= SHORT else self.sorted
        return self.out(merge(form(q, F.normalize(q, dim=-1), v, self.hash(q.detach()))))

    def mixing(self, t):
        """With even buckets: a frame shares one with another in 1 - (1 - 1 / b)^rounds of all cases."""
        hashes = self.rounds * self.dim * self.buckets // 2
        return hashes + 2 * self.dim * mean_past(t) * (1 - (1 - 1 / self.buckets) ** self.rounds)

    def state(self, t):
        return 2 * self.dim * t


KINDS = {"reformer": Reformer}
ENCODERS = {"reformer": dict(title="Reformer", ffn=336, kind="reformer", heads=4, buckets=4, rounds=2)}
