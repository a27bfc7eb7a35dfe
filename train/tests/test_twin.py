"""Features, network, export and mixing by properties."""
import math

import numpy as np
import pytest
import torch

from kws_train.data import SILENCE, UNKNOWN
from kws_train.export import save_model
from kws_train.features import CONTRACTS, log_mel, mel_matrix
from kws_train.golden import CASES, FAST, FAST_CASES, MORE_CASES, SMALL, TINY, spec_of, wild
from kws_train.layers import Additive, Ema, Mega
from kws_train.mix import word_limits
from kws_train.model import Net, fastformer_spec, network_spec
from kws_train.model_file import load_model

WORDS = ["red", "green", UNKNOWN, SILENCE]


def tiny(case, seed=3):
    net = Net(spec_of(case), TINY.n_mels, 4)
    wild(net, seed)
    return net.double().eval()


@pytest.mark.parametrize("cfg", CONTRACTS.values(), ids=CONTRACTS)
def test_tone_peaks_in_its_band(cfg):
    for band in (9, 17, 30):
        top = mel_matrix(cfg)[band].argmax()
        x = 0.5 * np.sin(2 * np.pi * top * cfg.rate_hz / cfg.n_fft * np.arange(8000) / cfg.rate_hz)
        assert (log_mel(x, cfg)[5:].argmax(1) == band).all()


def test_features_are_causal_and_float32_is_enough():
    rng = np.random.default_rng(1)
    x = 0.1 * rng.standard_normal(16000)
    whole = log_mel(x)
    assert np.abs(whole[:40] - log_mel(x[: 40 * 160])).max() < 1e-5  # BLAS rounds by shape
    assert np.abs(whole - log_mel(x, dtype=np.float64)).max() < 1e-4
    assert np.all(log_mel(np.zeros(1600)) == np.float32(np.log(np.float32(1e-4))))


@pytest.mark.parametrize("case", [c for c in [*CASES, *FAST_CASES, *MORE_CASES] if "batchnorm" not in c and "clip" not in c])
@torch.no_grad()
def test_future_does_not_matter(case):
    net = tiny(case)
    x = torch.randn(1, 40, TINY.n_mels, dtype=torch.float64)
    part = net(x[:, :24])
    assert torch.allclose(net(x)[:, : part.shape[1]], part, atol=1e-12)


@torch.no_grad()
def test_toeplitz_fft_and_recurrence_agree():
    torch.manual_seed(1)
    ema = Ema(5, 4).double()
    x = torch.randn(2, 450, 5, dtype=torch.float64)
    a, q, c = ema.coefficients()
    h, steps = torch.zeros(2, 5, 4, dtype=torch.float64), []
    for t in range(450):
        h = q * h + a * x[:, t, :, None]
        steps.append(torch.nn.functional.silu((c * h).sum(-1) + ema.omega * x[:, t]))
    want = torch.stack(steps, 1)
    assert torch.allclose(ema(x), want, atol=1e-12)  # FFT
    assert torch.allclose(ema(x[:, :100]), want[:, :100], atol=1e-12)  # Toeplitz


@pytest.mark.parametrize("phase", range(5))
@torch.no_grad()
def test_phase_is_a_shortened_first_chunk(phase):
    """Frames behind the first boundary must see the chunks where a sequence that started there puts them."""
    torch.manual_seed(2)
    m = Mega(8, zdim=4, hdim=12, ndim=3, chunk=5, attention="softmax", rel_pos_bias="simple", norm="layernorm",
             prenorm=True).double().eval()
    q, k, v = (torch.randn(1, 13, d, dtype=torch.float64) for d in (4, 4, 12))
    got = m._attend(q, k, v, phase)
    cut = 5 - phase
    want = torch.cat([m._attend(q[:, :cut], k[:, :cut], v[:, :cut], 0), m._attend(q[:, cut:], k[:, cut:], v[:, cut:], 0)], 1)
    assert torch.allclose(got, want, atol=1e-12)


@torch.no_grad()
def test_prefix_sums_and_recurrence_agree():
    """The running form, with the weight of the largest score held at 1; three segments."""
    torch.manual_seed(4)
    a = Additive(6, heads=2, forget=True).double()
    a.forget.normal_(-3.0, 1.0)
    a.query_att.weight.mul_(20)
    q, k = torch.randn(2, 600, 6, dtype=torch.float64)
    lag = a.rates()
    state = [[torch.full((2,), -math.inf, dtype=torch.float64), torch.zeros(2).double(), torch.zeros(2, 3).double()]
             for _ in range(2)]

    def pool(s, rate, att, x):
        e = att(x) / math.sqrt(3)
        m = torch.maximum(s[0] - rate, e)
        old, new = torch.exp(s[0] - rate - m), torch.exp(e - m)
        s[:] = m, old * s[1] + new, old[:, None] * s[2] + new[:, None] * x.view(2, 3)
        return (s[2] / s[1][:, None]).flatten()

    want = []
    for t in range(600):
        p = k[t] * pool(state[0], lag[0], a.query_att, q[t])
        want.append(q[t] * pool(state[1], lag[1], a.key_att, p))
    assert torch.allclose(a(q[None], k[None])[0], torch.stack(want), atol=1e-11)


def test_masked_frames_have_gradients_in_fastformer():
    """What masks leave is the mean, which is zeros behind the features' normalisation."""
    net = Net(fastformer_spec(**FAST, stack=2), TINY.n_mels, 4)
    net(torch.zeros(1, 20, TINY.n_mels)).sum().backward()
    assert max(p.grad.norm() for p in net.parameters() if p.grad is not None) < 1e3


def test_shared_layers_have_one_set_of_tensors():
    net = Net(spec_of("fastformer_shared"), TINY.n_mels, 4)
    assert net.order == ["0", "0", "0"]
    assert {n.split(".")[1] for n, _ in net.named_parameters() if n.startswith("layers.")} == {"0"}


def test_export_round_trip(tmp_path):
    net = Net(network_spec(**SMALL), TINY.n_mels, len(WORDS))
    wild(net, 5)
    save_model(tmp_path / "m.safetensors", net, TINY, WORDS, "m")
    again, cfg, words, meta = load_model(tmp_path / "m.safetensors")
    x = torch.randn(1, 20, TINY.n_mels)
    assert cfg == TINY and words == WORDS and meta["format"] == "kws-model"
    assert torch.equal(again(x), net.eval()(x))


def test_word_limits_find_a_burst():
    rng = np.random.default_rng(4)
    x = 1e-3 * rng.standard_normal(16000)
    x[5000:9000] += 0.2 * rng.standard_normal(4000)
    lo, hi = word_limits(x)
    assert abs(lo - 5000) <= 400 and abs(hi - 9000) <= 400
