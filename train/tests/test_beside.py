"""From a corpus of which every word is known to a network of some of them, and a second head of others."""
import math
import os

import made
import pytest
import torch

from kws_train import checkpoint
from kws_train.data import SILENCE, UNKNOWN, read_manifest
from kws_train.model_file import load_model

SMALL = ["--network", '{"dim": 16, "depth": 1, "hdim": 16, "ffn": 16}', "--steps", "2", "--batch", "12"]
ALL = ["alpha", "beta", "gamma", "delta", "epsilon"]


@pytest.fixture(scope="module")
def trained(tmp_path_factory, corpus, teacher):
    """A training of two of the words with a head beside it of two others, in the folder run."""
    cwd = tmp_path_factory.mktemp("beside")
    call = lambda *args: made.call(*args, cwd=cwd)
    call("words", "--data", corpus, "--hold", "0.3", "--out", "words")
    data = ["--data", "words"]
    call("augment", *data, "--teacher", teacher, "--out", "shards", "--versions", "0", "--silences", "5", "--cuts", "1")
    call("teacher", "--shards", "shards/v00.npz", "--heads", "conv", "--epochs", 1)
    call("dense", *data, "--teacher", teacher)
    train = ["train", *data, "--shards", "shards/v00.npz", "--dense", "runs/dense.npz", *SMALL, "--commands", "beta,alpha"]
    call(*train, "--commands", "delta,gamma", "--run", "run")
    return cwd, train


def test_every_word_is_a_command_and_some_speakers_are_held_back(trained, corpus):
    cwd, _ = trained
    before, after = read_manifest(corpus), read_manifest(cwd / "words")
    clips = [i for i in after if i.kind == "commands"]
    assert list(dict.fromkeys(i.word for i in clips)) == ALL and not [i for i in after if i.kind == "unknown"]
    held = {i.speaker for i in clips if i.split == "held"}
    assert held and held.isdisjoint({i.speaker for i in clips if i.split == "train"})
    assert [i.split for i in before if i.split == "val"] == [i.split for i in after if i.split == "val"]
    assert all(os.path.exists(i.path) for i in after)


def test_the_network_is_of_its_words_and_a_head_beside_it_can_be_exported(trained):
    cwd, _ = trained
    state = checkpoint.read(cwd / "run" / "last.pt")
    assert state["words"] == ["beta", "alpha", UNKNOWN, SILENCE]
    assert state["beside"] == [["delta", "gamma", UNKNOWN, SILENCE], [*ALL, UNKNOWN, SILENCE]]
    for commands, prefix, part in (("beta,alpha", "head.", "average"), ("delta,gamma", "heads.0.", "embedder")):
        made.call("export", "--checkpoint", "run/last.pt", "--commands", commands, "--out", "x.safetensors", cwd=cwd)
        net, _, words, _ = load_model(str(cwd / "x.safetensors"))
        assert words == [*commands.split(","), UNKNOWN, SILENCE]
        assert torch.equal(net.head.fc2.weight, state[part][prefix + "fc2.weight"])
        assert torch.equal(net.input.weight, state["average"]["input.weight"])


def test_a_training_begins_with_a_model_file(trained):
    cwd, train = trained
    made.call("export", "--checkpoint", "run/last.pt", "--out", "first.safetensors", cwd=cwd)
    made.call(*train, "--init", "first.safetensors", "--lr", "1e-9", "--run", "on", cwd=cwd)
    a, b = (load_model(str(cwd / p))[0].state_dict() for p in ("first.safetensors", "on/model.safetensors"))
    assert all(torch.allclose(a[k], b[k], atol=1e-5) for k in a)


def test_a_checkpoint_and_a_model_file_have_a_middle(trained):
    cwd, _ = trained
    made.call("export", "--checkpoint", "run/last.pt", "--prior", f"{UNKNOWN}=4", "--out", "far.safetensors", cwd=cwd)
    made.call("export", "--checkpoint", "run/last.pt", "far.safetensors", "--out", "middle.safetensors", cwd=cwd)
    a, b = (load_model(str(cwd / p))[0].head.fc2.bias for p in ("far.safetensors", "middle.safetensors"))
    assert torch.allclose(a - b, torch.tensor([0, 0, math.log(2), 0]), atol=1e-6)
    both = ["--checkpoint", "run/last.pt", "far.safetensors"]
    said = made.call("export", *both, "--commands", "delta,gamma", "--out", "x.safetensors", cwd=cwd, status=1)
    assert "no head of delta, gamma" in said


def test_what_does_not_fit_is_refused(trained):
    cwd, train = trained
    refused = lambda *args: made.call(*args, cwd=cwd, status=1)
    assert "'zeta' is no command of the corpus" in refused(*train, "--commands", "zeta", "--run", "x")
    assert "other beside than asked for" in refused(*train, "--run", "run")
    said = refused("export", "--checkpoint", "run/last.pt", "--commands", "epsilon", "--out", "x.safetensors")
    assert "no head of epsilon; it has beta, alpha; delta, gamma" in said
