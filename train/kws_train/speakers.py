"""How well the people of a set of clips are understood: those with most errors apart, and by the pitch of their voices.

    kws classify --at-end --format csv -m MODEL --manifest clips/list.tsv > said.csv
    python -m kws_train speakers --model MODEL --list clips/list.tsv --said said.csv

list.tsv has columns path, word and speaker, as `conditions` writes them; clips without a speaker (-) are left out. A frame's
pitch is where its normalised autocorrelation has its first peak that is nearly the highest (L. R. Rabiner, IEEE Trans. ASSP 25,
1977), a speaker's the median over all frames that have one. It tells no sex and no age: it lies below 165 Hz for most men, from
there to 255 Hz for most women, and above for most children (R. J. Baken, Clinical Measurement of Speech and Voice, 1987).
"""
import csv
import os

import numpy as np

from .data import RATE, UNKNOWN, read_audio
from .model_file import load_model
from .options import parser

FRAME, HOP = 640, 320  # samples: 40 and 20 ms
LOWEST, HIGHEST = 70, 400  # Hz
VOICED = 0.5  # of the normalised autocorrelation, at its highest
NEARLY = 0.85  # of the highest: at twice the period it is as high
LOUD = 0.1  # of the loudest frame's amplitude
GROUPS = (("below 165 Hz", 0, 165), ("165 to 255 Hz", 165, 255), ("above 255 Hz", 255, np.inf),
          ("of no pitch", np.nan, np.nan))


def pitches(x):
    """x [n] -> the pitch of each voiced frame, Hz."""
    if len(x) < FRAME:
        return np.zeros(0)
    frames = np.lib.stride_tricks.sliding_window_view(np.asarray(x, float), FRAME)[::HOP]
    frames = frames - frames.mean(1, keepdims=True)
    level = np.sqrt(np.square(frames).mean(1))
    frames = frames[level > max(LOUD * level.max(), 1e-6)]
    power = np.abs(np.fft.rfft(frames, 2 * FRAME)) ** 2
    along = np.fft.irfft(power)[:, :FRAME] / (1 - np.arange(FRAME) / FRAME)  # of ever fewer samples: as if of all
    lags = np.arange(RATE // HIGHEST - 1, RATE // LOWEST + 2)
    along = along[:, lags] / along[:, :1]
    middle = along[:, 1:-1]
    peak = (middle >= along[:, :-2]) & (middle >= along[:, 2:]) & (middle >= NEARLY * middle.max(1, keepdims=True))
    return RATE / lags[1:-1][peak.argmax(1)][peak.any(1) & (middle.max(1) > VOICED)]


def read(path, delimiter, *columns):
    """-> rows of a table as dicts. SystemExit: it cannot be read, or has no such columns."""
    try:
        with open(path, newline="", encoding="utf-8") as f:
            rows = csv.DictReader(f, delimiter=delimiter)
            missing = set(columns) - set(rows.fieldnames or ())
            if missing:
                raise SystemExit(f"{path}: no column {', '.join(sorted(missing))} in its first line")
            return list(rows)
    except OSError as e:
        raise SystemExit(f"{path}: {e.strerror or e}") from None


def people(clips, said, words, where):
    """-> {speaker: [whether each clip is right, ...]}, {speaker: paths}. SystemExit: `said` is not of these clips."""
    who = {c["path"]: c["speaker"] for c in clips}
    right, paths = {}, {}
    for row in said:
        path = row["file"]
        if path not in who:
            raise SystemExit(f"{where}: {path} is not in the list")
        expected = row["expected"] if row["expected"] in words else UNKNOWN
        if who[path] != "-":
            right.setdefault(who[path], []).append(row["label"] == expected)
            paths.setdefault(who[path], []).append(path)
    if not right:
        raise SystemExit(f"{where}: no clip of anybody")
    return right, paths


def share(of):
    """[[right, ...] of each speaker] -> "97.10 % of 229 clips"."""
    clips = [ok for person in of for ok in person]
    return f"{100 * np.mean(clips):.2f} % of {len(clips)}" if clips else "no clips"


def by_errors(right):
    """-> a line: the tenth of the speakers with most errors, and all others."""
    order = sorted(right.values(), key=lambda clips: (clips.count(True) - len(clips), len(clips)))
    tenth = (len(order) + 9) // 10
    return f"{len(order)} speakers: {tenth} with most errors {share(order[:tenth])} clips, all others {share(order[tenth:])}"


def by_pitch(right, pitch):
    """-> a line for each group of voices that somebody has."""
    for name, lo, hi in GROUPS:
        group = [s for s in right if (lo <= pitch[s] < hi if np.isfinite(lo) else np.isnan(pitch[s]))]
        if group:
            yield f"voices {name}: {len(group)} speakers, {share([right[s] for s in group])} clips"


def options():
    """-> ArgumentParser of this command."""
    ap = parser("speakers", __doc__)
    ap.add_argument("--model", metavar="FILE", required=True, help="the model that heard the clips")
    ap.add_argument("--list", metavar="FILE", required=True, help="the clips, their words and speakers; paths from its folder")
    ap.add_argument("--said", metavar="FILE", required=True, help="what `kws classify --format csv` printed")
    return ap


def main(argv=None):
    """Print the lines."""
    a = options().parse_args(argv)
    words = load_model(a.model)[2]
    clips, said = read(a.list, "\t", "path", "word", "speaker"), read(a.said, ",", "file", "expected", "label")
    right, paths = people(clips, said, words, a.said)
    print(by_errors(right))
    folder = os.path.dirname(a.list)
    pitch = {}
    for speaker, of in paths.items():
        found = np.concatenate([pitches(read_audio(os.path.join(folder, p))) for p in of])
        pitch[speaker] = float(np.median(found)) if len(found) else np.nan
    for line in by_pitch(right, pitch):
        print(line)
