"""Write a model file whose convolutions and layers have weights of 8 bits.

    python -m kws_train quantise --model commands-12.safetensors --data CORPUS --out commands-12-int8.safetensors

The first convolution of the stem stays: it hears the features themselves, and costs little. So does the head. Each other
convolution gets weights of 8 bits with a scale for each channel that it makes, and its image 8 bits with a step for each
channel that it reads (docs/model-format.md). The steps follow from what training clips, noise and silence make of each channel
at several loudnesses; biases are mended by what rounding changes in the mean. Linear layers get weights of 8 bits, too, with a
scale for each output; their inputs need no code. With --steps, all these weights and biases are then trained to say what the
float network says (aware.py): no label is asked, and nothing else changes.
"""
import copy
import json
import os

import numpy as np
import torch
from torch import nn

from .augment import Maker
from .aware import learn, rounded
from .data import CLIP, Corpus, cut_noise, fit_clip
from .export import save_model
from .features import log_mel
from .model import Conv, Int8Conv, Int8Linear, advance
from .model_file import load_model
from .options import corpus as corpus_options
from .options import parser, real, whole

GAINS_DB = (-18, -6, 0, 0, 6, 12)
MOST_IN = 1024  # inputs of a Linear of 8 bits: docs/model-format.md
OUTSIDE = 1e-5  # of the values of a channel: what is larger than all others may be cut off


