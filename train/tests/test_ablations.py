"""Mega and Fastformer with parts changed or taken out, against the plainest form of what is left."""
import json
from dataclasses import replace

import made
import numpy as np
import pytest
import torch
from torch.nn.functional import silu

from kws_train import encoders
from kws_train.baselines.fastformer_parts import FastformerParts
from kws_train.baselines.mega_parts import MegaParts, Undamped
from kws_train.cost import multiply_adds
from kws_train.data import CLIP, Corpus
from kws_train.encoders import ABLATIONS, CHANGES, ENCODERS
from kws_train.export import save_model
from kws_train.features import FeatureConfig, log_mel
from kws_train.layers import Ema, Fastformer, Mega
from kws_train.model import Net, network_spec
from kws_train.raw import Waves
from kws_train.report import BEGIN
from kws_train.runs import Run, short
from kws_train.tables import read

MEGA = dict(zdim=4, hdim=8, ndim=3, chunk=5, attention="softmax", rel_pos_bias="simple", norm="layernorm", prenorm=True)
BLOCK = dict(heads=2, ffn=12, forget=True, causal=True)


def rough(layer):
    """In float64, with weights large enough that all terms show."""
    torch.manual_seed(5)
    with torch.no_grad():
        for p in layer.parameters():
            if p.ndim <= 2:
                p.normal_(std=0.7)
    return layer.double().eval()


def net_of(name):
    return ABLATIONS[name].net(40, 12)


def parameters(name):
    return sum(p.numel() for p in net_of(name).parameters())


def test_all_but_the_shared_layers_are_of_one_size():
    sizes = {name: parameters(name) for name, e in ABLATIONS.items() if name != "fastformer-one-layer" and not e.raw}
    assert max(sizes.values()) < 1.02 * min(sizes.values())
    assert parameters("fastformer-one-layer") < 0.5 * min(sizes.values())


def test_each_is_compared_with_what_it_is_changed_from():
    assert {one for one, _, _ in CHANGES} == set(ABLATIONS) - {"mega", "fastformer"}
    assert {other for _, other, _ in CHANGES} == {"mega", "fastformer"}
    titles = [e.title for e in (ABLATIONS | ENCODERS).values()]
    assert len(set(titles)) == len(titles)
    networks = [json.dumps(e.network) for e in (ABLATIONS | ENCODERS).values()]
    assert len(set(networks)) == len(networks)


@torch.no_grad()
def test_nothing_taken_out_is_the_encoder_itself():
    x = torch.randn(2, 13, 6, dtype=torch.float64)
    whole, parts = Mega(6, **MEGA), MegaParts(6, without=[], **MEGA)
    parts.load_state_dict(rough(whole).state_dict())
    assert torch.equal(parts.double()(x, 3), whole(x, 3))
    whole, parts = Fastformer(6, **BLOCK), FastformerParts(6, shares_values=True, shares_heads=False, **BLOCK)
    parts.load_state_dict(rough(whole).state_dict())
    assert torch.equal(parts.double()(x), whole(x))


@torch.no_grad()
@pytest.mark.parametrize("without", [["reset"], ["update"], ["reset", "update", "damping"]])
def test_mega_without_gates(without):
    m = rough(MegaParts(6, without=without, **MEGA))
    x0 = torch.randn(1, 9, 6, dtype=torch.float64)
    x = m.norm(x0)
    moved = m.move(x)
    w, b = m.mx_proj.weight, m.mx_proj.bias
    cut, rows = 0, {}
    for name, n in (("u", 6), ("z", 4), ("r", 8), ("h", 6)):
        n = 0 if {"u": "update", "r": "reset"}.get(name) in without else n
        rows[name] = moved @ w[cut : cut + n].T + b[cut : cut + n]
        cut += n
    assert cut == len(w)
    z = silu(rows["z"])
    o = m._attend(m.gamma[0] * z + m.beta[0], m.gamma[1] * z + m.beta[1], silu(m.v_proj(x)), 0)
    h = silu(rows["h"] + m.h_proj(o if "reset" in without else o * silu(rows["r"])))
    want = x0 + h if "update" in without else (1 - torch.sigmoid(rows["u"])) * x0 + torch.sigmoid(rows["u"]) * h
    assert torch.allclose(m(x0), want, atol=1e-12)


