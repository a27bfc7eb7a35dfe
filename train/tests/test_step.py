"""A step of a training: what it changes, and that a graph can hold it."""
import argparse
import copy
import math
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from kws_train.bank import FRAMES, Augment
from kws_train.beside import Beside, Vocabulary
from kws_train.data import SILENCE, UNKNOWN
from kws_train.losses import Losses
from kws_train.model import Net, network_spec
from kws_train.recordings import Heard, Recordings
from kws_train.step import Step
from kws_train.train import check, fit, optimiser, recipe

WORDS = ["one", "two", "three", "four", UNKNOWN, SILENCE]
M, FLOOR, CLIPS = 40, math.log(1e-4), 12
HOST = ("_local_scalar_dense", "nonzero", "lift_fresh", "masked_select", "unique")  # what waits for a GPU, or feeds it by hand


def bank_on(device):
    rng = np.random.default_rng(1)
    frames = lambda *shape: torch.from_numpy(rng.normal(-3, 2, (*shape, M)).astype(np.float32)).clamp_min(FLOOR).to(device)
    n = 4 * len(WORDS)
    speech = Recordings([frames(1800)], device)
    kind = torch.arange(n) // (n // 3)  # clips, cuts of speech, silences
    label = torch.where(kind == 0, torch.arange(n) % 5, kind + 3)
    embed = torch.from_numpy(rng.normal(size=(n, 9, 96)).astype(np.float32)).half()
    embed[::5] = math.nan  # no teacher heard these
    return SimpleNamespace(words=WORDS, voices=speech, clips=frames(n, FRAMES), label=label, kind=kind,
                           clean=torch.arange(n) % 2 == 0, soft=None, embed=embed.to(device),
                           embed_mean=torch.zeros(96, device=device), embed_std=torch.ones(96, device=device),
                           noise=Recordings([frames(900), frames(50)], device), speech=speech,
                           heard=Heard([torch.full((200, len(WORDS)), 1 / len(WORDS))], WORDS.index(SILENCE), device),
                           floor=FLOOR, mean=torch.zeros(M, device=device), device=torch.device(device))


def made(device="cpu", **network):
    """-> Step and Augment of a small network with one elder, that spots two of four words."""
    torch.manual_seed(1)
    ap = argparse.ArgumentParser()
    recipe(ap)
    a = ap.parse_args(["--batch", str(CLIPS), "--dense", "x", "--dense-batch", "4"])
    bank, vocabularies = bank_on(device), [Vocabulary(["one", "two"], WORDS), Vocabulary(None, WORDS)]
    spec = network_spec(**{"dim": 8, "hdim": 8, "ffn": 8, "zdim": 4, "depth": 1, "pool": 25, **network})
    net = Net(spec, M, len(vocabularies[0])).to(device)
    elder = Net(spec, M, len(WORDS)).eval().requires_grad_(False).to(device)
    beside = Beside(net.network, vocabularies[1:]).to(device)
    judge = Losses(a, net, beside, vocabularies, [elder])
    step = Step(a, judge, copy.deepcopy(net), optimiser(net, beside, a))
    return step, Augment(bank, net.step, np.random.default_rng(2), commands=["one", "two"], layouts=2)


HOW = {"rate": 1e-3, "keep": 0.9, "stem": True, "apart": False}


@pytest.mark.parametrize("network", [{}, {"attention": "additive"}, {"attention": "laplace", "rel_pos_bias": "rotary"},
                                     {"chunk": -1, "max_positions": 200}])
def test_a_step_asks_nothing_of_the_processor(network):
    step, augment = made(**network)

    class Asked(TorchDispatchMode):
        found = []

        def __torch_dispatch__(self, op, types, args=(), kwargs=None):
            self.found += [str(op)] * any(w in str(op) for w in HOST)
            return op(*args, **(kwargs or {}))

    batch, speech = augment.batch(CLIPS, 3), augment.dense(4)
    step(batch, speech, **HOW)
    with Asked() as asked:
        step.change(batch, speech)
    assert not asked.found


def test_a_step_whose_gradient_is_no_number_changes_nothing():
    step, augment = made()
    batch = augment.batch(CLIPS, 3)
    step(batch, None, **HOW)
    before = [p.clone() for p in step.net.parameters()]
    batch.frames[0, 0, 0] = math.inf
    assert not step(batch, None, **HOW).isfinite()
    assert all(p.equal(q) for p, q in zip(before, step.net.parameters(), strict=True))
    step(augment.batch(CLIPS, 3), None, **HOW)
    assert not all(p.equal(q) for p, q in zip(before, step.net.parameters(), strict=True))


def test_the_average_keeps_as_much_as_it_is_told():
    step, augment = made()
    before = [p.clone() for p in step.average.parameters()]
    step(augment.batch(CLIPS, 3), None, **{**HOW, "keep": 0.75})
    for was, mean, now in zip(before, step.average.parameters(), step.net.parameters(), strict=True):
        assert mean.allclose(0.75 * was + 0.25 * now, atol=1e-7)


def test_a_checkpoint_of_another_device_goes_on():
    step, augment = made()
    step(augment.batch(CLIPS, 3), None, **HOW)
    saved = step.opt.state_dict()
    for g in saved["param_groups"]:  # as one of a GPU has it
        g["capturable"] = True
    step.opt.load_state_dict(saved)
    again = Step(step.a, step.judge, step.average, step.opt)
    assert not any(g["capturable"] for g in step.opt.param_groups)
    before = [p.clone() for p in again.net.parameters()]
    again(augment.batch(CLIPS, 3), None, **HOW)
    assert not all(p.equal(q) for p, q in zip(before, again.net.parameters(), strict=True))


def test_losses_are_looked_at_when_they_are_there(monkeypatch):
    done = []
    monkeypatch.setattr(Step, "finish", lambda self: done.append("finish"))
    monkeypatch.setattr("kws_train.train.check", lambda *_: done.append("check"))
    step, augment = made()
    step.a.steps, step.a.every, step.a.chain, step.a.dense = 2, 1, 3, None
    list(fit(step.a, step.net, step.judge.beside, step.average, step.opt, augment, 0, step.judge.vocabularies))
    assert done == ["finish", "check"] * 2


def test_a_loss_that_is_no_number_is_told_with_its_step():
    check([torch.tensor(1.0)], 7, 1e-3)
    with pytest.raises(FloatingPointError, match="step 9 is nan: a lower rate than 0.001"):
        check([torch.tensor(1.0), torch.tensor(math.nan)], 7, 1e-3)
    step, augment = made()
    augment.bank.clips.fill_(math.nan)
    step.a.steps, step.a.every, step.a.chain = 3, 10, 3
    with pytest.raises(FloatingPointError, match="step 1 is nan"):
        list(fit(step.a, step.net, step.judge.beside, step.average, step.opt, augment, 0, step.judge.vocabularies))


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU here: graphs are not tried")
def test_a_graph_does_what_its_step_does():
    step, augment = made("cuda")
    plain, _ = made("cuda")
    plain.graphs = None
    batches = [(augment.batch(CLIPS, 3), augment.dense(4)) for _ in range(12)]
    losses = [[s(*b, **HOW) for b in batches] for s in (step, plain)]
    torch.cuda.synchronize()
    assert len(step.graphs.recorded) == 2
    assert torch.stack(losses[0]).allclose(torch.stack(losses[1]), rtol=1e-2)
    assert all(p.allclose(q, atol=1e-3) for p, q in zip(step.net.parameters(), plain.net.parameters(), strict=True))
