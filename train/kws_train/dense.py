"""What the teacher hears in running speech, every 80 ms.

    python -m kws_train dense --data CORPUS --teacher DIR

Running speech has no labels, and says "no" and "go" like any other word. Each recording is judged by the head of the
fold that never trained on it; training then takes all of it as no command, except where that head suspects one.
Writes runs/dense.npz: prob float32 [sum of windows, words] and at [recordings + 1], in the order of the manifest; window k
of a recording is the second that ends at feature frame END + 8 k.
"""
import argparse
import zlib

import numpy as np
import torch
import torch.nn.functional as F

from .augment import LONG, Teacher
from .data import Corpus
from .teacher import ConvHead

END = 125  # (1280 k + 20000) / 160 samples: the teacher's window has 0.25 s on both sides of the second


@torch.no_grad()
def main(argv=None):
    ap = argparse.ArgumentParser(prog="kws_train dense", description=__doc__.splitlines()[0])
    ap.add_argument("--data", required=True)
    ap.add_argument("--teacher", required=True)
    ap.add_argument("--cache", default="runs/cache")
    ap.add_argument("--heads", default="runs/teacher.pt")
    ap.add_argument("--out", default="runs/dense.npz")
    a = ap.parse_args(argv)
    torch.set_num_threads(1)
    corpus, teacher, saved = Corpus(a.data, a.cache), Teacher(a.teacher), torch.load(a.heads)
    heads = []
    for name in sorted(saved["heads"]):
        head = ConvHead()
        head.load_state_dict(saved["heads"][name])
        heads.append(head.eval())
    prob = []
    for i in corpus.where("speech"):
        x = corpus.audio(i)
        x = np.pad(x, (0, max(0, LONG - len(x))))
        e = (torch.from_numpy(teacher(x[None])[0]) - saved["mean"]) / saved["std"]
        head = heads[zlib.crc32(corpus.items[i].path.encode()) % len(heads)]
        prob.append(F.softmax(head(e.unfold(0, 9, 1).transpose(1, 2)), -1).numpy())
    np.savez(a.out, prob=np.concatenate(prob), at=np.cumsum([0] + [len(p) for p in prob]))
    commands = np.concatenate(prob)[:, :10].max(1)
    print(f"{len(commands)} windows; a command suspected (over 0.35) in {100 * (commands > 0.35).mean():.1f} %")


if __name__ == "__main__":
    main()
