"""Draw how trainings went: loss, errors on the validation clips and learning rate, from the log.tsv of each run.

    python -m kws_train curves runs/a runs/b --out curves.svg

Prints the best and the last accuracy of each run, too. Where a training was interrupted and went on from its checkpoint, what it
did again counts.
"""
import math
import os
import re

from .options import parser
from .svg import line, log_steps, page, steps, text, titled

COLOURS = ("#1f77b4", "#d62728", "#2ca02c", "#9467bd", "#ff7f0e", "#8c564b", "#e377c2", "#17becf", "#7f8000", "#5b6770")
LINE = re.compile(r"(\d+)\tloss (\S+)(?:\tval (\S+)\tphase7 \S+)?\tlr (\S+)\t\S+ ms/step")
WIDTH, LEFT, RIGHT, TOP, BOTTOM = 960, 60, 925, 70, 300
RATE_TOP, RATE_BOTTOM, LEGEND = 368, 428, 484
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


def frame(title, left, right, top, bottom, levels, times, at):
    """The axes of a panel; at: (step, level or None) -> x, y"""
    out = [text(left, top - 12, title, 'font-weight="bold"'), text(right, bottom + 32, "step", 'text-anchor="end"')]
    for y in levels:
        height = at(0, y)[1]
        out += [line(left, height, right, height, 'stroke="#e4e4e4"'),
                text(left - 6, height + 4, f"{y:.4g}", 'text-anchor="end"')]
    for s in times:
        x = at(s, levels[0])[0]
        out += [line(x, top, x, bottom, 'stroke="#e4e4e4"'), text(x, bottom + 16, f"{s:.0f}", 'text-anchor="middle"')]
    return [*out, f'<rect x="{left}" y="{top}" width="{right - left}" height="{bottom - top}" fill="none" stroke="#444"/>']


def panel(runs, value, title, box, log=True, best=False):
    """One value of all runs over the steps; value: a line of the log -> what is drawn, or None"""
    left, right, top, bottom = box
    drawable = lambda y: y is not None and math.isfinite(y)  # a loss that became nan is in the summary
    series = {name: [(s, value(v)) for s, v in run.items() if drawable(value(v))] for name, run in runs.items()}
    shown = "" if max(map(len, series.values())) <= DOTS else ' fill-opacity="0"'
    known = [y for points in series.values() for _, y in points]
    if not known:
        return [text(left, top - 12, title, 'font-weight="bold"'), text(left, (top + bottom) / 2, "nothing was measured")]
    levels, along = scale(known, log, 6 if log else 2)
    times = steps(0, max(max(run) for run in runs.values()), 5)
    at = lambda s, y: (left + (right - left) * s / times[-1], bottom - (bottom - top) * along(y))
    out = frame(title, left, right, top, bottom, levels, times, at)
    for i, (name, points) in enumerate(series.items()):
        colour = COLOURS[i % len(COLOURS)]
        path = " ".join("{:.1f},{:.1f}".format(*at(*point)) for point in points)
        out.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="1.5"/>')
        for s, y in points:
            x, height = at(s, y)
            out.append(titled(f'<circle cx="{x:.1f}" cy="{height:.1f}" r="2.5" fill="{colour}"{shown}/>',
                              f"{name}, step {s}: {y:.4g}"))
        if best and points:
            s, y = min(points, key=lambda point: (point[1], point[0]))
            x, height = at(s, y)
            out.append(titled(f'<circle cx="{x:.1f}" cy="{height:.1f}" r="5" fill="#fff" stroke="{colour}" stroke-width="2"/>',
                              f"{name}, best at step {s}: {y:.4g}"))
    return out


def wrong(values):
    """Validation clips that were not heard right, in per cent; none at all is the least that the axis has."""
    return None if values["val"] is None else max(100 - values["val"], 0.01)


def picture(runs):
    """runs: {name: read(...)}"""
    middle = (LEFT + RIGHT) / 2
    out = [text(LEFT, 30, "Training", 'font-size="15" font-weight="bold"')]
    out += panel(runs, lambda v: max(v["loss"], 1e-6), "loss", (LEFT, middle - 35, TOP, BOTTOM))
    out += panel(runs, wrong, "validation clips, % wrong; the ring is the best", (middle + 35, RIGHT, TOP, BOTTOM), best=True)
    out += panel(runs, lambda v: v["lr"], "learning rate", (LEFT, RIGHT, RATE_TOP, RATE_BOTTOM), log=False)
    for i, (name, run) in enumerate(runs.items()):
        y = LEGEND + 18 * i
        out += [line(LEFT, y - 4, LEFT + 24, y - 4, f'stroke="{COLOURS[i % len(COLOURS)]}" stroke-width="3"'),
                text(LEFT + 32, y, summary(name, run))]
    return page(WIDTH, LEGEND + 18 * len(runs), out)


def options():
    ap = parser("curves", __doc__)
    ap.add_argument("runs", metavar="RUN", nargs="+", help="folder of a run, which train --run has made")
    ap.add_argument("--out", metavar="FILE", default="curves.svg", help="the picture, SVG")
    return ap


def main(argv=None):
    ap = options()
    a = ap.parse_args(argv)
    if not a.out.endswith(".svg"):
        ap.error(f"--out: '{a.out}' does not end in .svg")
    runs = {os.path.normpath(folder): read(folder) for folder in a.runs}
    for name, run in runs.items():
        print(summary(name, run))
    with open(a.out, "w") as f:
        f.write(picture(runs))
