"""Train the student.

    python -m kws_train train --data CORPUS --run runs/mine

bank.py says what batches are made of. Where a teacher has heard the clips, the network learns from its labels (or, with
--elders, from what larger networks make of the very same frames), and its frames from its embeddings: a small net that is
thrown away afterwards maps each network frame to what the teacher made of the 0.8 s before it. With --commands the network
spots these words only, and another such net tells all words of the corpus apart; with --commands again it gets one more head,
of other words, which `export --commands` writes as a model of its own.
"""
import argparse
import copy
import json
import math
import os
import time
from collections import Counter
from dataclasses import asdict

import numpy as np
import torch
import torch.nn.functional as F

from . import checkpoint, shards
from .bank import FRAMES, Augment, Bank
from .beside import Beside, Vocabulary
from .data import Corpus, said, same_words
from .export import save_model
from .features import FeatureConfig
from .losses import Losses
from .model import STEM, Net, network_spec
from .network import check_network, step_of
from .options import corpus as corpus_options
from .options import listed, parser, real, weight, whole
from .pretrained import asked_stem, stem_options
from .step import LAYOUTS, Step

CHECK = 50  # steps after which losses are looked at


@torch.no_grad()
def posteriors(net, frames, phase=0, batch=256):
    """frames [n, t, M] -> probabilities [n, words] at the last network frame."""
    net.eval()
    frames, device = torch.as_tensor(frames), net.input.weight.device
    out = [F.softmax(net.head(net.pooled(net.encode(frames[i : i + batch].to(device), phase))[:, -1]), -1)
           for i in range(0, len(frames), batch)]
    return torch.cat(out).cpu()


def accuracy(net, frames, labels, phase=0):
    return float((posteriors(net, frames, phase).argmax(1).numpy() == labels).mean())


def optimiser(net, beside, a):
    """AdamW; no decay on vectors, nor on the EMA's and attention's own parameters. The stem has a rate of its own."""
    stem = list(net.stem.parameters()) if net.stem else []
    named = [*net.named_parameters(), *beside.named_parameters()]
    plain = [p for n, p in named if p.ndim == 2 and n.endswith("weight")]
    apart = {id(p) for p in [*plain, *stem]}
    rest = [p for _, p in named if id(p) not in apart]
    groups = [{"params": plain, "weight_decay": a.decay, "share": 1.0}, {"params": rest, "weight_decay": 0.0, "share": 1.0}]
    if stem:
        groups.append({"params": stem, "weight_decay": 0.0, "share": a.stem_rate})
    return torch.optim.AdamW(groups, a.lr, betas=(0.9, 0.98), fused=True)


