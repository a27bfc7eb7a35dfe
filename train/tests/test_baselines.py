"""Baselines with attention, each against the plainest form of its equations; and all of them against the future."""
import math

import pytest
import torch
from random_layers import made, rand

from kws_train.baselines.bigbird import BigBird
from kws_train.baselines.flash import Flash
from kws_train.baselines.linear import Linear
from kws_train.baselines.linformer import Linformer
from kws_train.baselines.longformer import Longformer
from kws_train.baselines.luna import Luna
from kws_train.baselines.mega_both import MegaBoth
from kws_train.baselines.mixer import BLOCK, Sines, chunks, merge, running, sines, split
from kws_train.baselines.performer import Performer
from kws_train.baselines.pooling import Pooling
from kws_train.baselines.reformer import Reformer
from kws_train.baselines.transformer import Transformer, attend
from kws_train.baselines.transformer_xl import TransformerXL
from kws_train.baselines.vit import VisionTransformer
from kws_train.encoders import ENCODERS
from kws_train.export import save_model
from kws_train.features import FeatureConfig
from kws_train.model import Net

BASELINES = [k for k, e in ENCODERS.items() if not e.in_c]


@pytest.mark.parametrize("name", BASELINES)
@torch.no_grad()
def test_future_matters_only_where_it_is_said(name):
    torch.manual_seed(1)
    net = Net(ENCODERS[name].network, 40, 4).double().eval()
    for p in net.parameters():
        if p.ndim == 2:
            p.mul_(5)
    x = rand(1, 100, 40)
    y = x.clone()
    y[:, 60:] += rand(1, 40, 40)
    same = torch.allclose(net(x)[:, :30], net(y)[:, :30], atol=1e-9)
    assert same == all(layer.causal for layer in net.layers.values() if hasattr(layer, "causal"))


@pytest.mark.parametrize("name", BASELINES)
def test_is_refused_in_model_files(name, tmp_path):
    net = Net(ENCODERS[name].network, 40, 5)
    with pytest.raises(ValueError, match="only the twin"):
        save_model(tmp_path / "m.safetensors", net, FeatureConfig(), ["a", "b", "c", "d", "e"], "m")
    assert not list(tmp_path.iterdir())


def test_sines():
    x = Sines(6)(torch.zeros(1, 4, 6))[0]
    for t in range(4):
        for i in range(3):
            angle = t / 10000 ** (2 * i / 6)
            assert abs(x[t, 2 * i] - math.sin(angle)) < 1e-6 and abs(x[t, 2 * i + 1] - math.cos(angle)) < 1e-6


def naive(q, k, v, heard):
    """Softmax attention frame by frame, heard(g, i) the frames that i hears; q, k, v [G, T, d]."""
    out = torch.zeros_like(v)
    for g in range(len(q)):
        for i in range(q.shape[1]):
            js = heard(g, i)
            w = torch.stack([q[g, i] @ k[g, j] / math.sqrt(q.shape[2]) for j in js])
            out[g, i] = sum(a * v[g, j] for a, j in zip(torch.softmax(w, 0), js, strict=True))
    return out


def parts(layer, y):
    return [split(s, layer.heads) for s in layer.qkv(y).chunk(3, -1)]


@torch.no_grad()
@pytest.mark.parametrize("fused", [False, True])
def test_transformer_is_attention_over_the_past(fused):
    m = made(Transformer, 8, heads=2, fused=fused)
    y = rand(1, 7, 8)
    q, k, v = (s[0] for s in parts(m, y))
    assert torch.allclose(m.mix(y), m.out(merge(naive(q, k, v, lambda g, i: range(i + 1))[None])), atol=1e-12)


@torch.no_grad()
def test_vit_is_attention_over_the_clip():
    m = made(VisionTransformer, 8, heads=2)
    y = rand(1, 7, 8)
    q, k, v = (s[0] for s in parts(m, y))
    assert torch.allclose(m.mix(y), m.out(merge(naive(q, k, v, lambda g, i: range(7))[None])), atol=1e-12)


