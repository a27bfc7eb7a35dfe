"""Checkpoints of `train`, and their mean: networks that were trained on from the same weights still are one network when
averaged, and a better one (model soups, arXiv 2203.05482)."""
import json
import os
from dataclasses import asdict

import torch

from .data import said, same_words
from .features import FeatureConfig
from .model import Net
from .model_file import load_model

ALIKE = ("network", "features", "words")
PARTS = (*ALIKE, "training", "average", "embedder")


def read(path):
    """-> the dict that `train` saved: network, features, words, training, average, embedder (what is beside the network, its
    heads' words are `beside`) and, to go on, net, opt, rng, step. Of a model file, which knows its own words only, what it
    holds of that. SystemExit: the file is none of this kws_train.
    """
    if str(path).endswith(".safetensors"):
        net, cfg, words, meta = load_model(path)
        return {"network": net.network, "features": asdict(cfg), "words": words, "average": net.state_dict(), "embedder": {},
                "beside": [], "training": json.loads(meta.get("training", "{}"))}
    try:
        state = torch.load(path, weights_only=True, map_location="cpu")
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
    """-> {"network", "features", "words", "training": list of them, "average": state of the net, "embedder" and "beside": of what
    is beside it, if all have the same there}. SystemExit: they are of different networks, features or words."""
    states = [read(path) for path in paths]
    first = states[0]
    for path, s in zip(paths, states, strict=True):
        same_words(first["words"], paths[0], s["words"], path)
        for part in ("network", "features"):
            if s[part] != first[part]:
                raise SystemExit(f"{paths[0]} and {path} are of different {part}: {first[part]}; {s[part]}")
    of = lambda part: {k: sum(s[part][k] for s in states) / len(states) for k in first[part]}
    beside = lambda s: (s.get("beside", []), list(s["embedder"]))
    alike = all(beside(s) == beside(first) for s in states)
    return {**{k: first[k] for k in ALIKE}, "training": [s["training"] for s in states], "average": of("average"),
            "embedder": of("embedder") if alike else {}, "beside": first.get("beside", []) if alike else []}


def load(paths, commands=None):
    """-> the Net of their mean in eval mode, its FeatureConfig, its words, and how each was trained. commands: with the head of
    these; None: its own. SystemExit: as mean(), or there is no such head."""
    state = mean(paths)
    words, weights = state["words"], state["average"]
    if commands is not None and commands != words[:-2]:
        heads = [w[:-2] for w in state["beside"]]
        if commands not in heads:
            raise SystemExit(f"{paths[0]} has no head of {said(commands)}; it has " + "; ".join(map(said, [words[:-2], *heads])))
        k = heads.index(commands)
        words, prefix = state["beside"][k], f"heads.{k}."
        weights = {n: w for n, w in weights.items() if not n.startswith("head.")}
        weights |= {"head." + n[len(prefix):]: w for n, w in state["embedder"].items() if n.startswith(prefix)}
    cfg = FeatureConfig(**state["features"])
    net = Net(state["network"], cfg.n_mels, len(words), log_floor=cfg.log_floor)
    net.load_state_dict(weights)
    return net.eval(), cfg, words, state["training"]
