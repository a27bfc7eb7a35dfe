"""What the baselines have in common: x + mix(norm(x)), heads, and a table of sines for those who need positions."""
import math

import torch
from torch import nn

from ..model import Norm


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


class Sines(nn.Module):
    """Positional encoding (Vaswani et al. 2017, section 3.5), added once, in front of the first layer; [B, T, D]."""

    causal = True

    def __init__(self, dim):
        super().__init__()
        self.dim = dim

    def forward(self, x, phase=0):
        rate = torch.exp(torch.arange(0, self.dim, 2) * -(math.log(10000.0) / self.dim))
        angle = torch.arange(x.shape[1])[:, None] * rate
        return x + torch.stack([angle.sin(), angle.cos()], -1).flatten(1).to(x.dtype)

    def mixing(self, t):
        return 0

    def state(self, t):
        return 0
