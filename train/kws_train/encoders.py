"""Train every encoder in turn with the same data, features, front end, head, recipe and budget, and compare them.

    python -m kws_train encoders --data CORPUS --shards runs/shards/v0[0-2].npz --seeds 1 --kws ../build/kws --docs ../docs

A run that ends is a line in encoders.tsv in --docs, and what has one is not trained again; runs.py says what is in it. Runs of
another recipe, as with more --steps or on a --teacher's first layers, want a folder of their own. With --kws
the engine times what it can run: encoders-c.tsv. Then encoders.md and its picture are written from these tables alone; --report
only does that, also while some are missing. The ending of --picture says what the picture is.
"""
import argparse
import copy
import os
import tempfile
import time
from collections import ChainMap
from dataclasses import asdict, dataclass, replace

import numpy as np
import torch

from . import ablations, baselines, raw, runs, shards, tables
from .bank import FRAMES, Augment, Bank
from .baselines.mixer import LONGEST
from .beside import Beside, Vocabulary
from .data import Corpus
from .export import save_model
from .features import FeatureConfig
from .layers import KINDS, TWIN_ONLY
from .model import Net, fastformer_spec, network_spec
from .network import step_of
from .options import corpus as corpus_options
from .options import listed, parser, whole
from .picture import picture_file
from .pretrained import asked_stem, stem_options
from .report import draw, figures, measure, rows_of, write_page
from .train import accuracy, check_recipe, fit, fresh, optimiser, recipe

SIZE = dict(dim=64, depth=3)
PHASES = (0, *runs.LATER)  # places in the chunk at which a clip may begin


