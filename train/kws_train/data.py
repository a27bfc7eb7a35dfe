"""The corpus: manifest, audio cache, clip features.

A corpus folder has manifest.tsv (path, set, word, speaker, split, seconds) and the folders commands/, unknown/,
noise/, speech/ (and orders/, for validation of false alarms only).
"""
import csv
import math
import os
from dataclasses import dataclass

import numpy as np
import soundfile
from scipy.signal import resample_poly

from .features import FeatureConfig, log_mel

COMMANDS = ["yes", "no", "up", "down", "left", "right", "on", "off", "stop", "go"]
UNKNOWN, SILENCE = "_unknown_", "_silence_"
WORDS = COMMANDS + [UNKNOWN, SILENCE]
RATE = 16000
CLIP = RATE  # samples of a clip: one second


@dataclass
class Item:
    path: str
    folder: str  # commands, unknown, noise, speech, orders
    word: str
    speaker: str
    split: str

    @property
    def label(self) -> int:
        return WORDS.index(self.word) if self.word in COMMANDS else WORDS.index(UNKNOWN)


def read_manifest(root: str) -> list[Item]:
    with open(os.path.join(root, "manifest.tsv"), newline="") as f:
        rows = list(csv.DictReader(f, delimiter="\t"))
    return [Item(r["path"], r["path"].split("/")[0], r["word"], r["speaker"], r["split"]) for r in rows]


def read_audio(path: str) -> np.ndarray:
    """Any file -> float32 [n], mono, 16 kHz."""
    x, rate = soundfile.read(path, dtype="float32", always_2d=True)
    x = x.mean(1)
    if rate != RATE:
        g = math.gcd(rate, RATE)
        x = resample_poly(x, RATE // g, rate // g).astype(np.float32)
    return x


def fit_clip(x: np.ndarray) -> np.ndarray:
    """Cut or pad with zeros to one second."""
    return np.pad(x[:CLIP], (0, max(0, CLIP - len(x))))


def cut_noise(audio: list[np.ndarray], n: int) -> list[np.ndarray]:
    """n one-second clips, evenly spread over the recordings, in order."""
    out = []
    for i in range(n):
        x = audio[i % len(audio)]
        k, of = i // len(audio), math.ceil((n - i % len(audio)) / len(audio))
        at = int((len(x) - CLIP) * (k + 0.5) / of)
        out.append(x[at : at + CLIP])
    return out


def soft_path(shard: str) -> str:
    """Where the soft labels of an augmented shard are: float32 [n, words], log-probabilities."""
    return os.path.splitext(shard)[0] + ".soft.npy"


class Corpus:
    """Audio of the whole corpus, int16, cached in one .npz so that a start takes seconds."""

    def __init__(self, root: str, cache: str):
        self.items = read_manifest(root)
        os.makedirs(cache, exist_ok=True)
        path = os.path.join(cache, "audio.npz")
        if not os.path.exists(path):
            audio = [np.round(np.clip(read_audio(os.path.join(root, i.path)), -1, 32767 / 32768) * 32768)
                     .astype(np.int16) for i in self.items]
            at = np.cumsum([0] + [len(a) for a in audio])
            np.savez(path, audio=np.concatenate(audio), at=at, paths=np.array([i.path for i in self.items]))
        z = np.load(path)
        if [i.path for i in self.items] != list(z["paths"]):
            raise SystemExit(f"{path} is of another corpus: remove it")
        self._audio, self._at = z["audio"], z["at"]

    def audio(self, i: int) -> np.ndarray:
        """float32 [n] of item i."""
        return self._audio[self._at[i] : self._at[i + 1]].astype(np.float32) / 32768

    def where(self, *folders, split=None) -> list[int]:
        return [i for i, it in enumerate(self.items) if it.folder in folders and split in (None, it.split)]

    def validation(self, cfg: FeatureConfig, silences=100):
        """-> frames float32 [n, 100, n_mels], labels [n]: val clips of commands and unknown, cuts of noise as silence."""
        idx = self.where("commands", "unknown", split="val")
        pcm = [fit_clip(self.audio(i)) for i in idx]
        labels = [self.items[i].label for i in idx]
        pcm += cut_noise([self.audio(i) for i in self.where("noise")], silences)
        labels += [WORDS.index(SILENCE)] * silences
        return np.stack([log_mel(x, cfg) for x in pcm]), np.array(labels)
