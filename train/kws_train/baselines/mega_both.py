"""Mega (Ma et al. 2023, arXiv 2209.10655) as its encoder is: each frame hears the whole clip. layers.py has the causal form.

    x' = silu(sum_{j <= i} k1_{i-j} x_j + sum_{j >= i} k2_{j-i} x_j + omega x)      two EMAs, one each way (equations 2, 6)
    z = silu(W_z x'),  q = kappa_q z + mu_q,  k = kappa_k z + mu_k,  v = silu(W_v x)      (7 to 10)
    o = softmax(q k^T / sqrt(Z) + b) v      b_ij of i - j, both ways (11)
    g = silu(W_g x'),  u = sigmoid(W_u x'),  h = silu(W_h x' + U_h (g o)),  y = x + u (h - x)      (12 to 15)

x [B, T, D], z, q, k [B, T, Z], v, o, g [B, T, H]. Attention is over all T <= max_positions frames, or with chunk over
each chunk of so many, first to last (section 3.4): then only the EMAs carry anything across. Not causal.
"""
import math

import torch
import torch.nn.functional as F
from torch import nn

from ..layers import Ema, SimpleBias, wide
from .mixer import LONGEST, Mixer


class MegaBoth(Mixer):
    causal = False

    def __init__(self, dim, *, zdim, hdim, ndim, max_positions, chunk=-1):
        super().__init__(dim)
        self.dims, self.chunk = (zdim, hdim, dim, dim), chunk  # inside mx_proj: z, g, u, hx
        self.ahead, self.back = Ema(dim, ndim), Ema(dim, ndim)
        self.back.omega = None  # that of ahead is for both
        self.v_proj, self.mx_proj, self.h_proj = nn.Linear(dim, hdim), nn.Linear(dim, sum(self.dims)), nn.Linear(hdim, dim)
        self.gamma, self.beta = nn.Parameter(0.02 * torch.randn(2, zdim)), nn.Parameter(torch.zeros(2, zdim))
        self.bias = SimpleBias(zdim, chunk if chunk > 0 else max_positions)

    def move(self, x):
        """x -> x', [B, T, D]: one product of spectra, the EMA of the frames to come at the lags below 0."""
        t, x_t = x.shape[1], wide(x).transpose(1, 2)
        k = F.pad(self.ahead.kernel(t), (0, t)) + F.pad(self.back.kernel(t), (0, t)).flip(1).roll(1, 1)
        e = torch.fft.irfft(torch.fft.rfft(x_t, 2 * t) * torch.fft.rfft(k, 2 * t), 2 * t)[..., :t]
        return F.silu(e.transpose(1, 2) + self.ahead.omega * x)

    def attend(self, q, k, v):
        """q, k [B, T, Z], v [B, T, H] -> o [B, T, H]; the last chunk may be short."""
        t = q.shape[1]
        c = min(t, self.chunk) if self.chunk > 0 else t
        short = -t % c
        q, k, v = (F.pad(s, (0, 0, 0, short)).unflatten(1, (-1, c)) for s in (q, k, v))
        there = (torch.arange(t + short) < t).unflatten(0, (-1, 1, c))
        s = wide(q @ k.transpose(2, 3)) / math.sqrt(q.shape[-1]) + self.bias(c)
        return (torch.softmax(s.masked_fill(~there, -math.inf), -1).to(v.dtype) @ v).flatten(1, 2)[:, :t]

    def forward(self, x0, phase=0):
        x = self.norm(x0)
        z, g, u, hx = self.mx_proj(self.move(x)).split(self.dims, -1)
        z = F.silu(z)
        o = self.attend(self.gamma[0] * z + self.beta[0], self.gamma[1] * z + self.beta[1], F.silu(self.v_proj(x)))
        return x0 + torch.sigmoid(u) * (F.silu(hx + self.h_proj(o * F.silu(g))) - x0)

    def mixing(self, t):
        """Two EMAs; every frame hears all of its chunk, or of the clip."""
        dim, n = self.dims[3], self.ahead.gamma.shape[1]
        return dim * (6 * n + 1) + (self.chunk if self.chunk > 0 else t) * (self.dims[0] + self.dims[1])

    def state(self, t):
        return None


KINDS = {"mega_both": MegaBoth}
ENCODERS = {"mega-both": dict(title="Mega, both ways", ffn=96, sines=False, kind="mega_both", zdim=32, hdim=128, ndim=16,
                           max_positions=LONGEST)}
