"""Batches and the loop that trains on them, on a bank of made-up frames."""
import argparse
import copy
import math
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from kws_train.bank import FRAMES, Augment, power_db
from kws_train.beside import Beside, Vocabulary
from kws_train.data import SILENCE, UNKNOWN
from kws_train.losses import Losses
from kws_train.model import Net, network_spec
from kws_train.recordings import Heard, Recordings
from kws_train.step import tensors_of
from kws_train.train import fit, optimiser, recipe

WORDS = ["one", "two", "three", "four", "five", UNKNOWN, SILENCE]
M, FLOOR, STEP = 40, math.log(1e-4), 4
SUSPECT = 120  # the window of the speech in which the teacher hears a command


@pytest.fixture
def augment():
    rng = np.random.default_rng(1)
    frames = lambda *shape: torch.from_numpy(rng.normal(-3, 2, (*shape, M)).astype(np.float32)).clamp_min(FLOOR)
    n = 3 * len(WORDS)
    heard = torch.zeros(200, len(WORDS))
    heard[:, WORDS.index(SILENCE)], heard[:, WORDS.index(UNKNOWN)] = 0.25, 0.75
    heard[SUSPECT] = torch.nn.functional.one_hot(torch.tensor(3), len(WORDS))
    speech = Recordings([frames(1800)])
    bank = SimpleNamespace(words=WORDS, voices=speech, clips=frames(n, FRAMES), label=torch.arange(n) % len(WORDS),
                           kind=torch.zeros(n, dtype=torch.long), clean=torch.ones(n, dtype=torch.bool), soft=None,
                           embed=None, noise=Recordings([frames(900), frames(50)]), speech=speech,
                           heard=Heard([heard], WORDS.index(SILENCE)), floor=FLOOR, mean=torch.zeros(M),
                           device=torch.device("cpu"))
    return Augment(bank, STEP, rng)


@pytest.mark.parametrize("chain", [1, 3])
def test_a_batch_is_judged_behind_each_clip(augment, chain):
    for _ in range(10):
        b = augment.batch(24, chain)
        assert b.frames.shape[0] == 24 // chain and len(b.ends) == chain and b.label.shape == (24,)
        assert b.frames.isfinite().all()
        assert STEP * b.ends[-1] == b.frames.shape[1] and b.ends[0] >= FRAMES // STEP


def test_words_and_silence_follow_each_other(augment):
    pairs = torch.cat([augment.batch(24, 3).label.view(-1, 3).unfold(1, 2, 1).flatten(0, 1) for _ in range(20)])
    silent = pairs.eq(WORDS.index(SILENCE))
    assert (silent[:, 1] & ~silent[:, 0]).any() and (silent[:, 0] & ~silent[:, 1]).any()


def test_noise_under_a_sequence_is_as_loud_as_its_words_ask_for(augment, monkeypatch):
    levels = []
    monkeypatch.setattr(augment, "_noise", lambda x, p, level=None: levels.append(level) or x)
    x = torch.full((6, FRAMES, M), -5.0)
    x[2], x[3] = 0.0, 0.0  # louder: a silence behind two words, and a word before a word and a silence
    silent = torch.tensor([False, False, True, False, False, True])
    while not levels or levels[-1] is None:  # until all of a sequence is in one noise
        augment._chain(x, silent, torch.ones(6), [0, FRAMES, 2 * FRAMES])
    db = lambda nats: 10 * nats / math.log(10)
    words = [db(-5.0), db(math.log((1 + math.exp(-5.0)) / 2))]
    assert levels[-1].allclose(torch.tensor(words), atol=1e-4)


def test_what_the_teacher_heard_stays_with_its_clip(augment):
    bank = augment.bank
    n = len(bank.label)
    bank.kind = torch.arange(n) // len(WORDS)  # a clip, a cut of speech and a silence of each label
    bank.soft = torch.arange(n)[:, None].expand(n, len(WORDS)).float()
    bank.embed = torch.arange(n)[:, None, None].expand(n, 9, 96).float()
    bank.embed_mean, bank.embed_std = torch.zeros(96), torch.ones(96)
    frames, label, soft, embed, clean = Augment(bank, STEP, augment.rng, clean=1.0)._draw(400)
    unheard = embed[:, 0, 0].isnan()
    which = soft[~unheard, 0].long()
    assert unheard.any() and label[unheard].eq(WORDS.index(SILENCE)).all()
    assert embed[~unheard, 0, 0].equal(which.float()) and label[~unheard].equal(bank.label[which])
    assert frames[~unheard].equal(bank.clips[which].float()) and len(which.unique()) > n / 2