@torch.no_grad()
def test_bigbird_hears_window_globals_and_some():
    m = made(BigBird, 8, heads=2, window=3, globals=2, random=2, max_positions=30)
    assert all(len(row[row >= 0].unique()) == len(row[row >= 0]) for row in m.heard)  # each once
    sets = [set(row[row >= 0].tolist()) for row in m.heard]
    extra = 0
    for i, heard in enumerate(sets):
        sure = {j for j in range(i + 1) if i - j < 3 or j < 2 or i < 2}
        assert sure <= heard and max(heard) == i
        assert len(heard - sure) <= 2
        extra += len(heard - sure)
    assert extra > 20
    y = rand(1, 20, 8)
    q, k, v = (s[0] for s in parts(m, y))
    assert torch.allclose(m.mix(y), m.out(merge(naive(q, k, v, lambda g, i: sorted(sets[i]))[None])), atol=1e-12)
    assert m.mixing(20) == 2 * 8 * sum(len(s) for s in sets[:20]) / 20


@torch.no_grad()
def test_linformer_with_nothing_projected_is_full_attention():
    m = made(Linformer, 8, heads=2, rank=9, max_positions=12)
    m.over_time.zero_()
    m.over_time[:, :, :9] = torch.eye(9)
    y = rand(2, 9, 8)
    want = attend(*parts(m, y), torch.ones(9, 9, dtype=torch.bool))
    assert torch.allclose(m.mix(y), m.out(merge(want)), atol=1e-12)
    m.over_time[1, 0, 8] = 1.0
    assert not torch.allclose(m.mix(y), m.out(merge(want)), atol=1e-3)


def shared(m, y):
    q, v = split(m.qk(y), m.heads)[0], split(m.v(y), m.heads)[0]
    return q, q / q.norm(dim=-1, keepdim=True), v


@torch.no_grad()
def test_reformer_with_one_bucket_is_full_attention():
    m = made(Reformer, 8, heads=2, buckets=4, rounds=2)
    m.rotations.zero_()
    y = rand(1, 9, 8)
    want = naive(*shared(m, y), lambda g, i: range(max(i, 1)))  # not itself, but for the first
    assert torch.allclose(m.mix(y), m.out(merge(want[None])), atol=1e-12)


@torch.no_grad()
def test_reformer_hears_its_buckets():
    m = made(Reformer, 8, heads=2, buckets=4, rounds=2)
    y = rand(1, 30, 8)
    q, k, v = shared(m, y)

    def bucket(r, g, i):
        x = (q[g, i] @ m.rotations[r, 0, g]).tolist()
        x += [-e for e in x]
        return x.index(max(x))

    def heard(g, i):
        return [j for j in range(i) if any(bucket(r, g, j) == bucket(r, g, i) for r in range(2))] or [i]

    sizes = [len(heard(g, i)) for g in range(2) for i in range(30)]
    assert min(sizes) == 1 and 5 < max(sizes) < 29
    assert torch.allclose(m.mix(y), m.out(merge(naive(q, k, v, heard)[None])), atol=1e-12)


@torch.no_grad()
@pytest.mark.parametrize("t, rounds", [(200, 1), (200, 3), (333, 2)])
def test_reformer_sorted_is_reformer_masked(t, rounds):
    """As long as no bucket is larger than a chunk; and then again, where all are, but the first and last chunks."""
    m = made(Reformer, 8, heads=2, buckets=16, rounds=rounds)
    y = rand(2, t, 8)
    q, v = split(m.qk(y), 2), split(m.v(y), 2)
    k, bucket = q / q.norm(dim=-1, keepdim=True), torch.randint(0, 16, (rounds, 2, 2, t))
    assert torch.nn.functional.one_hot(bucket, 16).sum(3).max() <= 2 * math.ceil(t / 16)
    assert torch.allclose(m.sorted(q, k, v, bucket), m.masked(q, k, v, bucket), atol=1e-12)
    bucket[:] = 3
    assert not torch.allclose(m.sorted(q, k, v, bucket), m.masked(q, k, v, bucket), atol=1e-3)


