"""A corpus in which every word is a word of its own, with some of its training speakers held back.

    python -m kws_train words --data CORPUS --out runs/words

Writes a manifest that names the recordings of CORPUS where they are: other words become commands (but `misc`, of which nobody
knows what they are), so that a network may learn to tell them apart; `train --commands` says which of them it is to spot.
Recordings of a share of the training speakers, chosen by the hash of their names, get split `held`: nothing trains on
them, so they tell which of two trainings is the better one, and the validation clips stay what measures.
"""
import csv
import os
import zlib

from .data import COLUMNS, read_manifest
from .options import parser, real


def held(item, share):
    """Is this training clip's speaker held back?"""
    clip = item.kind in ("commands", "unknown") and item.split == "train"
    return clip and item.speaker not in ("", "-") and zlib.crc32(item.speaker.encode()) % 1000 < 1000 * share


def options():
    """-> ArgumentParser of this command."""
    ap = parser("words", __doc__)
    ap.add_argument("--data", metavar="DIR", required=True, help="folder of the corpus, with manifest.tsv")
    ap.add_argument("--hold", metavar="X", type=real(0, 1), default=0.08, help="share of the training speakers, 0 to 1")
    ap.add_argument("--out", metavar="DIR", required=True, help="folder of the new manifest")
    return ap


def main(argv=None):
    """Write the manifest."""
    a = options().parse_args(argv)
    items = read_manifest(a.data)
    os.makedirs(a.out, exist_ok=True)
    path = os.path.join(a.out, "manifest.tsv")
    with open(path, "w", newline="", encoding="utf-8") as f:
        rows = csv.writer(f, delimiter="\t", quoting=csv.QUOTE_NONE, lineterminator="\n", quotechar=None)
        rows.writerow(COLUMNS)
        for it in items:
            kind = "commands" if it.kind == "unknown" and it.word != "misc" else it.kind
            split = "held" if held(it, a.hold) else it.split
            rows.writerow([os.path.abspath(os.path.join(a.data, it.path)), it.source, it.word, it.speaker, split, "", kind])
    n = sum(held(it, a.hold) for it in items)
    print(f"{path}: {len(items)} recordings, {n} of them held back")