@pytest.mark.parametrize("share", [0.0, 0.35, 1.0])
def test_so_large_a_share_of_the_clips_is_as_recorded(augment, share):
    bank, n = augment.bank, len(augment.bank.label)
    bank.clean, bank.embed = torch.arange(n) < 2 * len(WORDS), torch.zeros(n, 9, 96)
    drawn = bank.clean[torch.from_numpy(Augment(bank, STEP, augment.rng, clean=share)._clips(4000))]
    assert abs(drawn.float().mean().item() - share) < 0.04


def test_running_speech_is_not_judged_where_a_command_is_suspected(augment):
    words, suspected = Vocabulary(None, WORDS), 0
    for _ in range(20):
        x, target, most, ends = augment.dense(8)
        heard = most.amax(-1) < 1  # behind the end of a recording nothing was
        assert x.isfinite().all() and target.sum(-1)[heard].allclose(torch.tensor(1.0))
        assert not target[:, :, : WORDS.index(UNKNOWN)].any()  # what it is taught there is never a command
        assert target[:2, :, WORDS.index(SILENCE)].eq(1).all() and not most[:2].any()
        suspects = words.fold(most)[..., :-2].amax(-1) > 0.35
        assert target[2:, :, WORDS.index(UNKNOWN)][~suspects[2:]].allclose(torch.tensor(0.75))
        suspected += int(suspects.sum())
    assert 0 < suspected < 20 * 6 * 5  # few windows are near the one that is suspected


def test_cuts_are_pieces_of_a_recording_and_short_ones_are_repeated():
    of = Recordings([torch.arange(7.0)[:, None], 100 + torch.arange(40.0)[:, None]])
    cuts = of.cut(200, 10, np.random.default_rng(1))[..., 0]
    short = cuts[:, 0] < 100
    assert short.any() and (~short).any()
    assert cuts[short].equal((cuts[short][:, :1] + torch.arange(10)) % 7)
    assert cuts[~short].equal(cuts[~short][:, :1] + torch.arange(10)) and cuts.max() < 140
    piece = of.piece(np.array([0, 1]), np.array([4, 0]), 5, -9.0)[..., 0]
    assert piece.tolist() == [[4, 5, 6, -9, -9], [100, 101, 102, 103, 104]]


def test_what_was_heard_is_asked_for_by_windows_near():
    p = torch.rand(6, 4)
    heard = Heard([torch.rand(3, 4), p, torch.zeros(0, 4)], 3)
    window = np.arange(-5, 10)
    most, quiet, there = heard.near(np.array([1]), window[None])
    for w, m, q, t in zip(window, most[0], quiet[0], there[0], strict=True):
        near = [p[i] for i in range(w - 1, w + 3) if 0 <= i < 6]
        assert bool(t) == bool(near)
        if near:
            near = torch.stack(near)
            assert m.equal(near.amax(0)) and q.allclose(near[:, 3].mean())
    assert heard.near(np.array([2]), np.array([[0]]))[2].tolist() == [[False]]


def losses(augment, commands, **more):
    ap = argparse.ArgumentParser()
    recipe(ap)
    vocabularies = [Vocabulary(c, WORDS) for c in commands]
    torch.manual_seed(1)
    net = Net(network_spec(dim=8, hdim=8, depth=1), M, len(vocabularies[0]))
    return Losses(ap.parse_args([]), net, Beside(net.network, vocabularies[1:]), vocabularies)


def test_a_suspected_word_is_only_spared_by_heads_that_spot_it(augment):
    x, target, most, ends = augment.dense(8)
    most[:] = torch.nn.functional.one_hot(torch.tensor(3), len(WORDS))  # "four", everywhere
    assert losses(augment, [["four", "one"]]).speech(x, target, most, ends, 0) == 0
    assert losses(augment, [["one", "two"]]).speech(x, target, most, ends, 0) > 0


def test_other_words_of_the_corpus_are_unknown_to_the_network_and_words_beside_it(augment):
    judge = losses(augment, [["two", "one"], None])
    spotted = judge.vocabularies[0]
    assert spotted.words == ["two", "one", UNKNOWN, SILENCE] and spotted.of.tolist() == [1, 0, 2, 2, 2, 2, 3]
    p = torch.rand(5, len(WORDS))
    assert spotted.fold(p)[:, 2].allclose(p[:, 2:6].sum(1)) and judge.vocabularies[1].fold(p).equal(p)
    batch = augment.batch(12, 3)
    for apart in (True, False):
        judge.apart, judge.a.embed = apart, 0
        with torch.no_grad():  # of the head of its own nothing is to be learnt: all that reaches the layers comes from beside
            judge.net.head.fc1.weight.zero_()
        judge.net.zero_grad()
        judge.clips(batch).backward()
        assert judge.beside.heads[0].fc2.weight.grad.abs().sum() > 0
        assert (judge.net.input.weight.grad.abs().sum() == 0) == apart


