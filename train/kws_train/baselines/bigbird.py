"""BigBird (Zaheer et al. 2020, arXiv 2007.14062): sparse attention, section 2.

Frame i hears N(i), the union of
  - a window: here the `window` frames up to itself;
  - global frames: the first `globals` of the clip, which also hear everything (internal transformer construction, ITC);
  - `random` frames, drawn once when the layer is made.
Softmax attention over N(i), as in equation 1 of the Transformer. The paper's is an encoder. Here it is causal: every set is cut
to j <= i, so the window is one-sided and the global frames are heard by all but hear only what came before them. The
paper's blocks of 64, which only suit the hardware, are single frames here. Work is linear in T.

A random frame may lie anywhere in the past, so a stream has to keep the keys and values of all its clip, and clips are
at most max_positions frames.
"""
import torch

from .mixer import LONGEST, among, merge, split
from .transformer import SelfAttention


class BigBird(SelfAttention):
    def __init__(self, dim, *, heads, window, globals, random, max_positions):
        super().__init__(dim, heads=heads)
        i = torch.arange(max_positions)[:, None]
        drawn = (torch.rand(max_positions, random) * (i + 1)).long()
        heard = torch.cat([i - torch.arange(window), torch.arange(globals).expand(max_positions, -1), drawn], 1)
        heard = heard.masked_fill(heard > i, -1).sort(1).values
        heard[:, 1:][heard[:, 1:] == heard[:, :-1]] = -1  # once only
        self.register_buffer("heard", heard)  # [max_positions, K], -1: none

    def mix(self, y):
        q, k, v = (split(s, self.heads) for s in self.qkv(y).chunk(3, -1))
        return self.out(merge(among(q, k, v, self.heard[None, : y.shape[1]])))

    def mixing(self, t):
        return 2 * self.dim * int((self.heard[:t] >= 0).sum()) / t

    def state(self, t):
        return 2 * self.dim * t


KINDS = {"bigbird": BigBird}
ENCODERS = {"bigbird": dict(title="BigBird, causal", ffn=304, kind="bigbird", heads=4, window=8, globals=2, random=3,
                         max_positions=LONGEST)}
