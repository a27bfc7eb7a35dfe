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

from .data import RATE, Corpus, at_least, said
from .options import corpus as corpus_options
from .options import parser, real, whole
from .sounds import loud_rms, rms

LEVEL_DB = -26.0


def word_limits(x, block=160):
    """Start and end, in samples, of the word in a clip: the 10 ms blocks above a level between the clip's quiet and
    its loudest, around the loudest; pauses up to 150 ms (stop consonants) belong to the word."""
    x = np.pad(x, (0, max(0, block - len(x))))
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
    """x [n] with the loudness of its loud parts brought to db, dBFS."""
    return x * (10 ** (db / 20) / loud_rms(x))


def noise_bed(x, n, rng):
    """n samples out of x from a random place, repeated with crossfades when x is short."""
    at = int(rng.integers(0, max(1, len(x) - n)))
    bed = x[at : at + n]
    lap = RATE // 10
    x = at_least(x, 2 * lap)
    while len(bed) < n:
        ramp = np.linspace(0, 1, lap)
        joint = bed[-lap:] * (1 - ramp) + x[:lap] * ramp
        bed = np.concatenate([bed[:-lap], joint, x[lap:]])
    return bed[:n]


def build(corpus, rng, seconds, snr_db, noise, split="val", unknown=0.4, speech=0.0, pause=(0.4, 2.0), commands=None):
    """-> pcm float32 [n], truth list of (start s, end s, word), sources list of (start s, path).

    noise: index of the noise item, or None. commands: a fixed list of words to say, in order, instead of random ones.
    """
    where = f"{corpus.root}: no %s in its manifest"
    n = int(seconds * RATE)
    out = np.zeros(n)
    truth, sources = [], []
    said_at = corpus.where("commands", split=split)
    other = corpus.where("unknown", split=split)
    talk = corpus.where("speech")
    missing = [w for w in commands or () if w not in {corpus.items[i].word for i in said_at}]
    if missing or not said_at:
        raise SystemExit(where % f"clip of split {split} of {said(missing) if missing else 'a command'}")
    if unknown and not other or speech and not talk:
        raise SystemExit(where % (f"other word of split {split}" if unknown and not other else "running speech"))
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
            pool = said_at
            if queue is not None:
                if not queue:
                    break
                pool = [k for k in said_at if corpus.items[k].word == queue[0]]
            pool = [k for k in pool if corpus.items[k].speaker not in used] or pool
            i = int(rng.choice(pool))
            x = corpus.audio(i)
        if int(at * RATE) + len(x) + RATE > n:
            break
        item = corpus.items[i]
        start = int(at * RATE)
        if item.kind != "speech":
            lo, hi = word_limits(x)
            used.add(item.speaker)
            if item.kind == "commands":
                truth.append(((start + lo) / RATE, (start + hi) / RATE, item.word))
                if queue is not None:
                    queue.pop(0)
        out[start : start + len(x)] += fade(at_level(x, LEVEL_DB + rng.uniform(-3, 3)))
        sources.append((start / RATE, item.path))
        at += len(x) / RATE + rng.uniform(*pause)
    if queue:
        raise SystemExit(f"--commands: {len(commands) - len(queue)} of {len(commands)} fit into {seconds:g} s")
    if noise is not None:
        bed = noise_bed(corpus.audio(noise), n, rng)
        out += bed * (10 ** ((LEVEL_DB - snr_db) / 20) / rms(bed))
        sources.append((0.0, corpus.items[noise].path))
    peak = np.abs(out).max()
    if peak > 0.98:
        out *= 0.98 / peak
    return out.astype(np.float32), truth, sources


def write(path, pcm, truth, sources=None):
    """The recording, then, when it is whole, its .tsv; with sources .sources.tsv too."""
    soundfile.write(path, pcm, RATE, subtype="PCM_16")
    if sources:
        with open(os.path.splitext(path)[0] + ".sources.tsv", "w", encoding="utf-8") as f:
            f.write("start\tpath\n")
            f.writelines(f"{s:.3f}\t{p}\n" for s, p in sources)
    with open(os.path.splitext(path)[0] + ".tsv", "w", encoding="utf-8") as f:
        f.write("start\tend\tword\n")
        f.writelines(f"{s:.3f}\t{e:.3f}\t{w}\n" for s, e, w in truth)


def noise_called(corpus, name, rng):
    """-> the item of that name, a random one, or None. SystemExit: there is no such noise."""
    if name == "none":
        return None
    noises = corpus.noise()
    if name == "random":
        return int(rng.choice(noises))
    names = [os.path.splitext(corpus.items[i].path)[0] for i in noises]
    found = [i for i, n in zip(noises, names, strict=True) if f"/{n}".endswith(f"/{name}")]
    if len(found) != 1:
        raise SystemExit(f"--noise: {'more than one' if found else 'none'} is called '{name}' in {corpus.root}: {said(names)}")
    return found[0]


def pauses(text):
    """A type for add_argument: 0.4,2 -> (0.4, 2.0)."""
    try:
        lo, hi = (float(v) for v in text.split(","))
    except ValueError:
        lo, hi = 1.0, 0.0
    if not 0 <= lo <= hi <= 60:
        raise argparse.ArgumentTypeError(f"'{text}' is not shortest,longest, from 0 to 60 s")
    return lo, hi


def options():
    """-> ArgumentParser of this command."""
    ap = parser("mix", __doc__)
    corpus_options(ap)
    ap.add_argument("--out", metavar="FILE", required=True, help="the recording, .flac or .wav")
    ap.add_argument("--seconds", metavar="S", type=real(2, 86400), default=60, help="its length, 2 to 86400")
    ap.add_argument("--snr", metavar="DB", type=real(-60, 100), default=10, help="words over noise, -60 to 100 dB")
    ap.add_argument("--noise", metavar="NAME", default="random",
                    help="which recording of noise, its file name without suffix; or random, or none")
    ap.add_argument("--split", default="val", help="whose clips")
    ap.add_argument("--unknown", metavar="X", type=real(0, 1), default=0.4, help="share of other words, 0 to 1")
    ap.add_argument("--speech", metavar="X", type=real(0, 1), default=0.0, help="share of cuts of running speech, 0 to 1")
    ap.add_argument("--pause", metavar="S,S", type=pauses, default="0.4,2.0",
                    help="shortest,longest pause between clips, 0 to 60 s")
    ap.add_argument("--commands", metavar="WORD,...", type=lambda text: text.split(","),
                    help="say these, in this order, e.g. yes,stop; all others are other words")
    ap.add_argument("--sources", action="store_true", help="write .sources.tsv, too: what was used where")
    ap.add_argument("--seed", metavar="N", type=whole(0), default=1, help="of all that is random")
    return ap


def main(argv=None):
    """Write the recording and its truth."""
    ap = options()
    a = ap.parse_args(argv)
    if a.unknown + a.speech > 1:
        ap.error(f"--unknown, --speech: {a.unknown:g} and {a.speech:g} are together more than 1")
    if a.commands and a.unknown + a.speech == 1:
        ap.error("--commands: --unknown and --speech leave nothing for them")
    corpus = Corpus(a.data, a.cache)
    rng = np.random.default_rng(a.seed)
    noise = noise_called(corpus, a.noise, rng)
    pcm, truth, sources = build(corpus, rng, a.seconds, a.snr, noise, a.split, a.unknown, a.speech, a.pause, a.commands)
    write(a.out, pcm, truth, sources if a.sources else None)