def test_elders_label_a_batch_and_its_label_counts_where_they_mishear(augment):
    judge = losses(augment, [["one", "two"], None])
    elder = Net(network_spec(dim=8, hdim=8, depth=1), M, len(WORDS)).eval()
    with torch.no_grad():  # it hears "three" in everything
        elder.head.fc2.weight.zero_()
        elder.head.fc2.bias.copy_(5.0 * torch.nn.functional.one_hot(torch.tensor(2), len(WORDS)))
    judge.elders, judge.a.embed, judge.a.distil = [elder, elder], 0, 1.0
    batch = augment.batch(48, 3)
    soft, agreed = judge._elders(batch).exp(), batch.label == 2
    assert agreed.any() and not agreed.all()
    assert soft[agreed].allclose(torch.softmax(elder.head.fc2.bias.detach(), 0).expand(int(agreed.sum()), -1), atol=1e-4)
    assert soft[~agreed].argmax(1).equal(batch.label[~agreed])
    judge.clips(batch).backward()
    assert judge.net.input.weight.grad.abs().sum() > 0 and elder.input.weight.grad is None


def test_other_words_share_what_is_theirs_by_the_root_of_their_number(augment):
    bank = augment.bank
    bank.label = torch.tensor([0] * 8 + [1] * 8 + [2] * 4 + [5])
    bank.clips, bank.kind = bank.clips[:21], bank.kind[:21]
    batches = Augment(bank, STEP, augment.rng, unknown=0.3, silence=0.1, unknown_speech=0.1, commands=["one", "two"])
    share = dict(zip(batches.classes, batches.p, strict=True))
    assert math.isclose(share[0], share[1]) and math.isclose(share[2], 0.2) and math.isclose(share[5], 0.1)


def test_a_word_is_drawn_as_often_as_asked_for(augment):
    bank = augment.bank
    bank.label = torch.tensor([0] * 8 + [1] * 8 + [2] * 4 + [5])
    bank.clips, bank.kind = bank.clips[:21], bank.kind[:21]
    batches = Augment(bank, STEP, augment.rng, unknown=0.3, silence=0.1, unknown_speech=0.1, commands=["one", "two"],
                      draw={"two": 1.5, bank.words[2]: 0.5})
    share = dict(zip(batches.classes, batches.p, strict=True))
    assert math.isclose(share[0], 0.2) and math.isclose(share[1], 0.3)
    assert math.isclose(share[2], 0.15) and math.isclose(share[5], 0.15)


def test_noise_is_added_down_to_the_lowest_ratio_asked_for(augment):
    x = torch.zeros(400, 20, augment.bank.clips.shape[2])
    added = lambda snr: power_db(Augment(augment.bank, STEP, augment.rng, snr=snr)._noise(x, torch.ones(400)))
    assert added(29.0).max() < 1 and added(-15.0).max() > 10


def test_a_training_that_is_stopped_hands_over_its_last_step(augment):
    ap = argparse.ArgumentParser()
    recipe(ap)
    a = ap.parse_args(["--steps", "9", "--stop", "3", "--every", "2", "--batch", "6"])
    net = Net(network_spec(dim=8, hdim=8, depth=1), M, len(WORDS))
    beside = Beside(net.network)
    batches = Augment(augment.bank, net.step, augment.rng)
    done = [step for step, _, _ in fit(a, net, beside, copy.deepcopy(net), optimiser(net, beside, a), batches)]
    assert done == [2, 3]


def test_a_schedule_by_the_clock_ends_when_its_time_is_over(augment, monkeypatch):
    clock = iter(range(10**6))
    monkeypatch.setattr("kws_train.train.time", SimpleNamespace(monotonic=lambda: next(clock)))
    ap = argparse.ArgumentParser()
    recipe(ap)
    a = ap.parse_args(["--seconds", "40", "--warmup", "1", "--every", "5", "--batch", "6", "--lr", "1e-2"])
    net = Net(network_spec(dim=8, hdim=8, depth=1), M, len(WORDS))
    beside, batches = Beside(net.network), Augment(augment.bank, net.step, augment.rng)
    done = list(fit(a, net, beside, copy.deepcopy(net), optimiser(net, beside, a), batches))
    rates = [rate for _, _, rate in done]
    assert 5 < done[-1][0] < 40 and rates == sorted(rates, reverse=True)
    assert rates[0] > 5e-3 and rates[-1] < 1e-3


def test_some_layouts_are_of_few_kinds_and_as_varied_as_others(augment):
    few = Augment(augment.bank, STEP, augment.rng, layouts=3)
    kinds = {tensors_of(few.batch(6, 3), None)[1] for _ in range(60)}
    assert len(kinds) == 3
    other = {tensors_of(augment.batch(6, 3), None)[1] for _ in range(60)}
    assert len(other) > 30
