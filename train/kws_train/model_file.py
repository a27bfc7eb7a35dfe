"""Read model files (docs/model-format.md)."""
import json

from safetensors import SafetensorError, safe_open

from .features import FeatureConfig
from .model import Net


def load_model(path):
    """-> net in eval mode, FeatureConfig, words, metadata dict of strings. SystemExit: it is no model file."""
    try:
        with safe_open(path, "pt") as f:
            meta = f.metadata() or {}
            tensors = {k: f.get_tensor(k) for k in f.keys()}  # noqa: SIM118 it is no dict
        feats, words, network = (json.loads(meta[k]) for k in ("features", "words", "network"))
    except FileNotFoundError:
        raise SystemExit(f"{path}: not there") from None
    except (SafetensorError, KeyError, ValueError) as e:
        raise SystemExit(f"{path}: no model file: {e}") from None
    affine = feats.pop("normalisation") == "affine"
    feats.pop("kind")
    net = Net(network, feats["n_mels"], len(words), affine, feats["log_floor"])
    net.take_int8(tensors)
    missing, surplus = net.load_state_dict(tensors, strict=False)
    if surplus or [k for k in missing if not k.endswith("num_batches_tracked")]:
        raise SystemExit(f"{path}: no model file: missing {missing}, surplus {surplus}")
    return net.eval(), FeatureConfig(**feats), words, meta
