"""The page and the picture of the encoders, from the tables of runs.py alone.

The page's figures stand between two marks and are written anew; what people wrote around them is left as it is.
"""
import json
import math
import os
import statistics
import subprocess
from collections import Counter

from .bank import FRAMES
from .cost import multiply_adds, state_bytes
from .data import RATE
from .picture import Picture, steps
from .runs import SOURCES

BEGIN, END = "<!-- figures: written by python -m kws_train {} -->", "<!-- end of figures -->"
LEFT = ("† Nothing is left of this run but its figures on an earlier page, to 0.1 points, which tell the clips right to "
        "within one. That it was trained as the others are is what that page said. It counts in its row where there is no run "
        "since, and in differences with others of its kind. ‡: one is of its kind and one is not, so more than what is named may "
        "differ.")
HEARS = {"stream": "endless", "clip": "a clip, frame by frame", "whole": "the whole clip"}


def wilson(right, n, z=1.96):
    """95 % interval of a share."""
    mid, half = (right + z * z / 2) / (n + z * z), z * math.sqrt(right * (n - right) / n + z * z / 4) / (n + z * z)
    return mid - half, mid + half


def difference(a, b, z=1.96):
    """Share of a, (right, n), less that of b, and half its 95 % interval as if they were of different clips."""
    p, q = a[0] / a[1], b[0] / b[1]
    return p - q, z * math.sqrt(p * (1 - p) / a[1] + q * (1 - q) / b[1])


def right_of(runs):
    """-> (right, clips) of all runs together on val, and on val2; (0, 0): they heard no clip of it."""
    heard = [r for r in runs if r.val2_clips]
    return ((sum(r.val_right for r in runs), sum(r.val_clips for r in runs)),
            (sum(r.val2_right for r in heard), sum(r.val2_clips for r in heard)))


class Row:
    """One encoder and the runs that there are of it, by rising seed. What is left of a page counts where there is no run."""

    def __init__(self, name, encoder, every, in_c, recipe):
        self.name, self.title, self.hears, self.every, self.in_c = name, encoder.title, encoder.hears, every, in_c
        self.runs = runs = self.of("run") or every
        self.drawn_as = self.title + " †" * (not self.of("run"))
        self.right, self.beyond = right_of(runs)
        self.share = self.right[0] / self.right[1]
        self.interval = wilson(*self.right)
        self.seeds = [r.val_right / r.val_clips for r in runs]
        self.seconds = statistics.mean(r.train_seconds for r in runs)
        later = [n / r.val_clips for r in runs for n in r.later]
        self.later = statistics.mean(later) if later else None
        net = encoder.net(recipe["features"]["n_mels"], len(recipe["words"]))
        self.parameters = runs[0].parameters
        clip = RATE if encoder.raw else FRAMES // net.step  # network frames, in a second
        self.multiply_adds = clip * multiply_adds(net, clip)
        self.state = state_bytes(net, clip) if not (encoder.in_c or encoder.raw) else in_c.state_bytes if in_c else None
        self.family = encoder.family

    def of(self, source):
        return [r for r in self.every if r.source == source]


def rows_of(encoders, wanted, seeds, runs, timed, recipe):
    """What runs.load() found -> a row for each encoder with a run, of any seed; names of the runs of those wanted, with `seeds`,
    that are not among them."""
    rows = []
    for name, e in encoders.items():
        own = [runs[key] for key in sorted(runs) if key[0] == name]
        if own:
            rows.append(Row(name, e, own, timed.get(name), recipe))
    return rows, [f"{name} {seed}" for name in wanted for seed in seeds
                  if not {(name, seed, source) for source in SOURCES} & set(runs)]


# ---- the engine in C ----------------------------------------------------------------------------------------------

def measure(kws, path, against, streams, passes=7):
    """Have kws describe a model file and, if it hears streams, time it in turn with another -> what a Timed has of it, medians
    over the passes."""
    said = lambda *args: json.loads(subprocess.run([kws, *args], check=True, stdout=subprocess.PIPE).stdout)
    result = {"state_bytes": said("model", path, "--format", "jsonl")["state_bytes"]}
    bench = lambda model: said("bench", "--json", "--seconds", "20", "-m", model)
    times = [[(b["hop_us_p99"], 1e3 * b["hop_ms"] / b["offline_x_real_time"]) for b in (bench(against), bench(path))]
             for _ in range(passes if streams else 0)]
    for i, (time, ratio) in enumerate((("live_p99_us", "live_ratio"), ("file_us", "file_ratio")) if times else ()):
        result[time] = round(statistics.median(own[i] for _, own in times), 1)
        result[ratio] = round(statistics.median(own[i] / other[i] for other, own in times), 2)
    return result