@torch.no_grad()
def test_ema_without_damping_is_a_plain_one():
    torch.manual_seed(5)
    damped = Ema(6, 3)
    torch.manual_seed(5)
    plain = Undamped(6, 3)
    assert torch.allclose(plain.coefficients()[1], damped.coefficients()[1], atol=1e-6)  # it begins with the same memory
    x, alpha = torch.randn(8), torch.sigmoid(plain.delta[2, :, 0])
    state, out = torch.zeros(3), []
    for v in x:
        state = alpha * plain.beta[2, :, 0] * v + (1 - alpha) * state
        out.append(plain.gamma[2] @ state / 3 ** 0.5)
    k = plain.kernel(8)[2]
    assert torch.allclose(torch.stack(out), torch.stack([k[: i + 1].flip(0) @ x[: i + 1] for i in range(8)]), atol=1e-5)


@torch.no_grad()
def test_fastformer_with_values_of_their_own():
    m = rough(FastformerParts(6, shares_values=False, shares_heads=False, **{**BLOCK, "causal": False, "forget": False}))
    own = m.attention["self"]
    x = torch.randn(1, 7, 6, dtype=torch.float64)
    q, k, v = own.query(x)[0], own.key(x)[0], own.value(x)[0]

    def pool(y, att):
        a = torch.softmax(att(y) / 3 ** 0.5, 0)  # [T, G]
        return torch.cat([(a[:, g, None] * y[:, 3 * g : 3 * g + 3]).sum(0) for g in range(2)])

    p = k * pool(q, own.query_att)
    assert torch.allclose(own(x)[0], own.transform(v * pool(p, own.key_att)) + q, atol=1e-12)


@torch.no_grad()
def test_fastformer_whose_heads_share_their_weights():
    m = rough(FastformerParts(6, shares_values=True, shares_heads=True, **BLOCK))
    whole = rough(Fastformer(6, **BLOCK))
    tensors = {name: torch.cat([t, t]) if ".query." in name or ".key." in name else t for name, t in m.state_dict().items()}
    whole.load_state_dict(tensors)
    x = torch.randn(1, 7, 6, dtype=torch.float64)
    assert torch.allclose(m(x), whole(x), atol=1e-12)


def test_what_cannot_be_taken_out_is_said():
    with pytest.raises(ValueError, match="without: norm: want some of damping, reset, update"):
        MegaParts(6, without=["norm"], **MEGA)


def test_samples_are_what_the_layers_hear():
    """16,000 steps a clip, no stem, no features; and the same number of weights behind them."""
    net = net_of("mega-raw")
    assert net.stem is None and net.features is None and net.input.in_features == 1 and net.pool == CLIP
    rest = lambda n: sum(p.numel() for i, p in n.layers.named_parameters() if "bias" not in i)
    assert rest(net) == rest(net_of("mega"))
    layers = 64 * (64 + 32 + 128 + 64) + 2 * 64 * 128 + 64 * (3 * 16 + 1) + 500.5 * (32 + 128) + 2 * 64 * 128
    assert multiply_adds(net, 50) == round(64 + 64 * 128 + 128 * 12 + 3 * layers)  # 500.5 of 1000 on the average


def test_batches_of_samples(corpus, tmp_path):
    c = Corpus(corpus, str(tmp_path))
    waves = Waves(c, np.random.default_rng(1), silence=0.25)
    b = waves.batch(64, 1)
    again = Waves(c, np.random.default_rng(1), silence=0.25).batch(64, 1)
    assert b.frames.shape == (64, CLIP, 1) and torch.equal(b.frames, again.frames) and torch.equal(b.label, again.label)
    assert set(b.label.tolist()) == set(range(5)) and 6 <= int((b.label == 4).sum()) <= 28
    assert b.soft is None and b.embed is None and b.ends == [CLIP] and b.frames.isfinite().all()
    level = b.frames.square().mean((1, 2)).sqrt()
    assert (level[b.label < 4] > 0.01).all() and (level[b.label == 4] == 0).any()
    with pytest.raises(SystemExit, match="--chain: 3"):
        waves.batch(63, 3)
    spotted = Waves(c, np.random.default_rng(1), silence=0.25, unknown=0.25, commands=c.words[:1])
    label = spotted.batch(64, 1).label
    assert 20 <= int((label == 0).sum()) <= 44  # half of the batch, the other words the share of all that is unknown


