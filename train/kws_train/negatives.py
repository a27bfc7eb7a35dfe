"""Sounds without the user's own words: the bank that ships, and the streams that measure it.

    python -m kws_train negatives --data CORPUS --out ../config/models/own-words.bank

Takes some minutes, of which `kws bank` works for one or two. To be run again after each change of the base. Clips are divided
by speaker, running speech by recording, noise within each recording: some for fitting words, some for setting their thresholds
(judge), some seconds of noise and speech to degrade takes with, and the rest, with the orders and what is not of split train, for
`python -m kws_train enrol`, which finds it with --streams DIR. These are links to the corpus, one folder for each kind.
"""
import os
import random
import subprocess
import tempfile
from collections import Counter

import numpy as np
import soundfile

from .data import RATE, read_audio, read_manifest
from .options import corpus as corpus_options
from .options import parser, real, whole

NOTE = ("LibriSpeech train-clean-100 (openslr.org/12), Speech Commands v0.01/v0.02 (P. Warden, arXiv 1804.03209) and its "
        "background noise: CC BY 4.0; ESC-10 (K. J. Piczak): CC BY 3.0")
DOUBTFUL, ROOMS = "sc-recognised", "mycroft-bg_noise"  # sets: words not known; for measuring only
SEED = 2  # of what is taken for what
STEADY = ("white_noise", "pink_noise")  # kws enrol makes such noise itself
PIECE = 8  # s of each recording of noise, to degrade takes with
SPEECH = 2  # s of each recording of speech, the same


def shuffled(items, seed):
    """A copy in another order, the same for the same seed."""
    items = sorted(items, key=lambda i: i.path)
    random.Random(seed).shuffle(items)
    return items


