"""Checkpoints of `train`, and their mean: networks that were trained on from the same weights still are one network when
averaged, and a better one (model soups, arXiv 2203.05482)."""
import os

import torch

from .data import same_words
from .features import FeatureConfig
from .model import Net

ALIKE = ("network", "features", "words")
PARTS = (*ALIKE, "training", "average", "embedder")


def read(path):
    """-> the dict that `train` saved: network, features, words, training, average, embedder and, to go on, net, opt, rng, step.
    SystemExit: the file is none of this kws_train."""
    try:
        state = torch.load(path, weights_only=True)
        missing = [k for k in PARTS if k not in state]
    except OSError as e:
        raise SystemExit(f"{path}: {e.strerror or e}") from None
    except Exception:  # pickle, zip and torch have each their own
        raise SystemExit(f"{path}: no checkpoint of kws_train train") from None
    if missing:
        raise SystemExit(f"{path}: no checkpoint of this kws_train train: no {', '.join(missing)} in it")
    return state


def save(path, state):
    """Write what read() reads; a file that is there stays whole until then."""
    torch.save(state, path + ".tmp")
    os.replace(path + ".tmp", path)


def mean(paths):
    """-> {"network", "features", "words", "training": list of them, "average": state of the net, "embedder": state}. SystemExit:
    they are of different networks, features or words."""
    states = [read(path) for path in paths]
    first = states[0]
    for path, s in zip(paths, states, strict=True):
        same_words(first["words"], paths[0], s["words"], path)
        for part in ("network", "features"):
            if s[part] != first[part]:
                raise SystemExit(f"{paths[0]} and {path} are of different {part}: {first[part]}; {s[part]}")
    of = lambda part: {k: sum(s[part][k] for s in states) / len(states) for k in first[part]}
    return {**{k: first[k] for k in ALIKE}, "training": [s["training"] for s in states], "average": of("average"),
            "embedder": of("embedder")}


def load(paths):
    """-> the Net of their mean in eval mode, its FeatureConfig, its words, and how each was trained. SystemExit: as mean()."""
    state = mean(paths)
    cfg = FeatureConfig(**state["features"])
    net = Net(state["network"], cfg.n_mels, len(state["words"]), log_floor=cfg.log_floor)
    net.load_state_dict(state["average"])
    return net.eval(), cfg, state["words"], state["training"]
