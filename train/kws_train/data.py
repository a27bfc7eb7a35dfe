"""The corpus: manifest, words, audio cache, clip features.

A corpus folder has manifest.tsv, tab separated, with a header: path (from that folder), set (where it is from), word, speaker,
split, seconds and, if the first folder of the path does not say so, kind:

    commands  clips of the words to be spotted     noise   recordings in which nobody speaks
    unknown   clips of other words                 speech  running speech, which holds no command or few
    orders    running speech to measure false alarms on; nothing is trained on it

Training takes split train, validation val; no other split is read. The network's words are those of kind commands, in the
order of the manifest, and behind them _unknown_ and _silence_.
"""
import csv
import hashlib
import json
import math
import os
from dataclasses import astuple, dataclass

import numpy as np
import soundfile
from scipy.signal import resample_poly

from .features import FeatureConfig, log_mel

UNKNOWN, SILENCE = "_unknown_", "_silence_"
KINDS = ("commands", "unknown", "noise", "speech", "orders")
COLUMNS = ("path", "set", "word", "speaker", "split", "seconds", "kind")
RATE = 16000
CLIP = RATE  # samples of a clip: one second


@dataclass(frozen=True)
class Item:
    """A recording of the corpus: a row of the manifest."""

    path: str  # from the corpus's folder, or absolute
    kind: str  # of KINDS
    word: str
    speaker: str
    split: str
    source: str  # the manifest's set


def read_manifest(root: str) -> list[Item]:
    """The items of a corpus folder. SystemExit: there is no manifest, or a row cannot be used."""
    path = os.path.join(root, "manifest.tsv")
    if not os.path.exists(path):
        raise SystemExit(f"{path}: not there; `kws_train manifest` makes one of a plain Speech Commands folder")
    items = []
    with open(path, newline="", encoding="utf-8-sig") as f:
        rows = csv.DictReader(f, delimiter="\t", quoting=csv.QUOTE_NONE)
        try:
            missing = {"path", "word", "speaker", "split"} - set(rows.fieldnames or ())
            if missing:
                raise SystemExit(f"{path}: no column {', '.join(sorted(missing))} in its first line")
            for r in rows:
                kind = r.get("kind") or os.path.normpath(r["path"] or "").split("/")[0]
                if kind not in KINDS:
                    raise SystemExit(f"{path}:{rows.line_num}: kind '{kind}' is none of {', '.join(KINDS)}")
                if None in r.values() or kind in ("commands", "unknown") and not (r["word"] and r["speaker"]):
                    raise SystemExit(f"{path}:{rows.line_num}: a clip needs a path, a word, a speaker and a split")
                items.append(Item(r["path"], kind, r["word"], r["speaker"], r["split"], r.get("set") or ""))
        except UnicodeDecodeError as e:
            raise SystemExit(f"{path}: not UTF-8: {e}") from None
    if not items:
        raise SystemExit(f"{path}: no recordings in it")
    return items


def check_words(words, where):
    """SystemExit, naming `where`: a network of these words is none that the C programs accept."""
    commands = [w for w in words if w not in (UNKNOWN, SILENCE)]
    for w in words:
        if not 1 <= len(w.encode()) <= 63 or not w.isprintable() or w != w.strip():
            raise SystemExit(f"{where}: '{w}' is no word: 1 to 63 bytes, printable, no blanks around it")
    if len(set(words)) < len(words):
        raise SystemExit(f"{where}: a word is there twice: {said(words)}")
    if not 1 <= len(commands) <= 254:
        raise SystemExit(f"{where}: {len(commands)} commands; a network has 1 to 254")


def said(words):
    """Words, in a message."""
    return ", ".join(words)


def same_words(a, of_a, b, of_b):
    """SystemExit, naming both: their words are not the same in the same order."""
    if list(a) != list(b):
        raise SystemExit(f"{of_a} and {of_b} are of different words: {said(a)}; {said(b)}")


