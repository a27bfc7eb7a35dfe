"""The base for words of one's own: the C programs hear the rows that the twin computes, and every word as before."""
import json
import os
import subprocess

import made
import numpy as np
import pytest
import torch
from safetensors import safe_open

from kws_train.base import LAST, Ears, write
from kws_train.data import read_audio, read_manifest
from kws_train.layers import KINDS
from kws_train.model import Net, network_spec
from kws_train.negatives import divide

MODEL, INT8 = (os.path.join(made.ROOT, "config", "models", f"commands-12{x}.safetensors") for x in ("", "-int8"))
SIZES = {"dim": 12, "window": 3, "rank": 20}
LAYERS = ["--depth", 1, "--width", 16, "--pairs", 12, "--steps", 3, "--batch", 4]
KINDS_OF_BASE = {"linear": (MODEL, ["--depth", 0]), "layered": (MODEL, LAYERS), "bytes": (INT8, [*LAYERS, "--into", INT8])}


@pytest.fixture(scope="module", params=KINDS_OF_BASE)
def made_base(request, tmp_path_factory, corpus, teacher):
    """The path of a base, and the model in it."""
    cwd, (model, more) = tmp_path_factory.mktemp("base"), KINDS_OF_BASE[request.param]
    sizes = [str(x) for k, v in SIZES.items() for x in (f"--{k}", v)]
    made.call("base", "--data", corpus, "--teacher", teacher, "--model", MODEL, "--out", "base.safetensors", "--seconds", 60,
              *sizes, *more, cwd=cwd)
    return cwd / "base.safetensors", model


@pytest.fixture
def base(made_base):
    return made_base[0]


@pytest.fixture
def model(made_base):
    return made_base[1]


def rows_of(path, x):
    """What the twin makes of everything that a row is made of: x float32 [m, values of a row] -> [m, dim]."""
    with safe_open(path, "pt") as f:
        spec = json.loads(f.metadata()["network"])["embedding"]
        t = {k[len("embedding."):]: f.get_tensor(k) for k in f.keys() if k.startswith("embedding.")}  # noqa: SIM118 it is no dict
    rows = torch.from_numpy(x) @ t["row.weight"].T + t["row.bias"]
    for i, conf in enumerate(spec.get("layers", ())):
        layer = KINDS[conf.pop("kind")](spec["width"], **conf)
        layer.load_state_dict({k[len(f"layers.{i}."):]: v for k, v in t.items() if k.startswith(f"layers.{i}.")})
        rows = layer(rows[None])[0]
    return (rows @ t["out.weight"].T + t["out.bias"] if "out.weight" in t else rows).detach().numpy()


def test_it_is_the_model_with_an_embedding(base, model):
    with safe_open(model, "pt") as a, safe_open(base, "pt") as b:
        assert all(a.get_tensor(k).equal(b.get_tensor(k)) for k in a.keys())  # noqa: SIM118 it is no dict
        assert {k.split(".")[0] for k in set(b.keys()) - set(a.keys())} == {"embedding"}
        spec = json.loads(b.metadata()["network"])["embedding"]
        assert a.metadata()["words"] == b.metadata()["words"] and b.metadata()["version"] == ("3" if "layers" in spec else "2")
    assert spec.items() >= SIZES.items() and spec["every"] == 2


def test_its_words_do_not_wait(tmp_path):
    made.checkpoint(Net(network_spec(dim=8, hdim=8, depth=1), 40, 3), tmp_path / "m.pt")
    times = {"smooth_ms": 160, "refractory_ms": 500}
    (tmp_path / "card.json").write_text(json.dumps({"decision": {**times, "wait_ms": 400, "thresholds": {"w0": 0.7}}}))
    made.call("export", "--checkpoint", "m.pt", "--card", "card.json", "--out", "m.safetensors", cwd=tmp_path)
    write(tmp_path / "base.safetensors", tmp_path / "m.safetensors", {"embedding.mean": torch.zeros(2)}, SIZES, "not at all")
    with safe_open(tmp_path / "base.safetensors", "pt") as f:
        assert json.loads(f.metadata()["decision"]) == {**times, "threshold": 0.8, "thresholds": {"w0": 0.7}}


def test_c_hears_the_rows_of_the_twin(base, model, corpus, teacher, kws, tmp_path):
    recording = os.path.join(corpus, "speech", "talk0.flac")
    subprocess.run([kws, "bank", "-m", base, "--output", tmp_path / "bank", "--judge", recording, recording], check=True,
                   capture_output=True)
    with open(tmp_path / "bank", "rb") as f:
        n = int.from_bytes(f.read(8), "little")
        rows = json.loads(f.read(n))["rows"]
        packed = np.frombuffer(f.read(), np.uint8).reshape(rows["shape"])[: rows["shape"][0] // 2]
    four = np.stack([packed & 15, packed >> 4], 2).reshape(len(packed), -1)  # two values in a byte
    said = np.where(four < 8, four, four - 16.0) / 2
    frames, own = (x.numpy() for x in Ears(model, teacher).parts(read_audio(recording)))
    before = np.concatenate([np.zeros((LAST - 1, frames.shape[1]), np.float32), frames])
    x = np.concatenate([*(before[k : k + len(frames)] for k in range(LAST)), own], 1)
    want = rows_of(base, x)
    assert said.shape == want.shape and said.std() > 0.3
    near = 0.26 if model == MODEL else 0.35  # a byte may be rounded the other way
    assert np.abs(said - np.clip(want, -3.5, 3.5)).max() < near


def test_what_cannot_be_a_base_is_refused(base, corpus, teacher, tmp_path):
    made.call("base", "--data", corpus, "--teacher", teacher, "--model", tmp_path / "none", "--out", "x", cwd=tmp_path, status=1)
    made.call("base", "--data", corpus, "--teacher", tmp_path, "--model", MODEL, "--out", "x", cwd=tmp_path, status=1)
    small = os.path.join(made.ROOT, "config", "models", "commands-12-small.safetensors")
    said = made.call("base", "--data", corpus, "--teacher", teacher, "--model", MODEL, "--into", small, "--out", "x",
                     cwd=tmp_path, status=1)
    assert "commands-12.safetensors" in said and f"{small} are of different networks" in said


def test_the_bank_holds_nothing_that_measures(base, corpus, kws, tmp_path):
    parts = divide(read_manifest(corpus), 1)
    fit, judge, test = ({i for items in parts[use].values() for i in items} for use in ("fit", "judge", "test"))
    assert fit and judge and test and not fit & judge and not (fit | judge | set(parts["noise"])) & test
    speakers = [{i.speaker for i in items if i.kind in ("commands", "unknown")} for items in (fit, judge, test)]
    assert not speakers[0] & speakers[1] and not (speakers[0] | speakers[1]) & speakers[2]
    made.call("negatives", "--data", corpus, "--model", base, "--out", "own.bank", "--streams", "streams", "--kws", kws,
              cwd=tmp_path)
    with safe_open(tmp_path / "own.bank", "np") as f:
        meta, names = f.metadata(), set(f.keys())
        assert f.get_tensor("noise").shape[1] == 40
    uses = {(p["name"], p["use"]) for p in json.loads(meta["parts"])}
    assert {("clips", "fit"), ("clips", "judge"), ("speech", "fit"), ("noise", "fit"), ("noise", "judge")} <= uses
    assert {"rows", "noise"} <= names and "LibriSpeech" in meta["note"]
    links = [os.path.join(d, n) for d, _, names in os.walk(tmp_path / "streams") for n in names]
    assert len(links) == len(test) and all(os.path.exists(n) for n in links)