# ---- the page -----------------------------------------------------------------------------------------------------

def percent(p):
    return f"{100 * p:.1f}"


def with_interval(right):
    """A share (right, clips), and its 95 % interval."""
    lo, hi = wilson(*right)
    return f"{percent(right[0] / right[1])} ({percent(lo)} to {percent(hi)})"


def table(head, rows):
    joined = lambda cells: "| " + " | ".join(cells) + " |"
    return "\n".join([joined(head), joined(["---"] + ["---:"] * (len(head) - 1)), *map(joined, rows)])


def cells(r):
    c = r.in_c
    timed = lambda time, ratio: "–" if time is None else f"{time:.1f} ({ratio:.2f})"
    times = [timed(c.live_p99_us, c.live_ratio), timed(c.file_us, c.file_ratio)] if c else ["–", "–"]
    seeds = [percent(run.val_right / run.val_clips) + " †" * (run.source == "page") for run in r.every]
    return [r.title, f"{r.parameters:,}", with_interval(r.right), ", ".join(seeds),
            with_interval(r.beyond) if r.beyond[1] else "–", percent(r.later) if r.later else "–",
            f"{r.seconds:.0f} s", f"{r.multiply_adds / 1e6:.2f} M", HEARS[r.hears],
            "needs the clip" if r.hears == "whole" else f"{r.state / 1024:.1f} KiB" if r.state else "not measured", *times]


def shown(what, drawn):
    """A picture on a page; a PDF as a link to it, as no browser shows one within a page."""
    return f"{'' if drawn.lower().endswith('.pdf') else '!'}[{what}]({drawn})"


def pair(a, b, text):
    """What row a has over row b, by both splits, in points: of runs, or else of what a page left of both; of the seeds that both
    have, as a seed makes the same batches for all."""
    points = lambda one, other: f"{{:+.1f}} ± {{:.1f}}{mark}".format(*(100 * x for x in difference(one, other)))
    source, mark = next(((s, m) for s, m in (("run", ""), ("page", " †")) if a.of(s) and b.of(s)), (None, " ‡"))
    two = [r.of(source) or r.runs for r in (a, b)]
    both = set.intersection(*({run.seed for run in runs} for runs in two))
    two = [[run for run in runs if run.seed in both] or runs for runs in two]
    (one, beyond), (other, beside) = map(right_of, two)
    return [text, points(one, other), points(beyond, beside) if beyond[1] and beside[1] else "–", " and ".join(
        str(n) for n in sorted({len(runs) for runs in two}))]


def figures(rows, missing, recipe, pairs, drawn, timed_against):
    """The part of the page between the marks. timed_against: title of the encoder that the engine's times are related to."""
    if not rows:
        return "No run has ended yet."
    runs = [run for r in rows for run in r.every]
    numbers = lambda values: " or ".join(f"{n:,}" for n in sorted(values))
    judged = {"val": {r.val_clips for r in runs}, "val2": {r.val2_clips for r in runs if r.val2_clips}}
    judged = " and ".join(f"{numbers(n)} clips of {split}" for split, n in judged.items() if n)
    machines = ", ".join(f"{machine} ({n})" for machine, n in sorted(Counter(r.machine for r in runs).items()))
    by_name = {r.name: r for r in rows}
    most, least = max(r.parameters for r in rows), min(r.parameters for r in rows)
    head = ["encoder", "parameters", "val, % (95 %)", "each seed", "val2, % (95 %)", "begun later", "training",
            "multiply-adds/s", "hears", "state", "live hop, µs", "file, µs/hop"]
    trained = numbers({r.train_clips for r in runs})
    out = [f"{recipe['steps']} steps of {recipe['batch']} clips a run, out of {trained}; judged by {judged}; parameters "
           f"within {100 * (most / least - 1):.1f} %. Trained on: {machines}. "
           f"In brackets behind a time: its ratio to that of {timed_against}.", table(head, map(cells, rows)),
           shown("accuracy, with intervals", drawn),
           table(["what for what", "val, points (95 %)", "val2, points (95 %)", "seeds"],
                 [pair(by_name[a], by_name[b], text) for a, b, text in pairs if {a, b} <= set(by_name)])]
    if any(r.source == "page" for r in runs):
        out.append(LEFT)
    if missing:
        out.append("Missing so far: " + ", ".join(missing) + ".")
    return "\n\n".join(out)


