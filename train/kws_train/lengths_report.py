"""The tables and the picture of what encoders cost against the length of a recording, from the figures alone."""
import math

import numpy as np

from .picture import Picture
from .report import COLOUR, legend, shown, table

# Ma et al. 2023, table 2: speed and peak memory of a training step on text of 4096 bytes, to the Transformer's, on GPUs
PAPER = {"transformer": (1.0, 1.0), "reformer": (0.8, 0.24), "linformer": (5.5, 0.10), "bigbird": (1.1, 0.30),
         "performer": (5.7, 0.11), "luna": (4.9, 0.16), "s4": (4.8, 0.14), "mega-full": (2.9, 0.31), "mega": (5.5, 0.13)}
AT = 4096
BEND = 0.3  # exponents that differ by less are of one straight line
SPAN = 4


def curve(found, where, what, name, value):
    """-> [(frames, value of the figure)] of one encoder, by rising length."""
    return sorted((f.frames, getattr(f, value)) for f in found.values() if (f.where, f.what, f.encoder) == (where, what, name))


def exponents(points):
    """A line of two straight pieces, fitted to the curve on logarithmic axes by least squares -> the exponent of each, and the
    length where they meet, one of those measured; None: they differ by less than BEND. The second piece is SPAN times as long at
    its end as at its beginning, or more: from one length to the next an exponent is mostly error. None: too few points."""
    points = [p for p in points if p[1] > 0]  # so little memory may be 0
    if len(points) < 3:
        return None
    x, y = np.log(points).T

    def fitted(knot):
        a = np.stack([np.ones_like(x), np.minimum(x - knot, 0), np.maximum(x - knot, 0)], 1)
        c = np.linalg.lstsq(a, y, rcond=None)[0]
        return ((a @ c - y) ** 2).sum(), c[1], c[2]

    knots = [n for n, _ in points[1:-1] if SPAN * n <= points[-1][0]]
    if not knots:
        only = np.polyfit(x, y, 1)[0]
        return only, only, None
    (_, first, last), bend = min((fitted(math.log(n)), n) for n in knots)
    return first, last, bend if abs(last - first) >= BEND else None


def bends(points):
    e = exponents(points)
    return ["–", "–"] if e is None else [f"{e[0]:.2f} to {e[1]:.2f}", str(e[2]) if e[2] else "straight"]


def scaled(s):
    return f"{1e3 * s:.3g} ms" if s < 1 else f"{s:.3g} s"


def times(found, titles, where, what):
    """One table: time at each length, exponents, where the curve bends."""
    of = lambda name: curve(found, where, what, name, "seconds")
    known = [name for name in titles if of(name)]
    lengths = sorted({n for name in known for n, _ in of(name)})
    cells = lambda name: [scaled(dict(of(name))[n]) if n in dict(of(name)) else "–" for n in lengths]
    return table(["encoder", *map(str, lengths), "exponents", "bends at"],
                 [[titles[name][0], *cells(name), *bends(of(name))] for name in known])


def memory(found, titles, where, what):
    of = lambda name: curve(found, where, what, name, "megabytes")
    known = [name for name in titles if of(name)]
    lengths = sorted({n for name in known for n, _ in of(name)})
    rounded = lambda mb: f"{mb:.0f}" if mb >= 10 else f"{mb:.1f}"
    cells = lambda name: [rounded(dict(of(name))[n]) if n in dict(of(name)) else "–" for n in lengths]
    long = lambda name: [p for p in of(name) if p[0] >= 512 or where == "C"]  # shorter, it is what libraries take
    return table(["encoder", *map(str, lengths), "exponents", "bends at"],
                 [[titles[name][0], *cells(name), *bends(long(name))] for name in known])


def beside_paper(found, titles):
    """A training step at 4096 frames, to the Transformer's, ours and the paper's."""
    at = {f.encoder: f for f in found.values() if (f.where, f.what, f.frames) == ("torch", "training", AT)}
    base = at.get("transformer")
    if base is None:
        return "The Transformer has not been measured at 4096 frames yet."
    rows = []
    for name in (n for n in titles if n in at):
        f, paper = at[name], PAPER.get(name)
        # both were measured in turn with the same other encoder: the ratio of ratios, and its ends
        ends = base.least / f.most, base.most / f.least
        theirs = (f"{paper[0]:.1f}", f"{paper[1]:.2f}") if paper else ("–", "–")
        rows.append([titles[name][0], f"{base.ratio / f.ratio:.2f} ({ends[0]:.2f} to {ends[1]:.2f})", theirs[0],
                     f"{f.megabytes / base.megabytes:.2f}", theirs[1]])
    return table(["encoder", "speed (least to most)", "the paper's", "memory", "the paper's"], rows)


def in_c(found, titles):
    rows = []
    for name in (n for n in titles if curve(found, "C", "inference", n, "seconds")):
        own = {f.frames: f for f in found.values() if (f.where, f.encoder) == ("C", name)}
        points = curve(found, "C", "inference", name, "seconds")
        rows.append([titles[name][0], *(f"{1e6 * own[n].seconds / n:.1f} ({own[n].ratio:.2f})" for n, _ in points),
                     *bends(points), f"{1024 * own[min(own)].megabytes:.0f} to {1024 * own[max(own)].megabytes:.0f}"])
    lengths = sorted({f.frames for f in found.values() if f.where == "C"})
    return table(["encoder", *map(str, lengths), "exponents", "bends at", "KiB"], rows)


