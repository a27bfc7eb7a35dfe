"""Which `network` objects a model file can hold (docs/model-format.md), checked before a training begins."""
from .layers import BIASES, NORMS
from .model import ACTIVATIONS


def _is(x, lo, hi):
    return isinstance(x, int) and not isinstance(x, bool) and lo <= x <= hi


_SIZES = {"dim": (1, 1024), "zdim": (2, 512), "hdim": (1, 1024), "ffn": (1, 1024), "head": (1, 1024), "ndim": (0, 64),
          "heads": (1, 64), "max_positions": (1, 8192), "pool": (1, 1000), "stack": (1, 32), "stride": (1, 32)}
_CHOICES = {"attention": ("softmax", "laplace", "relu2", "additive", "none"), "rel_pos_bias": tuple(BIASES),
            "norm": tuple(NORMS), "final_norm": (*NORMS, None), "activation": tuple(ACTIVATIONS), "prenorm": (True, False),
            "forget": (True, False), "causal": (True, False)}


def _check_values(part, where):
    for key, value in part.items():
        if key in _SIZES and not _is(value, *_SIZES[key]):
            lo, hi = _SIZES[key]
            raise ValueError(f"{where}{key}: {value!r} is not a whole number from {lo} to {hi}")
        if key in _CHOICES and value not in _CHOICES[key]:
            raise ValueError(f"{where}{key}: {value!r} is none of {', '.join(map(str, _CHOICES[key]))}")
    if "chunk" in part and part["chunk"] != -1 and not _is(part["chunk"], 1, 8192):
        raise ValueError(f"{where}chunk: {part['chunk']!r} is not a whole number from 1 to 8192, nor -1")


def _check_stem(entries):
    """-> feature frames of a stem frame."""
    stride = 1
    if not isinstance(entries, list) or len(entries) > 64:
        raise ValueError("stem: not a list of at most 64 entries")
    for i, entry in enumerate(entries):
        where = f"stem {i}: "
        kind = entry.get("kind") if isinstance(entry, dict) else None
        keys = {"conv": {"kind", "channels", "kernel", "stride", "activation"}, "pool": {"kind", "size"}}.get(kind)
        if kind == "conv" and entry.get("weights") == "int8" and entry.get("activation") == "leaky_relu":
            keys = keys | {"weights"}
        if keys is None or set(entry) != keys:
            raise ValueError(where + "not a conv of channels, kernel, stride and activation, nor a pool of size")
        for key in keys & {"kernel", "stride", "size"}:
            if not isinstance(entry[key], list) or len(entry[key]) != 2 or not all(_is(v, 1, 7) for v in entry[key]):
                raise ValueError(f"{where}{key}: not [frames, bands], each from 1 to 7")
        if kind == "conv" and (entry["kernel"][1] % 2 == 0 or not _is(entry["channels"], 1, 256)):
            raise ValueError(where + "a kernel of an even number of bands, or not 1 to 256 channels")
        _check_values({k: v for k, v in entry.items() if k == "activation"}, where)
        stride *= entry["size" if kind == "pool" else "stride"][0]
    return stride


def step_of(network):
    """Feature frames of a network frame."""
    return network["stride"] * _check_stem(network.get("stem", []))


def check_network(network):
    """ValueError: `network` is none that a model file can hold (docs/model-format.md)."""
    _check_values(network, "")
    step = step_of(network)
    if network["stride"] > network["stack"]:
        raise ValueError(f"stride: {network['stride']} is more than the stack of {network['stack']}")
    if step > 64:
        raise ValueError(f"stride: a network frame of {step} feature frames; at most 64")
    if not 1 <= len(network["layers"]) <= 64:
        raise ValueError(f"depth: {len(network['layers'])} layers; at most 64")
    for layer in network["layers"]:
        _check_values(layer, "")
        width = network["dim"] if layer.get("kind") == "fastformer" else layer.get("hdim")
        if "heads" in layer and width % layer["heads"]:
            raise ValueError(f"heads: {layer['heads']} do not divide {width}")
        if layer.get("rel_pos_bias") == "rotary" and layer["zdim"] % 2:
            raise ValueError(f"zdim: {layer['zdim']} is odd, and rotary wants pairs")
