"""The page and the picture of the encoders, from the files of their runs alone.

The page's figures stand between two marks and are written anew; what people wrote around them is left as it is.
"""
import json
import math
import os
import statistics
import subprocess
from xml.sax.saxutils import escape

from .cost import multiply_adds, state_bytes
from .model import Net

BEGIN, END = "<!-- figures: written by python -m kws_train encoders -->", "<!-- end of figures -->"
FRAMES_S = 50  # network frames a second
HEARS = {"stream": "endless", "clip": "a clip, frame by frame", "whole": "the whole clip"}


def wilson(right, n, z=1.96):
    """95 % interval of a share."""
    mid, half = (right + z * z / 2) / (n + z * z), z * math.sqrt(right * (n - right) / n + z * z / 4) / (n + z * z)
    return mid - half, mid + half


def difference(a, b, z=1.96):
    """Share of a, (right, n), less that of b, and half its 95 % interval as if they were of different clips."""
    p, q = a[0] / a[1], b[0] / b[1]
    return p - q, z * math.sqrt(p * (1 - p) / a[1] + q * (1 - q) / b[1])


class Row:
    """One encoder and the runs that there are of it."""

    def __init__(self, name, encoder, runs, in_c, clip):
        self.name, self.title, self.hears, self.runs, self.in_c = name, encoder.title, encoder.hears, runs, in_c
        self.right = sum(r["right"]["0"] for r in runs), sum(r["clips"] for r in runs)
        self.share = self.right[0] / self.right[1]
        self.interval = wilson(*self.right)
        self.seconds = statistics.mean(r["train_seconds"] for r in runs)
        later = [r["right"][p] / r["clips"] for r in runs for p in r["right"] if p != "0"]
        self.later = statistics.mean(later) if later else None
        net = Net(encoder.network, runs[0]["recipe"]["features"]["n_mels"], len(runs[0]["recipe"]["words"]))
        self.parameters = runs[0]["parameters"]
        self.multiply_adds = FRAMES_S * multiply_adds(net, clip)
        self.state = (in_c["state_bytes"] if in_c else None) if encoder.in_c else state_bytes(net, clip)
        self.family = encoder.family


def load(folder, encoders, seeds, clip):
    """-> rows, names of the runs that are missing, the recipe of all."""
    rows, missing, recipes = [], [], {}
    for name, e in encoders.items():
        runs = []
        for seed in seeds:
            path = os.path.join(folder, f"{name}-{seed}.json")
            if not os.path.exists(path):
                missing.append(f"{name} {seed}")
                continue
            with open(path) as f:
                runs.append(json.load(f))
            if not {"words", "features"} <= set(runs[-1]["recipe"]):
                raise SystemExit(f"{path} does not say of which words and features it is: train it anew")
            if runs[-1]["network"] != e.network:
                raise SystemExit(f"{path} is of another network than {name} has now: remove it")
            recipes[json.dumps(runs[-1]["recipe"], sort_keys=True)] = path
        in_c = None
        if os.path.exists(os.path.join(folder, f"{name}.c.json")):
            with open(os.path.join(folder, f"{name}.c.json")) as f:
                in_c = json.load(f)
        if runs:
            rows.append(Row(name, e, runs, in_c, clip))
    if len(recipes) > 1:
        raise SystemExit("not trained alike: " + ", ".join(sorted(recipes.values())))
    return rows, missing, json.loads(next(iter(recipes), "{}"))


# ---- the engine in C ----------------------------------------------------------------------------------------------

def measure(kws, path, against, streams, passes=7):
    """Have kws describe a model file and, if it hears streams, time it in turn with another: medians over the passes."""
    said = lambda *args: json.loads(subprocess.run([kws, *args], check=True, stdout=subprocess.PIPE).stdout)
    result = {"state_bytes": said("model", path, "--format", "jsonl")["state_bytes"]}
    bench = lambda model: said("bench", "--json", "--seconds", "20", "-m", model)
    times = [[(b["hop_us_p99"], 1e3 * b["hop_ms"] / b["offline_x_real_time"]) for b in (bench(against), bench(path))]
             for _ in range(passes if streams else 0)]
    for i, key in enumerate(("live_p99_us", "file_us") if times else ()):
        result[key] = statistics.median(own[i] for _, own in times)
        result[key + "_ratio"] = statistics.median(own[i] / other[i] for other, own in times)
    return result


# ---- the page -----------------------------------------------------------------------------------------------------

def percent(p):
    return f"{100 * p:.1f}"


def table(head, rows):
    line = lambda cells: "| " + " | ".join(cells) + " |"
    return "\n".join([line(head), line(["---"] + ["---:"] * (len(head) - 1)), *map(line, rows)])


