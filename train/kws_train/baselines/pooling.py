"""Poolingformer (Zhang et al. 2021, arXiv 2105.04371): a window near by, and pooled frames of a wider one, section 3.

    y_i = sum_{j in N(i)} softmax_j(q_i k_j / sqrt(d)) v_j      N(i) = {i - window < j <= i}: the first level
    z_i = the same over pooled keys and values of the frames i - wide < j <= i, with projections of y: the second level
    o = y + z

Pooling is the paper's best, LDConv: `pool` frames in a row become one, their mean weighted by softmax(W_p c), c the middle one of
them, W_p [pool, D]. The paper's is an encoder whose windows reach both ways and whose pools may overlap; here both are one-sided
and a pool is heard once it is complete, which makes it causal. q, k, v [B, G, T, d], pooled [B, G, T / pool, d], d = D / G;
work linear in T. A stream keeps both windows.
"""
import torch
from torch import nn

from .mixer import Mixer, among, merge, split


class Pooling(Mixer):
    def __init__(self, dim, *, heads, window, wide, pool):
        super().__init__(dim)
        self.dim, self.heads, self.window, self.pool, self.pools = dim, heads, window, pool, wide // pool
        self.near, self.far, self.out = nn.Linear(dim, 3 * dim), nn.Linear(dim, 3 * dim), nn.Linear(dim, dim)
        self.weigh_k, self.weigh_v = nn.Linear(dim, pool), nn.Linear(dim, pool)

    def pooled(self, x, weigh):
        """[B, T, D] -> [B, 1 + T // pool, D]: before the first pool is a frame of zeros, so that there always is one to hear."""
        n = x.shape[1] // self.pool
        x = x[:, : n * self.pool].unflatten(1, (n, self.pool))
        a = torch.softmax(weigh(x[:, :, self.pool // 2]).float(), -1).to(x.dtype)  # [B, n, pool]
        return nn.functional.pad((a[..., None, :] @ x)[:, :, 0], (0, 0, 1, 0))

    def index(self, t):
        """The frames heard near by, [1, T, window], and the pools, [1, T, pools], 0: the zeros, where no pool is there; below 0:
        none."""
        i = torch.arange(t)[None, :, None]
        last = (i + 1) // self.pool
        far = last - torch.arange(self.pools)
        return i - torch.arange(self.window), far.masked_fill((far == 0) & (last > 0), -1)

    def mix(self, y):
        near, far = self.index(y.shape[1])
        q, k, v = (split(s, self.heads) for s in self.near(y).chunk(3, -1))
        first = merge(among(q, k, v, near))
        q, k, v = self.far(first).chunk(3, -1)
        k, v = self.pooled(k, self.weigh_k), self.pooled(v, self.weigh_v)
        return self.out(first + merge(among(*(split(s, self.heads) for s in (q, k, v)), far)))

    def mixing(self, t):
        """Scores and sums of both levels; a frame into its pool as key and as value; W_p c once a pool, not once a frame."""
        near, far = (float((x >= 0).float().sum()) / t for x in self.index(t))
        return 2 * self.dim * (near + far + 1) - 2 * self.dim * self.pool * (1 - 1 / self.pool)

    def state(self, t):
        return 2 * self.dim * (min(t, self.window - 1) + min(t // self.pool, self.pools) + self.pool)


KINDS = {"pooling": Pooling}
ENCODERS = {"poolingformer": dict(title="Poolingformer, causal", ffn=204, kind="pooling", heads=4, window=8, wide=32, pool=4)}