@pytest.mark.parametrize("t, phase, before, n", [(12, 0, 0, 3), (9, 2, 2, 3), (1, 7, 3, 1), (5, 0, 0, 2)])
def test_chunks_begin_where_it_is_said(t, phase, before, n):
    added, there = chunks(t, 4, phase)
    assert there.shape == (n, 4) and added == (before, 4 * n - t - before)
    assert there.flatten().nonzero()[:, 0].tolist() == list(range(before, before + t))


@torch.no_grad()
@pytest.mark.parametrize("t, phase", [(14, 0), (14, 3), (2, 3), (3, 0)])
def test_transformer_xl_frame_by_frame(t, phase):
    m = made(TransformerXL, 8, heads=2, chunk=4)
    m.u.normal_()
    m.v.normal_()
    x = rand(1, t, 8)
    y = m.norm(x)
    q, (k, v) = m.q(y)[0], (s[0] for s in m.kv(y).chunk(2, -1))
    r = m.place(sines(8, 8).double())
    out, heard = [], 0
    for i in range(t):
        first = (i + phase % 4) // 4 * 4 - 4 - phase % 4  # of the chunk before
        js = range(max(0, first), i + 1)
        heard += len(js)
        for g, cut in enumerate((slice(0, 4), slice(4, 8))):
            s = torch.stack([(q[i, cut] + m.u[g, 0]) @ k[j, cut] + (q[i, cut] + m.v[g, 0]) @ r[i - j, cut] for j in js])
            out.append(torch.softmax(s / 2, 0) @ v[list(js), cut])  # 2 = sqrt(d)
    assert torch.allclose(m(x, phase)[0], x[0] + m.out(torch.cat(out).view(t, 8)), atol=1e-12)
    if not phase:
        assert m.mixing(t) == pytest.approx(3 * 8 * heard / t - 64)


def test_transformer_xl_learns_nothing_through_its_memory():
    m = made(TransformerXL, 8, heads=2, chunk=4)
    x = rand(1, 8, 8).requires_grad_()
    m(x)[0, 4:].square().sum().backward()
    assert (x.grad[0, 4:] != 0).all() and (x.grad[0, :4] == 0).all()
    y = x.detach().clone()
    y[0, 0] = rand(8)
    assert not torch.allclose(m(x)[0, 4:], m(y)[0, 4:])  # but hears it


@torch.no_grad()
@pytest.mark.parametrize("t, phase", [(14, 0), (14, 3), (2, 3), (3, 0)])
def test_flash_frame_by_frame(t, phase):
    m = made(Flash, 6, zdim=3, edim=5, chunk=4)
    for p in (m.scale, m.offset, m.bias):
        p.normal_()
    x = rand(1, t, 6)
    z, u, v = torch.nn.functional.silu(m.zuv(m.norm(x)))[0].split([3, 5, 5], -1)
    q, k, q_far, k_far = (z * m.scale[i] + m.offset[i] for i in range(4))
    out, sums, frames, own, own_frames = [], torch.zeros(3, 5).double(), 0, torch.zeros(3, 5).double(), 0
    for i in range(t):
        if (i + phase) % 4 == 0:  # the chunk that has ended is now one of those before
            sums, frames, own, own_frames = sums + own, frames + own_frames, torch.zeros(3, 5).double(), 0
        first = max(0, i - (i + phase) % 4)
        near = sum(torch.relu(q[i] @ k[j] / 4 + m.bias[i - j]) ** 2 * v[j] for j in range(first, i + 1))
        far = q_far[i] @ sums / max(frames, 1)
        own, own_frames = own + torch.outer(k_far[i], v[i]), own_frames + 1
        out.append(u[i] * (near + far))
    assert torch.allclose(m(x, phase)[0], x[0] + m.out(torch.stack(out)), atol=1e-12)
    assert m.state(t) == 4 * (3 + 5) + sums.numel() + own.numel()