def cells(r):
    c = r.in_c or {}
    timed = lambda key: f"{c[key]:.1f} ({c[key + '_ratio']:.2f})" if key in c else "–"
    return [r.title, f"{r.parameters:,}", f"{percent(r.share)} ({percent(r.interval[0])} to {percent(r.interval[1])})",
            ", ".join(percent(x["right"]["0"] / x["clips"]) for x in r.runs), percent(r.later) if r.later else "–",
            f"{r.seconds:.0f} s", f"{r.multiply_adds / 1e6:.2f} M", HEARS[r.hears],
            "needs the clip" if r.hears == "whole" else f"{r.state / 1024:.1f} KiB" if r.state else "not measured",
            timed("live_p99_us"), timed("file_us")]


def figures(rows, missing, recipe, pairs):
    """The part of the page between the marks."""
    if not rows:
        return "No run has ended yet."
    some = rows[0].runs[0]
    by_name = {r.name: r for r in rows}
    most, least = max(r.parameters for r in rows), min(r.parameters for r in rows)
    head = ["encoder", "parameters", "accuracy, % (95 %)", "each seed", "begun later", "training", "multiply-adds/s", "hears",
            "state", "live hop, µs", "file, µs/hop"]
    out = [f"{recipe['steps']} steps of {recipe['batch']} clips a run, out of {some['train_clips']:,}; "
           f"{some['clips']:,} clips to validate on; parameters within {100 * (most / least - 1):.1f} %. "
           "In brackets behind a time: its ratio to that of " + rows[0].title + ".", table(head, map(cells, rows)),
           "![accuracy against multiply-adds a second and against state](encoders.svg)",
           table(["what for what", "accuracy, points (95 %)"],
                 [[text, f"{100 * d:+.1f} ± {100 * h:.1f}"] for a, b, text in pairs if {a, b} <= set(by_name)
                  for d, h in [difference(by_name[a].right, by_name[b].right)]])]
    if missing:
        out.append("Missing so far: " + ", ".join(missing) + ".")
    return "\n\n".join(out)


def write_page(path, text):
    page = f"# Encoders compared\n\n{BEGIN}\n{END}\n"
    if os.path.exists(path):
        with open(path) as f:
            page = f.read()
    before, _, rest = page.partition(BEGIN)
    if END not in rest:
        raise SystemExit(f"{path}: no place for the figures, between the lines {BEGIN} and {END}")
    with open(path, "w") as f:
        f.write(f"{before}{BEGIN}\n\n{text}\n\n{END}{rest.split(END)[1]}")


# ---- the picture --------------------------------------------------------------------------------------------------

COLOUR = {"mega": "#1f5fa8", "fastformer": "#c65d00", "other": "#4b7d3a"}
FAMILY = {"mega": "Mega and parts of it", "fastformer": "Fastformer", "other": "baselines, in PyTorch only"}
TOP, BOTTOM, GAP = 70, 500, 16


def spread(wanted, gap, lo, hi):
    """Places at least `gap` apart in the order of those wanted, as near to them as that lets in the mean square."""
    groups = []  # [sum, count] of what is wanted less i gaps; they rise from group to group
    for i, y in enumerate(wanted):
        groups.append([y - i * gap, 1])
        while len(groups) > 1 and groups[-2][0] / groups[-2][1] >= groups[-1][0] / groups[-1][1]:
            total, n = groups.pop()
            groups[-1][0] += total
            groups[-1][1] += n
    rest = [total / n for total, n in groups for _ in range(n)]
    return [min(max(z, lo), hi - (len(rest) - 1) * gap) + i * gap for i, z in enumerate(rest)]


