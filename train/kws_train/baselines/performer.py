"""Performer (Choromanski et al. 2021, arXiv 2009.14794): FAVOR+, softmax attention by positive random features.

    phi(x) = exp(w x - |x|^2 / 2) / sqrt(m)      w: m rows, orthogonal in blocks of d (lemma 1, section 2.4)
    o_i = phi(q_i) S_i / (phi(q_i) z_i)      S_i = sum_{j <= i} phi(k_j)^T v_j,  z_i = sum_{j <= i} phi(k_j)

with q and k divided by d^(1/4), so that phi(q) phi(k) estimates exp(q k / sqrt(d)). Causal with constant state S, z: the
prefix sums of section 2.2, in blocks (mixer.running).

Only the queries' features are scaled to their largest, which cancels: a maximum over all keys would hear the future. The
keys' need none, as w k - |k|^2 / 2 <= |w|^2 / 2. q, k, v [B, G, T, d], d = D / G. Features are fixed when the layer is made.
"""
import torch
from torch import nn

from ..layers import wide
from .mixer import Mixer, merge, running, split


def orthogonal(rows, d):
    """Rows as long as Gaussian ones, orthogonal to each other in blocks of d -> [rows, d]."""
    blocks = [torch.linalg.qr(torch.randn(d, d))[0].T for _ in range(-(-rows // d))]
    return torch.cat(blocks)[:rows] * torch.randn(rows, d).norm(dim=1, keepdim=True)


class Performer(Mixer):
    def __init__(self, dim, *, heads, features):
        super().__init__(dim)
        self.dim, self.heads, self.features = dim, heads, features
        self.qkv, self.out = nn.Linear(dim, 3 * dim), nn.Linear(dim, dim)
        self.register_buffer("w", orthogonal(features, dim // heads))

    def phi(self, x, scaled):
        """[B, G, T, d] -> [B, G, T, m]"""
        x = wide(x) * x.shape[-1] ** -0.25
        with torch.autocast("cpu", enabled=False):
            e = x @ self.w.T - x.square().sum(-1, keepdim=True) / 2
        return torch.exp(e - e.amax(-1, keepdim=True) if scaled else e) / self.features ** 0.5

    def sums(self, q, k, v):
        """phi(q), phi(k), v -> o; z is the sum of a column of ones."""
        o = running(q, k, torch.cat([v, torch.ones_like(v[..., :1])], -1))
        return o[..., :-1] / o[..., -1:].clamp_min(1e-9)

    def mix(self, y):
        q, k, v = (split(s, self.heads) for s in self.qkv(y).chunk(3, -1))
        q, k = self.phi(q, True), self.phi(k, False)
        with torch.autocast("cpu", enabled=False):
            o = self.sums(q, k, wide(v))
        return self.out(merge(o.to(y.dtype)))

    def mixing(self, t):
        per_head = self.features * (self.dim // self.heads)  # one feature map, or one outer product, or one read
        return self.heads * (4 * per_head + 2 * self.features)

    def state(self, t):
        return self.heads * self.features * (self.dim // self.heads + 1)


KINDS = {"performer": Performer}
ENCODERS = {"performer": dict(title="Performer", ffn=304, kind="performer", heads=4, features=32)}
