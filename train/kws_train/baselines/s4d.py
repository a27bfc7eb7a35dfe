"""S4D (Gu et al. 2022, arXiv 2206.11893), the diagonal S4: initialised as S4D-Lin, discretised with zero-order hold.

    x_t = exp(dt A) x_{t-1} + u_t      y_t = 2 Re(C' x_t) + D u_t      C' = C (exp(dt A) - 1) / A      (equations 3 and 4)
    A_n = -1/2 + i pi n,  n < N / 2    (equation 9); the other half of the states are their conjugates

per channel, then gelu, a Linear to twice the width and a gate (GLU), as in the authors' block. For training it is a causal
convolution with K_l = 2 Re(sum_n C'_n exp(dt A_n l)), by FFT; on a stream it is the recurrence, of constant state. u, y
[B, T, D]; A, C, x: N / 2 complex numbers a channel. All are trained at the same rate as everything else, and B is 1.
"""
import math

import torch
import torch.nn.functional as F
from torch import nn

from ..layers import wide
from .mixer import Mixer


class Convolved(Mixer):
    """What S4D and S4 share: the convolution with kernel(t) [D, t], D u, and the gate. Has dim, states, skip [D], gate."""

    def convolve(self, u):
        t = u.shape[1]
        k, u_t = self.kernel(t), wide(u).transpose(1, 2)
        y = torch.fft.irfft(torch.fft.rfft(u_t, 2 * t) * torch.fft.rfft(k, 2 * t), 2 * t)[..., :t]
        return (y + self.skip[:, None] * u_t).transpose(1, 2)

    def mix(self, y):
        return F.glu(self.gate(F.gelu(self.convolve(y))), -1)

    def state(self, t):
        return self.dim * self.states


class S4D(Convolved):
    def __init__(self, dim, *, states, dt=(0.01, 0.3)):
        super().__init__(dim)
        n = states // 2
        self.dim, self.states = dim, states
        self.log_dt = nn.Parameter(torch.empty(dim).uniform_(math.log(dt[0]), math.log(dt[1])))
        self.log_damp = nn.Parameter(torch.full((dim, n), math.log(0.5)))  # A = -exp(log_damp) + i turn
        self.turn = nn.Parameter(math.pi * torch.arange(n).float().repeat(dim, 1))
        self.c = nn.Parameter(torch.randn(2, dim, n) * 0.5 ** 0.5)
        self.skip = nn.Parameter(torch.randn(dim))
        self.gate = nn.Linear(dim, 2 * dim)

    def discrete(self):
        """-> decay exp(dt A) and output weight C', complex [D, N / 2]."""
        a = torch.complex(-torch.exp(self.log_damp), self.turn)
        q = torch.exp(a * torch.exp(self.log_dt)[:, None])
        return q, torch.complex(self.c[0], self.c[1]) * (q - 1) / a

    def kernel(self, t):
        """Impulse response [D, t]."""
        q, c = self.discrete()
        power = torch.exp(torch.log(q)[..., None] * torch.arange(t, device=q.device))
        return 2 * (c[..., None] * power).sum(1).real

    def mixing(self, t):
        """A complex product and sum in, half of one out; two states in one; D u."""
        return self.dim * (self.states // 2 * (4 + 2) + 1)


KINDS = {"s4d": S4D}
ENCODERS = {"s4d": dict(title="S4D", ffn=336, sines=False, kind="s4d", states=32)}
