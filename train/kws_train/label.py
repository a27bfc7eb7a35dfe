"""Soft labels by a network and the teacher together, for the next network to learn from.

    python -m kws_train label --checkpoint runs/first/last.pt --heard runs/shards/v*.npz --shards runs/speech-embedding/v*.npz

The network hears the shards of --heard, which have its features and, beside them, the teacher's labels. Beside each of
--shards, which are of the same audio, it writes <shard>.soft.npy, float32 [n, words]: the log of the geometric mean of
both probabilities for clips, the teacher's alone for all else.
"""
import argparse

import numpy as np
import torch
import torch.nn.functional as F

from .augment import CLIP_KIND
from .checkpoint import load
from .data import soft_path
from .train import contract, posteriors


def together(net, frames, teacher):
    """frames [n, 100, M] and the teacher's log-probabilities [n, words] -> the log of the geometric mean of both [n, words]."""
    with torch.autocast("cpu", torch.bfloat16):
        p = posteriors(net, frames).float()
    return F.log_softmax((torch.log(p) + teacher) / 2, -1)


def main(argv=None):
    ap = argparse.ArgumentParser(prog="kws_train label", description=__doc__.splitlines()[0])
    ap.add_argument("--checkpoint", nargs="+", required=True, help="of the network; of several, the mean of the weights")
    ap.add_argument("--heard", nargs="+", required=True, help="shards with the network's features, and the teacher's labels")
    ap.add_argument("--shards", nargs="+", required=True, help="as many, of the same audio, to be labelled")
    a = ap.parse_args(argv)
    torch.set_num_threads(1)
    try:
        net, cfg = load(a.checkpoint)
    except ValueError as e:
        ap.error(f"--checkpoint: {e}")
    if contract(a.heard) != cfg:
        ap.error(f"--heard: {a.heard[0]} has other features than the network")
    if len(a.heard) != len(a.shards):
        ap.error(f"--heard: {len(a.heard)} shards, for {len(a.shards)} of --shards")
    for heard, shard in zip(sorted(a.heard), sorted(a.shards)):
        z, label = np.load(heard), np.load(shard)["label"]
        if not np.array_equal(z["label"], label):
            ap.error(f"--heard: {heard} is of other audio than {shard}")
        clips = np.flatnonzero(z["kind"] == CLIP_KIND)
        soft = torch.from_numpy(np.load(soft_path(heard)))
        soft[clips] = together(net, torch.from_numpy(z["frames"][clips]).float().clamp_min(net.quiet), soft[clips])
        right = soft[clips].argmax(1).numpy() == label[clips]
        np.save(soft_path(shard), soft.numpy())
        print(f"{shard}: {100 * right.mean():.2f} % of the clips", flush=True)


if __name__ == "__main__":
    main()
