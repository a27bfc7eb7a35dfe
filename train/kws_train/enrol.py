"""How well words of one's own are heard: enrol them with the C programs, and hear streams that nothing was made from.

    python -m kws_train enrol --data CORPUS --bank FILE --negatives DIR... --out runs/own-words

The words are those of CORPUS/wake/wake.tsv (path, word, group, start, end): a group is most likely one speaker. For each word ten
groups enrol: each alone with three takes, which its other takes test; and all of them, with one take each (twice, of
other takes) and with five, which all other groups test. A test hears a take in five ways: A behind other speech, B the same in
noise at 10 dB, C alone in that noise, D alone and clean, E alone as the wake word benchmark of Picovoice mixes it: the loudest
32 ms of the word 10 dB over those of the noise. False alarms are counted in the streams below --negatives, which the bank MUST
NOT hold. Every word is heard twice: at the threshold that `kws enrol` set, and at the one that has one false alarm an hour in
these streams.
"""
import csv
import ctypes
import glob
import json
import os
import subprocess
import sys
from collections import defaultdict

import numpy as np
import soundfile

from .data import RATE, Corpus
from .options import corpus as corpus_options
from .options import parser, whole

POOL, OWN, TESTS = 10, 3, 60  # enrolment groups a word; takes of one speaker; test takes by others
APART, AFTER = 1.0, 0.5  # s: between two alarms; after a word's end, in which it counts
WAYS = "ABCDE"
UNSUPPORTED = 4  # status of `kws enrol` that has too few good takes


def rms(x):
    """Root of the mean square of x [n]."""
    return float(np.sqrt(np.mean(np.square(x, dtype=np.float64)) + 1e-12))