@torch.no_grad()
@pytest.mark.parametrize("t", [1, BLOCK, 2 * BLOCK + 1, 3 * BLOCK])
def test_running_sums(t):
    q, k, v = rand(2, t, 3), rand(2, t, 3), rand(2, t, 5)
    s, want = 0, []
    for i in range(t):
        s = s + k[:, i, :, None] * v[:, i, None, :]
        want.append((q[:, i, None] @ s)[:, 0])
    assert torch.allclose(running(q, k, v), torch.stack(want, 1), atol=1e-11)


@torch.no_grad()
def test_linear_transformer_is_its_recurrence():
    m = made(Linear, 8, heads=2)
    y = rand(1, 9, 8)
    q, k, v = (s[0] for s in parts(m, y))
    phi = lambda x: torch.where(x > 0, x + 1, torch.exp(x))
    s, z, out = torch.zeros(2, 4, 4).double(), torch.zeros(2, 4).double(), []
    for i in range(9):
        s, z = s + phi(k[:, i, :, None]) * v[:, i, None], z + phi(k[:, i])
        out.append((phi(q[:, i, None]) @ s)[:, 0] / (phi(q[:, i]) * z).sum(-1, keepdim=True))
    assert torch.allclose(m.mix(y), m.out(merge(torch.stack(out, 1)[None])), atol=1e-12)
    assert m.state(9) == s.numel() + z.numel()


@torch.no_grad()
def test_longformer_hears_windows_with_gaps():
    m = made(Longformer, 8, window=3, dilations=[1, 4])
    y = rand(1, 14, 8)
    q, k, v = (s[0] for s in parts(m, y))
    heard = lambda g, i: [j for j in (i, i - (1, 4)[g], i - 2 * (1, 4)[g]) if j >= 0]
    assert torch.allclose(m.mix(y), m.out(merge(naive(q, k, v, heard)[None])), atol=1e-12)
    assert m.mixing(14) == pytest.approx(8 * sum(len(heard(g, i)) for g in range(2) for i in range(14)) / 14)
    assert m.state(14) == 2 * 4 * (2 + 8)


@torch.no_grad()
def test_poolingformer_hears_a_window_and_pools():
    m = made(Pooling, 8, heads=2, window=3, wide=8, pool=4)
    y = rand(1, 19, 8)
    q, k, v = (split(s, 2)[0] for s in m.near(y).chunk(3, -1))
    first = merge(naive(q, k, v, lambda g, i: range(max(0, i - 2), i + 1))[None])
    q, k, v = (s[0] for s in m.far(first).chunk(3, -1))

    def pooled(x, weigh, n):
        own = x[4 * n : 4 * n + 4]
        return sum(a * f for a, f in zip(torch.softmax(weigh(own[2]), 0), own, strict=True))

    second = torch.zeros(19, 8).double()
    for i in range(19):
        pools = [n for n in range(5) if 4 * n + 3 <= i][-2:]
        for cut in (slice(0, 4), slice(4, 8)):
            w = [q[i, cut] @ pooled(k, m.weigh_k, n)[cut] / 2 for n in pools]  # 2 = sqrt(d)
            for a, n in zip(torch.softmax(torch.stack(w), 0), pools, strict=True) if pools else ():
                second[i, cut] += a * pooled(v, m.weigh_v, n)[cut]
    assert torch.allclose(m.mix(y)[0], m.out(first[0] + second), atol=1e-6)  # the pools' weights are float32