def write_page(path, text, command="encoders", title="Encoders compared"):
    """Put the figures that a command has made between the marks of its page, which begins as a title and the marks."""
    begin = BEGIN.format(command)
    page = f"# {title}\n\n{begin}\n{END}\n"
    if os.path.exists(path):
        with open(path) as f:
            page = f.read()
    before, _, rest = page.partition(begin)
    if END not in rest:
        raise SystemExit(f"{path}: no place for the figures, between the lines {begin} and {END}")
    with open(path, "w") as f:
        f.write(f"{before}{begin}\n\n{text}\n\n{END}{rest.split(END)[1]}")


# ---- the picture --------------------------------------------------------------------------------------------------

COLOUR = {"mega": "#1f5fa8", "fastformer": "#c65d00", "other": "#4b7d3a"}
FAMILY = {"mega": "Mega and parts of it", "fastformer": "Fastformer", "other": "baselines, in PyTorch only"}
RIGHT, TOP, STEP = 640, 84, 24
COLUMNS = ((770, "multiply-adds/s"), (880, "state"))


def marker(p, x, y, r):
    colour = COLOUR[r.family]
    fill = "#ffffff" if r.hears == "whole" else colour
    if r.hears == "stream":
        p.dot(x, y, 5, fill, colour)
    else:
        p.box(x - 4.5, y - 4.5, 9, 9, fill, colour, 2)


def row(p, r, y, left, x_of):
    """A name, a dot with its interval, a tick for each seed, and what it costs."""
    colour = COLOUR[r.family]
    state = "needs the clip" if r.hears == "whole" else f"{r.state / 1024:.1f} KiB" if r.state else "–"
    p.text(left - 12, y + 4, r.drawn_as, colour=colour, anchor="end")
    p.line(x_of(r.interval[0]), y, x_of(r.interval[1]), y, colour, 3, 0.45)
    for s in r.seeds:
        p.line(x_of(s), y - 6, x_of(s), y + 6, colour)
    marker(p, x_of(r.share), y, r)
    p.title([(x_of(r.share), y)], f"{r.title}: {percent(r.share)} % ({percent(r.interval[0])} to {percent(r.interval[1])}), "
            f"{HEARS[r.hears]}")
    for (x, _), what in zip(COLUMNS, (f"{r.multiply_adds / 1e6:.2f} M", state), strict=True):
        p.text(x, y + 4, what, anchor="end")


def legend(p, x, y):
    """The colours of the families."""
    for family, what in FAMILY.items():
        p.dot(x + 6, y, 5, COLOUR[family])
        p.text(x + 17, y + 4, what)
        x += 42 + p.width(what)


def draw(path, rows, heading, ranked):
    """A dot plot; ranked: the best above."""
    first = rows[0]
    rows = sorted(rows, key=lambda r: -r.share) if ranked else rows
    ends = [share for r in rows for share in (*r.interval, *r.seeds)]
    levels = steps(100 * min(ends), 100 * max(ends), 8)
    bottom = TOP + STEP * len(rows)
    with Picture(path, 900, bottom + 70) as p:
        begin = 32 + max(p.width(r.drawn_as) for r in rows)
        x_of = lambda share: begin + (RIGHT - begin) * (100 * share - levels[0]) / (levels[-1] - levels[0])
        p.text(20, 28, heading, 15, bold=True)
        p.text(20, 48, f"Bars: 95 % by clips, all seeds together; ticks: each seed; grey: the interval of {first.drawn_as}."
               + "  †: of other shards." * any(r.drawn_as != r.title for r in rows))
        left, right = map(x_of, first.interval)
        p.box(left, TOP, right - left, bottom - TOP, "#eeeeee")
        for v in levels:
            p.line(x_of(v / 100), TOP, x_of(v / 100), bottom, "#dddddd")
            p.text(x_of(v / 100), TOP - 8, f"{v:.4g} %", anchor="middle")
        for x, what in COLUMNS:
            p.text(x, TOP - 8, what, anchor="end")
        for i, r in enumerate(rows):
            row(p, r, TOP + STEP * (i + 0.5), begin, x_of)
        legend(p, begin, bottom + 26)
        p.text(20, bottom + 54, "disc: runs on an endless stream; square: causal, but within a clip of one second; open: "
               "needs the whole clip before it answers")
