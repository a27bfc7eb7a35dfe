"""ResNet (He et al. 2016, arXiv 1512.03385): residual convolutions over time, no attention; the bottleneck of figure 5.

    y = W_2 relu(K * relu(W_1 x))      W_1 [W, D], W_2 [D, W], K [W, W, kernel], over the `kernel` frames up to each

The paper's is of images, with 3 by 3 pixels to a kernel and D / W = 4; here kernels are longer, as is usual on features of speech
(TC-ResNet, Choi et al. 2019, arXiv 1904.03814, has 9), and D / W is 2. Its batch norms are left out for the norm that is before
all layers here. Causal: frames before the first are zeros. x [B, T, D]; work linear in T. It has no positions: order is in K. A
stream keeps the kernel - 1 frames that came before.
"""
import torch.nn.functional as F
from torch import nn

from .mixer import Mixer


class ResNet(Mixer):
    def __init__(self, dim, *, width, kernel):
        super().__init__(dim)
        self.width, self.kernel = width, kernel
        self.narrow, self.wide = nn.Linear(dim, width), nn.Linear(width, dim)
        self.conv = nn.Conv1d(width, width, kernel)
        nn.init.kaiming_normal_(self.conv.weight, nonlinearity="relu")  # of the paper's authors, arXiv 1502.01852
        nn.init.zeros_(self.conv.bias)

    def mix(self, y):
        x = F.pad(F.relu(self.narrow(y)).transpose(1, 2), (self.kernel - 1, 0))
        return self.wide(F.relu(self.conv(x)).transpose(1, 2))

    def mixing(self, t):
        return self.width ** 2 * self.kernel

    def state(self, t):
        return self.width * (self.kernel - 1)


KINDS = {"resnet": ResNet}
ENCODERS = {"resnet": dict(title="ResNet, causal", ffn=328, sines=False, kind="resnet", width=32, kernel=9)}