@torch.no_grad()
def test_performer_product_is_its_prefix_sums():
    m = made(Performer, 8, heads=2, features=5)
    q, k, v = parts(m, rand(2, 11, 8))
    q, k = m.phi(q, True), m.phi(k, False)
    s, z, want = 0, 0, []
    for i in range(11):
        s = s + k[:, :, i, :, None] * v[:, :, i, None, :]
        z = z + k[:, :, i]
        want.append((q[:, :, i, None] @ s)[:, :, 0] / (q[:, :, i] * z).sum(-1, keepdim=True))
    assert torch.allclose(m.sums(q, k, v), torch.stack(want, 2), atol=1e-12)


@torch.no_grad()
def test_performer_estimates_softmax_attention():
    m = made(Performer, 8, heads=2, features=20000)
    y = 0.4 * rand(1, 12, 8)
    q, k, v = parts(m, y)
    err = (m.sums(m.phi(q, True), m.phi(k, False), v)[0] - naive(q[0], k[0], v[0], lambda g, i: range(i + 1))).abs().max()
    assert err < 0.15
    block = m.w[:4] / m.w[:4].norm(dim=1, keepdim=True)
    assert torch.allclose(block @ block.T, torch.eye(4).double(), atol=1e-6)


@torch.no_grad()
def test_luna_packs_and_unpacks():
    m = made(Luna, 8, heads=2, length=3)
    y = rand(1, 10, 8)
    d, out = 4, []
    for g in range(2):
        cut = slice(g * d, (g + 1) * d)
        p, c, q, x = m.p(m.memory)[:, cut], m.c(y)[0, :, cut], m.q(y)[0, :, cut], m.kv(y)[0, :, cut]
        pack = torch.log2(1 + 2 ** (c @ p.T / 2))  # [T, L]; 2 = sqrt(d)
        rows = []
        for t in range(10):
            to_memory = sum(torch.outer(x[j], pack[j]) for j in range(t + 1)) / (t + 1)
            a = torch.softmax(q[t] / 2 @ to_memory, 0)
            rows.append(a @ (sum(torch.outer(pack[j], x[j]) for j in range(t + 1)) / (t + 1)))
        out.append(torch.stack(rows))
    assert torch.allclose(m.mix(y)[0], m.out(torch.cat(out, 1)), atol=1e-12)


@torch.no_grad()
@pytest.mark.parametrize("chunk, t", [(-1, 13), (5, 13), (5, 15), (5, 3)])
def test_mega_both_ways_frame_by_frame(chunk, t):
    m = made(MegaBoth, 6, zdim=4, hdim=8, ndim=3, max_positions=20, chunk=chunk)
    m.gamma.normal_()
    m.bias.rel_pos_bias.normal_()
    x0 = rand(1, t, 6)
    x = m.norm(x0)[0]
    ahead, back = m.ahead.kernel(t), m.back.kernel(t)
    silu = torch.nn.functional.silu
    moved = torch.stack([sum(ahead[:, i - j] * x[j] for j in range(i + 1)) + sum(back[:, j - i] * x[j] for j in range(i, t))
                         for i in range(t)])
    z, g, u, hx = m.mx_proj(silu(moved + m.ahead.omega * x)).split([4, 8, 6, 6], -1)
    z, v = silu(z), silu(m.v_proj(x))
    q, k = m.gamma[0] * z + m.beta[0], m.gamma[1] * z + m.beta[1]
    out = []
    for i in range(t):
        js = [j for j in range(t) if chunk < 0 or i // chunk == j // chunk]
        s = torch.stack([q[i] @ k[j] / 2 + m.bias.rel_pos_bias[m.bias.positions - 1 + j - i] for j in js])
        o = sum(a * v[j] for a, j in zip(torch.softmax(s, 0), js, strict=True))
        h = silu(hx[i] + m.h_proj(o * silu(g[i])))
        out.append(x0[0, i] + torch.sigmoid(u[i]) * (h - x0[0, i]))
    assert torch.allclose(m(x0)[0], torch.stack(out), atol=1e-6)