def figures(found, titles, drawn):
    """The part of the page between the marks."""
    if not found:
        return "Nothing has been measured yet."
    machines = sorted({f.machine for f in found.values()})
    if len(machines) > 1:
        raise SystemExit("lengths.tsv holds figures of several machines, which are not to be compared: " + "; ".join(machines))
    passes = sorted({f.passes for f in found.values()})
    out = [f"One core of {machines[0]}; medians of {' or '.join(map(str, passes))} passes in turn. A dash: not "
           "measured yet, or not tried, as it would take too long or need too much memory.",
           shown("time and memory of a training step against the length", drawn),
           "**A training step, time**, one recording of so many network frames:", times(found, titles, "torch", "training"),
           "**A training step, memory**, MB at its peak:", memory(found, titles, "torch", "training"),
           "**Inference in PyTorch, time**:", times(found, titles, "torch", "inference"),
           f"**A training step at {AT} frames, to the Transformer's**: how many times as fast, and what share of its memory.",
           beside_paper(found, titles)]
    if any(f.where == "C" for f in found.values()):
        out += ["**Inference in C**, frame by frame, with features in and logits out: microseconds a network frame, in brackets "
                "their ratio to the first encoder's in turn; and what a stream holds.", in_c(found, titles)]
    return "\n\n".join(out)


# ---- the picture --------------------------------------------------------------------------------------------------

PANELS = (("seconds", "a training step, seconds", 70), ("megabytes", "its memory at the peak, MB", 725))
WIDTH, TOP, BOTTOM, LINE = 380, 80, 640, 13  # of a panel; between two names
GRID = "#e4e4e4"


def decades(lo, hi):
    """Powers of ten around lo to hi, two at least."""
    first = math.floor(math.log10(lo))
    return [10.0 ** e for e in range(first, max(first + 1, math.ceil(math.log10(hi))) + 1)]


def spread(ends):
    """Heights of names so that none is on another, each as near to its curve's end as may be. ends: {name: y} -> {name: y}"""
    placed, last = {}, -math.inf
    for name, y in sorted(ends.items(), key=lambda e: e[1]):
        last = placed[name] = max(y, last + LINE)
    over = max(0.0, last - BOTTOM)
    return {name: y - over for name, y in placed.items()}


def panel(p, found, titles, value, title, left):
    """Log-log: an encoder a curve, its name at the end."""
    curves = {n: [point for point in curve(found, "torch", "training", n, value) if point[1] > 0] for n in titles}
    curves = {n: c for n, c in curves.items() if c}
    p.text(left, TOP - 14, title, bold=True)
    if not curves:
        p.text(left, TOP + 20, "nothing was measured")
        return
    lengths = sorted({n for c in curves.values() for n, _ in c})
    levels = decades(min(y for c in curves.values() for _, y in c), max(y for c in curves.values() for _, y in c))
    across = math.log(lengths[-1] / lengths[0]) or 1.0
    x_of = lambda n: left + WIDTH * math.log(n / lengths[0]) / across
    y_of = lambda y: BOTTOM - (BOTTOM - TOP) * math.log(y / levels[0]) / math.log(levels[-1] / levels[0])
    for y in levels:
        p.line(left, y_of(y), left + WIDTH, y_of(y), GRID)
        p.text(left - 6, y_of(y) + 4, f"{y:g}", anchor="end")
    for n in lengths:
        p.line(x_of(n), TOP, x_of(n), BOTTOM, GRID)
        p.text(x_of(n), BOTTOM + 16, str(n), anchor="middle")
    names = spread({n: y_of(c[-1][1]) for n, c in curves.items()})
    for n, c in curves.items():
        draw_curve(p, *titles[n], [(x_of(x), y_of(y)) for x, y in c], c)
        end = x_of(c[-1][0]), y_of(c[-1][1])
        p.line(*end, left + WIDTH + 12, names[n], COLOUR[titles[n][1]], opacity=0.3)
        p.text(left + WIDTH + 15, names[n] + 4, titles[n][0], 11, COLOUR[titles[n][1]])


def draw_curve(p, title, family, at, points):
    """The figures of one encoder, and what they are; at: where its points lie."""
    p.curve(at, COLOUR[family])
    p.title(at, title, 3)
    for place, (size, value) in zip(at, points, strict=True):
        p.dot(*place, 2.5, COLOUR[family])
        p.title([place], f"{title}, {size}: {value:.4g}", 3)


def draw(path, found, titles):
    with Picture(path, 1320, BOTTOM + 66) as p:
        p.text(20, 28, "What a training step costs against the length of a recording", 15, bold=True)
        p.text(20, 46, "Network frames across; both scales logarithmic.")
        for value, title, left in PANELS:
            panel(p, found, titles, value, title, left)
        legend(p, 70, BOTTOM + 42)
