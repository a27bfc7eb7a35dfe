"""The rows and points of an embedding (docs/model-format.md): linear ones, and ones by causal layers that learn from them.

Principal: a row is what both networks say of 80 ms, on the principal axes of speech; a point is the last rows, on theirs; each
value has variance 1. Layered: Mega and feed-forward layers lie between, whose EMA remembers what noise there is. They hear speech
as rooms, microphones and noise have made it, and learn to say what the principal points are of the same speech clean. With p a
point of theirs of spoilt speech and t the principal one of the clean, both of length 1, the loss is the sum of

    1 - p.t     and CLEAN times the same for points p of the clean speech: what is well heard stays
    InfoNCE     of p.t / TAU among DRAWN moments of a batch, both ways: p is to be nearer to its own t than to those of other
                moments, so that no mean of all speech will do (A. van den Oord et al., "Representation learning with
                contrastive predictive coding", arXiv 1807.03748, equation 4)
"""
import time

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from .model import KINDS, network_spec

CLEAN, TAU = 0.3, 0.1
DRAWN = 512
NEAR = 4  # rows: moments so near to each other say nearly the same, and are not told apart
FIRST = 8  # rows of a stream that do not count: too little came before them
SHUT = -2.0  # of an update gate's bias at first: a layer begins by changing little
SMALL = 0.02  # of the mean variance, added to that of each axis


def axes(x, n):
    """x [m, d] -> variances [n] and directions [d, n] of its first principal axes."""
    value, vector = np.linalg.eigh(np.cov(x.T, dtype=np.float64))
    return value[::-1][:n].copy(), vector[:, ::-1][:, :n].copy()


def windows(x, n):
    """Rows [..., m, d] -> the last n of them, oldest first [..., m, n * d]; zeros before the start."""
    return F.pad(x, (0, 0, n - 1, 0)).unfold(-2, n, 1).transpose(-1, -2).flatten(-2)


class Points(nn.Module):
    """What rows and points have in common. rows(x): what both networks say [..., m, d] -> [..., m, dim]."""

    def __init__(self, dim, window, rank):
        super().__init__()
        self.dim, self.window = dim, window
        self.point = nn.Linear(window * dim, rank)

    def forward(self, x, phase=0):
        """x [..., m, d] -> points of length 1 [..., m, rank]."""
        return F.normalize(self.point(windows(self.rows(x, phase), self.window)), dim=-1)


