"""Write and read model files (docs/model-format.md).

    python -m kws_train export --checkpoint runs/final/last.pt --card card.json --out commands-12.safetensors

Several checkpoints are exported as their mean (checkpoint.py).
card.json: an object with the metadata entries name, decision, licence, training and measured. --prior is for a
network that met a class more often in training than it will in use, or less often: the class's probability is multiplied by
it, and all are brought back to a sum of one.
"""
import argparse
import json
import math

import torch
from safetensors import safe_open

from .checkpoint import load
from .data import WORDS
from .features import FeatureConfig
from .model import KINDS, Net
from .stable import save_file


def save_model(path, net: Net, cfg: FeatureConfig, words, name, decision, licence="Apache-2.0", training=None,
               measured=None):
    """Write `net` with everything needed to run it. Tensors are float32, contiguous."""
    alien = {s["kind"] for s in net.network["layers"] if "kind" in s} - set(KINDS)
    if alien:
        raise ValueError(f"docs/model-format.md has no layer of kind {', '.join(sorted(alien))}: only the twin runs it")
    features = cfg.metadata()
    if net.features is None:
        features["normalisation"] = "none"
    meta = {"format": "kws-model", "version": "1", "name": name, "words": json.dumps(list(words)),
            "features": json.dumps(features), "network": json.dumps(net.network), "decision": json.dumps(decision),
            "licence": licence, "training": json.dumps(training or {}), "measured": json.dumps(measured or {})}
    tensors = {k: v.detach().float().contiguous().clone() for k, v in net.state_dict().items()
               if not k.endswith("num_batches_tracked")}
    for k, v in tensors.items():
        if not torch.isfinite(v).all():
            raise ValueError(f"{k} is not finite")
    save_file(tensors, path, meta)


def load_model(path):
    """-> net in eval mode, FeatureConfig, words, metadata dict of strings."""
    with safe_open(path, "pt") as f:
        meta = f.metadata()
        tensors = {k: f.get_tensor(k) for k in f.keys()}
    feats = json.loads(meta["features"])
    affine = feats.pop("normalisation") == "affine"
    feats.pop("kind")
    words = json.loads(meta["words"])
    net = Net(json.loads(meta["network"]), feats["n_mels"], len(words), affine, feats["log_floor"])
    missing, surplus = net.load_state_dict(tensors, strict=False)
    if surplus or [k for k in missing if not k.endswith("num_batches_tracked")]:
        raise ValueError(f"{path}: missing {missing}, surplus {surplus}")
    return net.eval(), FeatureConfig(**feats), words, meta


def main(argv=None):
    ap = argparse.ArgumentParser(prog="kws_train export", description=__doc__.splitlines()[0])
    ap.add_argument("--checkpoint", nargs="+", required=True, help="several, trained on from the same weights: their mean")
    ap.add_argument("--card", required=True)
    ap.add_argument("--prior", action="append", default=[], metavar="WORD=X", help="how often in use, over that in training")
    ap.add_argument("--out", required=True)
    a = ap.parse_args(argv)
    try:
        net, cfg = load(a.checkpoint)
    except ValueError as e:
        ap.error(f"--checkpoint: {e}")
    with torch.no_grad():
        for prior in a.prior:
            word, factor = prior.split("=")
            net.head.fc2.bias[WORDS.index(word)] += math.log(float(factor))
    with open(a.card) as f:
        save_model(a.out, net, cfg, WORDS, **json.load(f))


if __name__ == "__main__":
    main()
