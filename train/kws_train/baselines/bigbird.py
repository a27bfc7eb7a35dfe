"""BigBird (Zaheer et al. 2020, arXiv 2007.14062): sparse attention, section 2.

Frame i hears N(i), the union of
  - a window: here the `window` frames up to itself;
  - global frames: the first `globals` of the clip, which also hear everything (internal transformer construction, ITC);
  - `random` frames, drawn once when the layer is made.
Softmax attention over N(i), as in equation 1 of the Transformer. The paper's is an encoder. Here it is causal: every set is cut
to j <= i, so the window is one-sided and the global frames are heard by all but hear only what came before them. The
paper's blocks of 64, which only suit the hardware, are single frames here. The mask is dense: T is small.

A random frame may lie anywhere in the past, so a stream has to keep the keys and values of all its clip, and clips are
at most max_positions frames.
"""
import torch

from .mixer import past
from .transformer import SelfAttention


class BigBird(SelfAttention):
    def __init__(self, dim, *, heads, window, globals, random, max_positions):
        super().__init__(dim, heads=heads)
        i = torch.arange(max_positions)
        near = i[:, None] - i < window
        first = i[None, :] < globals
        drawn = torch.zeros(max_positions, max_positions, dtype=torch.bool)
        drawn.scatter_(1, (torch.rand(max_positions, random) * (i[:, None] + 1)).long(), True)
        self.register_buffer("mask", (near | first | first.T | drawn) & past(max_positions))

    def seen(self, t):
        return self.mask[:t, :t]

    def mixing(self, t):
        return 2 * self.dim * int(self.seen(t).sum()) / t

    def state(self, t):
        return 2 * self.dim * t
