"""Gated recurrent unit (Cho et al. 2014, arXiv 1406.1078), from which Mega has its gates.

    r = sigmoid(W_r x + U_r h), z = sigmoid(W_z x + U_z h), n = tanh(W_n x + r (U_n h)), h' = (1 - z) n + z h
    o = W_o h'

Biases as in torch, whose gate r is behind the product with U_n, as in cuDNN. One frame after the other, with constant state h
[D], from zeros; y, o [B, T, D], in float32.
"""
import torch
from torch import nn

from ..layers import wide
from .mixer import Mixer


class Gru(Mixer):
    def __init__(self, dim):
        super().__init__(dim)
        self.dim = dim
        self.gru, self.out = nn.GRU(dim, dim, batch_first=True), nn.Linear(dim, dim)

    def mix(self, y):
        with torch.autocast("cpu", enabled=False):
            h = self.gru(wide(y))[0]
        return self.out(h.to(y.dtype))

    def mixing(self, t):
        return 6 * self.dim ** 2

    def state(self, t):
        return self.dim


KINDS = {"gru": Gru}
ENCODERS = {"gru": dict(title="GRU", ffn=208, sines=False, kind="gru")}
