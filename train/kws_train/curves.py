"""Draw how trainings went: loss, accuracy on the validation clips and learning rate, from the log.tsv of each run.

    python -m kws_train curves runs/a runs/b --out curves.svg

Prints the best and the last accuracy of each run, too. Where a training was interrupted and went on from its checkpoint, what it
did again counts.
"""
import os
import re

from .options import parser
from .svg import line, page, steps, text, titled

COLOURS = ("#1f77b4", "#d62728", "#2ca02c", "#9467bd", "#ff7f0e", "#8c564b", "#e377c2", "#17becf", "#7f8000", "#5b6770")
LINE = re.compile(r"(\d+)\tloss (\S+)(?:\tval (\S+)\tphase7 \S+)?\tlr (\S+)\t\S+ ms/step")
WIDTH, HEIGHT, TOP, BOTTOM = 960, 470, 70, 300
PANELS = (("loss", 60, 400), ("val", 540, 400))
RATE_TOP, RATE_BOTTOM = 340, 390


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


def points(run, key):
    return [(s, v[key]) for s, v in run.items() if v[key] is not None]


def panel(runs, key, title, left, width, top, bottom, marks):
    """One value of all runs over the steps."""
    known = [y for run in runs.values() for _, y in points(run, key)]
    out = [text(left, top - 12, title, 'font-weight="bold"')]
    if not known:
        return [*out, text(left, (top + bottom) / 2, "nothing was measured")]
    levels = steps(min(known), max(known) or 1.0, marks)
    levels = levels if len(levels) > 1 else [levels[0], levels[0] + 1.0]
    times = steps(0, max(max(run) for run in runs.values()), 5)
    x_of = lambda s: left + width * s / times[-1]
    y_of = lambda y: bottom - (bottom - top) * (y - levels[0]) / (levels[-1] - levels[0])
    for y in levels:
        out += [line(left, y_of(y), left + width, y_of(y), 'stroke="#e4e4e4"'),
                text(left - 6, y_of(y) + 4, f"{y:.4g}", 'text-anchor="end"')]
    for s in times:
        out += [line(x_of(s), top, x_of(s), bottom, 'stroke="#e4e4e4"'),
                text(x_of(s), bottom + 16, f"{s:.0f}", 'text-anchor="middle"')]
    out.append(f'<rect x="{left}" y="{top}" width="{width}" height="{bottom - top}" fill="none" stroke="#444"/>')
    for i, (name, run) in enumerate(runs.items()):
        colour = COLOURS[i % len(COLOURS)]
        at = [(x_of(s), y_of(y), s, y) for s, y in points(run, key)]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y, _, _ in at)
        out.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="1.8"/>')
        out += [titled(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour}"/>', f"{name}, step {s}: {value:.6g}")
                for x, y, s, value in at]
    return out


def picture(runs):
    """runs: {name: read(...)}"""
    height = HEIGHT + 18 * len(runs)
    out = [text(60, 30, "Training", 'font-size="15" font-weight="bold"')]
    titles = {"loss": "loss", "val": "validation clips, % right"}
    for key, left, width in PANELS:
        out += panel(runs, key, titles[key], left, width, TOP, BOTTOM, 6)
    out += panel(runs, "lr", "learning rate, over the steps", 60, 400, RATE_TOP + 14, RATE_BOTTOM + 14, 2)
    for i, (name, run) in enumerate(runs.items()):
        y = HEIGHT + 18 * i
        out += [line(60, y - 4, 84, y - 4, f'stroke="{COLOURS[i % len(COLOURS)]}" stroke-width="3"'),
                text(92, y, summary(name, run))]
    return page(WIDTH, height, out)


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
