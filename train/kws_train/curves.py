"""Draw how trainings went: loss, errors on the validation clips and learning rate, from the log.tsv of each run.

    python -m kws_train curves runs/a runs/b --out curves.svg

The ending of --out says what the picture is: .svg, .png or .pdf. An SVG tells the step and the value of a point while the
pointer is on it. Prints the best and the last accuracy of each run, too. Where a training was interrupted and went on from its
checkpoint, what it did again counts.
"""
import math
import os
import re

from .options import parser
from .picture import Picture, log_steps, picture_file, steps

COLOURS = ("#1f77b4", "#d62728", "#2ca02c", "#9467bd", "#ff7f0e", "#8c564b", "#e377c2", "#17becf", "#7f8000", "#5b6770")
LINE = re.compile(r"(\d+)\tloss (\S+)(?:\tval (\S+)\tphase7 \S+)?\tlr (\S+)\t\S+ ms/step")
WIDTH, LEFT, RIGHT, TOP, BOTTOM = 960, 60, 925, 70, 300
RATE_TOP, RATE_BOTTOM, LEGEND = 368, 428, 484
GRID = "#e4e4e4"
DOTS = 60  # with more points in a run, lines only; the titles are there all the same


def read(folder):
    """-> {step: {"loss", "val" or None, "lr"}} of a run, by rising step."""
    path = os.path.join(folder, "log.tsv")
    found = {}
    with open(path) as f:
        for number, row in enumerate(f, 1):
            match = LINE.fullmatch(row.rstrip("\n"))
            try:
                step, loss, val, rate = match.groups()
                values = {"loss": float(loss), "val": float(val) if val else None, "lr": float(rate)}
            except (AttributeError, ValueError):
                raise SystemExit(f"{path}:{number}: not a line of a training: {row.strip()!r}") from None
            found = {s: v for s, v in found.items() if s < int(step)} | {int(step): values}
    if not found:
        raise SystemExit(f"{path}: no step has been logged yet")
    return found


def summary(name, run):
    measured = {s: v["val"] for s, v in run.items() if v["val"] is not None}
    last = max(run)
    said = f"{name}: step {last}, loss {run[last]['loss']:.4f}"
    if measured:
        best = max(measured, key=lambda s: (measured[s], -s))
        said += f", val {measured[max(measured)]:.2f} %; best val {measured[best]:.2f} % at step {best}"
    return said


def scale(known, log, marks):
    """-> the marks of an axis, and how far along it a value is, 0 to 1."""
    if log:
        lo, hi = min(known) / 1.05, max(known) * 1.05
        return log_steps(lo, hi, marks), lambda y: math.log(y / lo) / math.log(hi / lo)
    levels = steps(min(known), max(known) or 1.0, marks)
    levels = levels if len(levels) > 1 else [levels[0], levels[0] + 1.0]
    return levels, lambda y: (y - levels[0]) / (levels[-1] - levels[0])


def frame(p, title, box, levels, times, at):
    """The axes of a panel; at: (step, level or None) -> x, y"""
    left, right, top, bottom = box
    p.text(left, top - 12, title, bold=True)
    p.text(right, bottom + 32, "step", anchor="end")
    for y in levels:
        height = at(0, y)[1]
        p.line(left, height, right, height, GRID)
        p.text(left - 6, height + 4, f"{y:.4g}", anchor="end")
    for s in times:
        x = at(s, levels[0])[0]
        p.line(x, top, x, bottom, GRID)
        p.text(x, bottom + 16, f"{s:.0f}", anchor="middle")
    p.box(left, top, right - left, bottom - top, stroke="#444444")


def panel(p, runs, value, title, box, log=True, best=False):
    """One value of all runs over the steps; value: a line of the log -> what is drawn, or None"""
    left, right, top, bottom = box
    drawable = lambda y: y is not None and math.isfinite(y)  # a loss that became nan is in the summary
    series = {name: [(s, value(v)) for s, v in run.items() if drawable(value(v))] for name, run in runs.items()}
    known = [y for points in series.values() for _, y in points]
    if not known:
        p.text(left, top - 12, title, bold=True)
        p.text(left, (top + bottom) / 2, "nothing was measured")
        return
    levels, along = scale(known, log, 6 if log else 2)
    times = steps(0, max(max(run) for run in runs.values()), 5)
    at = lambda s, y: (left + (right - left) * s / times[-1], bottom - (bottom - top) * along(y))
    frame(p, title, box, levels, times, at)
    dotted = max(map(len, series.values())) <= DOTS
    for i, (name, points) in enumerate(series.items()):
        draw_run(p, name, COLOURS[i % len(COLOURS)], points, at, dotted, best)


def draw_run(p, name, colour, points, at, dotted, best):
    """The values of one run, and what they are; best: a ring around the lowest."""
    p.curve([at(*point) for point in points], colour)
    for s, y in points:
        if dotted:
            p.dot(*at(s, y), 2.5, colour)
        p.title([at(s, y)], f"{name}, step {s}: {y:.4g}", 3)
    if best and points:
        s, y = min(points, key=lambda point: (point[1], point[0]))
        p.dot(*at(s, y), 5, "#ffffff", colour)
        p.title([at(s, y)], f"{name}, best at step {s}: {y:.4g}", 6)


def wrong(values):
    """Validation clips that were not heard right, in per cent; none at all is the least that the axis has."""
    return None if values["val"] is None else max(100 - values["val"], 0.01)


def draw(path, runs):
    """runs: {name: read(...)}"""
    middle = (LEFT + RIGHT) / 2
    with Picture(path, WIDTH, LEGEND + 18 * len(runs)) as p:
        p.text(LEFT, 30, "Training", 15, bold=True)
        panel(p, runs, lambda v: max(v["loss"], 1e-6), "loss", (LEFT, middle - 35, TOP, BOTTOM))
        panel(p, runs, wrong, "validation clips, % wrong; the ring is the best", (middle + 35, RIGHT, TOP, BOTTOM), best=True)
        panel(p, runs, lambda v: v["lr"], "learning rate", (LEFT, RIGHT, RATE_TOP, RATE_BOTTOM), log=False)
        for i, (name, run) in enumerate(runs.items()):
            y = LEGEND + 18 * i
            p.line(LEFT, y - 4, LEFT + 24, y - 4, COLOURS[i % len(COLOURS)], 3)
            p.text(LEFT + 32, y, summary(name, run))


def options():
    ap = parser("curves", __doc__)
    ap.add_argument("runs", metavar="RUN", nargs="+", help="folder of a run, which train --run has made")
    ap.add_argument("--out", metavar="FILE", type=picture_file, default="curves.svg",
                    help="the picture: .svg, .png or .pdf")
    return ap


def main(argv=None):
    a = options().parse_args(argv)
    runs = {os.path.normpath(folder): read(folder) for folder in a.runs}
    for name, run in runs.items():
        print(summary(name, run))
    draw(a.out, runs)
