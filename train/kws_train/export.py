"""Write model files (docs/model-format.md).

    python -m kws_train export --checkpoint runs/mine/last.pt --out mine.safetensors

Several checkpoints are exported as their mean (checkpoint.py). --prior is for a network that met a class more often in training
than it will in use, or less often: the class's probability is multiplied by it, and all are brought back to a sum of one.
--temperature is for a network that is too sure of itself, or not sure enough (C. Guo et al., ICML 2017; `reliability` finds it).
It comes after the priors, and the same class wins. Thresholds have to be chosen after it.

Without a card the file claims nothing beyond how it was trained: no measurements, no licence, one threshold for all words.
--card FILE is an object with any of

    name           of the model, if --name does not say it
    words          the network's, in its order; export refuses a card of other words
    decision       smooth_ms, refractory_ms, wait_ms, threshold, and thresholds by word
    licence        of the weights
    training       data with their licences, recipe, ...
    measured       what was measured, and
    weights_sha256 of what: export prints it, and refuses measurements of other weights
"""
import hashlib
import json
import math
import os

import torch

from .checkpoint import load
from .data import check_words, said, same_words
from .features import FeatureConfig
from .layers import KINDS
from .model import Net
from .options import listed, parser, real, weight
from .stable import save_file

DECISION = {"smooth_ms": 200, "refractory_ms": 700, "threshold": 0.8}  # nobody measured it: one for all words
RANGES = {"smooth_ms": (0, 1000), "refractory_ms": (0, 10000), "wait_ms": (0, 500), "threshold": (0, 1)}
CARD = {"name": str, "words": list, "decision": dict, "licence": str, "training": dict, "measured": dict, "weights_sha256": str}


def tensors_of(net):
    """The tensors of a model file by name, float32, or int8 where weights have 8 bits. ValueError: the file cannot hold them."""
    alien = {s["kind"] for s in net.network["layers"] if "kind" in s} - set(KINDS)
    if alien:
        raise ValueError(f"docs/model-format.md has no layer of kind {', '.join(sorted(alien))}: only the twin runs it")
    tensors = {k: (v if v.dtype == torch.int8 else v.float()).detach().contiguous().clone() for k, v in net.state_dict().items()
               if not k.endswith("num_batches_tracked")}
    for k, v in tensors.items():
        if not torch.isfinite(v).all():
            raise ValueError(f"{k} is not finite")
    return tensors


def weights_sha256(net: Net, cfg: FeatureConfig, words) -> str:
    """What a measurement is of: SHA-256 of features, network and words, and of all tensors in the order of their names."""
    sha = hashlib.sha256(json.dumps([cfg.metadata(), net.network, list(words)], sort_keys=True).encode())
    for name, t in sorted(tensors_of(net).items()):
        sha.update(f"{name} {list(t.shape)}\n".encode() + t.numpy().astype("<f4").tobytes())
    return sha.hexdigest()


def save_model(path, net: Net, cfg: FeatureConfig, words, name, decision=None, licence=None, training=None, measured=None):
    """Write `net` with everything needed to run it. No licence: the file names none."""
    features = cfg.metadata()
    if net.features is None:
        features["normalisation"] = "none"
    tensors = tensors_of(net)
    version = "3" if any(t.dtype == torch.int8 for t in tensors.values()) else "1"
    meta = {"format": "kws-model", "version": version, "name": name, "words": json.dumps(list(words)),
            "features": json.dumps(features), "network": json.dumps(net.network),
            "decision": json.dumps(DECISION if decision is None else decision), "training": json.dumps(training or {}),
            "measured": json.dumps(measured or {})}
    save_file(tensors, path, meta | ({"licence": licence} if licence else {}))


def weigh(net, words, prior):
    """Multiply the probabilities of these classes, [(word, x)], before all are brought back to a sum of one."""
    with torch.no_grad():
        for word, x in prior:
            net.head.fc2.bias[words.index(word)] += math.log(x)


def temper(net, temperature):
    """Divide all logits by it."""
    last = net.head.fc2
    with torch.no_grad():
        for part in (last.weight if last.weight.is_floating_point() else last.scale, last.bias):
            part /= temperature