def loudest(x, n=512):
    """Energy of the loudest n samples."""
    return float(np.square(x[: len(x) // n * n].astype(np.float64)).reshape(-1, n).sum(1).max()) + 1e-12


def cut(rng, sounds, n):
    """n samples of one of the sounds, repeated if it is shorter."""
    x = sounds[rng.integers(len(sounds))]
    x = np.tile(x, -(-n // len(x)))
    at = rng.integers(0, len(x) - n + 1)
    return x[at : at + n].astype(np.float32)


def ways(rng, take, talk, noise):
    """A take (pcm, start, end) in the five ways -> {way: (pcm, start, end)}, samples."""
    x, s, e = take
    level = rms(x[s:e])
    voice = cut(rng, talk, int(rng.uniform(2, 3) * RATE))
    from_ = max(0, s - RATE // 5)
    word, tail = x[from_ : e + 3 * RATE // 10], np.zeros(RATE // 2, np.float32)
    behind = np.concatenate([voice * (level / rms(voice)), word, tail])
    at = len(voice) - from_
    alone = np.concatenate([np.zeros(RATE, np.float32), x, tail])
    beds = [cut(rng, noise, len(y)) for y in (behind, alone, alone)]
    gain = lambda bed, a, b: level / rms(bed[a:b]) * 10 ** -0.5
    out = {"A": (behind, s + at, e + at), "D": (alone, s + RATE, e + RATE)}
    out["B"] = (behind + beds[0] * gain(beds[0], s + at, e + at), s + at, e + at)
    out["C"] = (alone + beds[1] * gain(beds[1], s + RATE, e + RATE), s + RATE, e + RATE)
    out["E"] = (alone * (10 * loudest(beds[2]) / loudest(x)) ** 0.5 + beds[2], s + RATE, e + RATE)
    return {k: ((v / max(1.0, np.abs(v).max() / 0.98)).astype(np.float32), a, b) for k, (v, a, b) in out.items()}


class Frame(ctypes.Structure):
    """The beginning of kws_frame."""

    _fields_ = [("sample", ctypes.c_uint64), ("prob", ctypes.POINTER(ctypes.c_float))]


class Config(ctypes.Structure):
    """kws_spotter_config."""

    _fields_ = [("size", ctypes.c_size_t), ("smooth_ms", ctypes.c_int), ("refractory_ms", ctypes.c_int),
                ("threshold", ctypes.c_void_p), ("on_event", ctypes.c_void_p), ("on_frame", ctypes.c_void_p),
                ("ctx", ctypes.c_void_p)]


class Engine:
    """libkws with one model: streams -> smoothed scores of each network frame."""

    def __init__(self, library, model):
        self.lib = ctypes.CDLL(os.path.abspath(library))
        self.lib.kws_spotter_score.restype = ctypes.POINTER(ctypes.c_float)
        self.lib.kws_spotter_score.argtypes = [ctypes.c_void_p]
        self.lib.kws_model_n_words.restype = ctypes.c_size_t
        self.lib.kws_model_threshold.restype = ctypes.c_float
        self.lib.kws_model_word.restype = ctypes.c_char_p
        for f in ("n_words", "close"):
            getattr(self.lib, f"kws_model_{f}").argtypes = [ctypes.c_void_p]
        for f in ("threshold", "word"):
            getattr(self.lib, f"kws_model_{f}").argtypes = [ctypes.c_void_p, ctypes.c_size_t]
        self.model = ctypes.c_void_p()
        if self.lib.kws_model_open(ctypes.byref(self.model), model.encode(), None):
            raise SystemExit(f"{model}: cannot be opened")
        n = self.lib.kws_model_n_words(self.model)
        self.words = [self.lib.kws_model_word(self.model, i).decode() for i in range(n)]
        self.thresholds = {w: self.lib.kws_model_threshold(self.model, i) for i, w in enumerate(self.words)}
        self.scores, self.at = [], []
        spot = ctypes.c_void_p()

        def on_frame(_, frame):
            self.at.append(frame.contents.sample)
            self.scores.append(np.ctypeslib.as_array(self.lib.kws_spotter_score(spot), (n,)).copy())

        self.keep = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.POINTER(Frame))(on_frame)
        config = Config(ctypes.sizeof(Config), -1, -1, None, None, ctypes.cast(self.keep, ctypes.c_void_p), None)
        self.spot = spot
        if self.lib.kws_spotter_create(ctypes.byref(spot), self.model, RATE, ctypes.byref(config), None):
            raise SystemExit(f"{model}: cannot hear streams")

    def __call__(self, pcm):
        """pcm float32 [n] -> ends of the frames in samples [t], scores [t, words], of a fresh stream."""
        self.scores, self.at = [], []
        pcm = np.ascontiguousarray(pcm, np.float32)
        self.lib.kws_spotter_reset(self.spot)
        self.lib.kws_spotter_process(self.spot, pcm.ctypes.data_as(ctypes.c_void_p), ctypes.c_size_t(len(pcm)))
        self.lib.kws_spotter_flush(self.spot)
        return np.array(self.at), np.array(self.scores)


def peaks(score, most=400):
    """Heights of a stream's events, APART from each other, highest first."""
    gap, score, out = int(APART * 25), score.copy(), []
    for i in np.argsort(-score, kind="stable"):
        if score[i] > -1:
            out.append(score[i])
            score[max(0, i - gap) : i + gap + 1] = -2
        if len(out) == most:
            break
    return out


def takes_of(root):
    """-> {word: {group: [(path, start s, end s)]}}"""
    out = defaultdict(lambda: defaultdict(list))
    with open(os.path.join(root, "wake", "wake.tsv"), newline="", encoding="utf-8") as f:
        for r in csv.DictReader(f, delimiter="\t"):
            out[r["word"]][r["group"]].append((os.path.join(root, "wake", r["path"]), float(r["start"]), float(r["end"])))
    return out


def plan(groups, rng, n_own):
    """One word -> enrolments [(name, paths, groups that may test it)], the groups of the pool."""
    names = sorted(groups)
    rng.shuffle(names)
    big = sorted((g for g in names if len(groups[g]) >= 4), key=lambda g: -min(len(groups[g]), 8))[:POOL]
    out = [(f"own{OWN}", [t[0] for t in groups[g][:OWN]], g) for g in big[:n_own]]
    out += [(f"ten{k}", [groups[g][k][0] for g in big], None) for k in range(2)]
    out.append(("fifty", [t[0] for g in big for t in groups[g][:5]], None))
    return out, big


def enrol(a, word, k, job):
    """Run `kws enrol` -> its report, None: it wants other takes. All jobs of a word go into one file, each under its own name."""
    name, paths, _ = job
    own = os.path.join(a.out, f"{word}.safetensors")
    cmd = [a.kws, "enrol", "--forget", "-o", own, "--format", "jsonl", "--bank", a.bank, f"{word} {k} {name}", *paths]
    if a.model and not os.path.exists(own):
        cmd[2:2] = ["-m", a.model]
    done = subprocess.run(cmd, capture_output=True, text=True, check=False)
    sys.stderr.write(done.stderr)
    if done.returncode not in (0, UNSUPPORTED):
        raise SystemExit(f"{' '.join(cmd)}: ended with status {done.returncode}")
    return json.loads(done.stdout) if done.returncode == 0 else None


def measure(a, word, groups, talk, noise, negatives, results):
    """Enrol the word in every way of the plan, and hear everything."""
    rng = np.random.default_rng(a.seed)
    jobs, big = plan(groups, rng, a.own)
    own = os.path.join(a.out, f"{word}.safetensors")
    if os.path.exists(own):
        os.remove(own)
    reports = [enrol(a, word, k, job) for k, job in enumerate(jobs)]
    jobs = [j for j, r in zip(jobs, reports, strict=True) if r]
    reports = [r for r in reports if r]
    engine = Engine(a.library, own)
    first = len(engine.words) - len(jobs)
    heights, hours = [[] for _ in jobs], 0.0
    for pcm in negatives():
        _, score = engine(pcm)
        hours += len(pcm) / RATE / 3600
        for k in range(len(jobs)):
            heights[k] += peaks(score[:, first + k])
    heights = [np.sort(h)[::-1] for h in heights]
    others = [(t, None) for g in groups if g not in big for t in groups[g]]
    rng.shuffle(others)
    tests = others[:TESTS] + [(t, g) for g in big for t in groups[g][OWN : OWN + 5]]
    for (path, s, e), group in tests:
        take = (soundfile.read(path, dtype="float32")[0], int(s * RATE), int(e * RATE))
        for way, (pcm, _, end) in ways(rng, take, talk, noise).items():
            at, score = engine(pcm)
            inside = (at >= end - RATE) & (at <= end + AFTER * RATE)
            for k, (name, _, own_group) in enumerate(jobs):
                if own_group != group:
                    continue
                top = score[inside, first + k].max()
                kind = results[name.rstrip("01") if name.startswith("ten") else name]
                kind["own", way].append(top < engine.thresholds[engine.words[first + k]])
                kind["rate", way].append(top <= heights[k][int(hours)])
    for k, (name, _, _) in enumerate(jobs):
        kind = results[name.rstrip("01") if name.startswith("ten") else name]
        kind["alarms"].append(float((heights[k] >= engine.thresholds[engine.words[first + k]]).sum()) / hours)
        kind["said"].append(reports[k]["missed"] / max(1, reports[k]["tried"]))
    print(word, f"{hours:.2f} h", flush=True)


def rows(results):
    """-> lines of a table in Markdown."""
    out = ["| enrolled | threshold | " + " | ".join(WAYS) + " | false alarms an hour | trials |", "|---" * 9 + "|"]
    for name in (n for n in (f"own{OWN}", "ten", "fifty") if n in results):
        r = results[name]
        for how, label in (("rate", "1 an hour here"), ("own", "as enrolled")):
            miss = " | ".join(f"{100 * np.mean(r[how, w]):.1f}" for w in WAYS)
            rate = f"{np.median(r['alarms']):.2f} (mean {np.mean(r['alarms']):.2f})" if how == "own" else "1"
            out.append(f"| {name} | {label} | {miss} | {rate} | {len(r[how, 'A'])} |")
    return out


def options():
    """-> ArgumentParser of this command."""
    ap = parser("enrol", __doc__)
    corpus_options(ap)
    ap.add_argument("--bank", metavar="FILE", required=True, help="bank that the words are enrolled with")
    ap.add_argument("--model", metavar="FILE", help="base (default: the one that ships)")
    ap.add_argument("--negatives", metavar="DIR", nargs="+", required=True, help="recordings without the words")
    ap.add_argument("--words", metavar="WORD", nargs="+", help="some of the words (default: all)")
    ap.add_argument("--own", metavar="N", type=whole(0, POOL), default=POOL, help="speakers a word that enrol alone")
    ap.add_argument("--kws", metavar="FILE", default="../build/kws", help="the program")
    ap.add_argument("--library", metavar="FILE", default="../build/libkws.so.0", help="the library")
    ap.add_argument("--out", metavar="DIR", default="runs/own-words", help="model files, table.md")
    ap.add_argument("--seed", metavar="N", type=whole(0), default=1, help="of all that is random")
    return ap


def streams(folders):
    """-> generator of float32 [n], ten minutes each or what a folder has; recordings follow each other after a short pause."""
    for folder in folders:
        pcm, n = [], 0
        for path in sorted(glob.glob(os.path.join(folder, "**", "*.*"), recursive=True)):
            pcm += [soundfile.read(path, dtype="float32")[0], np.zeros(RATE // 4, np.float32)]
            n += len(pcm[-2]) + len(pcm[-1])
            if n > 600 * RATE:
                yield np.concatenate(pcm)
                pcm, n = [], 0
        if pcm:
            yield np.concatenate(pcm)


def main(argv=None):
    """Write the table."""
    a = options().parse_args(argv)
    os.makedirs(a.out, exist_ok=True)
    corpus = Corpus(a.data, a.cache)
    noise = [corpus.audio(i) for i in corpus.noise("val")]
    talk = [corpus.audio(i) for i in corpus.where("orders")]
    results = defaultdict(lambda: defaultdict(list))
    for word, groups in takes_of(a.data).items():
        if not a.words or word in a.words:
            measure(a, word, groups, talk, noise, lambda: streams(a.negatives), results)
    table = "\n".join(rows(results))
    with open(os.path.join(a.out, "table.md"), "w", encoding="utf-8") as f:
        f.write(table + "\n")
    print(table)
