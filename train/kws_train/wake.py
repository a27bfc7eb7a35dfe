"""The wake words that ship: enrol alexa, computer and snowboy with many takes of many people, and measure them on others.

    python -m kws_train wake --data CORPUS --negatives DIR... --out ../config/models/wake-words.safetensors

Takes a quarter of an hour, and is to be run again after each change of the base or the bank. Of each word in
CORPUS/wake/wake.tsv, the groups (a group is most likely one speaker) are divided: three of four enrol, the others test, in the
five ways of `python -m kws_train enrol`. False alarms are counted in the streams below --negatives (`python -m kws_train
negatives --streams`), at the thresholds of the file. The table that it prints is that of docs/model-card-wake.md.
"""
import json
import os
import subprocess
from collections import defaultdict

import numpy as np
import soundfile

from . import enrol
from .data import RATE, Corpus
from .options import corpus as corpus_options
from .options import parser, real, whole


def divide(groups, rng):
    """{group: takes} -> those that enrol, those that test: (path, start s, end s)."""
    names = sorted(groups)
    rng.shuffle(names)
    cut = len(names) // 4
    return [t for g in names[cut:] for t in groups[g]], [t for g in names[:cut] for t in groups[g]]


def fit(a, word, takes, rng):
    """Put the word into the file -> the report of kws enrol. At most a.takes of them, of all groups."""
    paths = [takes[i][0] for i in sorted(rng.permutation(len(takes))[: a.takes])]
    cmd = [a.kws, "enrol", "--only", "--forget", "--output", a.out, "--format", "jsonl", "--bank", a.bank,
           "--per-hour", str(a.per_hour), word, *paths]
    if not os.path.exists(a.out) and a.model:
        cmd[2:2] = ["-m", a.model]
    return json.loads(subprocess.run(cmd, capture_output=True, text=True, check=True).stdout)


def alarms(engine, words, streams):
    """-> events of each word in the streams, their hours."""
    n, hours = dict.fromkeys(words, 0), 0.0
    for pcm in streams:
        _, score = engine(pcm)
        hours += len(pcm) / RATE / 3600
        for w in words:
            n[w] += sum(p >= engine.thresholds[w] for p in enrol.peaks(score[:, engine.words.index(w)]))
    return n, hours


def misses(engine, word, tests, talk, noise, rng):
    """-> {way: share of the takes that are missed}"""
    missed = defaultdict(list)
    for path, s, e in tests:
        take = (soundfile.read(path, dtype="float32")[0], int(s * RATE), int(e * RATE))
        for way, (pcm, _, end) in enrol.ways(rng, take, talk, noise).items():
            at, score = engine(pcm)
            inside = (at >= end - RATE) & (at <= end + enrol.AFTER * RATE)
            missed[way].append(score[inside, engine.words.index(word)].max() < engine.thresholds[word])
    return {way: float(np.mean(m)) for way, m in missed.items()}


def options():
    """-> ArgumentParser of this command."""
    ap = parser("wake", __doc__)
    corpus_options(ap)
    ap.add_argument("--bank", metavar="FILE", default="../config/models/own-words.bank", help="bank to enrol with")
    ap.add_argument("--model", metavar="FILE", help="base (default: the one that ships)")
    ap.add_argument("--negatives", metavar="DIR", nargs="+", required=True, help="recordings without the words")
    ap.add_argument("--per-hour", metavar="X", type=real(0.01, 100), default=0.5, help="wanted false alarms an hour")
    ap.add_argument("--takes", metavar="N", type=whole(3, 400), default=60, help="takes of a word, at most")
    ap.add_argument("--kws", metavar="FILE", default="../build/kws", help="the program")
    ap.add_argument("--library", metavar="FILE", default="../build/libkws.so.0", help="the library")
    ap.add_argument("--out", metavar="FILE", required=True, help="the model file")
    ap.add_argument("--seed", metavar="N", type=whole(0), default=1, help="of all that is random")
    return ap


def main(argv=None):
    """Write the model file, and print the table."""
    a = options().parse_args(argv)
    rng = np.random.default_rng(a.seed)
    corpus = Corpus(a.data, a.cache)
    noise = [corpus.audio(i) for i in corpus.noise("val")]
    talk = [corpus.audio(i) for i in corpus.where("orders")]
    if os.path.exists(a.out):
        os.remove(a.out)
    reports, tests = {}, {}
    for word, groups in enrol.takes_of(a.data).items():
        takes, tests[word] = divide(groups, rng)
        reports[word] = fit(a, word, takes, rng)
    engine = enrol.Engine(a.library, a.out)
    found, hours = alarms(engine, list(reports), enrol.streams(a.negatives))
    print("| word | takes | threshold | test takes | " + " | ".join(enrol.WAYS) + f" | false alarms in {hours:.1f} h |")
    print("|---" * (len(enrol.WAYS) + 5) + "|")
    for word, r in reports.items():
        some = [tests[word][i] for i in rng.permutation(len(tests[word]))[: enrol.TESTS]]
        share = misses(engine, word, some, talk, noise, rng)
        print(f"| {word} | {r['takes']} | {r['threshold']:.3f} | {len(some)} | "
              + " | ".join(f"{100 * share[w]:.1f}" for w in enrol.WAYS) + f" | {found[word]} |", flush=True)