def recipe(ap, **default):
    """The options of how to train, which every command that trains has. default: other defaults, by name."""
    def add(name, kind, value, text):
        metavar = {int: "N", float: "X", str: "FILE"}[type(value) if value is not None else int]
        ap.add_argument("--" + name.replace("_", "-"), type=kind, default=default.get(name, value), metavar=metavar, help=text)

    add("steps", whole(1), 6000, "length of the schedule, steps")
    add("seconds", whole(1), None, "length of the schedule in seconds, instead of --steps: on a machine of unknown speed; "
        "counted anew when a training goes on")
    add("stop", whole(1), None, "end at this step, in the middle of the schedule")
    add("batch", whole(1), 96, "clips a step")
    add("lr", real(0, 1, above=True), 5e-3, "highest rate of learning, above 0, at most 1")
    add("stem_rate", real(0, 100), 1.0, "rate of the stem, over that of all else, 0 to 100")
    add("stem_from", whole(0), 0, "the stem learns from this step on; before, it stays as it is")
    add("warmup", whole(1), 300, "steps in which the rate rises")
    add("decay", real(0, 1), 0.05, "weight decay of matrices, 0 to 1")
    add("chain", whole(1, 32), 3, "clips in a sequence, 1 to 32; divides the batch")
    add("partial", real(0, 1), 0.03, "share of commands cut in half, which are unknown, 0 to 1")
    ap.add_argument("--dense", metavar="FILE", help="what the teacher heard in running speech: judge that everywhere")
    add("dense_from", whole(0), 0, "judge it from this step on")
    add("dense_batch", whole(4), 8, "sequences of 3.2 s a step for that, 4 or more")
    add("dense_weight", real(0, 100), 0.3, "weight of that, 0 to 100")
    add("sharpen", real(0, 10, above=True), 1.4, "exponent of the teacher's probabilities, above 0, at most 10")
    add("clean", real(0, 1), 0.35, "with shards: share of clips that are as recorded, 0 to 1")
    add("snr", real(-20, 30), 0.0, "lowest signal to noise ratio of the noise added to a batch, dB, -20 to 30")
    add("silence", real(0, 0.8), 0.1, "share of silences, 0 to 0.8")
    add("unknown", real(0, 0.8), 0.11, "share of other words, 0 to 0.8")
    add("distil", real(0, 1), 0.7, "weight of the teacher's labels, where there are any, 0 to 1")
    add("beside", real(0, 100), 0.5, "weight of the heads beside the network's own, 0 to 100")
    add("beside_from", whole(0), 0, "what is beside the network teaches it from this step on; before, that only learns")
    add("embed", real(0, 100), 1.0, "weight of the teacher's embeddings, where there are any, 0 to 100")
    add("smooth", real(0, 1), 0.0, "label smoothing of the hard labels, 0 to 1")
    add("average", real(0, 1), 0.999, "decay of the averaged weights, 0 to 1")
    add("every", whole(1), 500, "steps between validations and checkpoints")


def check_recipe(ap, a):
    """End with a usage error: options that are each in range do not go together."""
    if a.batch % a.chain:
        ap.error(f"--chain: {a.chain} does not divide the batch of {a.batch}")
    if a.stop and a.stop > a.steps:
        ap.error(f"--stop: {a.stop} is behind the end of the schedule of {a.steps} steps")


def settled(net, device):
    """-> the net on a device, its convolutions' weights laid out as they are fastest."""
    if net.stem:
        net.stem.to(memory_format=torch.channels_last)
    return net.to(device)


def fresh(network, bank, cfg, pretrained=None, vocabularies=None):
    """-> Net that knows the mean and spread of the bank's clips, or begins as the teacher does; and what is Beside it.
    vocabularies: of its head and those beside it; None: the bank's words."""
    vocabularies = vocabularies or [Vocabulary(None, bank.words)]
    net = Net(network, cfg.n_mels, len(vocabularies[0]), log_floor=cfg.log_floor)
    net.features.mean.copy_(bank.mean)
    net.features.scale.copy_(1 / bank.std)
    if pretrained:
        net.load_state_dict(net.state_dict() | pretrained)
    return settled(net, bank.device), Beside(network, vocabularies[1:]).to(bank.device)


class Schedule:
    """How far a training is: by steps, or by the clock."""

    def __init__(self, a):
        self.a, self.began = a, time.monotonic()

    def rate(self, step):
        """The rate of learning of a step: it rises in a.warmup steps, and falls as a cosine does."""
        a = self.a
        done = min(1.0, (time.monotonic() - self.began) / a.seconds) if a.seconds else step / a.steps
        return a.lr * min(1, (step + 1) / a.warmup) * (0.5 + 0.5 * math.cos(math.pi * done)) + 1e-6

    def goes_on(self, step):
        """Is there a step after so many?"""
        a = self.a
        if a.stop and step >= a.stop:
            return False
        return time.monotonic() - self.began < a.seconds if a.seconds else step < a.steps


