"""Shards of augmented clips, and the soft labels beside them: read, written, and held against each other.

A shard `vNN.npz` of `augment` holds

    frames   float16 [n, 100, n_mels]  log-mel of the second that the student hears, from a fresh state
    embed    float16 [n, 9, 96]        speech_embedding of that second and 0.25 s on both sides, before room and noise; NaN:
                                       no teacher heard it
    label    int     [n]               index into words
    kind     int     [n]               0 clip, 1 cut of running speech, 2 silence
    val      bool    [n]               of a validation speaker
    group    int     [n]               hash of the speaker (or recording), for folds
    version  int                       which copy it is; 0 is the corpus as it is
    features str                       the contract of the frames, JSON
    words    str                       JSON list
    corpus   str                       digest of its manifest and words
    audio    str                       digest of all that its audio follows from: alike in shards of other features

and `vNN.soft.npy` the log-probabilities of its items, float32 records [n] with a column a word.
"""
import json
import os

import numpy as np

from .data import said, same_words
from .features import FeatureConfig

CLIP_KIND, SPEECH_KIND, SILENCE_KIND = range(3)
FIELDS = ("frames", "embed", "label", "kind", "val", "group", "version", "features", "words", "corpus", "audio")


def read(path):
    """-> the NpzFile of a shard. SystemExit: it is none."""
    try:
        z = np.load(path)
        missing = [k for k in FIELDS if k not in z.files]
    except OSError as e:
        raise SystemExit(f"{path}: {e.strerror or e}") from None
    except Exception as e:  # zip, pickle and numpy have each their own
        raise SystemExit(f"{path}: no shard of kws_train augment: {e}") from None
    if missing:
        raise SystemExit(f"{path}: no shard of this kws_train augment: no {', '.join(missing)} in it; make it anew")
    return z


def words_of(z):
    """The words of a shard -> list of str."""
    return json.loads(str(z["words"]))


def alike(paths):
    """-> FeatureConfig and words of all these shards. SystemExit: they are not alike."""
    first = read(paths[0])
    for path in paths[1:]:
        z = read(path)
        same_words(words_of(first), paths[0], words_of(z), path)
        if str(z["features"]) != str(first["features"]):
            raise SystemExit(f"{paths[0]} and {path} are of different features: {first['features']}; {z['features']}")
    return FeatureConfig(**json.loads(str(first["features"]))), words_of(first)


def soft_path(shard: str) -> str:
    """Where the soft labels of a shard are."""
    return os.path.splitext(shard)[0] + ".soft.npy"


def save_soft(shard, soft, words):
    """Write the log-probabilities soft float32 [n, words] beside a shard."""
    rows = np.ascontiguousarray(soft, np.float32).view([(w, np.float32) for w in words])[:, 0]
    tmp = soft_path(shard) + ".tmp.npy"
    np.save(tmp, rows)
    os.replace(tmp, soft_path(shard))


def load_soft(shard, words, n):
    """-> float32 [n, words]. SystemExit: there are none, or of other words or items."""
    path = soft_path(shard)
    try:
        rows = np.load(path)
    except OSError:
        raise SystemExit(f"{path}: not there; `kws_train teacher` or `label` writes it") from None
    except (ValueError, EOFError) as e:
        raise SystemExit(f"{path}: no soft labels: {e}") from None
    if rows.dtype.names is None or list(rows.dtype.names) != list(words):
        raise SystemExit(f"{path} is not of the words of {shard}: {said(rows.dtype.names or ['no names'])}; {said(words)}")
    if len(rows) != n:
        raise SystemExit(f"{path} has {len(rows)} items, {shard} {n}")
    return rows.view(np.float32).reshape(n, len(words)).copy()
