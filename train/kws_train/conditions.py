"""Write the clips of a split in many conditions, for the C engine to measure.

    python -m kws_train conditions --data CORPUS --out DIR
    for c in DIR/*/; do kws classify --quiet --model FILE --manifest $c/list.tsv; done

One folder a condition, each with 16-bit .wav files and list.tsv (path, word, speaker): the clips of commands and unknown, and
a hundred cuts of noise/ as silence, to which no noise is added. In those called stream, other clips come before each, so
that it meets the network with a past and at any place in a chunk: `kws classify --at-end` judges it there. Rooms are simulated:
so many metres from the mouth, direct and reverberant sound being alike at 0.6 m. Seeded.
"""
import os

import numpy as np
import soundfile
from scipy.signal import butter, resample_poly, sosfilt

from .data import CLIP, RATE, SILENCE, Corpus, at_least, cut_noise, fit_clip
from .options import corpus as corpus_options
from .options import parser, whole
from .sounds import coded, distant, loud_rms, rms


def conditions(corpus, clips, rng):
    """clips: list of (pcm [n], word). -> name: (sample rate, function of (pcm [n], is it a word) -> pcm [m])."""
    noise = [corpus.audio(i) for i in corpus.noise()]

    def cut(n):
        x = at_least(noise[rng.integers(len(noise))], n + 1)
        at = rng.integers(0, len(x) - n)
        return x[at : at + n]

    def add(snr_db):
        def f(x, word):
            n = cut(len(x))
            return x + n * (loud_rms(x[-CLIP:]) / rms(n) * 10 ** (-snr_db / 20)) if word else x
        return f

    def after(x, word):
        """x behind one to four other clips, with pauses of faint noise up to 0.6 s before and between them."""
        parts = [x]
        for _ in range(rng.integers(1, 5)):
            parts = [clips[rng.integers(len(clips))][0], 0.1 * cut(rng.integers(1, 9600))] + parts
        return np.concatenate([0.1 * cut(rng.integers(1, 9600)), *parts])

    def far(metres):
        """The peak of what is heard is as high as that of x."""
        def f(x, word):
            y = distant(rng, x, metres)
            return y * (np.abs(x).max() / (np.abs(y).max() + 1e-9))
        return f

    phone = butter(6, [300, 3400], "bandpass", fs=RATE, output="sos")
    same = lambda gain: (RATE, lambda x, word: x * 10 ** (gain / 20))
    return {"clean": same(0), **{f"snr{s:02d}": (RATE, add(s)) for s in (20, 10, 5, 0)},
            "stream": (RATE, after), "stream-snr20": (RATE, lambda x, word: add(20)(after(x, word), word)),
            "gain+12": same(12), "gain-12": same(-12),
            "telephone8k": (8000, lambda x, word: resample_poly(sosfilt(phone, x), 1, 2)),
            "rate44k1": (44100, lambda x, word: resample_poly(x, 441, 160)),
            "rate48k": (48000, lambda x, word: resample_poly(x, 3, 1)),
            **{f"room{m}m": (RATE, far(m)) for m in (1, 2, 4)},
            "gsm8k": (RATE, lambda x, word: coded(x, "WAV", "GSM610", 8000)),
            "mp3": (RATE, lambda x, word: coded(x, "MP3", "MPEG_LAYER_III", RATE, 0.9)),
            "opus": (RATE, lambda x, word: coded(x, "OGG", "OPUS", RATE, 0.9))}


def options():
    """-> ArgumentParser of this command."""
    ap = parser("conditions", __doc__)
    corpus_options(ap)
    ap.add_argument("--split", default="val", help="of the clips")
    ap.add_argument("--out", metavar="DIR", required=True, help="a folder for each condition goes in there")
    ap.add_argument("--seed", metavar="N", type=whole(0), default=1, help="of all that is random")
    return ap


def main(argv=None):
    """Write the clips. A condition's list is written when its clips are there."""
    a = options().parse_args(argv)
    corpus = Corpus(a.data, a.cache)
    rng = np.random.default_rng(a.seed)
    where = corpus.where("commands", "unknown", split=a.split)
    if not where:
        raise SystemExit(f"{a.data}: no clips of split {a.split} in its manifest")
    clips = [(fit_clip(corpus.audio(i)), corpus.items[i].word) for i in where]
    clips += [(x, SILENCE) for x in cut_noise([corpus.audio(i) for i in corpus.noise()], 100)]
    speakers = [corpus.items[i].speaker for i in where] + ["-"] * 100
    for name, (rate, f) in conditions(corpus, clips, rng).items():
        folder = os.path.join(a.out, name)
        os.makedirs(folder, exist_ok=True)
        lines = ["path\tword\tspeaker\n"]
        for k, (x, word) in enumerate(clips):
            y = np.clip(f(x, word != SILENCE), -1, 32767 / 32768)
            soundfile.write(os.path.join(folder, f"{k:04d}.wav"), y, rate, subtype="PCM_16")
            lines.append(f"{k:04d}.wav\t{word}\t{speakers[k]}\n")
        with open(os.path.join(folder, "list.tsv"), "w", encoding="utf-8") as out:
            out.writelines(lines)
