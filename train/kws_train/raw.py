"""Clips as they are recorded, sample by sample, for an encoder that has no features: what do log-mel bands buy?

As in the Mega paper's experiment on raw speech: 16,000 steps a clip, of one number each, and the mean over all of them. There
is no teacher here, and what bank.py does to bands is done to samples: placement within 120 ms, gain, noise at 0 to 30 dB.
"""
import numpy as np
import torch

from .bank import Batch
from .data import CLIP, SILENCE, UNKNOWN, Corpus, fit_clip

SHIFT = 1920  # samples that a clip may lie off its place


def network(network, chunk):
    """A network of the same layers that takes samples: no stem, chunks of so many samples, the mean over a clip."""
    layers = [{**s, "chunk": chunk} if "chunk" in s else s for s in network["layers"]]
    return {**{k: v for k, v in network.items() if k != "stem"}, "layers": layers, "pool": CLIP}


def rms(x):
    return float(np.sqrt(np.mean(np.square(x)))) + 1e-5


class Waves:
    """Makes batches of clips of a corpus's training split, as bank.Augment does; everything random is of one generator."""

    def __init__(self, corpus: Corpus, rng, silence, unknown=0.15, commands=None):
        """commands: the words to be spotted; all others of the corpus share `unknown`. None: all."""
        self.bank, self.corpus, self.rng = self, corpus, rng  # its words are asked of the bank
        self.words = corpus.words
        of = [(i, corpus.label(i)) for i in corpus.where("commands", "unknown", split="train")]
        self.by_class = {c: [i for i, label in of if label == c] for c in range(len(self.words) - 1)}
        self.by_class = {c: found for c, found in self.by_class.items() if found}
        self.noise = [corpus.audio(i) for i in corpus.noise("train")]
        others = {c for c in self.by_class if self.words[c] == UNKNOWN or commands and self.words[c] not in commands}
        unknown = unknown if others else 0.0
        named = (1 - unknown - silence) / (len(self.by_class) - len(others))
        self.share = [unknown / len(others) if c in others else named for c in self.by_class] + [silence]

    def _noise(self):
        """One second of noise."""
        x = self.noise[self.rng.integers(len(self.noise))]
        at = self.rng.integers(0, max(1, len(x) - CLIP))
        return fit_clip(x[at : at + CLIP])

    def _clip(self, c):
        """A clip of a class [CLIP], off its place, with gain and noise."""
        rng = self.rng
        if c is None:
            return self._noise() * (rng.random() > 0.25) * 10 ** rng.uniform(-1, 0.3)
        x = np.pad(fit_clip(self.corpus.audio(rng.choice(self.by_class[c]))), SHIFT)
        at = rng.integers(0, 2 * SHIFT + 1)
        x = x[at : at + CLIP]
        if rng.random() < 0.75:
            n = self._noise()
            x = x + n * (rms(x) / rms(n) * 10 ** (-rng.uniform(0, 30) / 20))
        return x * 10 ** (rng.uniform(-14, 12) / 20)

    def batch(self, n, chain):
        """-> Batch of n clips, each a sequence."""
        if chain != 1:
            raise SystemExit(f"--chain: {chain}: samples are trained on clip by clip")
        classes = [*self.by_class, None]
        drawn = [classes[k] for k in self.rng.choice(len(classes), n, p=self.share)]
        x = torch.from_numpy(np.stack([self._clip(c) for c in drawn]).astype(np.float32))
        label = torch.tensor([self.words.index(SILENCE) if c is None else c for c in drawn])
        return Batch(x[..., None], label, None, None, None, [CLIP], 0)
