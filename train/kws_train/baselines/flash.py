"""FLASH (Hua et al. 2022, arXiv 2202.10447): the gated attention unit that Mega's is built on, with mixed chunk attention.

    z = silu(W_z x), u = silu(W_u x), v = silu(W_v x);  four pairs scale * z + offset: q, k and q', k'
    o = W_o (u (near + far))
    near_i = sum_{j <= i in the chunk} relu(q_i k_j / C + b_{i-j})^2 v_j
    far_i = q'_i 1/n sum_j k'_j^T v_j      over the n frames of all chunks before that of i

chunks of C frames. This is Mega without its EMA, reset gate and update gate, with a second, linear attention that carries what
the chunks before held. far is a mean, so it does not grow with the stream. y [B, T, D]; z [B, T, Z], u, v [B, T, E]; b [C]; work
linear in T. The paper has two such layers for an attention and its feed-forward; here the feed-forward stays, as everywhere, and
positions are b alone. A stream keeps the chunk's k and v, and the sums of the chunks before and of its own.
"""
import torch
import torch.nn.functional as F
from torch import nn

from ..layers import wide
from .mixer import Mixer, chunks, mean_past


class Flash(Mixer):
    def __init__(self, dim, *, zdim, edim, chunk):
        super().__init__(dim)
        self.sizes, self.chunk = (zdim, edim, edim), chunk
        self.zuv, self.out = nn.Linear(dim, sum(self.sizes)), nn.Linear(edim, dim)
        self.scale, self.offset = nn.Parameter(0.02 * torch.randn(4, zdim)), nn.Parameter(torch.zeros(4, zdim))
        self.bias = nn.Parameter(0.02 * torch.randn(chunk))  # by distance

    def forward(self, x, phase=0):
        return x + self.mix(self.norm(x), phase)

    def near(self, q, k, v):
        """Attention within the chunk: q, k [B, n, C, Z], v [B, n, C, E], 0 where a frame is added, -> [B, n, C, E]."""
        back = torch.arange(self.chunk)[:, None] - torch.arange(self.chunk)
        s = wide(q @ k.transpose(2, 3)) / self.chunk + self.bias[back.clamp_min(0)]
        return (F.relu(s).square() * (back >= 0)).to(v.dtype) @ v

    def far(self, q, k, v, there):
        """Linear attention over the chunks before: the same shapes, and there [n, C], whether a frame is none of those added."""
        sums = wide(k.transpose(2, 3) @ v).cumsum(1)
        frames = there.sum(1).cumsum(0).clamp_min(1)[:, None, None]
        return q @ F.pad((sums / frames)[:, :-1], (0, 0, 0, 0, 1, 0)).to(q.dtype)

    def mix(self, y, phase=0):
        z, u, v = F.silu(self.zuv(y)).split(self.sizes, -1)
        added, there = chunks(y.shape[1], self.chunk, phase)
        z, v = (F.pad(s, (0, 0, *added)).unflatten(1, (-1, self.chunk)) for s in (z, v))
        q, k, q_far, k_far = (z * s + o for s, o in zip(self.scale, self.offset, strict=True))
        o = (self.near(q, k, v) + self.far(q_far, k_far, v, there)).flatten(1, 2)
        return self.out(u * o[:, added[0] : added[0] + y.shape[1]])

    def mixing(self, t):
        """Scores and sums within the chunk; a frame into the far sum, and one read of it."""
        zdim, edim, _ = self.sizes
        return mean_past(self.chunk) * (zdim + edim) + 2 * zdim * edim

    def state(self, t):
        zdim, edim, _ = self.sizes
        return self.chunk * (zdim + edim) + 2 * zdim * edim


KINDS = {"flash": Flash}
ENCODERS = {"flash": dict(title="FLASH, chunk 25", ffn=224, sines=False, kind="flash", zdim=32, edim=128, chunk=25)}
