"""Baselines without attention: recurrences and convolutions, each against the plainest form of its equations."""
import math

import pytest
import torch
from random_layers import made, rand

from kws_train.baselines.dilated import Dilated
from kws_train.baselines.gru import Gru
from kws_train.baselines.resnet import ResNet
from kws_train.baselines.s4 import S4, both, legs
from kws_train.baselines.s4d import S4D


@torch.no_grad()
@pytest.mark.parametrize("t", [2, 11])
def test_resnet_hears_so_many_frames(t):
    m = made(ResNet, 6, width=4, kernel=3)
    y = rand(1, t, 6)
    narrow = torch.relu(m.narrow(y))[0]
    out = torch.zeros(t, 4).double()
    for i in range(t):
        for back in range(min(3, i + 1)):
            out[i] += m.conv.weight[:, :, 2 - back] @ narrow[i - back]
    assert torch.allclose(m.mix(y)[0], m.wide(torch.relu(out + m.conv.bias)), atol=1e-12)
    assert m.mixing(t) == m.conv.weight.numel() and m.state(t) == 2 * 4


@torch.no_grad()
def test_dilated_convolutions_keep_all_levels():
    m = made(Dilated, 6, width=4, kernel=3, dilations=[1, 3])
    y = rand(1, 12, 6)
    level, kept = y[0], []
    for conv, gap in zip(m.levels, (1, 3), strict=True):
        taps = conv.weight.unbind(2)[::-1]  # the newest first
        rows = [sum(w @ level[i - gap * j] for j, w in enumerate(taps) if i >= gap * j) for i in range(12)]
        level = torch.relu(torch.stack(rows) + conv.bias)
        kept.append(level)
    assert torch.allclose(m.mix(y)[0], m.out(torch.cat(kept, 1)), atol=1e-12)
    assert m.mixing(12) == 3 * (4 * 6 + 4 * 4) and m.state(12) == 6 * 2 + 4 * 6


@torch.no_grad()
def test_gru_is_its_recurrence():
    m = made(Gru, 5)
    y = rand(1, 9, 5)
    w, u = m.gru.weight_ih_l0.split(5), m.gru.weight_hh_l0.split(5)
    b, c = m.gru.bias_ih_l0.split(5), m.gru.bias_hh_l0.split(5)
    h, out = torch.zeros(5).double(), []
    for x in y[0]:
        r, z = (torch.sigmoid(w[i] @ x + b[i] + u[i] @ h + c[i]) for i in range(2))
        n = torch.tanh(w[2] @ x + b[2] + r * (u[2] @ h + c[2]))
        h = (1 - z) * n + z * h
        out.append(h)
    assert torch.allclose(m.mix(y)[0], m.out(torch.stack(out)), atol=1e-12)
    assert m.mixing(9) == sum(s.numel() for s in (*w, *u)) and m.state(9) == len(h)


@torch.no_grad()
def test_s4d_convolution_is_its_recurrence():
    m = made(S4D, 6, states=8)
    u = rand(2, 40, 6)
    q, c = m.discrete()
    x, want = torch.zeros(2, 6, 4, dtype=torch.complex128), []
    for t in range(40):
        x = q * x + u[:, t, :, None]
        want.append(2 * (c * x).sum(-1).real + m.skip * u[:, t])
    assert torch.allclose(m.convolve(u), torch.stack(want, 1), atol=1e-11)
    a = torch.complex(-torch.exp(m.log_damp), m.turn)[0]
    assert torch.allclose(a, torch.complex(torch.full((4,), -0.5), math.pi * torch.arange(4.0)).to(a), atol=1e-6)


@torch.no_grad()
def test_s4d_is_its_differential_equation():
    """x' = A x + u, y = 2 Re(C x): what a step of 1 has become after each frame, dt later and later."""
    m = made(S4D, 6, states=8)
    a, c = torch.complex(-torch.exp(m.log_damp), m.turn), torch.complex(m.c[0], m.c[1])
    for frames in (1, 2, 30):
        time = frames * torch.exp(m.log_dt)[:, None]
        want = 2 * (c * (torch.exp(a * time) - 1) / a).sum(1).real
        assert torch.allclose(m.kernel(frames).sum(1), want, atol=1e-11)


@torch.no_grad()
@pytest.mark.parametrize("t", [1, 2, 39, 40])
def test_s4_convolution_is_its_recurrence(t):
    m = made(S4, 6, states=8)
    for p in (m.p, m.b):
        p.add_(0.3 * torch.randn_like(p))  # as if trained: no channel is like another
    m.log_damp.add_(0.3 * torch.randn_like(m.log_damp))
    u = rand(2, t, 6)
    a, b, c = m.discrete()
    x, want = torch.zeros(2, 6, 8, dtype=torch.complex128), []
    for i in range(t):
        x = (a @ x[..., None])[..., 0] + b * u[:, i, :, None]
        want.append((c * x).sum(-1).real + m.skip * u[:, i])
    assert torch.allclose(m.convolve(u), torch.stack(want, 1), atol=1e-11)


@torch.no_grad()
def test_s4_begins_as_hippo_legs():
    """Lambda - P P^* and B against the real matrix: its eigenvalues, and b^* A^k b, which is the same in any basis."""
    lam, p, b = (both(x) for x in legs(8))
    a = torch.diag(lam) - p[:, None] * p.conj()
    n = torch.arange(8, dtype=torch.float64)
    assert torch.allclose(torch.linalg.eigvals(a).real.sort().values, -(n + 1).flip(0), atol=1e-6)
    root = torch.sqrt(2 * n + 1)
    real = -torch.tril(root[:, None] * root, -1) - torch.diag(n + 1)
    moment = lambda a, b, k: (b.conj() @ torch.linalg.matrix_power(a, k) @ b).real
    assert all(torch.allclose(moment(a, b, k), moment(real, root, k)) for k in range(4))
    m = S4(3, states=8)
    assert all(torch.allclose(both(x)[2], y.to(x), atol=1e-5) for x, y in zip(m.continuous(), (lam, p, b), strict=False))