@dataclass(frozen=True)
class Encoder:
    title: str
    network: dict
    rate: float = 1.0  # times the common one
    raw: bool = False  # it takes samples, and no features

    def on(self, stem):
        """The same on another stem, of the entries of a model file; None or []: on its own."""
        if not stem or self.raw:
            return self
        network = {**self.network, "stem": stem}
        return replace(self, network={**network, "pool": FRAMES // step_of(network)})

    def net(self, bands, words):
        """The network, for so many bands of features."""
        return Net(self.network, 1, words, affine=False) if self.raw else Net(self.network, bands, words)

    @property
    def layers(self):
        """Those that have tensors: one that shares another's has none."""
        return [s for s in self.network["layers"] if "kind" in s]

    @property
    def in_c(self):
        return not self.raw and all(s["kind"] in KINDS for s in self.layers)

    @property
    def hears(self):
        """stream: without end; clip: as it comes, but not longer than it was trained on; whole: once it has ended."""
        kinds = {s["kind"]: s for s in self.layers}
        if not all(s.get("causal", getattr(TWIN_ONLY.get(k), "causal", True)) for k, s in kinds.items()):
            return "whole"
        return "clip" if "sines" in kinds or any("max_positions" in s for s in kinds.values()) else "stream"

    @property
    def family(self):
        first = next(s for s in self.layers if s["kind"] != "sines")
        if first["kind"].startswith("fastformer") or first.get("attention") == "additive":
            return "fastformer"
        return "mega" if first["kind"].startswith("mega") else "other"

    @property
    def phases(self):
        """Only what is cut into chunks hears a difference."""
        return PHASES if not self.raw and any(s.get("chunk", 0) > 0 for s in self.layers) else PHASES[:1]


def _mega(title, **other):
    return Encoder(title, network_spec(**{**SIZE, "zdim": 32, "hdim": 128, "ffn": 128, **other}))


def baseline(title, ffn=None, sines=True, **layer):
    """`depth` pairs of that layer and the feed-forward of Mega's, behind a table of sines where it has no order itself.
    ffn: width of the feed-forward layer; None: that which makes it as large as the default."""
    if ffn is None:
        size = lambda e: sum(p.numel() for p in Net(e.network, 40, 12).parameters())
        narrow, wider = (size(baseline(title, n, sines, **layer)) for n in (8, 16))
        return baseline(title, max(8, 8 + round((size(ENCODERS[DEFAULT]) - narrow) / (wider - narrow)) * 8), sines, **layer)
    spec = network_spec(**{**SIZE, "zdim": 32, "hdim": 128, "ffn": ffn})
    layers = [layer if s["kind"] == "mega" else s for s in spec["layers"]]
    return Encoder(title, {**spec, "layers": [{"kind": "sines"}] * sines + layers})


def varied(e, title, ffn=None, shared=False, **values):
    """An encoder with other values of its layers that mix over time, or of the width of its feed-forward ones; shared: all
    layers are the first ones once more."""
    def changed(s):
        own = {} if s["kind"] in ("sines", "nffn") else values
        return {**s, **own, **({"ffn": ffn} if ffn and "ffn" in s else {})}

    layers = [changed(s) for s in e.layers]
    if shared:
        layers = [s if i < len(layers) // SIZE["depth"] else {"share": i % (len(layers) // SIZE["depth"])}
                  for i, s in enumerate(layers)]
    return replace(e, title=title, network={**e.network, "layers": layers})


ENCODERS = {
    "mega": _mega("Mega, chunk 25, softmax"),
    "mega-laplace": _mega("Mega, chunk 25, laplace", attention="laplace"),
    "mega-relu2": _mega("Mega, chunk 25, relu²", attention="relu2"),
    "mega-16": _mega("Mega, chunk 16, softmax", chunk=16),
    "mega-50": _mega("Mega, chunk 50, softmax", chunk=50),
    "mega-full": _mega("Mega, full attention", chunk=-1, max_positions=LONGEST),
    "mega-no-ema": _mega("Mega without EMA", ndim=0, ffn=160),
    "ema-only": _mega("EMA without attention", attention="none", ffn=144),
    "fastformer": Encoder("Fastformer, 0.3 × rate", fastformer_spec(**SIZE, ffn=304), rate=0.3),  # at 1.0 it diverges
    "fastformer-ema": _mega("Fastformer with EMA", attention="additive"),
}
DEFAULT = "mega"  # the others have to be as large, and times in C are related to its
ENCODERS |= {name: baseline(**row) for name, row in baselines.ENCODERS.items()}
PAIRS = [("mega", "mega-no-ema", "Mega, chunk 25: with EMA for without"),
         ("mega-16", "mega-no-ema", "Mega, chunk 16 with EMA for chunk 25 without"),
         ("mega-both", "mega", "Mega, both ways for chunk 25"),
         ("fastformer-ema", "fastformer", "additive attention: in the gated block behind an EMA for Fastformer's own block"),
         ("mega", "ema-only", "chunk attention behind the EMA for none"),
         ("fastformer-ema", "ema-only", "additive attention behind the EMA for none")]


@dataclass(frozen=True)
class Table:
    """What is compared on one page, and how the page and the picture are called."""

    command: str
    page: str
    title: str
    heading: str
    rows: dict    # of Encoder, the one that others are related to first
    pairs: list
    ranked: bool  # in the picture the best is above

    def write(self, a):
        """The page and the picture, from the runs that there are."""
        how = runs.recipe_of(a.docs)
        every, own = on_stem(ALL, how), on_stem(self.rows, how)
        found, timed = runs.load(a.docs, every)
        rows, missing = rows_of(own, a.only or own, a.seeds, found, timed, how)
        drawn = a.picture or os.path.join(a.docs, f"{self.page}.svg")
        first = next(iter(self.rows.values())).title
        text = figures(rows, missing, how, self.pairs, os.path.relpath(drawn, a.docs), first)
        write_page(os.path.join(a.docs, f"{self.page}.md"), text, self.command, self.title)
        if rows:
            draw(drawn, rows, self.heading, self.ranked)
        if missing:
            print("missing: " + ", ".join(missing))


def on_stem(encoders, recipe):
    """Encoders by name, on the stem that a recipe says."""
    return {name: e.on(recipe.get("stem")) for name, e in encoders.items()}


ABLATIONS, CHANGES = ablations.rows(ENCODERS, varied)
ABLATIONS["mega-raw"] = replace(ENCODERS["mega"], title="Mega on samples, chunk 1000", raw=True,
                                network=raw.network(ENCODERS["mega"].network, 1000))
CHANGES.append(("mega-raw", "mega", "Mega on samples, chunk 1000 for Mega, chunk 25, on log-mel bands"))
ALL = ChainMap(ENCODERS, ABLATIONS)  # and what --with adds
TABLES = {t.command: t for t in (
    Table("encoders", "encoders", "Encoders compared", "Accuracy of encoders of one size, trained alike", ENCODERS, PAIRS, True),
    Table("encoders --ablations", "ablations", "Parts of Mega and Fastformer", "Accuracy with parts changed or taken out, "
          "trained alike", ABLATIONS, CHANGES, False))}


class Bench:
    """What all runs share."""

    def __init__(self, ap, a):
        self.a = a
        self.cfg, words = shards.alike(sorted(a.shards)) if a.shards else (FeatureConfig(), None)
        self.stem, self.pretrained = asked_stem(ap, a, self.cfg)
        self.corpus = Corpus(a.data, a.cache, words, a.shards and a.shards[0])
        self.bank = Bank(self.corpus, self.cfg, ["train"], a.shards, a.dense)
        self.words = Vocabulary(a.commands or None, self.corpus.words)
        silences = {"val": 100, "val2": 0}
        self.pcm = {split: self.corpus.heard_clips(split, n) for split, n in silences.items()}
        if self.pcm["val"][0] is None:
            raise SystemExit(f"{a.data}: no clips of split val in its manifest: nothing to compare by")
        self.frames = {split: self.corpus.validation(self.cfg, split, n)[0] for split, n in silences.items()}

    def run(self, name, seed):
        """Train one encoder -> Run."""
        e = ALL[name].on(self.stem)
        a = argparse.Namespace(**{**vars(self.a), "lr": e.rate * self.a.lr})
        torch.manual_seed(seed)
        rng = np.random.default_rng(seed)
        if e.raw:
            net, beside = e.net(1, len(self.words)), Beside(e.network)
            augment = raw.Waves(self.corpus, rng, a.silence, commands=self.words.words)
        else:
            net, beside = fresh(e.network, self.bank, self.cfg, self.pretrained, vocabularies=[self.words])
            augment = Augment(self.bank, net.step, rng, partial=a.partial, silence=a.silence, unknown=a.unknown, clean=a.clean,
                              commands=self.words.words, snr=a.snr)
        average = copy.deepcopy(net)
        opt = optimiser(net, beside, a)
        began = time.process_time()
        for step, loss, _ in fit(a, net, beside, average, opt, augment, vocabularies=[self.words]):
            print(f"{name} {seed}\t{step}\tloss {loss:.4f}", flush=True)
        seconds = time.process_time() - began
        return runs.Run(encoder=name, seed=seed, source="run", parameters=sum(p.numel() for p in net.parameters()),
                        train_clips=len(self.bank.clips), loss=round(float(loss), 4), train_seconds=round(seconds, 1),
                        machine=tables.machine(), recipe=runs.short(self.recipe()), network=runs.short(e.network),
                        **self.judge(e, average))

    def judge(self, e, net):
        """-> what a Run has of each split that has clips: how many there are, and how many were right."""
        heard = {}
        for split, (pcm, labels) in self.pcm.items():
            if pcm is None:
                continue
            x, y = pcm[..., None] if e.raw else self.frames[split], self.words.of[labels].numpy()
            heard[f"{split}_clips"] = len(y)
            for p in e.phases if split == "val" else PHASES[:1]:
                heard[f"{split}_right" + f"_{p}" * (p > 0)] = round(len(y) * accuracy(net, x, y, p))
        return heard

    def recipe(self):
        """What makes two results comparable."""
        keys = ("steps", "seconds", "stop", "batch", "lr", "warmup", "decay", "stem_rate", "stem_from", "chain", "partial",
                "dense_from", "dense_batch", "dense_weight", "sharpen", "clean", "silence", "unknown", "snr", "distil", "embed",
                "smooth", "average")
        return {**{k: getattr(self.a, k) for k in keys}, "shards": [os.path.basename(s) for s in sorted(self.a.shards)],
                "dense": bool(self.a.dense), "words": self.words.words, "features": asdict(self.cfg),
                "corpus": self.corpus.names(), **({"stem": self.stem} if self.stem else {})}


def options():
    """-> ArgumentParser of this command."""
    ap = parser("encoders", __doc__)
    corpus_options(ap, False, "; needed to train")
    ap.add_argument("--shards", metavar="FILE", nargs="*", default=[], help="augmented shards with teacher labels")
    ap.add_argument("--commands", metavar="WORD,...", type=listed, default=[],
                    help="the words to spot; all others are _unknown_ (default: all of the corpus)")
    stem_options(ap)
    ap.add_argument("--seeds", metavar="N", type=whole(0), nargs="+", default=[1, 2], help="a run with each")
    ap.add_argument("--only", nargs="+", choices=ALL, metavar="NAME",
                    help="of those that --list prints; what is missing is of these, then")
    ap.add_argument("--list", action="store_true", help="print all: name, what it hears, parameters, where it runs, title")
    ap.add_argument("--with", metavar="FILE", action="append", default=[], dest="files",
                    help="a file with one more encoder, as those of kws_train/baselines; may be repeated")
    ap.add_argument("--ablations", action="store_true", help="not the encoders but what they become with parts changed, and "
                    "the page and the picture of these")
    ap.add_argument("--report", action="store_true", help="write the page and the picture, train and time nothing")
    ap.add_argument("--kws", metavar="FILE", help="the program: have it time those that run in C, where that is not done")
    ap.add_argument("--docs", metavar="DIR", default="runs/encoders", help="folder of the tables, of the page, encoders.md or "
                    "ablations.md, and of the picture")
    ap.add_argument("--picture", metavar="FILE", type=picture_file, help="the picture: .svg, .png or .pdf (default: encoders.svg "
                    "or ablations.svg, beside the page)")
    recipe(ap, steps=1600, batch=48, warmup=100, chain=1, silence=0.1, partial=0.05, every=300)
    return ap


def train_missing(ap, a):
    """Train what has no line yet, or one from a page."""
    bench = None
    known, _ = runs.load(a.docs, on_stem(ALL, runs.recipe_of(a.docs)))
    for seed in a.seeds:  # first all with one seed
        for name in a.only or [n for n, e in a.table.rows.items() if not e.raw]:
            if (name, seed, "run") in known:
                continue
            if not a.data:
                ap.error("--data: training needs the corpus")
            if bench is None:
                bench = Bench(ap, a)
                runs.agree(a.docs, bench.recipe())
            run = bench.run(name, seed)
            runs.keep(a.docs, run, bench.recipe())
            print(f"{name} {seed}\t{run.said()}\t{run.train_seconds:.0f} s", flush=True)


def time_missing(a):
    """Have the C engine time what has a run and no times yet, each in turn with the default. Weights are as they are drawn: what
    was learnt takes no other time."""
    recipe = runs.recipe_of(a.docs)
    every = on_stem(ALL, recipe)
    found, timed = runs.load(a.docs, every)
    trained = {name for name, _, _ in found}
    with tempfile.TemporaryDirectory() as folder:
        def file_of(name):
            path = os.path.join(folder, f"{name}.safetensors")
            if not os.path.exists(path):
                torch.manual_seed(1)
                cfg = FeatureConfig(**recipe["features"])
                save_model(path, every[name].net(cfg.n_mels, len(recipe["words"])).eval(), cfg, recipe["words"], name)
            return path

        for name, e in a.table.rows.items():
            if e.in_c and name in trained and name not in timed:
                result = runs.Timed(encoder=name, machine=tables.machine(), network=runs.short(every[name].network),
                                    **measure(a.kws, file_of(name), file_of(DEFAULT), e.hears == "stream"))
                tables.add(runs.places(a.docs)[1], result)
                print(f"{name}\tin C", flush=True)


def add_files(argv):
    """Register the encoders of --with, before --only can name them."""
    ap = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    ap.add_argument("--with", action="append", default=[], dest="files")
    for path in ap.parse_known_args(argv)[0].files:
        for name, row in baselines.load(path).items():
            try:
                ENCODERS[name] = baseline(**row)
            except (TypeError, ValueError, RuntimeError) as e:
                raise SystemExit(f"{path}: {name}: {e}") from None


def print_list(rows):
    """A line an encoder."""
    for name, e in rows.items():
        size = sum(p.numel() for p in e.net(40, 12).parameters())
        print(f"{name:<21} {e.hears:<6} {size:>7}  {'C and PyTorch' if e.in_c else 'PyTorch':<13}  {e.title}")


def main(argv=None):
    """Train and time what is missing, and write the page."""
    add_files(argv)
    ap = options()
    a = ap.parse_args(argv)
    a.table = TABLES["encoders --ablations" if a.ablations else "encoders"]
    check_recipe(ap, a)
    if a.list:
        print_list(a.table.rows)
        return
    torch.set_num_threads(1)
    os.makedirs(a.docs, exist_ok=True)
    if not a.report:
        train_missing(ap, a)
        if a.kws:
            time_missing(a)
    a.table.write(a)