def heard(corpus, cfg, n, rng):
    """Frames [m, t, n_mels] of n training clips, cuts of noise and silence, each at a loudness of its own."""
    clips = corpus.where("commands", "unknown", split="train")
    pcm = [fit_clip(corpus.audio(i)) for i in rng.permutation(clips)[:n]]
    pcm += [*cut_noise([corpus.audio(i) for i in corpus.noise()], max(n // 8, 1)), np.zeros(CLIP, np.float32)]
    pcm = [np.clip(x * 10 ** (GAINS_DB[k % len(GAINS_DB)] / 20), -1, 1) for k, x in enumerate(pcm)]
    return torch.from_numpy(np.stack([log_mel(x, cfg) for x in pcm]))


def code_of(x):
    """An image [B, c, t, bands] -> step [c], zero [c] of 8 bits for it."""
    values = x.transpose(0, 1).flatten(1).numpy()
    lo = np.minimum(np.quantile(values, OUTSIDE, axis=1), 0)
    hi = np.maximum(np.quantile(values, 1 - OUTSIDE, axis=1), 0)
    step = np.maximum((hi - lo) / 255, 1e-6)
    return torch.from_numpy(step).float(), torch.from_numpy(np.round(-lo / step)).float()


def quantised(conv, entry, x):
    """conv with weights and image of 8 bits; x: what it reads."""
    q = Int8Conv(conv.in_channels, **{k: v for k, v in entry.items() if k != "kind"}, weights="int8")
    q.step, q.zero = code_of(x)
    numbers, scale = rounded(conv.weight.double() * q.step.double()[:, None, None])
    q.weight, q.scale, q.bias = numbers.to(torch.int8), scale.float(), conv.bias.detach().clone()
    return q


def before_activation(conv, x):
    """[B, c, t, bands] -> the mean of each channel that conv makes, before its activation."""
    int8 = isinstance(conv, Int8Conv)
    weight = conv.weight.double() * (conv.scale.double()[:, None, None, None] if int8 else 1)
    y = nn.functional.conv2d((conv.image(x) if int8 else x).double(), weight, conv.bias.double(), conv.stride,
                             (0, conv.kernel_size[1] // 2))
    return y.mean((0, 2, 3))


def quantise(stem, entries, x, quiet):
    """The stem's entries with weights of 8 bits but for the first convolution, and their modules by index. x, quiet: the images
    that it reads."""
    out, modules, seen = [], {}, 0
    exact, rounded = (x, quiet), (x, quiet)
    for i, (entry, step) in enumerate(zip(entries, stem.values(), strict=True)):
        if isinstance(step, Conv) and seen:
            q = quantised(step, entry, exact[0])
            q.bias += (before_activation(step, exact[0]) - before_activation(q, rounded[0])).float()
            modules[str(i)], entry = q, {**entry, "weights": "int8"}
        seen += isinstance(step, Conv)
        out.append(entry)
        exact, rounded = advance(step, *exact), advance(modules.get(str(i), step), *rounded)
    return out, modules


def linear(layer):
    """A Linear with weights of 8 bits."""
    q = Int8Linear(layer.in_features, layer.out_features)
    numbers, scale = rounded(layer.weight)
    q.weight, q.scale, q.bias = numbers.to(torch.int8), scale.float(), layer.bias.detach().clone()
    return q


def quantise_layers(net):
    """The network's input and its layers get weights of 8 bits; the head stays. -> their names."""
    names = [n for n, m in net.named_modules() if isinstance(m, nn.Linear) and m.in_features <= MOST_IN
             and n.startswith(("input", "layers.")) and not n.endswith("_att")]
    for name in names:
        net.set_submodule(name, linear(net.get_submodule(name)))
    return names


def options():
    """-> ArgumentParser of this command."""
    ap = parser("quantise", __doc__)
    ap.add_argument("--model", metavar="FILE", required=True, help="a model file with a stem")
    corpus_options(ap)
    ap.add_argument("--clips", metavar="N", type=whole(1), default=240, help="training clips that show the ranges of values")
    ap.add_argument("--steps", metavar="N", type=whole(0), default=0, help="of training after rounding; 0: none")
    ap.add_argument("--rate", metavar="X", type=real(0, 1, above=True), default=3e-4, help="of that training, over the weights")
    ap.add_argument("--seed", metavar="N", type=whole(0), default=1, help="of the choice of clips, and of that training")
    ap.add_argument("--name", help="of the model (default: the file name of --out)")
    ap.add_argument("--out", metavar="FILE", required=True, help="the model file to write")
    return ap


@torch.no_grad()
def main(argv=None):
    """Write the model file."""
    ap = options()
    a = ap.parse_args(argv)
    net, cfg, words, meta = load_model(a.model)
    if net.stem is None or any("weights" in e for e in net.network["stem"]):
        raise SystemExit(f"{a.model}: has no stem, or one of 8 bits already")
    if any(e.get("activation", "leaky_relu") != "leaky_relu" for e in net.network["stem"]):
        raise SystemExit(f"{a.model}: convolutions with another activation than leaky_relu have no weights of 8 bits")
    corpus, rng = Corpus(a.data, a.cache), np.random.default_rng(a.seed)
    frames = heard(corpus, cfg, a.clips, rng)
    x = (net.features(frames) if net.features is not None else frames)[:, None]
    quiet = torch.full((1, 1, x.shape[3]), net.quiet)
    quiet = (net.features(quiet) if net.features is not None else quiet)[:, None]
    network = copy.deepcopy(net.network)
    network["stem"], modules = quantise(net.stem, network["stem"], x, quiet)
    teacher = copy.deepcopy(net)
    net.network = network
    for i, q in modules.items():
        net.stem[i] = q
    layers = quantise_layers(net)
    how = "8 bits in the stem and the layers, after training"
    if a.steps:
        learn(net, teacher, [*(f"stem.{i}" for i in modules), *layers], Maker(corpus), cfg, a.steps, a.rate, rng)
        how += f", and trained so for {a.steps} steps"
    name = a.name or os.path.splitext(os.path.basename(a.out))[0]
    training = {**json.loads(meta.get("training", "{}")), "quantised": how}
    save_model(a.out, net, cfg, words, name, json.loads(meta["decision"]), meta.get("licence"), training)
    print(f"{a.out}: {name}, {len(modules)} convolutions and {len(layers)} linear layers of 8 bits, "
          f"{os.path.getsize(a.out)} bytes of {os.path.getsize(a.model)}")
