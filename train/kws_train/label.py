"""Soft labels by a network and the teacher together, for the next network to learn from.

    python -m kws_train label --checkpoint runs/first/last.pt --heard runs/shards/v*.npz --shards runs/speech-embedding/v*.npz

The network hears the shards of --heard, which have its features and, beside them, the teacher's labels. Beside each of
--shards, which are of the same audio, it writes <shard>.soft.npy: the log of the geometric mean of both probabilities for
clips, the teacher's alone for all else.
"""
import numpy as np
import torch
import torch.nn.functional as F

from . import shards
from .checkpoint import load
from .data import same_words
from .options import parser
from .train import posteriors


def together(net, frames, teacher):
    """frames [n, 100, M] and the teacher's log-probabilities [n, words] -> the log of the geometric mean of both [n, words]."""
    with torch.autocast("cpu", torch.bfloat16):
        p = posteriors(net, frames).float()
    return F.log_softmax((torch.log(p) + teacher) / 2, -1)


def options():
    """-> ArgumentParser of this command."""
    ap = parser("label", __doc__)
    ap.add_argument("--checkpoint", metavar="FILE", nargs="+", required=True,
                    help="of the network; of several, the mean of the weights")
    ap.add_argument("--heard", metavar="FILE", nargs="+", required=True,
                    help="shards with the network's features, and the teacher's labels")
    ap.add_argument("--shards", metavar="FILE", nargs="+", required=True, help="as many, of the same audio, to be labelled")
    return ap


def main(argv=None):
    """Write the labels."""
    ap = options()
    a = ap.parse_args(argv)
    torch.set_num_threads(1)
    net, cfg, words, _ = load(a.checkpoint)
    features, heard_words = shards.alike(a.heard)
    same_words(words, a.checkpoint[0], heard_words, a.heard[0])
    if features != cfg:
        ap.error(f"--heard: {a.heard[0]} has other features than the network")
    if len(a.heard) != len(a.shards):
        ap.error(f"--heard: {len(a.heard)} shards, for {len(a.shards)} of --shards")
    for heard, shard in zip(sorted(a.heard), sorted(a.shards), strict=True):
        z, new = shards.read(heard), shards.read(shard)
        if str(z["audio"]) != str(new["audio"]):
            ap.error(f"--heard: {heard} is of other audio than {shard}")
        label = new["label"]
        clips = np.flatnonzero(z["kind"] == shards.CLIP_KIND)
        soft = torch.from_numpy(shards.load_soft(heard, words, len(label)))
        soft[clips] = together(net, torch.from_numpy(z["frames"][clips]).float().clamp_min(net.quiet), soft[clips])
        right = soft[clips].argmax(1).numpy() == label[clips]
        shards.save_soft(shard, soft.numpy(), words)
        print(f"{shard}: {100 * right.mean():.2f} % of the clips", flush=True)
