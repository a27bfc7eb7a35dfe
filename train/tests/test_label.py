"""What is taken from other shards of the same audio, on made-up ones: labels and the teacher's embeddings."""
import json
from dataclasses import asdict

import numpy as np
import pytest
import torch

from kws_train.augment import same_audio
from kws_train.data import SILENCE, UNKNOWN
from kws_train.features import CONTRACTS, FeatureConfig
from kws_train.label import main
from kws_train.model import Net, network_spec
from kws_train.shards import load_soft, save_soft
from kws_train.train import posteriors

KIND = np.array([0, 1, 0, 2, 0])
WORDS = ["alpha", "beta", "gamma", UNKNOWN, SILENCE]


def shard(path, cfg, label, words=WORDS, audio="some"):
    rng = np.random.default_rng(3)
    np.savez(path, frames=rng.normal(-5, 2, (len(KIND), 100, cfg.n_mels)).astype(np.float16), kind=KIND, label=label,
             embed=np.ones((len(KIND), 9, 96), np.float16), val=KIND < 0, group=KIND, version=0, corpus="c", audio=audio,
             words=json.dumps(words), features=json.dumps(asdict(cfg)))
    return str(path)


@pytest.fixture
def folder(tmp_path, checkpoint):
    torch.manual_seed(1)
    net = Net(network_spec(depth=1), 40, len(WORDS))
    checkpoint(net, tmp_path / "net.pt", WORDS)
    teacher = np.log(np.random.default_rng(2).dirichlet(np.ones(len(WORDS)), len(KIND))).astype(np.float32)
    heard = shard(tmp_path / "heard.npz", FeatureConfig(), np.arange(5))
    save_soft(heard, teacher, WORDS)
    return tmp_path, net.eval(), heard, teacher


def label(tmp_path, heard, new):
    main(["--checkpoint", str(tmp_path / "net.pt"), "--heard", heard, "--shards", new])
    return load_soft(new, WORDS, len(KIND))


def test_clips_are_labelled_by_both_and_all_else_by_the_teacher(folder):
    tmp_path, net, heard, teacher = folder
    new = shard(tmp_path / "new.npz", CONTRACTS["speech-embedding"], np.arange(5))
    got = label(tmp_path, heard, new)
    both = np.sqrt(posteriors(net, torch.from_numpy(np.load(heard)["frames"]).float()).numpy() * np.exp(teacher))
    clip = KIND == 0
    assert np.abs(np.exp(got[clip]) - (both / both.sum(1, keepdims=True))[clip]).max() < 5e-3  # it hears in bfloat16
    assert np.array_equal(got[~clip], teacher[~clip])
    assert np.array_equal(load_soft(heard, WORDS, len(KIND)), teacher)


def test_shards_of_other_audio_are_refused(folder, capsys):
    tmp_path, _, heard, _ = folder
    other = shard(tmp_path / "other.npz", CONTRACTS["speech-embedding"], np.arange(5), audio="other")
    with pytest.raises(SystemExit):
        label(tmp_path, heard, other)
    assert f"{heard} is of other audio than {other}" in capsys.readouterr().err


def test_the_network_hears_its_own_features(folder, capsys):
    tmp_path, _, heard, _ = folder
    new = shard(tmp_path / "new.npz", CONTRACTS["speech-embedding"], np.arange(5))
    with pytest.raises(SystemExit):
        label(tmp_path, new, heard)
    assert f"{new} has other features than the network" in capsys.readouterr().err


@pytest.mark.parametrize("words", [["alpha", "beta", "delta", *WORDS[3:]], ["beta", "alpha", "gamma", *WORDS[3:]], WORDS[1:]])
def test_shards_and_labels_of_other_words_are_refused(folder, words):
    tmp_path, _, heard, teacher = folder
    other = shard(tmp_path / "other.npz", FeatureConfig(), np.arange(5), words)
    save_soft(other, teacher[:, : len(words)], words)
    both = f"{', '.join(WORDS)}; {', '.join(words)}"
    with pytest.raises(SystemExit, match=f"net.pt and .*other.npz are of different words: {both}"):
        label(tmp_path, other, heard)
    with pytest.raises(SystemExit, match=f"other.soft.npy is not of the words of .*other.npz: {', '.join(words)}"):
        load_soft(other, WORDS, len(KIND))


def test_labels_of_another_number_of_items_are_refused(folder):
    _, _, heard, _ = folder
    with pytest.raises(SystemExit, match="heard.soft.npy has 5 items, .*heard.npz 6"):
        load_soft(heard, WORDS, 6)


def test_embeddings_are_taken_from_the_same_audio_only(tmp_path):
    path = shard(tmp_path / "v00.npz", FeatureConfig(), np.arange(5))
    assert same_audio(path, "some")["embed"].shape == (5, 9, 96)
    with pytest.raises(SystemExit, match="v00.npz: of another corpus"):
        same_audio(path, "other")
    with pytest.raises(SystemExit, match="v01.npz: No such file"):
        same_audio(str(tmp_path / "v01.npz"), "some")