def test_clips_to_judge_by_as_samples_and_as_features(corpus, tmp_path):
    c = Corpus(corpus, str(tmp_path))
    pcm, labels = c.heard_clips()
    frames, same = c.validation(FeatureConfig())
    assert pcm.shape == (len(labels), CLIP) and np.array_equal(labels, same)
    assert np.array_equal(np.stack([log_mel(x) for x in pcm]), frames)
    assert c.heard_clips("val2") == (None, None)
    assert len(c.heard_clips("train", 0)[1]) == len(c.where("commands", "unknown", split="train"))


@pytest.mark.parametrize("name", [n for n, e in ABLATIONS.items() if not e.in_c and not e.raw])
def test_what_c_does_not_know_is_refused_in_model_files(name, tmp_path):
    with pytest.raises(ValueError, match="only the twin"):
        save_model(tmp_path / "m.safetensors", Net(ABLATIONS[name].network, 40, 3), FeatureConfig(), ["a", "b", "c"], "m")


def test_the_command_trains_ablations_by_name_and_makes_their_page(corpus, tmp_path):
    args = ["encoders", "--ablations", "--data", corpus, "--docs", "docs", "--seeds", 1, "--steps", 1,
            "--batch", 3, "--only", "mega-undamped", "fastformer-one-layer"]
    out = made.call(*args, cwd=tmp_path)
    assert "mega-undamped 1\t1\tloss" in out and "fastformer-one-layer 1\t1\tloss" in out and "missing" not in out
    page = (tmp_path / "docs" / "ablations.md").read_text()
    assert BEGIN.format("encoders --ablations") in page and "(ablations.svg)" in page
    assert all((e.title in page) == (n in args) for n, e in ABLATIONS.items() if n not in ("mega", "fastformer"))
    assert (tmp_path / "docs" / "ablations.svg").exists() and not (tmp_path / "docs" / "encoders.md").exists()
    assert "loss" not in made.call(*args, cwd=tmp_path)


def test_the_command_trains_on_samples(corpus, tmp_path, monkeypatch):
    """With one layer of a few channels, and of the clips to validate on the first and the last: the rest takes minutes."""
    some = Corpus.heard_clips
    monkeypatch.setattr(Corpus, "heard_clips", lambda c, *of: tuple(x if x is None else x[[0, -1]] for x in some(c, *of)))
    small = encoders.raw.network(network_spec(dim=4, zdim=2, hdim=4, ndim=2, ffn=4, depth=1), 100)
    monkeypatch.setitem(ABLATIONS, "mega-raw", replace(ABLATIONS["mega-raw"], network=small))
    made.call("encoders", "--ablations", "--data", corpus, "--docs", "docs", "--seeds", 1, "--steps", 1, "--batch", 2,
              "--only", "mega-raw", cwd=tmp_path)
    (run,) = read(tmp_path / "docs" / "encoders.tsv", Run)
    assert run.val_clips == 2 and run.later == [] and run.val2_clips is None and run.network == short(small)


def test_samples_are_trained_only_by_name(tmp_path, monkeypatch):
    """A step of it takes minutes."""
    asked = []

    class Asked:
        def __init__(self, ap, a):
            self.a = a

        def run(self, name, seed):
            asked.append(name)
            return Run(encoder=name, seed=seed, source="run", parameters=1, train_clips=1, train_seconds=0.0, val_clips=1,
                       val_right=1, machine="M", recipe=short(self.recipe()), network=short(encoders.ALL[name].network))

        def recipe(self):
            return {"steps": 1}

    monkeypatch.setattr(encoders, "Bench", Asked)
    monkeypatch.setattr(encoders.Table, "write", lambda *a: None)
    encoders.main(["--ablations", "--data", "none", "--docs", str(tmp_path / "all"), "--seeds", "1"])
    assert asked == [name for name in ABLATIONS if name != "mega-raw"]
    encoders.main(["--ablations", "--data", "none", "--docs", str(tmp_path / "one"), "--seeds", "1", "--only", "mega-raw"])
    assert asked[-1] == "mega-raw"