def divide(items, seed):
    """-> {use: items} of the corpus, for fit, judge, speech and test."""
    clips = [i for i in items if i.kind in ("commands", "unknown")]
    largest = Counter(i.source for i in clips).most_common(1)[0][0] if clips else ""
    doubtful = [i for i in clips if i.source == DOUBTFUL and i.split == "train"]
    others = [i for i in clips if i.source == largest and i.split in ("val", "val2")]
    clips = [i for i in clips if i.source == largest and i.split == "train"]
    speakers = sorted({i.speaker for i in clips})
    random.Random(seed).shuffle(speakers)
    third = {s: 3 * k // len(speakers) for k, s in enumerate(speakers)}
    by_third = [shuffled([i for i in clips if third[i.speaker] == k], seed) for k in range(3)]
    long = [i for i in items if i.kind == "speech" and "clean-100" in i.source]
    speech = shuffled([i for i in items if i.kind == "speech" and i not in long], seed)
    cut = len(speech) * 3 // 5
    noise = [i for i in items if i.kind == "noise" and i.source != ROOMS and i.split == "train"]
    return {"fit": {"speech": speech[:cut], "clips": by_third[0]},
            "judge": {"speech": speech[cut:], "clips": by_third[1], "doubtful": shuffled(doubtful, seed)},
            "noise": sorted(noise, key=lambda i: i.path),
            "test": {"orders": [i for i in items if i.kind == "orders"], "speech": long, "clips": by_third[2][:3000],
                     "others": others, "noise": [i for i in items if i.kind == "noise" and i not in noise]}}


def link(root, folder, items):
    """Links to the items, numbered, in a folder -> the folder."""
    os.makedirs(folder, exist_ok=True)
    for k, i in enumerate(items):
        name = os.path.join(folder, f"{k:05d}{os.path.splitext(i.path)[1]}")
        if os.path.lexists(name):
            os.remove(name)
        os.symlink(os.path.abspath(os.path.join(root, i.path)), name)
    return folder


def seconds(root, items, hours):
    """The first items that are as long as that."""
    out, left = [], 3600 * hours
    for i in items:
        if left <= 0:
            break
        out.append(i)
        left -= soundfile.info(os.path.join(root, i.path)).duration
    return out


def piece(x, first, last):
    """A part of a recording, both ends as shares of its length."""
    return x[int(first * len(x)) : int(last * len(x))]


def write(folder, name, x):
    """x [n] as a file in the folder."""
    os.makedirs(folder, exist_ok=True)
    soundfile.write(os.path.join(folder, name + ".flac"), x, RATE, subtype="PCM_16")


def same_level(x):
    """x at -20 dBFS, or as loud as it can be."""
    y = x * (0.1 / (np.sqrt(np.mean(np.square(x))) + 1e-9))
    return y / max(1.0, np.abs(y).max())


def sounds(a, parts, out):
    """Write pieces of the noises, and of speech -> arguments of kws bank."""
    most = int(3600 * a.noise * RATE / max(1, len(parts["noise"])))
    for i in parts["noise"]:
        x, name = read_audio(os.path.join(a.data, i.path)), os.path.splitext(os.path.basename(i.path))[0]
        write(f"{out}/fit/noise", name, piece(x, 0, 0.5)[:most])
        write(f"{out}/judge/noise", name, piece(x, 0.8, 1)[: most // 4])
        if name not in STEADY:
            write(f"{out}/noise", name, same_level(piece(x, 0.55, 0.75)[: PIECE * RATE]))
    for k, i in enumerate(voices(a, parts)):
        x = read_audio(os.path.join(a.data, i.path))
        write(f"{out}/speech", f"{k:03d}", same_level(x[len(x) // 3 :][: SPEECH * RATE]))
    return [x for kind in ("noise", "speech") if os.path.exists(f"{out}/{kind}") for x in (f"--{kind}", f"{out}/{kind}")]


def voices(a, parts):
    """The recordings whose speech is put before words; no head is fitted against them."""
    speech = parts["fit"]["speech"]
    return speech[max((len(speech) + 1) // 2, len(speech) - a.voices) :]


def make_bank(a, parts, out):
    """Run kws bank on a selection, in the folder out."""
    more = sounds(a, parts, out)
    cmd = [a.kws, "bank", "--output", a.out, "--note", NOTE, *more]
    if a.model:
        cmd += ["-m", a.model]
    speech = parts["fit"]["speech"]
    fit = {"speech": speech[: len(speech) - len(voices(a, parts))], "clips": parts["fit"]["clips"]}
    shares = {"speech": 0.4, "clips": 0.6, "doubtful": 0.08}
    for use, kinds, hours in (("fit", fit, a.fit), ("judge", parts["judge"], a.judge)):
        for kind, items in kinds.items():
            if not items:
                continue
            folder = link(a.data, f"{out}/{use}/{kind}", seconds(a.data, items, shares[kind] * hours))
            cmd += [folder] if use == "fit" else ["--judge", folder]
        cmd += [f"{out}/fit/noise"] if use == "fit" else ["--judge", f"{out}/judge/noise"]
    subprocess.run(cmd, check=True)


def options():
    """-> ArgumentParser of this command."""
    ap = parser("negatives", __doc__)
    corpus_options(ap)
    ap.add_argument("--model", metavar="FILE", help="base (default: the one that ships)")
    ap.add_argument("--out", metavar="FILE", required=True, help="the bank")
    ap.add_argument("--streams", metavar="DIR", help="also links to the sounds for measuring, in folders of this one")
    ap.add_argument("--fit", metavar="H", type=real(0), default=0.95, help="hours of speech to fit against")
    ap.add_argument("--judge", metavar="H", type=real(0), default=0.72, help="hours of speech that set thresholds")
    ap.add_argument("--noise", metavar="H", type=real(0), default=0.25, help="hours of noise to fit against; a quarter judges")
    ap.add_argument("--voices", metavar="N", type=whole(1), default=20, help="recordings whose speech is put before words")
    ap.add_argument("--kws", metavar="FILE", default="../build/kws", help="the program")
    ap.add_argument("--seed", metavar="N", type=whole(0), default=SEED, help="of what is taken for what")
    return ap


def main(argv=None):
    """Write the bank, and the links."""
    a = options().parse_args(argv)
    parts = divide(read_manifest(a.data), a.seed)
    for kind, items in parts["test"].items() if a.streams else ():
        link(a.data, os.path.join(a.streams, kind), items)
    with tempfile.TemporaryDirectory() as out:
        make_bank(a, parts, out)