def read_audio(path: str) -> np.ndarray:
    """Any file -> float32 [n], mono, 16 kHz. SystemExit: it cannot be read, is empty, or holds what is no number."""
    try:
        x, rate = soundfile.read(path, dtype="float32", always_2d=True)
    except (soundfile.LibsndfileError, OSError) as e:
        raise SystemExit(f"{path}: cannot be read: {getattr(e, 'error_string', e)}") from None
    if not len(x) or not np.isfinite(x).all():
        raise SystemExit(f"{path}: " + ("holds values that are no numbers" if len(x) else "holds no audio"))
    x = x.mean(1)
    if rate != RATE:
        g = math.gcd(rate, RATE)
        x = resample_poly(x, RATE // g, rate // g).astype(np.float32)
    return x


def fit_clip(x: np.ndarray) -> np.ndarray:
    """Cut or pad with zeros to one second: [n] -> [CLIP]."""
    return np.pad(x[:CLIP], (0, max(0, CLIP - len(x))))


def at_least(x: np.ndarray, n: int) -> np.ndarray:
    """x [m], repeated if it is shorter than n samples."""
    return x if len(x) >= n else np.tile(x, -(-n // len(x)))


def cut_noise(audio: list[np.ndarray], n: int) -> list[np.ndarray]:
    """n one-second clips [CLIP], evenly spread over the recordings, in order."""
    out = []
    for i in range(n):
        x = at_least(audio[i % len(audio)], CLIP)
        k, of = i // len(audio), math.ceil((n - i % len(audio)) / len(audio))
        at = int((len(x) - CLIP) * (k + 0.5) / of)
        out.append(x[at : at + CLIP])
    return out


class Corpus:
    """Audio of the whole corpus, int16, cached in one file so that a start takes seconds."""

    def __init__(self, root: str, cache: str, words=None, of=None):
        """words: in the order that `of` (a file, an option) has them, which has the same commands; None: the manifest's."""
        self.root, self.items = root, read_manifest(root)
        where = os.path.join(root, "manifest.tsv")
        commands = list(dict.fromkeys(i.word for i in self.items if i.kind == "commands"))
        if words is not None and sorted(words[:-2]) != sorted(commands):
            raise SystemExit(f"{of} and {where} are of different words: {said(words[:-2])}; {said(commands)}")
        reserved = {UNKNOWN, SILENCE} & set(commands)
        if reserved:
            raise SystemExit(f"{where}: {said(reserved)} can be no command")
        self.words = list(words or [*commands, UNKNOWN, SILENCE])
        check_words(self.words, where)
        self._audio, self._at = self._cached(cache)

    def _cached(self, cache):
        """-> audio int16 [samples], where each item's begins [items + 1]."""
        stats = [os.stat(self.place(i)) for i in range(len(self.items))]
        key = digest([[i.path, s.st_size, s.st_mtime_ns] for i, s in zip(self.items, stats, strict=True)])
        raw, index = os.path.join(cache, "audio.s16"), os.path.join(cache, "audio.npz")
        try:
            with np.load(index) as z:
                at = z["at"] if str(z["key"]) == key else None
        except (OSError, ValueError, KeyError, EOFError):
            at = None
        if at is None or not os.path.exists(raw) or os.path.getsize(raw) != 2 * at[-1]:
            os.makedirs(cache, exist_ok=True)
            at = [0]
            with open(raw + ".tmp", "wb") as f:
                for i in range(len(self.items)):
                    x = np.clip(read_audio(self.place(i)), -1, 32767 / 32768) * 32768
                    f.write(np.round(x).astype("<i2").tobytes())
                    at.append(at[-1] + len(x))
                    if (i + 1) % 5000 == 0:
                        print(f"decoded {i + 1}/{len(self.items)}", flush=True)
            os.replace(raw + ".tmp", raw)
            at = np.array(at)
            np.savez(index + ".tmp.npz", at=at, key=key)
            os.replace(index + ".tmp.npz", index)
        return np.memmap(raw, "<i2", "r"), at

    def place(self, i: int) -> str:
        """The file of item i."""
        return os.path.join(self.root, self.items[i].path)

    def audio(self, i: int) -> np.ndarray:
        """float32 [n] of item i."""
        return self._audio[self._at[i] : self._at[i + 1]].astype(np.float32) / 32768

    def where(self, *kinds, split=None) -> list[int]:
        """The items of these kinds, of that split or of any."""
        return [i for i, it in enumerate(self.items) if it.kind in kinds and split in (None, it.split)]

    def speech(self) -> list[int]:
        """The running speech that may be trained on."""
        return self.where("speech", split="train")

    def noise(self, *splits) -> list[int]:
        """The noise of these splits, or of any. SystemExit: there is none."""
        found = [i for s in splits or (None,) for i in self.where("noise", split=s)]
        if not found:
            of = f" of split {' or '.join(splits)}" if splits else ""
            raise SystemExit(f"{self.root}: no noise{of} in its manifest")
        return found

    def label(self, i: int) -> int:
        """Index into words of item i, a clip."""
        return self.words.index(self.items[i].word if self.items[i].kind == "commands" else UNKNOWN)

    def digest(self) -> str:
        """Of the manifest and the words: what shards and trainings of the same corpus have in common."""
        return digest([self.words, [astuple(i) for i in self.items]])

    def names(self) -> str:
        """The same of the names of the recordings, wherever their folders are."""
        return digest([self.words, [(os.path.basename(i.path), *astuple(i)[1:]) for i in self.items]])

    def heard_clips(self, split="val", silences=100):
        """-> samples float32 [n, CLIP], labels [n]: clips of commands and unknown, cuts of noise as silence; both None where
        there is no clip of that split."""
        idx = self.where("commands", "unknown", split=split)
        if not idx:
            return None, None
        pcm = [fit_clip(self.audio(i)) for i in idx] + cut_noise([self.audio(i) for i in self.noise()], silences)
        labels = [self.label(i) for i in idx] + [self.words.index(SILENCE)] * silences
        return np.stack(pcm).astype(np.float32), np.array(labels)

    def validation(self, cfg: FeatureConfig, split="val", silences=100):
        """-> the same as frames float32 [n, 100, n_mels], labels [n]; or None, None."""
        pcm, labels = self.heard_clips(split, silences)
        return (None if pcm is None else np.stack([log_mel(x, cfg) for x in pcm])), labels

    def heard_before(self) -> int:
        """How many speakers of the val clips are in the train clips, too."""
        of = lambda split: {self.items[i].speaker for i in self.where("commands", "unknown", split=split)}
        return len(of("train") & of("val"))


def digest(value) -> str:
    """SHA-256 of a value that JSON can hold."""
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()
