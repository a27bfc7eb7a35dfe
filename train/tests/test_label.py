"""What is taken from other shards of the same audio, on made-up ones: labels and the teacher's embeddings."""
import json
from dataclasses import asdict

import numpy as np
import pytest
import torch

from kws_train.augment import heard as heard_there
from kws_train.data import WORDS, soft_path
from kws_train.features import CONTRACTS, FeatureConfig
from kws_train.label import main
from kws_train.model import Net, network_spec
from kws_train.train import posteriors

KIND = np.array([0, 1, 0, 2, 0])


def shard(path, cfg, label):
    rng = np.random.default_rng(3)
    np.savez(path, frames=rng.normal(-5, 2, (len(KIND), 100, cfg.n_mels)).astype(np.float16), kind=KIND, label=label,
             features=json.dumps(asdict(cfg)))
    return str(path)


@pytest.fixture
def folder(tmp_path, checkpoint):
    torch.manual_seed(1)
    net = Net(network_spec(depth=1), 40, len(WORDS))
    checkpoint(net, tmp_path / "net.pt")
    teacher = np.log(np.random.default_rng(2).dirichlet(np.ones(len(WORDS)), len(KIND))).astype(np.float32)
    heard = shard(tmp_path / "heard.npz", FeatureConfig(), np.arange(5))
    np.save(soft_path(heard), teacher)
    return tmp_path, net.eval(), heard, teacher


def label(tmp_path, heard, new):
    main(["--checkpoint", str(tmp_path / "net.pt"), "--heard", heard, "--shards", new])
    return np.load(soft_path(new))


def test_clips_are_labelled_by_both_and_all_else_by_the_teacher(folder):
    tmp_path, net, heard, teacher = folder
    new = shard(tmp_path / "new.npz", CONTRACTS["speech-embedding"], np.arange(5))
    got = label(tmp_path, heard, new)
    both = np.sqrt(posteriors(net, torch.from_numpy(np.load(heard)["frames"]).float()).numpy() * np.exp(teacher))
    clip = KIND == 0
    assert np.abs(np.exp(got[clip]) - (both / both.sum(1, keepdims=True))[clip]).max() < 5e-3  # it hears in bfloat16
    assert np.array_equal(got[~clip], teacher[~clip])
    assert np.array_equal(np.load(soft_path(heard)), teacher)


def test_shards_of_other_audio_are_refused(folder, capsys):
    tmp_path, _, heard, _ = folder
    other = shard(tmp_path / "other.npz", CONTRACTS["speech-embedding"], np.arange(5)[::-1])
    with pytest.raises(SystemExit):
        label(tmp_path, heard, other)
    assert f"{heard} is of other audio than {other}" in capsys.readouterr().err


def test_the_network_hears_its_own_features(folder, capsys):
    tmp_path, _, heard, _ = folder
    new = shard(tmp_path / "new.npz", CONTRACTS["speech-embedding"], np.arange(5))
    with pytest.raises(SystemExit):
        label(tmp_path, new, heard)
    assert f"{new} has other features than the network" in capsys.readouterr().err


def test_embeddings_are_taken_from_the_same_items_only(tmp_path):
    path, group, embed = str(tmp_path / "v00.npz"), np.arange(5), np.ones((5, 9, 96), np.float16)
    np.savez(path, kind=KIND, group=group, embed=embed)
    assert np.array_equal(heard_there(path, KIND, group), embed)
    with pytest.raises(SystemExit, match="v00.npz: of another corpus"):
        heard_there(path, KIND, group + 1)
    with pytest.raises(SystemExit, match="v01.npz: not there"):
        heard_there(str(tmp_path / "v01.npz"), KIND, group)
