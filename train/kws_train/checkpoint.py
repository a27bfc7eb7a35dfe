"""Checkpoints of `train`, and their mean: networks that were trained on from the same weights still are one network when
averaged, and a better one (model soups, arXiv 2203.05482)."""
import torch


def mean(paths):
    """-> {"network", "features", "average": state of the net, "embedder": state}. ValueError: they are of different networks."""
    states = [torch.load(path, weights_only=False) for path in paths]
    first = states[0]
    for path, s in zip(paths, states):
        if (s["network"], s["features"]) != (first["network"], first["features"]):
            raise ValueError(f"{path} and {paths[0]} are of different networks or features")
    of = lambda part: {k: sum(s[part][k] for s in states) / len(states) for k in first[part]}
    return {"network": first["network"], "features": first["features"], "average": of("average"), "embedder": of("embedder")}
