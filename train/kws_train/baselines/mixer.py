"""What the baselines have in common: x + mix(norm(x)), heads, and a table of sines for those who need positions."""
import math

import torch
import torch.nn.functional as F
from torch import nn

from ..layers import wide
from ..model import Norm

BLOCK = 64  # frames of which running() makes one product
LONGEST = 75  # network frames of a sequence in training: a clip may have half a second of something else before it


class Mixer(nn.Module):
    """Prenorm, residual; a kind of layer defines mix(y), y [B, T, D] -> [B, T, D]."""

    causal = True

    def __init__(self, dim):
        super().__init__()
        self.norm = Norm("layernorm", dim)

    def forward(self, x, phase=0):
        return x + self.mix(self.norm(x))


def split(x, heads):
    """[B, T, D] -> [B, G, T, D / G]"""
    return x.unflatten(-1, (heads, -1)).transpose(1, 2)


def merge(x):
    """[B, G, T, D / G] -> [B, T, D]"""
    return x.transpose(1, 2).flatten(2)


def past(t):
    """[T, T]: may frame i hear frame j, that is j <= i?"""
    return torch.ones(t, t, dtype=torch.bool).tril()


def mean_past(t):
    """How many frames a frame of a clip of t hears on the average, itself among them."""
    return (t + 1) / 2


def running(q, k, v):
    """o_i = sum_{j <= i} (q_i k_j) v_j: q, k [..., T, a], v [..., T, b] -> [..., T, b], linear in T.

    Within a block the sums are one masked product; what came before it is a running sum of k_j^T v_j [a, b].
    """
    t = q.shape[-2]
    if t <= 2 * BLOCK:
        return ((q @ k.transpose(-1, -2)) * past(t)) @ v
    n = -(-t // BLOCK)
    q, k, v = (F.pad(s, (0, 0, 0, n * BLOCK - t)).unflatten(-2, (n, BLOCK)) for s in (q, k, v))
    before = F.pad((k.transpose(-1, -2) @ v).cumsum(-3)[..., :-1, :, :], (0, 0, 0, 0, 1, 0))
    o = ((q @ k.transpose(-1, -2)) * past(BLOCK)) @ v + q @ before
    return o.flatten(-3, -2)[..., :t, :]


def among(q, k, v, index):
    """Softmax attention where query i hears the keys index [G or 1, T, K] alone, -1: none, at least one for each; linear in T.
    q [B, G, T, d], k, v [B, G, J, d] -> [B, G, T, d]."""
    head, at = torch.arange(q.shape[1])[:, None, None], index.clamp_min(0)
    s = wide((k[:, head, at] @ q[..., None])[..., 0]) / math.sqrt(q.shape[-1])
    a = torch.softmax(s.masked_fill(index < 0, -math.inf), -1).to(v.dtype)
    return (a[..., None, :] @ v[:, head, at])[..., 0, :]


def chunks(t, size, phase):
    """t frames, the first of them frame `phase` of a chunk of `size`, as whole chunks -> frames to add before and behind them,
    and which of all are not added, [chunks, size]."""
    before = phase % size
    place = torch.arange(-(-(before + t) // size) * size)
    return (before, len(place) - before - t), ((place >= before) & (place < before + t)).unflatten(0, (-1, size))


def sines(t, dim):
    """The positions 0 to t - 1 (Vaswani et al. 2017, section 3.5), [T, D]."""
    rate = torch.exp(torch.arange(0, dim, 2) * -(math.log(10000.0) / dim))
    angle = torch.arange(t)[:, None] * rate
    return torch.stack([angle.sin(), angle.cos()], -1).flatten(1)


class Sines(nn.Module):
    """Positions, added once, in front of the first layer; [B, T, D]."""

    causal = True

    def __init__(self, dim):
        super().__init__()
        self.dim = dim

    def forward(self, x, phase=0):
        return x + sines(x.shape[1], self.dim).to(x.dtype)

    def mixing(self, t):
        return 0

    def state(self, t):
        return 0


KINDS = {"sines": Sines}
