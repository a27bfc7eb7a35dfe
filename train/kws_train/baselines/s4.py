"""S4 (Gu et al. 2022, arXiv 2111.00396) with its full kernel: a state matrix that is diagonal plus low rank (DPLR).

    x' = A x + B u,  y = C x + D u      A = Lambda - P P^*, the HiPPO-LegS matrix in the basis where it is so (theorem 1)

per channel, with P in both places as the authors have it since: then A stays stable while it is trained. Discretised by the
bilinear rule with step dt (equation 3),

    A' = (1 - dt/2 A)^-1 (1 + dt/2 A)    B' = (1 - dt/2 A)^-1 dt B    K_l = C A'^l B'    (equation 5)

K of length T is the inverse FFT of its generating function at the roots of unity z (algorithm 1, lemma C.3),

    K(z) = dt [c(C, B) - (dt/2)(1 + z) c(C, P) c(P, B) / (1 + (dt/2)(1 + z) c(P, P))]      C of the kernel: C (1 - A'^T)
    c(v, w) = sum_n v_n^* w_n / ((1 - z) - (dt/2)(1 + z) Lambda_n)

written so that nothing is divided by 1 + z, which is 0 for one of them. Then gelu, a Linear to twice the width and a gate,
as in s4d.py. For training it is a causal convolution by FFT; on a stream it is the recurrence, of constant state. u, y [B, T,
D]; Lambda, P, B, C [D, N / 2] complex: the other half are their conjugates. S4D is this without P, and with zero-order hold.
"""
import math

import torch
from torch import nn

from .s4d import Convolved


def legs(n):
    """HiPPO-LegS of n states as Lambda - P P^* and B, complex128 [n / 2]: those of positive frequency."""
    i = torch.arange(n, dtype=torch.float64)
    root = torch.sqrt(2 * i + 1)
    p = torch.sqrt(i + 0.5)
    a = -torch.tril(root[:, None] * root, -1) - torch.diag(i + 1)
    skew = a + p[:, None] * p + 0.5 * torch.eye(n, dtype=torch.float64)  # a + p p^T is -1/2 and this, which is skew
    turn, v = torch.linalg.eigh(skew * -1j)
    keep = turn > 0
    to = v.conj().T[keep]
    return torch.complex(torch.full((n // 2,), -0.5, dtype=torch.float64), turn[keep]), to @ p.to(to), to @ root.to(to)


def both(x):
    """[..., N / 2] -> [..., N]: with the conjugates."""
    return torch.cat([x, x.conj()], -1)


def cauchy(v, w, lam, one, two):
    """sum_n v_n^* w_n / (one - two lambda_n) over n and the conjugates; v, w, lam [D, N / 2], one [K], two [D, K] -> [D, K]."""
    x = v.conj() * w
    top = one * x.real[..., None] - two[:, None] * (x * lam.conj()).real[..., None]
    bottom = one ** 2 - 2 * one * two[:, None] * lam.real[..., None] + two[:, None] ** 2 * lam.abs().square()[..., None]
    return 2 * (top / bottom).sum(1)


class S4(Convolved):
    def __init__(self, dim, *, states, dt=(0.01, 0.3)):
        super().__init__(dim)
        self.dim, self.states = dim, states
        lam, p, b = (x.to(torch.complex64).repeat(dim, 1) for x in legs(states))
        parts = lambda x: nn.Parameter(torch.stack([x.real, x.imag]))
        self.log_dt = nn.Parameter(torch.empty(dim).uniform_(math.log(dt[0]), math.log(dt[1])))
        self.log_damp, self.turn = nn.Parameter(torch.log(-lam.real)), nn.Parameter(lam.imag.clone())
        self.p, self.b, self.c = parts(p), parts(b), nn.Parameter(torch.randn(2, dim, states // 2) * 0.5 ** 0.5)
        self.skip = nn.Parameter(torch.randn(dim))
        self.gate = nn.Linear(dim, 2 * dim)

    def continuous(self):
        """-> Lambda, P, B, C, complex [D, N / 2]."""
        return (torch.complex(-torch.exp(self.log_damp), self.turn), *(torch.complex(*x) for x in (self.p, self.b, self.c)))

    def discrete(self):
        """-> A' [D, N, N], B' and C [D, N], complex: the recurrence."""
        lam, p, b, c = map(both, self.continuous())
        half = torch.exp(self.log_dt)[:, None, None] / 2
        a, eye = torch.diag_embed(lam) - p[:, :, None] * p.conj()[:, None], torch.eye(self.states, dtype=lam.dtype)
        left = torch.linalg.inv(eye - half * a)
        return left @ (eye + half * a), 2 * half[..., 0] * (left @ b[..., None])[..., 0], c

    def kernel(self, t):
        """Impulse response [D, t]."""
        lam, p, b, c = self.continuous()
        step = torch.exp(self.log_dt)[:, None]
        power = torch.linalg.matrix_power(self.discrete()[0], t)
        c = (both(c) - (both(c)[:, None] @ power)[:, 0])[:, : self.states // 2]
        turn = -2 * math.pi / t * torch.arange(t // 2 + 1, dtype=step.dtype)
        z = torch.polar(torch.ones_like(turn), turn)
        of = lambda v, w: cauchy(v, w, lam, 1 - z, step / 2 * (1 + z))
        low = step / 2 * (1 + z) * of(c.conj(), p) * of(p, b) / (1 + step / 2 * (1 + z) * of(p, p))
        return torch.fft.irfft(step * (of(c.conj(), b) - low), t)

    def mixing(self, t):
        """A' is diagonal plus rank one, twice (appendix C.2): three complex products a state and step in, half of one out; two
        states in one; D u."""
        return self.dim * (self.states // 2 * (3 * 4 + 2) + 1)


KINDS = {"s4": S4}
ENCODERS = {"s4": dict(title="S4, full kernel", ffn=304, sines=False, kind="s4", states=32)}