def check_decision(decision, words, path):
    """SystemExit: the C programs would refuse it, or it is of other words."""
    unknown = set(decision) - {*RANGES, "thresholds"}
    if unknown:
        raise SystemExit(f"{path}: decision has no '{sorted(unknown)[0]}'; it has {', '.join(RANGES)}, thresholds")
    thresholds = decision.get("thresholds", {})
    if not isinstance(thresholds, dict):
        raise SystemExit(f"{path}: thresholds is no object")
    for word in thresholds:
        if word not in words[:-2]:
            raise SystemExit(f"{path} has a threshold for '{word}', which is no command of the network: {said(words)}")
    values = {k: (decision[k], RANGES[k]) for k in RANGES if k in decision}
    values |= {f"threshold of {w}": (x, (0, 1)) for w, x in thresholds.items()}
    for key, (x, (lo, hi)) in values.items():
        whole = key.endswith("_ms")
        if isinstance(x, bool) or not isinstance(x, int if whole else (int, float)) or not lo <= x <= hi:
            raise SystemExit(f"{path}: {key} {x!r} is not a {'whole ' if whole else ''}number from {lo} to {hi}")


def read_card(path, words, sha):
    """The card for a network of these words and weights -> dict. SystemExit: it is of another one, or cannot be read."""
    with open(path, encoding="utf-8") as f:
        try:
            card = json.load(f)
        except ValueError as e:
            raise SystemExit(f"{path}: not JSON: {e}") from None
    if not isinstance(card, dict):
        raise SystemExit(f"{path}: not a JSON object")
    for key, value in card.items():
        if key not in CARD:
            raise SystemExit(f"{path}: a card has no '{key}'; it has {', '.join(CARD)}")
        if not isinstance(value, CARD[key]):
            raise SystemExit(f"{path}: '{key}' is no {'text' if CARD[key] is str else 'object' if CARD[key] is dict else 'list'}")
    if "words" in card:
        same_words(card["words"], path, words, "the network")
    if "decision" in card:
        card["decision"] = {**DECISION, **card["decision"]}
        check_decision(card["decision"], words, path)
    if card.get("measured") and "weights_sha256" not in card:
        raise SystemExit(f"{path}: 'measured' without 'weights_sha256', of what; of this network it is {sha}")
    if card.get("weights_sha256", sha) != sha:
        raise SystemExit(f"{path} is the card of other weights ({card['weights_sha256']}) than these ({sha}): measure these, "
                         "or leave out --card")
    return card


def options():
    """-> ArgumentParser of this command."""
    ap = parser("export", __doc__)
    ap.add_argument("--checkpoint", metavar="FILE", nargs="+", required=True,
                    help="of train, or a model file; several, trained on from the same weights: their mean")
    ap.add_argument("--commands", metavar="WORD,...", type=listed,
                    help="the head of these words, which was trained beside the network's own (default: its own)")
    ap.add_argument("--card", metavar="FILE", help="what is said of the model, JSON (default: only how it was trained)")
    ap.add_argument("--name", help="of the model (default: the card's, or else the file name of --out)")
    ap.add_argument("--prior", metavar="WORD=X", type=weight, action="append", default=[],
                    help="how often in use, over that in training, above 0")
    ap.add_argument("--temperature", metavar="X", type=real(0, 100, above=True), default=1,
                    help="what the logits are divided by: less than 1 makes the network surer")
    ap.add_argument("--out", metavar="FILE", required=True, help="the model file to write")
    return ap


def main(argv=None):
    """Write the model file."""
    ap = options()
    a = ap.parse_args(argv)
    net, cfg, words, training = load(a.checkpoint, a.commands)
    check_words(words, a.checkpoint[0])
    for word, _ in a.prior:
        if word not in words:
            ap.error(f"--prior: '{word}' is no word of the network: {said(words)}")
    weigh(net, words, a.prior)
    if a.temperature != 1:
        temper(net, a.temperature)
    try:
        sha = weights_sha256(net, cfg, words)
    except ValueError as e:
        raise SystemExit(f"{a.checkpoint[0]}: {e}") from None
    card = read_card(a.card, words, sha) if a.card else {}
    name = a.name or card.get("name") or os.path.splitext(os.path.basename(a.out))[0]
    if not name.isprintable() or "/" in name:
        ap.error(f"--name: '{name}' is no name: printable, without /")
    known = training[0] if len(training) == 1 else {"mean_of": training}
    save_model(a.out, net, cfg, words, name, card.get("decision"), card.get("licence"), card.get("training", known),
               card.get("measured"))
    print(f"{a.out}: {name}, {said(words)}; weights_sha256 {sha}")
