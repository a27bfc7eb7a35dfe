"""Mega (Ma et al. 2023, arXiv 2209.10655) with parts of it taken out, to see what each is for. `without` names some of

    damping   the EMA's decay is q = 1 - alpha, as of a plain one, for q = 1 - alpha delta      (equation 2 for 3)
    reset     h = silu(W_h x' + U_h o)      for U_h (gamma o)                                   (12, 14)
    update    y = x + h                     for x + phi (h - x)                                 (13, 15)

Each goes with its weights: a caller who wants as many parameters as before widens something else. x, y [B, T, D], o and the reset
gate gamma [B, T, H], the update gate phi [B, T, D], attention within chunks as in layers.py. Causal.
"""
import torch
import torch.nn.functional as F
from torch import nn

from ..layers import Ema, Mega

PARTS = ("damping", "reset", "update")


class Undamped(Ema):
    """alpha delta of the damped one is alpha here: the same decays to begin with."""

    def __init__(self, dim, ndim):
        super().__init__(dim, ndim)
        with torch.no_grad():
            self.delta.copy_(torch.logit(torch.sigmoid(self.delta) * torch.sigmoid(self.alpha)))
        self.alpha = None

    def coefficients(self):
        p = torch.sigmoid(self.delta)
        return (p * self.beta)[..., 0], (1 - p)[..., 0], self.gamma / self.gamma.shape[1] ** 0.5


class MegaParts(Mega):
    def __init__(self, dim, *, without, **mega):
        super().__init__(dim, **mega)
        if not set(without) <= set(PARTS) or self.attention in ("additive", "none") or not self.prenorm:
            raise ValueError(f"without: {', '.join(without)}: want some of {', '.join(PARTS)} of a prenorm Mega with chunks")
        self.without = without
        _, z, h, _ = self.dims
        self.split = [0 if "update" in without else dim, z, 0 if "reset" in without else h, dim]  # u, z, r, hx
        self.mx_proj = nn.Linear(dim, sum(self.split))
        if "damping" in without:
            self.move = Undamped(dim, mega["ndim"])

    def forward(self, x0, phase=0):
        x = self.norm(x0)
        u, z, r, hx = self.mx_proj(self.move(x)).split(self.split, -1)
        z = F.silu(z)
        o = self._attend(self.gamma[0] * z + self.beta[0], self.gamma[1] * z + self.beta[1], F.silu(self.v_proj(x)), phase)
        h = F.silu(hx + self.h_proj(o if "reset" in self.without else o * F.silu(r)))
        return x0 + (h if "update" in self.without else torch.sigmoid(u) * (h - x0))

    def state(self, t):
        """The EMA's, and a chunk's keys and values."""
        dim, z, h, _ = self.dims
        return dim * self.move.gamma.shape[1] + min(t, self.chunk) * (z + h)


KINDS = {"mega_parts": MegaParts}  # its rows are in ablations.py
