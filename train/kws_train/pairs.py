"""Speech twice, as it was said and as it is heard in rooms, by microphones and in noise: what the base's own layers learn from.

A pair is a stream of LENGTH samples of running speech and single words, and what `Maker.spoil` makes of it. Nothing that
`kws_train negatives` measures with is said in it, and no running speech that sets thresholds: what layers know already has fewer
false alarms than what they will hear. (Babble behind what is said is of all running speech of split train.) Pair k has a
generator of its own, seeded by (seed, k).
"""
import multiprocessing
import os
import time

import numpy as np
import torch

from .augment import Maker
from .data import RATE, digest
from .negatives import DOUBTFUL, SEED, divide
from .sounds import faster, loud_rms

LENGTH = 10 * RATE
LEVEL = 0.1  # RMS of speech, before it is spoilt
HISS = 1e-4  # of a stream in which nothing else sounds
MARGIN = RATE // 10  # what is left before and after a single word


def level(rng, x):
    """x at the level of speech, within 6 dB."""
    return x * (LEVEL * 10 ** rng.uniform(-0.3, 0.3) / loud_rms(x))


def trimmed(x):
    """A clip [n] of a word without the silence around it: what is within 20 dB of its loudest 25 ms, and MARGIN on both sides."""
    energy = np.array([np.square(x[k : k + 400]).mean() for k in range(0, max(1, len(x) - 400), 160)])
    loud = np.nonzero(energy >= energy.max() / 100)[0]
    return x[max(0, loud[0] * 160 - MARGIN) : loud[-1] * 160 + 400 + MARGIN]


class Speaker:
    """Makes pairs of a corpus."""

    def __init__(self, corpus):
        parts = divide(corpus.items, SEED)
        taken = {i.path for items in [*parts["test"].values(), parts["judge"]["speech"]] for i in items}
        free = [k for k, i in enumerate(corpus.items) if i.path not in taken and i.split == "train"]
        self.corpus, self.maker = corpus, Maker(corpus)
        self.talk = [k for k in free if corpus.items[k].kind == "speech"]
        self.clips = {}  # word -> its clips
        for k in free:
            if corpus.items[k].kind in ("commands", "unknown") and corpus.items[k].source != DOUBTFUL:
                self.clips.setdefault(corpus.items[k].word, []).append(k)
        if not self.talk or not self.clips:
            raise SystemExit(f"{corpus.root}: no running speech, or no clips, of split train")
        self.words = sorted(self.clips)
        share = np.sqrt([len(self.clips[w]) for w in self.words])
        self.share = share / share.sum()

    def _talk(self, rng):
        """A second to four of somebody who goes on talking."""
        x = self.corpus.audio(self.talk[rng.integers(len(self.talk))]).astype(np.float64)
        n = int(rng.uniform(1, 4) * RATE)
        at = rng.integers(0, max(1, len(x) - n))
        return level(rng, faster(rng, x[at : at + n]))

    def _word(self, rng):
        clips = self.clips[self.words[rng.choice(len(self.words), p=self.share)]]
        return level(rng, trimmed(faster(rng, self.corpus.audio(clips[rng.integers(len(clips))]).astype(np.float64))))

    def said(self, rng):
        """-> float64 [LENGTH]."""
        pieces, n = [np.zeros(int(rng.uniform(0, 0.5) * RATE))], 0
        while n < LENGTH:
            new = [self._talk(rng)] if rng.random() < 0.6 else []
            for _ in range(rng.integers(1, 3)):
                new += [self._word(rng), np.zeros(int(max(0.0, rng.uniform(-0.5, 0.6)) * RATE))]
            n += sum(map(len, new))
            pieces += new
        return np.concatenate(pieces)[:LENGTH] + HISS * rng.standard_normal(LENGTH)

    def pair(self, seed, k):
        """-> what is said and what is heard, float32 [LENGTH] each."""
        rng = np.random.default_rng((seed, k))
        x = self.said(rng)
        return x.astype(np.float32), self.maker.spoil(rng, x)[:LENGTH].astype(np.float32)


class _Hands:
    """What the networks make of pairs, in a process that helps."""

    @classmethod
    def come(cls, *args):
        torch.set_num_threads(1)
        cls.args = args

    @classmethod
    def help(cls, k):
        ears, speaker, seed = cls.args
        return [np.concatenate(ears(x), 1).astype(np.float16) for x in speaker.pair(seed, k)]


def pairs(path, ears, corpus, n, seed, jobs, of):
    """n pairs as both networks hear them -> said, heard: float16 [n, rows, d] each. path: None, or a file that keeps them for the
    next time. of: digest of both networks."""
    key = digest([corpus.digest(), of, n, seed])
    if path and os.path.exists(path):
        with np.load(path) as z:
            if str(z["key"]) != key:
                raise SystemExit(f"{path}: of another corpus, other networks or other options")
            return torch.from_numpy(z["said"]), torch.from_numpy(z["heard"])
    said, heard, start = [], [], time.time()
    with multiprocessing.get_context("fork").Pool(jobs, _Hands.come, (ears, Speaker(corpus), seed)) as pool:
        for clean, spoilt in pool.imap(_Hands.help, range(n), 8):
            said.append(clean)
            heard.append(spoilt)
            if len(said) % 1000 == 0 or len(said) == n:
                print(f"{len(said)}/{n} pairs, {time.time() - start:.0f} s", flush=True)
    said, heard = np.stack(said), np.stack(heard)
    if path:
        np.savez(path + ".tmp.npz", said=said, heard=heard, key=key)
        os.replace(path + ".tmp.npz", path)
    return torch.from_numpy(said), torch.from_numpy(heard)