def fit(a, net, beside, average, opt, augment, step=0, vocabularies=None, elders=()):
    """Train from `step` to the end of a's schedule, or to a.stop. Yields the step, the mean loss since the last and the rate,
    every a.every steps and at the end; `average` is then the averaged net."""
    train = Step(a, Losses(a, net, beside, vocabularies or [Vocabulary(None, augment.bank.words)], elders), average, opt)
    schedule, losses, checked = Schedule(a), [], step
    more = schedule.goes_on(step)
    while more:
        rate = schedule.rate(step)
        batch = augment.batch(a.batch, a.chain)
        speech = augment.dense(a.dense_batch) if a.dense and step >= a.dense_from else None
        losses.append(train(batch, speech, rate, keep=min(a.average, (step + 2) / (step + 21)), stem=step >= a.stem_from,
                            apart=step < a.beside_from))
        step += 1
        more = schedule.goes_on(step)
        due = step % a.every == 0 or not more
        if due or step - checked == CHECK:
            train.finish()  # the losses are there, and the average
            check(losses[checked - step :], checked, a.lr)
            checked = step
        if due:
            yield step, torch.stack(losses).mean().item(), rate
            losses = []


def check(losses, step, rate):
    """FloatingPointError: one of these losses, of the steps behind `step`, is no number."""
    finite = torch.stack(losses).isfinite().tolist()
    if not all(finite):
        at = finite.index(False)
        raise FloatingPointError(f"the loss of step {step + at + 1} is {losses[at].item()}: a lower rate than {rate} may do")


def validate(net, corpus, val, splits):
    """-> what was measured of a net on val (frames, labels, or None, None), and said so that it claims no more; {}: nothing."""
    if val[0] is None:
        return {}
    name = "val_accuracy_trained_on_val" if "val" in splits else "val_accuracy"
    heard = {"val_speakers_in_training": corpus.heard_before()} if "val" not in splits and corpus.heard_before() else {}
    return {name: round(accuracy(net, *val), 4), **heard}


def described(a, corpus, net, step, init=None):
    """What is known of a training: the `training` object of a model file."""
    parts = [(kind, split) for kind in ("commands", "unknown", "noise") for split in a.splits]
    parts.append(("speech", "train"))
    count = Counter((corpus.items[i].source, kind) for kind, split in parts for i in corpus.where(kind, split=split))
    data = [{"name": source or "not named", "kind": kind, "recordings": n} for (source, kind), n in sorted(count.items())]
    known = {"shards": len(a.shards), "stem_of_teacher_convolutions": a.convs if a.teacher else 0, "init": init}
    return {"data": data, "splits": a.splits, "seed": a.seed, "steps": step,
            "parameters": sum(p.numel() for p in net.parameters()), **{k: v for k, v in known.items() if v}}


def device(name):
    """A type for add_argument: a device of PyTorch that is there."""
    try:
        torch.zeros(1, device=name)
    except (RuntimeError, AssertionError) as e:
        raise argparse.ArgumentTypeError(f"'{name}': {str(e).splitlines()[0]}") from None
    return name


def elders_of(paths, words, cfg, where):
    """-> the networks of these checkpoints, to label batches. SystemExit: they are of other words or features than the corpus."""
    nets = []
    for path in paths:
        state = checkpoint.mean([path])
        all_words = [w for w in [state["words"], *state["beside"]] if sorted(w) == sorted(words)]
        net, features, theirs, _ = checkpoint.load([path], all_words[0][:-2] if all_words else None)
        same_words(theirs, path, words, "the corpus")
        if features != cfg:
            raise SystemExit(f"--elders: {path} is of other features than asked for")
        nets.append(settled(net.requires_grad_(False), where))
    return nets


def network_of(ap, a, stem):
    """-> the network that --network asks for; it pools one second if --network does not say otherwise."""
    from .encoders import ENCODERS  # which needs this module
    try:
        if a.network in ENCODERS:
            asked, network = {}, {**copy.deepcopy(ENCODERS[a.network].network), "stem": stem}
            if not ENCODERS[a.network].in_c:
                raise ValueError(f"{a.network} is for PyTorch alone: kws_train encoders --only {a.network}")
        else:
            asked = json.loads(a.network)
            network = network_spec(**{"stem": stem, **asked})
        check_network(network)
        if "pool" not in asked:
            network["pool"] = FRAMES // step_of(network)
    except (ValueError, TypeError) as e:
        ap.error(f"--network: {str(e).replace('network_spec() ', '')}")
    return network


