"""FIM (Wang et al. 2020, aclanthology.org/2020.acl-main.77): stacked dilated convolutions, all levels kept.

    d_0 = x,  d_l = relu(K_l * d_{l-1})      K_l of `kernel` frames, each dilation_l after the last
    y = W [d_1, ..., d_L]

So this recommender encodes a text; its matching of texts is no layer of a sequence. Its kernels reach both ways; here their last
frame is the newest, which makes it causal, and frames before the first are zeros. Its norms are left out for the one that is
before all layers here. K_1 [W, D, kernel], the others [W, W, kernel], W [D, L W]. x, y [B, T, D]; work linear in T; no positions.
A stream keeps what each kernel reaches back to.
"""
import torch
import torch.nn.functional as F
from torch import nn

from .mixer import Mixer


class Dilated(Mixer):
    def __init__(self, dim, *, width, kernel, dilations):
        super().__init__(dim)
        sizes = [dim] + [width] * (len(dilations) - 1)
        self.levels = nn.ModuleList(nn.Conv1d(n, width, kernel, dilation=d) for n, d in zip(sizes, dilations, strict=True))
        self.out = nn.Linear(width * len(dilations), dim)
        for conv in self.levels:
            nn.init.kaiming_normal_(conv.weight, nonlinearity="relu")
            nn.init.zeros_(conv.bias)

    def mix(self, y):
        x, kept = y.transpose(1, 2), []
        for conv in self.levels:
            x = F.relu(conv(F.pad(x, ((conv.kernel_size[0] - 1) * conv.dilation[0], 0))))
            kept.append(x)
        return self.out(torch.cat(kept, 1).transpose(1, 2))

    def mixing(self, t):
        return sum(conv.weight.numel() for conv in self.levels)

    def state(self, t):
        return sum(conv.in_channels * min(t, (conv.kernel_size[0] - 1) * conv.dilation[0]) for conv in self.levels)


KINDS = {"dilated": Dilated}
ENCODERS = {"dilated": dict(title="Dilated convolutions (FIM), causal", ffn=288, sines=False, kind="dilated", width=32, kernel=3,
                            dilations=[1, 2, 3])}
