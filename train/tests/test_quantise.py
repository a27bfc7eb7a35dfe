"""Weights of 8 bits: the file runs in C and in the twin, hears what the float file hears, and keeps all else."""
import json

import made
import numpy as np
import pytest
import torch
from safetensors import safe_open

from kws_train import aware
from kws_train.augment import Maker
from kws_train.data import Corpus
from kws_train.export import save_model
from kws_train.features import FeatureConfig
from kws_train.model import Conv, Int8Conv, Int8Linear, Net, network_spec
from kws_train.model_file import load_model
from kws_train.quantise import code_of


def conv(channels, kernel, stride=(1, 1), activation="leaky_relu"):
    return {"kind": "conv", "channels": channels, "kernel": list(kernel), "stride": list(stride), "activation": activation}


def model(path, activation="leaky_relu", stem=True):
    """A model file of random weights for the corpus's words."""
    torch.manual_seed(3)
    steps = [conv(8, (3, 3)), {"kind": "pool", "size": [2, 2]}, conv(12, (1, 3)), conv(12, (3, 1), (2, 2), activation)]
    spec = network_spec(dim=16, zdim=8, hdim=16, ndim=4, ffn=16, depth=1, pool=10, head=8, stack=1, stride=1, chunk=10,
                        stem=steps if stem else None)
    net = Net(spec, 40, len(made.WORDS))
    net.features.mean.fill_(-5.0)
    net.features.scale.fill_(0.3)
    save_model(path, net.eval(), FeatureConfig(), made.WORDS, "float", licence="CC0-1.0")
    return net


@pytest.fixture(scope="module")
def pair(tmp_path_factory, corpus):
    """The folder of float.safetensors and int8.safetensors."""
    cwd = tmp_path_factory.mktemp("quantise")
    model(cwd / "float.safetensors")
    made.call("quantise", "--model", "float.safetensors", "--data", corpus, "--clips", 20, "--out", "int8.safetensors", cwd=cwd)
    return cwd


def test_the_file_keeps_what_is_not_quantised(pair):
    with safe_open(pair / "float.safetensors", "pt") as a, safe_open(pair / "int8.safetensors", "pt") as b:
        for name in a.keys():  # noqa: SIM118 it is no dict
            if not name.startswith(("stem.2.", "stem.3.")) and (name.endswith("bias") or b.get_tensor(name).dtype != torch.int8):
                assert a.get_tensor(name).equal(b.get_tensor(name)), name
        assert {b.get_tensor(n).dtype for n in ("stem.3.weight", "input.weight", "layers.0.mx_proj.weight")} == {torch.int8}
        assert b.get_tensor("head.fc1.weight").dtype == torch.float32 and b.metadata()["version"] == "3"
        assert b.metadata()["name"] == "int8"
        assert all(b.metadata()[k] == a.metadata()[k] for k in ("words", "licence", "features", "decision"))
        network = json.loads(b.metadata()["network"])
    assert [e.get("weights") for e in network["stem"]] == [None, None, "int8", "int8"]


def test_it_hears_what_the_float_file_hears(pair):
    (exact, *_), (rounded, *_) = (load_model(pair / f"{n}.safetensors") for n in ("float", "int8"))
    kinds = [type(s) for s in rounded.stem.values()]
    assert kinds.count(Int8Conv) == 2 and kinds.count(Conv) == 1
    assert isinstance(rounded.input, Int8Linear)
    x = torch.from_numpy(np.random.default_rng(1).normal(-5, 2, (1, 200, 40)).astype(np.float32))
    with torch.no_grad():
        a, b = exact(x), rounded(x)
    assert (a - b).abs().max() < 0.03 * a.std() + 0.01


def test_the_command_trains_and_its_seed_decides(pair, corpus):
    for seed, name in ((1, "a"), (1, "b"), (2, "c")):
        said = made.call("quantise", "--model", "float.safetensors", "--data", corpus, "--clips", 20, "--steps", 2,
                         "--rate", 0.01, "--seed", seed, "--name", "same", "--out", f"{name}.safetensors", cwd=pair)
        assert "step 2/2: KL " in said
    a, b, c = ((pair / f"{n}.safetensors").read_bytes() for n in "abc")
    assert a == b != c
    with safe_open(pair / "int8.safetensors", "pt") as x, safe_open(pair / "a.safetensors", "pt") as y:
        assert set(x.keys()) == set(y.keys())
        assert not x.get_tensor("stem.2.weight").equal(y.get_tensor("stem.2.weight"))
        assert json.loads(y.metadata()["training"])["quantised"].endswith("after training, and trained so for 2 steps")


def test_a_code_holds_zero_and_nearly_all_values():
    x = torch.randn(4, 3, 50, 7, generator=torch.Generator().manual_seed(1))
    x[:, 1] = x[:, 1].abs() + 1  # nothing near zero: zero has a number all the same
    x[:, 2] = 0
    step, zero = code_of(x)
    assert (step > 0).all() and (zero == zero.round()).all() and (zero >= 0).all() and (zero <= 255).all()
    n = (x / step[:, None, None] + zero[:, None, None]).clamp(0, 255).round()
    assert ((n - zero[:, None, None]) * step[:, None, None] - x).abs().amax() < 0.6 * step.max()
    assert zero[1] == 0 and (n[:, 2] == zero[2]).all()


def test_what_cannot_be_quantised_is_refused(pair, corpus, tmp_path):
    model(tmp_path / "silu.safetensors", activation="silu")
    model(tmp_path / "bare.safetensors", stem=False)
    for file in (tmp_path / "silu.safetensors", tmp_path / "bare.safetensors", pair / "int8.safetensors", tmp_path / "none"):
        made.call("quantise", "--model", file, "--data", corpus, "--out", "x.safetensors", cwd=tmp_path, status=1)
    assert not (tmp_path / "x.safetensors").exists()


def test_training_brings_the_network_of_8_bits_nearer(pair, corpus, monkeypatch):
    """What is trained says what the float network says, better than what is only rounded; and the file says what was trained."""
    maker, cfg = Maker(Corpus(corpus, pair / "cache")), FeatureConfig()
    exact, rounded = (load_model(pair / f"{n}.safetensors")[0] for n in ("float", "int8"))
    frames = aware.streams(maker, cfg, np.random.default_rng(9), 4)
    before = sum(d.item() for d in aware.distance(rounded, exact, frames, 3))
    names = [n for n, m in rounded.named_modules() if isinstance(m, (Int8Conv, Int8Linear))]
    kept = {k: v for k, v in rounded.state_dict().items() if not k.startswith(tuple(names)) or k.endswith((".step", ".zero"))}
    seen = {}
    fixed = aware.Aware.fixed

    def watched(module):
        """fixed(), which keeps what the network says just before."""
        seen.setdefault("trained", rounded(frames).detach())
        return fixed(module)

    monkeypatch.setattr(aware.Aware, "fixed", watched)
    monkeypatch.setattr(aware, "STREAMS", 4)
    aware.learn(rounded, exact, names, maker, cfg, 20, 1e-3, np.random.default_rng(1))
    with torch.no_grad():
        after = sum(d.item() for d in aware.distance(rounded, exact, frames, 3))
        assert (rounded(frames) - seen["trained"]).abs().max() < 1e-6
    assert after < 0.9 * before, (before, after)
    assert all(rounded.state_dict()[k].equal(v) for k, v in kept.items()) and len(names) == 8
