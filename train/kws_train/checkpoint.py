"""Checkpoints of `train`, and their mean: networks that were trained on from the same weights still are one network when
averaged, and a better one (model soups, arXiv 2203.05482)."""
import torch

from .data import WORDS
from .features import FeatureConfig
from .model import Net


def mean(paths):
    """-> {"network", "features", "average": state of the net, "embedder": state}. ValueError: they are of different networks."""
    states = [torch.load(path, weights_only=False) for path in paths]
    first = states[0]
    for path, s in zip(paths, states):
        if (s["network"], s["features"]) != (first["network"], first["features"]):
            raise ValueError(f"{path} and {paths[0]} are of different networks or features")
    of = lambda part: {k: sum(s[part][k] for s in states) / len(states) for k in first[part]}
    return {"network": first["network"], "features": first["features"], "average": of("average"), "embedder": of("embedder")}


def load(paths):
    """-> the Net of their mean, and its FeatureConfig. ValueError: as mean()."""
    state = mean(paths)
    cfg = FeatureConfig(**state["features"])
    net = Net(state["network"], cfg.n_mels, len(WORDS), log_floor=cfg.log_floor)
    net.load_state_dict(state["average"])
    return net.eval(), cfg
