"""Rows with layers of their own: they begin as linear ones, learn to hear noise away, and points stay where rows are turned."""
import os

import made
import numpy as np
import pytest
import torch

from kws_train.base import Ears
from kws_train.data import Corpus, read_manifest
from kws_train.negatives import SEED, divide
from kws_train.pairs import LENGTH, Speaker, pairs, trimmed
from kws_train.rows import FIRST, Layered, Principal, learn, told_apart, windows

MODEL = os.path.join(made.ROOT, "config", "models", "commands-12.safetensors")
DIM, WINDOW, RANK, D = 6, 3, 10, 9


def heard(n, m=40):
    """Something that comes and goes [n, m, D], and the same beside a hum that stays."""
    g = torch.Generator().manual_seed(n)
    clean = torch.randn(n, m, D, generator=g) * torch.linspace(1, 3, D)
    return clean, clean + 4 * torch.randn(n, 1, D, generator=g)


@pytest.fixture
def principal():
    return Principal(heard(50)[0].flatten(0, 1).numpy(), DIM, WINDOW, RANK)


def test_rows_of_principal_axes_have_variance_one(principal):
    rows = principal.rows(heard(50)[0].flatten(0, 1))
    assert torch.allclose(torch.cov(rows.T), torch.eye(DIM), atol=1e-3) and rows.mean(0).abs().max() < 1e-3


def test_a_window_is_the_last_rows_oldest_first():
    x = torch.arange(8.0).view(4, 2)
    assert windows(x, 2).tolist() == [[0, 0, 0, 1], [0, 1, 2, 3], [2, 3, 4, 5], [4, 5, 6, 7]]


def test_points_stay_where_rows_are_turned(principal):
    x = heard(20)[1]
    net = Layered(principal, 8, 1)
    before = net(x)
    net.settle(x)
    rows = net.rows(x)[:, FIRST:].flatten(0, 1)
    assert torch.allclose(torch.cov(rows.T), torch.eye(DIM), atol=1e-3) and rows.mean(0).abs().max() < 1e-3
    assert (net(x) - before)[:, WINDOW:].abs().max() < 1e-4  # rows before the first are zeros, before and after


def test_it_learns_to_hear_noise_away(principal):
    clean, spoilt = heard(200)
    torch.manual_seed(1)
    net = Layered(principal, 16, 1)
    far = lambda: float((1 - (net(spoilt[:50]) * principal(clean[:50])).sum(-1))[:, FIRST:].mean().detach())
    before = far()
    learn(net, principal, clean[50:].half(), spoilt[50:].half(), 150, 16, 5e-3, 1)
    assert far() < 0.8 * before


def test_moments_near_to_each_other_are_not_told_apart():
    """Points that change slowly: only what is near is alike, so the loss is little; with others' points it is not."""
    t = torch.nn.functional.normalize(torch.randn(8, 60, RANK, generator=torch.Generator().manual_seed(1)), dim=-1)
    rng = lambda: np.random.default_rng(1)
    assert told_apart(t, t, rng()) < 1 < told_apart(t, t.flip(0), rng())
    slow = t[:, :1].expand(-1, 60, -1)[:1]  # one stream, and all of its moments are the same
    assert told_apart(slow[:, : FIRST + 4], slow[:, : FIRST + 4], rng()) == 0


def test_a_word_without_its_silence():
    x = made.clip("alpha", "a")
    y = trimmed(x)
    assert 0.6 * 16000 < len(y) < 0.9 * 16000 and np.square(y).sum() > 0.99 * np.square(x).sum()
    assert len(trimmed(np.ones(100))) == 100


def test_pairs_are_the_same_whoever_makes_them(corpus, teacher, tmp_path):
    c, ears, path = Corpus(corpus, tmp_path / "cache"), Ears(MODEL, teacher), str(tmp_path / "pairs.npz")
    said, heard = pairs(None, ears, c, 3, 1, 1, "x")
    assert said.shape == heard.shape and said.dtype == torch.float16 and not said.equal(heard)
    kept = pairs(path, ears, c, 3, 1, 2, "x")
    assert all(a.equal(b) for a, b in zip((said, heard), kept, strict=True))
    assert all(a.equal(b) for a, b in zip(kept, pairs(path, None, c, 3, 1, 1, "x"), strict=True))  # read, not heard
    with pytest.raises(SystemExit, match=r"pairs\.npz: of another corpus"):
        pairs(path, ears, c, 3, 2, 1, "x")


def test_nothing_that_judges_or_measures_is_in_a_pair(corpus, tmp_path):
    parts = divide(read_manifest(corpus), SEED)
    test = {i.path for items in [*parts["test"].values(), parts["judge"]["speech"]] for i in items}
    c = Corpus(corpus, tmp_path / "cache")
    speaker = Speaker(c)
    used = {c.items[k].path for k in sum(speaker.clips.values(), speaker.talk)}
    assert used and not used & test and all(c.items[k].split == "train" for k in speaker.talk)
    x, y = speaker.pair(1, 0)
    assert len(x) == len(y) == LENGTH and x.std() > 0.01 and np.abs(y).max() <= 1
    assert (speaker.pair(1, 0)[1] == y).all() and (speaker.pair(1, 1)[0] != x).any()
