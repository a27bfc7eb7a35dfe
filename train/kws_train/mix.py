"""Build a continuous recording from clips, running speech and noise, with a truth file.

    python -m kws_train mix --data CORPUS --out mix.flac --seconds 600 --snr 10 --seed 3

Clips follow each other with random pauses; a share of them are other words, and between them there may be cuts of
running speech. Every voice is brought to about -26 dBFS; one recording of noise lies under everything, `--snr` dB
below. Writes OUT, OUT's .tsv (start, end, word of the commands, seconds; a word's own limits inside its clip are found
by energy) and, with --sources, what was used where.
"""
import argparse
import os

import numpy as np
import soundfile

from .augment import loud_rms, rms
from .data import RATE, Corpus

LEVEL_DB = -26.0


def word_limits(x, block=160):
    """Start and end, in samples, of the word in a clip: the 10 ms blocks above a level between the clip's quiet and
    its loudest, around the loudest; pauses up to 150 ms (stop consonants) belong to the word."""
    e = 10 * np.log10(np.square(x[: len(x) // block * block], dtype=np.float64).reshape(-1, block).mean(1) + 1e-10)
    e = np.convolve(np.pad(e, 1, mode="edge"), np.ones(3) / 3, "valid")
    top, quiet = e.max(), np.percentile(e, 10)
    loud = np.flatnonzero(e > max(top - 36, quiet + 0.3 * (top - quiet)))
    at = int(e.argmax())
    first = last = at
    for i in loud[loud > at]:
        if i - last <= 15:
            last = i
    for i in loud[loud < at][::-1]:
        if first - i <= 15:
            first = i
    return first * block, min(len(x), (last + 1) * block)


def fade(x, n=160):
    """10 ms ramps, so that a clip's edge does not click."""
    x = x.copy()
    n = min(n, len(x) // 2)
    ramp = 0.5 - 0.5 * np.cos(np.pi * (np.arange(n) + 0.5) / n)
    x[:n] *= ramp
    x[len(x) - n :] *= ramp[::-1]
    return x


def at_level(x, db):
    return x * (10 ** (db / 20) / loud_rms(x))


def noise_bed(x, n, rng):
    """n samples out of x from a random place, repeated with crossfades when x is short."""
    at = int(rng.integers(0, max(1, len(x) - n)))
    bed = x[at : at + n]
    lap = RATE // 10
    while len(bed) < n:
        ramp = np.linspace(0, 1, lap)
        joint = bed[-lap:] * (1 - ramp) + x[:lap] * ramp
        bed = np.concatenate([bed[:-lap], joint, x[lap:]])
    return bed[:n]


def build(corpus, rng, seconds, snr_db, noise, split="val", unknown=0.4, speech=0.0, pause=(0.4, 2.0), commands=None):
    """-> pcm float32 [n], truth list of (start s, end s, word), sources list of (start s, path).

    noise: index of the noise item, or None. commands: a fixed list of words to say, in order, instead of random ones.
    """
    n = int(seconds * RATE)
    out = np.zeros(n)
    truth, sources = [], []
    said = corpus.where("commands", split=split)
    other = corpus.where("unknown", split=split)
    talk = corpus.where("speech")
    at = rng.uniform(*pause)
    queue = list(commands) if commands else None
    used = set()
    while True:
        kind = rng.random()
        if kind < speech:
            i = int(rng.choice(talk))
            x = corpus.audio(i)
            m = int(min(len(x), rng.uniform(2, 6) * RATE))
            s = int(rng.integers(0, len(x) - m + 1))
            x = x[s : s + m]
        elif kind < speech + unknown:
            i = int(rng.choice(other))
            x = corpus.audio(i)
        else:
            pool = said
            if queue is not None:
                if not queue:
                    break
                pool = [k for k in said if corpus.items[k].word == queue[0]]
            pool = [k for k in pool if corpus.items[k].speaker not in used] or pool
            i = int(rng.choice(pool))
            x = corpus.audio(i)
        if int(at * RATE) + len(x) + RATE > n:
            break
        item = corpus.items[i]
        start = int(at * RATE)
        if item.folder != "speech":
            lo, hi = word_limits(x)
            used.add(item.speaker)
            if item.folder == "commands":
                truth.append(((start + lo) / RATE, (start + hi) / RATE, item.word))
                if queue is not None:
                    queue.pop(0)
        out[start : start + len(x)] += fade(at_level(x, LEVEL_DB + rng.uniform(-3, 3)))
        sources.append((start / RATE, item.path))
        at += len(x) / RATE + rng.uniform(*pause)
    if noise is not None:
        bed = noise_bed(corpus.audio(noise), n, rng)
        out += bed * (10 ** ((LEVEL_DB - snr_db) / 20) / rms(bed))
        sources.append((0.0, corpus.items[noise].path))
    peak = np.abs(out).max()
    if peak > 0.98:
        out *= 0.98 / peak
    return out.astype(np.float32), truth, sources


def write(path, pcm, truth, sources=None):
    soundfile.write(path, pcm, RATE, subtype="PCM_16")
    with open(os.path.splitext(path)[0] + ".tsv", "w") as f:
        f.write("start\tend\tword\n")
        f.writelines(f"{s:.3f}\t{e:.3f}\t{w}\n" for s, e, w in truth)
    if sources:
        with open(os.path.splitext(path)[0] + ".sources.tsv", "w") as f:
            f.write("start\tpath\n")
            f.writelines(f"{s:.3f}\t{p}\n" for s, p in sources)


def main(argv=None):
    ap = argparse.ArgumentParser(prog="kws_train mix", description=__doc__.splitlines()[0])
    ap.add_argument("--data", required=True)
    ap.add_argument("--cache", default="runs/cache")
    ap.add_argument("--out", required=True)
    ap.add_argument("--seconds", type=float, default=60)
    ap.add_argument("--snr", type=float, default=10, help="dB, words over noise")
    ap.add_argument("--noise", default="random", help="file name in noise/ without suffix, random, or none")
    ap.add_argument("--split", default="val")
    ap.add_argument("--unknown", type=float, default=0.4, help="share of other words")
    ap.add_argument("--speech", type=float, default=0.0, help="share of cuts of running speech")
    ap.add_argument("--pause", default="0.4,2.0", help="shortest,longest pause between clips, seconds")
    ap.add_argument("--commands", help="say these, in this order, e.g. yes,stop; all others are other words")
    ap.add_argument("--sources", action="store_true")
    ap.add_argument("--seed", type=int, default=1)
    a = ap.parse_args(argv)
    corpus = Corpus(a.data, a.cache)
    rng = np.random.default_rng(a.seed)
    noises = corpus.where("noise")
    if a.noise == "none":
        noise = None
    elif a.noise == "random":
        noise = int(rng.choice(noises))
    else:
        noise = next(i for i in noises if corpus.items[i].path == f"noise/{a.noise}.flac")
    pcm, truth, sources = build(corpus, rng, a.seconds, a.snr, noise, a.split, a.unknown, a.speech,
                                tuple(float(v) for v in a.pause.split(",")),
                                a.commands.split(",") if a.commands else None)
    write(a.out, pcm, truth, sources if a.sources else None)


if __name__ == "__main__":
    main()
