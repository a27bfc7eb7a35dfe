"""What a training step and inference cost against the length of a recording, for every encoder, on one core.

    python -m kws_train lengths --engine ../build/lengths

Measured are the layers of an encoder, without stem and head, which are the same for all, on one recording of so many network
frames: a training step (forward and backward in bfloat16, as `train` does it, without the optimiser) and inference (float32).
Each is measured in a process of its own, in turn with the first encoder of the table, by processor time; memory is what the
process has grown by at its peak. With --engine the C programs' engine is measured, too, on what runs there.

Every figure is added to lengths.tsv in --docs as soon as it is there, and what stands there is not measured again. Longer
recordings are not tried if, as the shorter ones went, a step would take more than --most-s or need more than --most-mb.
Then lengths.md and its picture are written from the table alone; --report only does that. The ending of --picture says what the
picture is.
"""
import json
import math
import multiprocessing
import os
import statistics
import subprocess
import tempfile
import time
from dataclasses import dataclass

import torch

from . import tables
from .encoders import ENCODERS, varied
from .export import save_model
from .features import FeatureConfig
from .lengths_report import draw, figures
from .model import Net
from .options import parser, whole
from .picture import picture_file
from .report import write_page

REFERENCE = "mega"
LENGTHS = [256, 512, 1024, 2048, 4096, 8192, 16384]
LONGEST_IN_C = 8192  # positions of a model file
ROWS = ENCODERS | {  # and what is of interest here only
    "transformer-fused": varied(ENCODERS["transformer"], "Transformer, fused", fused=True),
    "fastformer-whole": varied(ENCODERS["fastformer"], "Fastformer, the original", causal=False, forget=False, max_positions=1),
    "mega-both-25": varied(ENCODERS["mega-both"], "Mega, both ways, chunk 25", chunk=25)}
IN_C = ["mega", "mega-full", "mega-no-ema", "ema-only", "fastformer", "fastformer-ema"]


@dataclass(frozen=True)
class Figure:
    """A row of the table."""

    where: str        # torch or C
    encoder: str
    what: str         # training or inference
    frames: int       # network frames of the recording
    seconds: float    # processor time, median of the passes
    ratio: float      # to the reference in turn with it, median, and the least and the most of the passes
    least: float
    most: float
    passes: int
    megabytes: float  # at the peak; in C: of one stream, with its weights' scratch
    machine: str

    @property
    def key(self):
        return self.where, self.encoder, self.what, self.frames


def read(path):
    """-> {key: Figure} of a table, nothing if there is none. SystemExit: a line is none of it."""
    return {f.key: f for f in tables.read(path, Figure)}


# ---- the twin -----------------------------------------------------------------------------------------------------

