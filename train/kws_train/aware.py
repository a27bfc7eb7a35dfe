"""Train a network with weights of 8 bits to say what the network of float32 says: quantisation-aware training.

The float network teaches its own form of 8 bits, so no clip needs a label: the loss is the KL divergence of what the two say at
every frame, and the squared error of what goes into the pool, over its variance. They hear clips, running speech and noise of
split train as `augment` spoils them, three in a row, from a random chunk phase.

What learns are the weights that become bytes, and their biases. They are kept as floats, and every pass rounds them anew, with
a scale for each output that follows its largest weight, so that the passes of training and of the file give the same. Rounding
has no gradient: it counts as if nothing were rounded, and where an image is cut off at 0 or 255 its gradient is zero. That is the
straight-through estimator (Bengio, Leonard, Courville, arXiv 1308.3432; for images and weights: Jacob et al., arXiv 1712.05877).
"""
import math

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from .augment import SIDE
from .data import CLIP
from .features import log_mel
from .model import nearest

STREAMS, CLIPS = 16, 3  # of a step, and in a row in each
CLEAN, SPEECH, SILENCE = 0.25, 0.15, 0.1  # shares of clips that are not spoilt, and of what is no single word
WARMUP = 0.1  # of the steps


def rounded(weight):
    """weight [out, ...] -> whole numbers -127..127 in float64, as if they were not rounded to whom asks for gradients, and scales
    float64 [out]."""
    w = weight.double()
    scale = w.detach().abs().amax(tuple(range(1, w.dim())), keepdim=True).clamp(min=1e-30) / 127
    return nearest(w / scale), scale.flatten()


class Aware(nn.Module):
    """An Int8Conv or Int8Linear whose weights learn: they are kept as floats, and rounded in every pass."""

    def __init__(self, q, weight):
        """weight: as it was before it became q's."""
        super().__init__()
        self.q, self.weight, self.bias = q, nn.Parameter(weight.detach().clone()), nn.Parameter(q.bias.clone())
        if weight.dim() == 4:
            self.kernel_size, self.stride = q.kernel_size, q.stride

    def numbers(self):
        """-> those of the file, and their scales."""
        weight = self.weight.double()
        return rounded(weight * self.q.step.double()[:, None, None] if weight.dim() == 4 else weight)

    def forward(self, x):
        numbers, scale = self.numbers()
        return self.q.product(x, numbers.float(), scale.float(), self.bias)  # float32: exact below 2^24

    @torch.no_grad()
    def fixed(self):
        """-> the module of the file."""
        numbers, scale = self.numbers()
        self.q.weight, self.q.scale, self.q.bias = numbers.to(torch.int8), scale.float(), self.bias.detach().clone()
        return self.q


def second(maker, rng):
    """A second of a clip, running speech, or sound in which nobody speaks [CLIP]."""
    kind, clean = rng.random(), rng.random() < CLEAN
    if kind < SILENCE:
        x = maker.silence(rng, clean)
    elif kind < SILENCE + SPEECH and maker.speech_at:
        x = maker.speech_cut(rng, maker.speech[rng.integers(len(maker.speech))], clean)[0]
    else:
        x = maker.clip(rng, maker.corpus.audio(maker.clips[rng.integers(len(maker.clips))]), clean)[0]
    return x[SIDE : SIDE + CLIP]


def streams(maker, cfg, rng, n=STREAMS):
    """-> frames [n, t, n_mels]."""
    pcm = [np.concatenate([second(maker, rng) for _ in range(CLIPS)]) for _ in range(n)]
    return torch.from_numpy(log_mel(np.stack(pcm), cfg))


def distance(student, teacher, frames, phase):
    """How far what the student makes of the frames is from what the teacher makes of them -> KL divergence of what they say, and
    squared error before the pool over its variance, both means over all frames."""
    with torch.no_grad():
        of = teacher.encode(frames, phase)
        said = F.log_softmax(teacher.head(teacher.pooled(of)), -1)
    y = student.encode(frames, phase)
    says = F.log_softmax(student.head(student.pooled(y)), -1)
    kl = F.kl_div(says, said, reduction="none", log_target=True).sum(-1).mean()
    return kl, (y - of).square().mean() / of.var()


def learn(net, teacher, names, maker, cfg, steps, rate, rng):
    """Train the net's modules of 8 bits, of these names, and put those of the file back in their places. rate: of Adam, over the
    root mean square of a tensor; after a short rise it falls to zero, as a cosine."""
    places = {name: Aware(net.get_submodule(name), teacher.get_submodule(name).weight) for name in names}
    net.requires_grad_(False)
    for name, module in places.items():
        net.set_submodule(name, module)
    learnt = [p for m in places.values() for p in m.parameters()]
    opt = torch.optim.Adam([{"params": [p], "size": p.detach().square().mean().sqrt().item()} for p in learnt])
    with torch.enable_grad():
        for i in range(steps):
            kl, error = distance(net, teacher, streams(maker, cfg, rng), int(rng.integers(25)))
            opt.zero_grad()
            (kl + error).backward()
            now = rate * min((i + 1) / (WARMUP * steps), 1) * (1 + math.cos(math.pi * i / steps)) / 2
            for g in opt.param_groups:
                g["lr"] = now * g["size"]
            opt.step()
            if (i + 1) % 50 == 0 or i + 1 == steps:
                print(f"step {i + 1}/{steps}: KL {kl.item():.6f}, error {error.item():.6f}", flush=True)
    for name, module in places.items():
        net.set_submodule(name, module.fixed())