def ticks(lo, hi):
    """Round numbers on a logarithmic axis, some 3 to 7 of them."""
    for steps in ((1, 2, 5), (1, 1.5, 2, 3, 5, 7), [i / 10 for i in range(10, 100)], [i / 20 for i in range(20, 200)]):
        decades = range(math.floor(math.log10(lo)), math.ceil(math.log10(hi)) + 1)
        found = [s * 10.0**d for d in decades for s in steps if lo <= s * 10.0**d <= hi]
        if len(found) >= 3:
            return found[:: -(-len(found) // 7)]
    return found


def marker(x, y, r):
    fill = "#fff" if r.hears == "whole" else COLOUR[r.family]
    style = f'fill="{fill}" stroke="{COLOUR[r.family]}" stroke-width="2"'
    if r.hears == "stream":
        return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="5" {style}/>'
    return f'<rect x="{x - 4.5:.1f}" y="{y - 4.5:.1f}" width="9" height="9" {style}/>'


def text(x, y, s, more=""):
    return f'<text x="{x:.1f}" y="{y:.1f}" {more}>{escape(s)}</text>'


def line(x1, y1, x2, y2, more):
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" {more}/>'


def panel(rows, cost, unit, title, left, width, height_of, levels):
    """Points of accuracy over cost(row), None: in a strip at the right; names beside it, with a line to each point."""
    right, strip = left + width, 46
    known = [cost(r) for r in rows if cost(r)]
    end = right - (strip if len(known) < len(rows) else 0)
    lo, hi = min(known) / 1.02, max(known) * 1.02
    x_of = lambda v: left + 12 + (end - left - 24) * math.log(v / lo) / math.log(hi / lo) if v else end + strip / 2
    out = [text(left, TOP - 14, title, 'font-weight="bold"')]
    for v in levels:
        out += [line(left, height_of(v), right, height_of(v), 'stroke="#e4e4e4"'),
                text(left - 6, height_of(v) + 4, f"{100 * v:.0f}", 'text-anchor="end"')]
    for v in ticks(lo / unit, hi / unit):
        out += [line(x_of(v * unit), TOP, x_of(v * unit), BOTTOM, 'stroke="#e4e4e4"'),
                text(x_of(v * unit), BOTTOM + 17, f"{v:.4g}", 'text-anchor="middle"')]
    if end < right:
        out += [line(end, TOP, end, BOTTOM, 'stroke="#888" stroke-dasharray="4 4"'),
                text(end + strip / 2, BOTTOM + 17, "clip", 'text-anchor="middle"')]
    out.append(f'<rect x="{left}" y="{TOP}" width="{width}" height="{BOTTOM - TOP}" fill="none" stroke="#444"/>')
    rows = sorted(rows, key=lambda r: -r.share)
    points = []
    for r in rows:  # one that would cover another's point or bar stands beside it
        x, (low, high) = x_of(cost(r)), r.interval
        near = [a for q, a, _ in points if low < q.interval[1] and q.interval[0] < high]
        side = next((d for d in (0, 7, -7, 14, -14, 21, -21, 28, -28) if all(abs(x + d - a) >= 6.5 for a in near)), 0)
        points.append((r, x + side, height_of(r.share)))
    names = spread([y for _, _, y in points], GAP, TOP, BOTTOM)
    out += [line(x + 6, y, right + 12, at, 'stroke="#bbb"') for (_, x, y), at in zip(points, names, strict=True)]
    for (r, x, _), at in zip(points, names, strict=True):
        a, b = (height_of(v) for v in r.interval)
        bar = f'stroke="{COLOUR[r.family]}" stroke-opacity="0.45" stroke-width="1.5"'
        out += [line(x, a, x, b, bar), line(x - 3, a, x + 3, a, bar), line(x - 3, b, x + 3, b, bar),
                text(right + 15, at + 4, r.title, f'fill="{COLOUR[r.family]}"')]
    out += [marker(x, y, r) for r, x, y in points]
    return out


def picture(rows):
    lowest, highest = min(r.interval[0] for r in rows), max(r.interval[1] for r in rows)
    step = next(s for s in (0.01, 0.02, 0.05, 0.1, 0.2) if (highest - lowest) / s <= 9)
    lo, hi = step * math.floor(lowest / step), step * math.ceil(highest / step)
    height_of = lambda v: BOTTOM - (v - lo) / (hi - lo) * (BOTTOM - TOP)
    levels = [lo + step * i for i in range(round((hi - lo) / step) + 1)]
    out = ['<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1130 600" font-family="sans-serif" font-size="12">',
           '<rect width="1130" height="600" fill="#fff"/>',
           text(20, 28, "Accuracy of encoders of one size, trained alike, %; bars: 95 % by clips, all seeds together",
                'font-size="15" font-weight="bold"')]
    out += panel(rows, lambda r: r.multiply_adds, 1e6, "against multiply-adds a second of audio, millions (log)", 50, 320,
                 height_of, levels)
    if any(r.state for r in rows):
        out += panel([r for r in rows if r.state or r.hears == "whole"], lambda r: r.state, 1024,
                     "against state a stream keeps, KiB (log)", 610, 320, height_of, levels)
    x = 50
    for family, what in FAMILY.items():
        out += [f'<circle cx="{x + 6}" cy="552" r="5" fill="{COLOUR[family]}"/>', text(x + 17, 556, what)]
        x += 40 + 7 * len(what)
    out += [text(50, 580, "disc: runs on an endless stream; square: causal, but within a clip of one second; open square: needs "
                 "the whole clip before it answers")]
    return "\n".join(out + ["</svg>\n"])