def options():
    """-> ArgumentParser of this command."""
    ap = parser("train", __doc__)
    corpus_options(ap)
    ap.add_argument("--run", metavar="DIR", required=True, help="folder for log, checkpoint and model; resumes what is there")
    ap.add_argument("--splits", metavar="SPLIT,...", type=listed, default="train", help="train, or train,val for the final model")
    ap.add_argument("--shards", metavar="FILE", nargs="*", default=[], help="augmented shards with teacher labels")
    ap.add_argument("--init", metavar="FILE", nargs="+",
                    help="start from the averaged weights of this checkpoint or model file, or the mean of several")
    ap.add_argument("--commands", metavar="WORD,...", type=listed, action="append", default=[],
                    help="the words to spot, in this order; all others are _unknown_ (default: all of the corpus); "
                    "again: those of one more head")
    ap.add_argument("--draw", metavar="WORD=X", type=weight, action="append", default=[],
                    help="draw this word X times as often as its kind is drawn, above 0; again: another word")
    ap.add_argument("--network", metavar="JSON", default="{}", help="arguments of network_spec; or the name of an encoder "
                    "that `kws_train encoders --list` prints, of those that run in C")
    stem_options(ap)
    recipe(ap)
    ap.add_argument("--elders", metavar="FILE", nargs="+", default=[], help="checkpoints of networks of all words of the corpus: "
                    "what they make of each batch are its soft labels, instead of those of the shards; the mean of them all")
    ap.add_argument("--device", metavar="NAME", type=device, default="cpu", help="where to train: cpu, or cuda for a GPU")
    ap.add_argument("--seed", metavar="N", type=whole(0), default=1, help="of all that is random")
    return ap


class Run:
    """A training and its folder: what a step changes, and where it is kept."""

    def __init__(self, a, corpus, vocabularies, net, beside, opt, rng, init):
        self.a, self.corpus, self.vocabularies, self.opt, self.rng = a, corpus, vocabularies, opt, rng
        self.net, self.beside, self.elders = net, beside, []
        self.average, self.step, self.init = copy.deepcopy(net), 0, init
        self.path = os.path.join(a.run, "last.pt")

    def state(self, cfg):
        """What makes two checkpoints ones of the same training."""
        return {"network": self.net.network, "features": asdict(cfg), "words": self.vocabularies[0].words,
                "beside": [v.words for v in self.vocabularies[1:]]}

    def resume(self, cfg):
        """Go on where the checkpoint is, if there is one."""
        if not os.path.exists(self.path):
            return
        s = checkpoint.read(self.path)
        same_words(s["words"], self.path, self.vocabularies[0].words, os.path.join(self.corpus.root, "manifest.tsv"))
        for part, value in self.state(cfg).items():
            if s.get(part, []) != value:
                raise SystemExit(f"{self.path} is of other {part} than asked for: remove it, or give another --run")
        if s["training"]["seed"] != self.a.seed or s["corpus"] != self.corpus.digest():
            raise SystemExit(f"{self.path} is of another seed or corpus: remove it, or give another --run")
        self.net.load_state_dict(s["net"])
        self.average.load_state_dict(s["average"])
        self.beside.load_state_dict(s["embedder"])
        self.opt.load_state_dict(s["opt"])
        self.rng.bit_generator.state = s["rng"]
        self.step = s["step"]

    def save(self, cfg, measured):
        """Checkpoint and model file."""
        training = described(self.a, self.corpus, self.net, self.step, self.init)
        name = os.path.basename(os.path.abspath(self.a.run))
        checkpoint.save(self.path, {
            **self.state(cfg), "training": training, "net": self.net.state_dict(), "average": self.average.state_dict(),
            "embedder": self.beside.state_dict(), "opt": self.opt.state_dict(), "rng": self.rng.bit_generator.state,
            "step": self.step, "corpus": self.corpus.digest()})
        save_model(os.path.join(self.a.run, "model.safetensors"), copy.deepcopy(self.average).cpu(), cfg,
                   self.vocabularies[0].words, name, training=training, measured=measured)