def network(name, frames):
    """The network of an encoder made for recordings of so many frames."""
    fitted = []
    for layer in ROWS[name].network["layers"]:
        layer = dict(layer)
        if "max_positions" in layer:
            layer["max_positions"] = frames
        if layer["kind"] == "reformer":  # as many to a bucket whatever the length
            layer["buckets"] = max(layer["buckets"], frames // 32)
        fitted.append(layer)
    plain = {k: v for k, v in ROWS[name].network.items() if k != "stem"}
    return {**plain, "layers": fitted}


def step(net, x, training):
    """One training step, or one inference, of the layers on x [1, T, D]."""
    with torch.set_grad_enabled(training), torch.autocast("cpu", torch.bfloat16, enabled=training):
        y = x
        for i in net.order:
            y = net.layers[i](y, 0)
        y = net.final_norm(y) if net.final_norm is not None else y
    if training:
        y.float().square().mean().backward()
        net.zero_grad(set_to_none=True)


def seconds(work):
    began = time.process_time()
    work()
    return time.process_time() - began


def resident(key):
    """VmRSS or VmHWM, the peak since it was last reset, in MB."""
    with open("/proc/self/status") as f:
        return next(int(line.split()[1]) / 1024 for line in f if line.startswith(key + ":"))


def measure(name, what, frames, passes):
    """-> what a Figure has of one encoder at one length, measured in this process."""
    torch.manual_seed(1)
    training = what == "training"
    nets = [Net(network(n, frames), FeatureConfig().n_mels, 12).train(training) for n in (name, REFERENCE)]
    x = torch.randn(1, frames, nets[0].network["dim"])
    for net in nets:
        step(net, x[:, :32], training)  # what is loaded and planned once
    with open("/proc/self/clear_refs", "w") as f:
        f.write("5")  # the peak begins anew
    before = resident("VmRSS")
    first = seconds(lambda: step(nets[0], x, training))
    grown = resident("VmHWM") - before
    again = max(1, round(0.1 / max(first, 1e-3)))
    run = lambda net: seconds(lambda: [step(net, x, training) for _ in range(again)]) / again
    own, other = [first] if first > 1 else [], []  # so long a step has no need of a warm one before it
    for i in range(passes):
        if len(own) == i:
            own.append(run(nets[0]))
        other.append(run(nets[1]))
    return summary(own, other) | {"megabytes": round(grown, 1)}


def summary(own, other):
    """Times in turn -> what a Figure has of them."""
    ratios = [a / b for a, b in zip(own, other, strict=True)]
    return {"seconds": float(f"{statistics.median(own):.4g}"), "ratio": round(statistics.median(ratios), 3),
            "least": round(min(ratios), 3), "most": round(max(ratios), 3), "passes": len(own)}


def _child(pipe, *args):
    pipe.send(measure(*args))


def apart(*args):
    """measure() in a process of its own. SystemExit: it ended without a result."""
    here, there = multiprocessing.Pipe(False)
    child = multiprocessing.get_context("fork").Process(target=_child, args=(there, *args))
    child.start()
    there.close()
    try:
        return here.recv()
    except EOFError:
        what = f"{args[0]}, {args[1]} on {args[2]} frames"
        raise SystemExit(f"{what}: ended without a result; too little memory?") from None
    finally:
        child.join()


def expected(points, frames):
    """What a curve [(frames, value)] goes on to, by the exponent of its end: from 1 to 2, and 2 of one point."""
    (n, last), power = points[-1], 2.0
    if len(points) > 1 and min(points[-2][1], last) > 0:
        power = min(2.0, max(1.0, math.log(last / points[-2][1]) / math.log(n / points[-2][0])))
    return last * (frames / n) ** power


def too_much(row, frames, a):
    """Whether so long a recording is not tried, by the figures of the shorter ones."""
    of = lambda value: expected([(f.frames, getattr(f, value)) for f in row], frames)
    return bool(row) and (of("seconds") > a.most_s or of("megabytes") > a.most_mb)


def measure_twin(a, path):
    """Measure what the table has not got yet."""
    known = read(path)
    for name in a.only or ROWS:
        for what in ("training", "inference"):
            row = []
            for frames in sorted(a.lengths):
                if too_much(row, frames, a):
                    print(f"{name}\t{what}\t{frames}\tnot tried", flush=True)
                    break
                row.append(known.get(("torch", name, what, frames)))
                if row[-1] is None:
                    row[-1] = Figure("torch", name, what, frames, machine=tables.machine(), **apart(name, what, frames, a.passes))
                    tables.add(path, row[-1])
                    print(f"{name}\t{what}\t{frames}\t{row[-1].seconds:.4g} s\t{row[-1].megabytes:.0f} MB", flush=True)


# ---- the engine in C ----------------------------------------------------------------------------------------------

def measure_engine(a, path):
    """The same for the engine, which hears frame by frame, by a program that runs two model files in turn."""
    known = read(path)
    lengths = [n for n in sorted(a.lengths) if n <= LONGEST_IN_C]
    with tempfile.TemporaryDirectory() as folder:
        def file_of(name):
            file = os.path.join(folder, f"{name}.safetensors")
            if not os.path.exists(file):
                torch.manual_seed(1)
                net = Net(network(name, max(lengths)), FeatureConfig().n_mels, 3).eval()
                save_model(file, net, FeatureConfig(), ["a", "_unknown_", "_silence_"], name)
            return file

        for name in (n for n in IN_C if not a.only or n in a.only):
            for frames in (n for n in lengths if ("C", name, "inference", n) not in known):
                done = subprocess.run([a.engine, file_of(name), file_of(REFERENCE), str(frames), str(a.passes)], check=True,
                                      stdout=subprocess.PIPE)
                found = json.loads(done.stdout)
                figure = Figure("C", name, "inference", frames, machine=tables.machine(),
                                megabytes=round(found["bytes"] / 2 ** 20, 3), **summary(found["seconds"], found["other"]))
                tables.add(path, figure)
                print(f"{name}\tin C\t{frames}\t{figure.seconds:.4g} s\t{figure.megabytes:.2f} MB", flush=True)


def options():
    """-> ArgumentParser of this command."""
    ap = parser("lengths", __doc__)
    ap.add_argument("--lengths", metavar="N", type=whole(64, 65536), nargs="+", default=LENGTHS,
                    help="network frames, 64 to 65536")
    ap.add_argument("--only", nargs="+", choices=ROWS, metavar="NAME", help="of " + ", ".join(ROWS))
    ap.add_argument("--passes", metavar="N", type=whole(1), default=3, help="measurements of each, in turn")
    ap.add_argument("--most-s", metavar="N", type=whole(1), default=8, help="nothing that would take more seconds a step")
    ap.add_argument("--most-mb", metavar="N", type=whole(1), default=4000, help="nothing that would need more memory, MB")
    ap.add_argument("--engine", metavar="FILE", help="the program that measures the C engine (make build/lengths)")
    ap.add_argument("--report", action="store_true", help="write the page and the picture, measure nothing")
    ap.add_argument("--docs", metavar="DIR", default="../docs", help="folder of lengths.tsv and lengths.md")
    ap.add_argument("--picture", metavar="FILE", type=picture_file,
                    help="the picture: .svg, .png or .pdf (default: lengths.svg, beside the page)")
    return ap


def main(argv=None):
    """Measure what is missing, and write the page."""
    a = options().parse_args(argv)
    torch.set_num_threads(1)
    os.makedirs(a.docs, exist_ok=True)
    path = os.path.join(a.docs, "lengths.tsv")
    if not a.report:
        measure_twin(a, path)
        if a.engine:
            measure_engine(a, path)
    found = read(path)
    titles = {name: (e.title, e.family) for name, e in ROWS.items()}
    drawn = a.picture or os.path.join(a.docs, "lengths.svg")
    text = figures(found, titles, os.path.relpath(drawn, a.docs))
    write_page(os.path.join(a.docs, "lengths.md"), text, "lengths", "Encoders against length")
    draw(drawn, found, titles)
