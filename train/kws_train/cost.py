"""What an encoder costs on a stream: multiply-adds and state, counted by formula from the network itself.

Counted are products with weights, the stem's convolutions, recurrences, and the scores and sums of attention, as a stream needs
them: each frame once, by the recurrent form where there is one. Biases, norms, gates and activations are not.
Attention within a chunk of c frames hears (c + 1) / 2 of them on the average, and over a clip of t likewise.
"""
from functools import singledispatch

from torch import nn

from .baselines.mixer import mean_past
from .layers import Additive, Fastformer, Mega, Nffn


@singledispatch
def mixing(layer, t):
    """Multiply-adds a network frame beyond those of Linear layers, on a clip of t network frames or in a stream."""
    return layer.mixing(t)


@mixing.register
def _(layer: Nffn, t):
    return 0


def _pools(layer: Additive, dim):
    """A frame into each of two sums, after they have faded."""
    return 2 * 2 * dim


@mixing.register
def _(layer: Fastformer, t):
    return _pools(layer.attention["self"], layer.attention["self"].query.in_features)


@mixing.register
def _(layer: Mega, t):
    dim, zdim, hdim, _ = layer.dims
    n = 0
    if not isinstance(layer.move, nn.Identity):
        n += dim * (3 * layer.move.gamma.shape[1] + 1)  # h = q h + a x, then c h, for each; omega x
    if layer.attention == "additive":
        n += _pools(layer.additive, hdim)
    elif layer.attention != "none":
        n += mean_past(layer.chunk if layer.chunk > 0 else t) * (zdim + hdim)
    return n


def _linear(module):
    return sum(m.weight.numel() for m in module.modules() if isinstance(m, nn.Linear))


def _stem(net):
    """-> multiply-adds of a network frame, floats of the past that the convolutions hold."""
    entries = net.network.get("stem", [])
    n, held, channels, bands, frames = 0, 0, 1, net.features.mean.numel() if entries else 0, net.step
    for entry in entries:
        step = entry.get("stride") or entry["size"]
        if entry["kind"] == "conv":
            k = entry["kernel"]
            held += max(k[0] - step[0], 0) * (bands + k[1] // 2 * 2) * channels
        bands, frames = -(-bands // step[1]), frames // step[0]
        if entry["kind"] == "conv":
            n += k[0] * k[1] * channels * entry["channels"] * bands * frames
            channels = entry["channels"]
    return n, held


def multiply_adds(net, t):
    """-> of one network frame."""
    n = _linear(net.input) + _linear(net.head) + _stem(net)[0]
    return round(n + sum(_linear(net.layers[i]) + mixing(net.layers[i], t) for i in net.order))


def state_bytes(net, t):
    """-> of one stream that hears t network frames back at most, where only the twin knows the layers: theirs, the stem's,
    the stack and the frames that are pooled, in float32. None: it needs the whole clip."""
    layers = [net.layers[i].state(t) for i in net.order if not isinstance(net.layers[i], Nffn)]
    if None in layers:
        return None
    stack = net.input.in_features // net.stack * (net.stack - net.stride)
    return 4 * (sum(layers) + _stem(net)[1] + stack + net.pool * net.input.out_features)