def start(ap, a):
    """-> Run, FeatureConfig and Augment of what the options ask for."""
    cfg, words = shards.alike(sorted(a.shards)) if a.shards else (FeatureConfig(), None)
    stem, pretrained = asked_stem(ap, a, cfg)
    network = network_of(ap, a, stem or STEM)
    init = checkpoint.mean(a.init) if a.init else None
    if init and (init["network"], init["features"]) != (network, asdict(cfg)):
        ap.error(f"--init: {a.init[0]} is of another network or other features than asked for")
    corpus = Corpus(a.data, a.cache, words, a.shards and a.shards[0])
    vocabularies = [Vocabulary(c, corpus.words) for c in a.commands] or [Vocabulary(None, corpus.words)]
    if a.commands and len(vocabularies[0]) < len(corpus.words):
        vocabularies.append(Vocabulary(None, corpus.words))
    if init:
        same_words(init["words"], a.init[0], vocabularies[0].words, os.path.join(a.data, "manifest.tsv"))
    draw = dict(a.draw)
    strange = [w for w in draw if w not in corpus.words[:-1]]
    if strange:
        ap.error(f"--draw: '{strange[0]}' is no word of the corpus: {said(corpus.words)}")
    rng = np.random.default_rng(a.seed)
    bank = Bank(corpus, cfg, a.splits, a.shards, a.dense, a.distil > 0 and not a.elders, a.device)
    net, beside = fresh(network, bank, cfg, pretrained, vocabularies)
    if init:
        net.load_state_dict(init["average"])
        if init["embedder"] and init["beside"] == [v.words for v in vocabularies[1:]]:
            beside.load_state_dict(init["embedder"])
    run = Run(a, corpus, vocabularies, net, beside, optimiser(net, beside, a), rng, init and init["training"])
    run.resume(cfg)
    print(json.dumps(vars(a)), f"clips {len(bank.clips)} parameters {sum(p.numel() for p in net.parameters())}", flush=True)
    run.elders = elders_of(a.elders, corpus.words, cfg, a.device)
    return run, cfg, Augment(bank, net.step, rng, partial=a.partial, silence=a.silence, unknown=a.unknown, clean=a.clean,
                             commands=vocabularies[0].words, draw=draw, snr=a.snr,
                             layouts=LAYOUTS if bank.device.type == "cuda" else None)


def main(argv=None):
    """Train, or go on with a training."""
    ap = options()
    a = ap.parse_args(argv)
    check_recipe(ap, a)
    if not {"train"} <= set(a.splits) <= {"train", "val"}:
        ap.error(f"--splits: '{','.join(a.splits)}' is neither train nor train,val")
    torch.set_num_threads(1)
    torch.manual_seed(a.seed)
    run, cfg, augment = start(ap, a)
    val = run.corpus.validation(cfg)
    if val[0] is not None:
        val = val[0], run.vocabularies[0].of[val[1]].numpy()
    if val[0] is None:
        print(f"no clips of split val in {a.data}: nothing is measured", flush=True)
    elif "val" not in a.splits and run.corpus.heard_before():
        print(f"{run.corpus.heard_before()} speakers of split val are in split train, too: val is not of new voices", flush=True)
    os.makedirs(a.run, exist_ok=True)
    t0, began = time.time(), run.step
    for step, loss, rate in fit(a, run.net, run.beside, run.average, run.opt, augment, run.step, run.vocabularies,
                                run.elders):
        run.step = step
        measured = validate(run.average, run.corpus, val, a.splits)
        line = f"{run.step}\tloss {loss:.4f}"
        if measured:
            line += f"\tval {100 * next(iter(measured.values())):.2f}\tphase7 {100 * accuracy(run.average, *val, 7):.2f}"
        line += f"\tlr {rate:.2e}\t{(time.time() - t0) / (run.step - began) * 1e3:.0f} ms/step"
        print(line, flush=True)
        with open(os.path.join(a.run, "log.tsv"), "a") as log:
            log.write(line + "\n")
        run.save(cfg, measured)