class Principal(Points):
    """Linear: on the principal axes of x float32 [m, d], recordings one after the other."""

    def __init__(self, x, dim, window, rank):
        super().__init__(dim, window, rank)
        x = x.astype(np.float64)
        mean, std = x.mean(0), x.std(0) + 1e-3
        value, vector = axes((x - mean) / std, dim)
        self.row = nn.Linear(x.shape[1], dim)
        to_row = vector / std[:, None] / np.sqrt(value)  # [d, dim]: variance 1
        over = windows(torch.from_numpy(((x - mean) @ to_row).astype(np.float32)), window)[window:].numpy()
        middle = over.mean(0, dtype=np.float64)
        spread, direction = axes(over[:: max(1, len(over) // 60000)], rank)
        whiten = direction / np.sqrt(spread + SMALL * over.var(0, dtype=np.float64).mean())  # [window * dim, rank]
        self.load_state_dict({"row.weight": torch.from_numpy(to_row.T), "row.bias": torch.from_numpy(-mean @ to_row),
                              "point.weight": torch.from_numpy(whiten.T), "point.bias": torch.from_numpy(-middle @ whiten)})
        self.register_buffer("mean", torch.from_numpy(mean).float())
        self.register_buffer("scale", torch.from_numpy(std).float())

    def rows(self, x, phase=0):
        return self.row(x)


class Layered(Points):
    """With `depth` pairs of layers of `width` values. It begins by saying nearly what `linear`, a Principal, says."""

    def __init__(self, linear, width, depth):
        super().__init__(linear.dim, linear.window, linear.point.out_features)
        self.spec = network_spec(width, hdim=width * 4 // 3, ffn=2 * width, depth=depth)["layers"]
        self.row, self.out = nn.Linear(linear.row.in_features, width), nn.Linear(width, self.dim)
        self.layers = nn.ModuleList(KINDS[s["kind"]](width, **{k: v for k, v in s.items() if k != "kind"}) for s in self.spec)
        for m in self.layers.modules():
            if isinstance(m, nn.Linear):
                nn.init.normal_(m.weight, std=0.02)
                nn.init.zeros_(m.bias)
        nn.init.normal_(self.row.weight, std=self.row.in_features ** -0.5)
        with torch.no_grad():
            self.row.weight /= linear.scale  # further values of variance 1, too
            self.row.bias.copy_(-self.row.weight @ linear.mean)
            self.row.weight[: self.dim], self.row.bias[: self.dim] = linear.row.weight, linear.row.bias
            self.out.weight.copy_(torch.eye(self.dim, width))
            self.out.bias.zero_()
            for layer in self.layers:
                if hasattr(layer, "mx_proj"):
                    layer.mx_proj.bias[:width] = SHUT
        self.point.load_state_dict(linear.point.state_dict())

    def rows(self, x, phase=0):
        x = self.row(x)
        for layer in self.layers:
            x = layer(x, phase)
        return self.out(x)

    @torch.no_grad()
    def settle(self, x):
        """Turn the rows so that each of their values, of x [..., m, d], has variance 1, as a bank needs it. Points stay."""
        rows = self.rows(x)[..., FIRST:, :].flatten(0, -2).double().numpy()
        middle = rows.mean(0)
        value, vector = axes(rows, self.dim)
        turn, back = torch.from_numpy(vector / np.sqrt(value)), torch.from_numpy(vector * np.sqrt(value))
        point = self.point.weight.double().unflatten(1, (self.window, self.dim))
        self.point.bias += (point @ torch.from_numpy(middle)).sum(1).float()
        self.point.weight.copy_((point @ back).flatten(1))
        self.out.weight.copy_(turn.T @ self.out.weight.double())
        self.out.bias.copy_(turn.T @ (self.out.bias.double() - torch.from_numpy(middle)))


def told_apart(p, t, rng):
    """InfoNCE of points p, t [b, m, rank], both of length 1."""
    at, when = rng.integers(len(p), size=DRAWN), rng.integers(FIRST, p.shape[1], size=DRAWN)
    near = torch.from_numpy((at[:, None] == at) & (np.abs(when[:, None] - when) < NEAR)).fill_diagonal_(False)
    alike = (p[at, when] @ t[at, when].T / TAU).masked_fill(near, -1e9)
    own = torch.arange(DRAWN)
    return (F.cross_entropy(alike, own) + F.cross_entropy(alike.T, own)) / 2


def learn(net, linear, said, heard, steps, batch, rate, seed):
    """Train the layered net on what both networks hear of pairs: said, heard float16 [n, m, d]."""
    rng, start, losses = np.random.default_rng(seed), time.time(), []
    opt = torch.optim.AdamW(net.parameters(), rate, weight_decay=0.01)
    for step in range(steps):
        for group in opt.param_groups:
            group["lr"] = rate * min(1.0, (step + 1) / 100) * (0.5 + 0.5 * np.cos(np.pi * step / steps))
        some = rng.choice(len(said), min(batch, len(said)), replace=False)
        clean, spoilt = said[some].float(), heard[some].float()
        with torch.no_grad():
            want = linear(clean)
        both = net(torch.cat([spoilt, clean]), int(rng.integers(25)))
        alike = (both * torch.cat([want, want])).sum(-1)[:, FIRST:]
        far, far_clean = (1 - alike[: len(some)]).mean(), (1 - alike[len(some):]).mean()
        apart = told_apart(both[: len(some)], want, rng)
        opt.zero_grad()
        (far + CLEAN * far_clean + apart).backward()
        nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        opt.step()
        losses.append([float(x.detach()) for x in (far, far_clean, apart)])
        if (step + 1) % 200 == 0 or step + 1 == steps:
            far, far_clean, apart = np.mean(losses, 0)
            print(f"{step + 1}\tspoilt {far:.4f}\tclean {far_clean:.4f}\tapart {apart:.4f}\t{time.time() - start:.0f} s",
                  flush=True)
            losses = []
