"""What the teacher hears in running speech, every 80 ms.

    python -m kws_train dense --data CORPUS --teacher DIR

Running speech has no labels, and says "no" and "go" like any other word. Each recording is judged by the head of the
fold that never trained on it; training then takes all of it as no command, except where that head suspects one.
Writes runs/dense.npz: prob float32 [sum of windows, words] and at [recordings + 1], in the order of the manifest; window k
of a recording is the second that ends at feature frame END + 8 k. With them words and paths of the recordings.
"""
import os
import zlib

import numpy as np
import torch
import torch.nn.functional as F

from .augment import LONG, Teacher
from .data import Corpus, said, same_words
from .options import corpus as corpus_options
from .options import parser
from .teacher import ConvHead, read_heads

SUSPECT = 0.35  # probability of a command from which on a window is not taught
END = 125  # (1280 k + 20000) / 160 samples: the teacher's window has 0.25 s on both sides of the second


def load(path, corpus):
    """-> what was heard in each of corpus.speech(), float32 [windows, words] each. SystemExit: it is of other words or speech."""
    try:
        with np.load(path) as z:
            prob, at, words, paths = z["prob"], z["at"], z["words"].tolist(), z["paths"].tolist()
    except OSError as e:
        raise SystemExit(f"{path}: {e.strerror or e}") from None
    except Exception:  # zip, pickle and numpy have each their own
        raise SystemExit(f"{path}: not of this kws_train dense") from None
    same_words(words, path, corpus.words, os.path.join(corpus.root, "manifest.tsv"))
    if paths != [corpus.items[i].path for i in corpus.speech()]:
        raise SystemExit(f"{path} is of other running speech than {corpus.root}")
    return [torch.from_numpy(prob[i:j]) for i, j in zip(at[:-1], at[1:], strict=True)]


def options():
    """-> ArgumentParser of this command."""
    ap = parser("dense", __doc__)
    corpus_options(ap)
    ap.add_argument("--teacher", metavar="DIR", required=True, help="folder of the teacher")
    ap.add_argument("--heads", metavar="FILE", default="runs/teacher.pt", help="of kws_train teacher, with heads of kind conv")
    ap.add_argument("--out", metavar="FILE", default="runs/dense.npz", help="the file to write")
    return ap


@torch.no_grad()
def main(argv=None):
    """Write what was heard."""
    a = options().parse_args(argv)
    torch.set_num_threads(1)
    saved = read_heads(a.heads, ["conv"], 1, None)
    corpus, teacher = Corpus(a.data, a.cache, saved["words"], a.heads), Teacher(a.teacher)
    speech = corpus.speech()
    if not speech:
        raise SystemExit(f"{a.data}: no running speech of split train in its manifest")
    heads = []
    for f in range(saved["folds"]):
        head = ConvHead(len(corpus.words))
        head.load_state_dict(saved["heads"][f"{f}.conv"])
        heads.append(head.eval())
    prob = []
    for i in speech:
        x = corpus.audio(i)
        x = np.pad(x, (0, max(0, LONG - len(x))))
        e = (torch.from_numpy(teacher(x[None])[0]) - saved["mean"]) / saved["std"]
        head = heads[zlib.crc32(corpus.items[i].path.encode()) % len(heads)]
        prob.append(F.softmax(head(e.unfold(0, 9, 1).transpose(1, 2)), -1).numpy())
    os.makedirs(os.path.dirname(a.out) or ".", exist_ok=True)
    np.savez(a.out, prob=np.concatenate(prob), at=np.cumsum([0] + [len(p) for p in prob]), words=corpus.words,
             paths=[corpus.items[i].path for i in speech])
    commands = np.concatenate(prob)[:, :-2].max(1)
    print(f"{len(commands)} windows; one of {said(corpus.words[:-2])} suspected (over {SUSPECT}) in "
          f"{100 * (commands > SUSPECT).mean():.1f} %")
