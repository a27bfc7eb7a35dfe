"""The layers of the PyTorch twin of model/: parallel form for training, the same tensor names as docs/model-format.md.

Letters follow the Mega paper's code: D dim, Z zdim, H hdim, N ndim, C chunk, T network frames, B batch.
Everything is batch first: x [B, T, D]. Only the causal, unidirectional form exists, but for Fastformer, which also has
the original's, where each frame sees the whole clip.
"""
import math

import torch
import torch.nn.functional as F
from torch import nn

EPS = 1e-5


def wide(x):
    """bfloat16 -> float32, anything else as it is: sums and softmax are not for eight bits."""
    return x.float() if x.dtype == torch.bfloat16 else x


class _LayerNorm(nn.Module):
    def __init__(self, dim):
        super().__init__()
        self.weight, self.bias = nn.Parameter(torch.ones(dim)), nn.Parameter(torch.zeros(dim))

    def forward(self, x):
        return F.layer_norm(x, x.shape[-1:], self.weight, self.bias, EPS)


class _RMSNorm(nn.Module):
    def __init__(self, dim):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(dim))

    def forward(self, x):
        return x * torch.rsqrt(x.square().mean(-1, keepdim=True) + EPS) * self.weight


class _ScaleNorm(nn.Module):
    def __init__(self, dim):
        super().__init__()
        self.scalar = nn.Parameter(torch.ones(1))

    def forward(self, x):
        return x * torch.rsqrt(x.square().mean(-1, keepdim=True) + EPS) * self.scalar


class _BatchNorm(nn.BatchNorm1d):
    def __init__(self, dim):
        super().__init__(dim, eps=EPS)

    def forward(self, x):
        return super().forward(x.transpose(1, 2)).transpose(1, 2)


NORMS = {"layernorm": _LayerNorm, "rmsnorm": _RMSNorm, "scalenorm": _ScaleNorm, "batchnorm": _BatchNorm}


class Norm(nn.Module):
    """Holds the norm one level down, so that its tensors are called norm.norm.*."""

    def __init__(self, kind, dim):
        super().__init__()
        self.norm = NORMS[kind](dim)

    def forward(self, x):
        return self.norm(x)


class _Toeplitz(torch.autograd.Function):
    """Impulse responses k [D, T] -> m [D, T, T], m[d, i, j] = k[d, i - j]. autograd's own way back is ten times slower."""

    @staticmethod
    def forward(ctx, k):
        t = k.shape[1]
        return F.pad(k.flip(1), (0, t - 1)).unfold(1, t, 1).flip(1)

    @staticmethod
    def backward(ctx, g):
        d, t, _ = g.shape  # a row of 2t read as one of 2t - 1: diagonals become columns
        skew = F.pad(g.flip(2), (0, t)).flatten(1)[:, : t * (2 * t - 1)].view(d, t, 2 * t - 1)
        return skew.sum(1)[:, t - 1 :]


class Ema(nn.Module):
    """Multi-dimensional damped EMA (fairseq/modules/exponential_moving_average.py), causal.

    The decay q = 1 - sigma(delta) sigma(alpha) starts spread over q_range, log-uniform in memory length: the
    original's N(0, 0.2) gives about four frames everywhere, and long memory would have to be learnt.
    """

    def __init__(self, dim, ndim, q_range=(0.6, 0.99)):
        super().__init__()
        self.delta = nn.Parameter(torch.empty(dim, ndim, 1))
        self.alpha = nn.Parameter(torch.empty(dim, ndim, 1))
        self.beta = nn.Parameter(torch.empty(dim, ndim, 1))
        self.gamma = nn.Parameter(torch.empty(dim, ndim))
        self.omega = nn.Parameter(torch.empty(dim))
        lo, hi = 1 - q_range[1], 1 - q_range[0]  # 1 - q = sigma(delta) sigma(alpha), split evenly
        with torch.no_grad():
            damp = torch.exp(torch.linspace(math.log(hi), math.log(lo), ndim))[None, :, None].expand(dim, -1, -1)
            root = torch.logit(damp.sqrt())
            self.delta.copy_(root + 0.2 * torch.randn_like(root))
            self.alpha.copy_(root + 0.2 * torch.randn_like(root))
            sign = torch.tensor([1.0, -1.0]).repeat((ndim + 1) // 2)[:ndim]
            self.beta.copy_(sign[None, :, None] + 0.02 * torch.randn_like(root))
            nn.init.normal_(self.gamma)
            nn.init.normal_(self.omega)

    def coefficients(self):
        """-> input weight a, decay q, output weight c, each [D, N]."""
        p = torch.sigmoid(self.delta)
        q = 1 - p * torch.sigmoid(self.alpha)
        return (p * self.beta)[..., 0], q[..., 0], self.gamma / math.sqrt(self.gamma.shape[1])

    def kernel(self, t):
        """Impulse response k [D, t] of the bank, in float32."""
        a, q, c = self.coefficients()
        lag = torch.arange(t, device=q.device, dtype=q.dtype)
        power = torch.exp(lag * torch.log(q)[..., None])
        return torch.einsum("dn,dnt->dt", a * c, power)

    def forward(self, x):
        """x [B, T, D] -> [B, T, D]. A Toeplitz product, quadratic in T, is the fastest way for T up to some 150;
        recordings go by FFT."""
        t = x.shape[1]
        k = self.kernel(t)
        if t > 400:
            e = torch.fft.irfft(torch.fft.rfft(x.transpose(1, 2), 2 * t) * torch.fft.rfft(k, 2 * t), 2 * t)[..., :t]
            return F.silu(e.transpose(1, 2) + self.omega * x)
        e = torch.bmm(_Toeplitz.apply(k), x.permute(2, 1, 0).to(k.dtype)).permute(2, 1, 0)
        return F.silu(e + self.omega * x)


class SimpleBias(nn.Module):
    """b[P-1+j-i]; only j <= i is used."""

    def __init__(self, zdim, positions):
        super().__init__()
        self.rel_pos_bias = nn.Parameter(0.02 * torch.randn(2 * positions - 1))
        self.positions = positions

    def forward(self, n):
        i = torch.arange(n, device=self.rel_pos_bias.device)
        at = self.positions - 1 + i[None] - i[:, None]
        return self.rel_pos_bias.index_select(0, at.flatten()).view(n, n)


class RotaryBias(nn.Module):
    """R_i(alpha).R_j(beta), halves rotated, a function of i - j only."""

    def __init__(self, zdim, positions):
        super().__init__()
        self.alpha = nn.Parameter(0.02 * torch.randn(1, zdim))
        self.beta = nn.Parameter(0.02 * torch.randn(1, zdim))

    @staticmethod
    def _rotate(x, n):
        half = x.shape[-1] // 2
        theta = torch.exp(torch.arange(half, dtype=x.dtype, device=x.device) * -(math.log(10000.0) / half))
        ang = torch.arange(n, dtype=x.dtype, device=x.device)[:, None] * theta
        x1, x2 = x[:, :half], x[:, half:]
        return torch.cat([x1 * ang.cos() - x2 * ang.sin(), x2 * ang.cos() + x1 * ang.sin()], -1)

    def forward(self, n):
        return self._rotate(self.alpha, n) @ self._rotate(self.beta, n).T


BIASES = {"simple": SimpleBias, "rotary": RotaryBias}


class Additive(nn.Module):
    """Additive attention (Fastformer section 3.2), queries and values shared: q, k [B, T, D] -> K q.

    Causal, a frame's pools are over the frames so far, a frame's weight less by its head's rate for each frame of age,
    and p = k Q keeps the Q of its own frame. Not causal, the pools are over the whole clip, as in the original.
    """

    def __init__(self, dim, *, heads, forget, causal=True):
        super().__init__()
        self.heads, self.causal = heads, causal
        self.query_att, self.key_att = nn.Linear(dim, heads), nn.Linear(dim, heads)
        rate = torch.logspace(math.log10(0.02), math.log10(0.1), heads).expand(2, -1)
        self.forget = nn.Parameter(torch.log(torch.expm1(rate))) if forget else None  # rate = softplus(forget)

    def rates(self):
        """-> [2, heads]: of the queries' pool and the keys'."""
        if self.forget is None:
            return torch.zeros(2, self.heads, dtype=self.query_att.weight.dtype, device=self.query_att.weight.device)
        return F.softplus(self.forget)

    def _pool(self, x, att, rate):
        """x [B, T, D] -> the weighted mean of its frames: up to each [B, T, D], or if not causal of all [B, 1, D]."""
        score = wide(att(x)) / math.sqrt(x.shape[2] // self.heads)  # [B, T, G]
        x = x.unflatten(2, (self.heads, -1))
        if not self.causal:
            return torch.einsum("btg,btgc->bgc", torch.softmax(score, 1).to(x.dtype), x).flatten(1)[:, None]
        means, past = [], None
        for s, v in zip(score.split(256, 1), x.split(256, 1), strict=True):
            w = s.double() + rate * torch.arange(s.shape[1], device=x.device)[:, None]  # log weight, of a segment's start
            top = w.detach().amax(1, keepdim=True)
            if past is not None:
                num, den, faded = past
                top = torch.maximum(top, faded.detach())
                num, den = num * torch.exp(faded - top)[..., None], den * torch.exp(faded - top)
            w = torch.exp(w - top)
            first = (0.0, 0.0) if past is None else (num, den)
            num, den = first[0] + (w[..., None] * v).cumsum(1), first[1] + w.cumsum(1)
            means.append(num / den[..., None])
            past = num[:, -1:], den[:, -1:], top - rate * s.shape[1]
        return torch.cat(means, 1).flatten(2).to(x.dtype)

    def forward(self, q, k):
        rate = self.rates()
        p = k * self._pool(q, self.query_att, rate[0])
        return q * self._pool(p, self.key_att, rate[1])


class Mega(nn.Module):
    """Moving-average gated attention (fairseq/modules/moving_average_gated_attention.py), causal."""

    def __init__(self, dim, *, hdim, ndim, attention, norm, prenorm, zdim=None, chunk=None, rel_pos_bias=None,
                 max_positions=None, heads=None, forget=None):
        super().__init__()
        zdim = {"additive": hdim, "none": 0}.get(attention, zdim)
        self.dims = (dim, zdim, hdim, dim)  # order inside mx_proj: u, z, r, hx
        self.chunk, self.attention, self.prenorm = chunk, attention, prenorm
        self.norm = Norm(norm, dim)
        self.move = Ema(dim, ndim) if ndim else nn.Identity()
        self.v_proj = nn.Linear(dim, hdim) if attention != "additive" else None
        self.mx_proj = nn.Linear(dim, 2 * dim + zdim + hdim)
        self.h_proj = nn.Linear(hdim, dim)
        if zdim:
            self.gamma = nn.Parameter(0.02 * torch.randn(2, zdim))
            self.beta = nn.Parameter(torch.zeros(2, zdim))
        if attention == "additive":
            self.additive = Additive(hdim, heads=heads, forget=forget)
        elif attention != "none":
            self.rel_pos_bias = BIASES[rel_pos_bias](zdim, chunk if chunk > 0 else max_positions)

    def _attend(self, q, k, v, phase):
        """q, k [B, T, Z], v [B, T, H] -> o [B, T, H]. The first chunk is short by `phase` frames."""
        b, t, z = q.shape
        c = self.chunk if self.chunk > 0 else t
        phase = phase % c if self.chunk > 0 else 0
        if t + phase <= c:  # one short chunk
            c, phase = t, 0
        n = -(-(t + phase) // c)
        pad = (0, 0, phase, n * c - t - phase)
        q, k, v = (F.pad(s, pad).view(b, n, c, -1) for s in (q, k, v))
        pos = torch.arange(n * c, device=q.device)
        row = pos[:c]
        seen = (pos.view(n, c) >= phase)[:, None, :] & (row[None, :, None] >= row[None, None, :])
        bias = self.rel_pos_bias(c)
        s = q @ k.transpose(2, 3)
        if self.attention == "softmax":
            s = wide(s) / math.sqrt(z) + bias
            blind = ~seen.any(-1, keepdim=True)  # rows of padding see nothing: keep them finite
            a = torch.softmax(s.masked_fill(~(seen | blind), -math.inf), -1)
        else:
            s = wide(s) / seen.sum(-1, keepdim=True).clamp_min(1) + bias
            if self.attention == "laplace":
                a = 0.5 * (1.0 + torch.erf((s - 0.707107) / (0.282095 * math.sqrt(2.0))))
            else:
                a = F.relu(s).square()
            a = a * seen
        o = (a.to(v.dtype) @ v).reshape(b, n * c, -1)
        return o[:, phase : phase + t]

    def forward(self, x0, phase=0):
        """x0 [B, T, D] -> [B, T, D]. phase: position inside the chunk at which the sequence starts."""
        x = self.norm(x0) if self.prenorm else x0
        u, z, r, hx = self.mx_proj(self.move(x)).split(self.dims, -1)
        if self.attention == "none":
            o = F.silu(self.v_proj(x))
        else:
            z = F.silu(z)
            q, k = self.gamma[0] * z + self.beta[0], self.gamma[1] * z + self.beta[1]
            additive = self.attention == "additive"
            o = self.additive(q, k) if additive else self._attend(q, k, F.silu(self.v_proj(x)), phase)
        h = F.silu(hx + self.h_proj(o * F.silu(r)))
        y = x0 + torch.sigmoid(u) * (h - x0)
        return y if self.prenorm else self.norm(y)


class Nffn(nn.Module):
    """Normalised feed-forward network."""

    def __init__(self, dim, *, ffn, norm, prenorm):
        super().__init__()
        self.prenorm = prenorm
        self.norm = Norm(norm, dim)
        self.fc1, self.fc2 = nn.Linear(dim, ffn), nn.Linear(ffn, dim)

    def forward(self, x, phase=0):
        if self.prenorm:
            return x + self.fc2(F.silu(self.fc1(self.norm(x))))
        return self.norm(x + self.fc2(F.silu(self.fc1(x))))


class FastSelf(Additive):
    """FastSelfAttention of the original Fastformer (github.com/wuch15/Fastformer)."""

    def __init__(self, dim, *, heads, forget, causal):
        super().__init__(dim, heads=heads, forget=forget, causal=causal)
        self.query, self.key, self.transform = nn.Linear(dim, dim), nn.Linear(dim, dim), nn.Linear(dim, dim)

    def forward(self, x):
        q = self.query(x)
        return self.transform(super().forward(q, self.key(x))) + q


class _Output(nn.Module):
    def __init__(self, n_in, dim):
        super().__init__()
        self.dense, self.LayerNorm = nn.Linear(n_in, dim), nn.LayerNorm(dim, eps=1e-12)

    def forward(self, y, x):
        return self.LayerNorm(self.dense(y) + x)


class Fastformer(nn.Module):
    """The block of the original Fastformer, with its tensor names."""

    def __init__(self, dim, *, heads, ffn, forget, causal, max_positions=None):
        super().__init__()
        self.attention = nn.ModuleDict({"self": FastSelf(dim, heads=heads, forget=forget, causal=causal),
                                        "output": _Output(dim, dim)})
        self.intermediate = nn.ModuleDict({"dense": nn.Linear(dim, ffn)})
        self.output = _Output(ffn, dim)

    def forward(self, x, phase=0):
        a = self.attention["output"](self.attention["self"](x), x)
        return self.output(F.gelu(self.intermediate["dense"](a)), a)


KINDS = {"mega": Mega, "nffn": Nffn, "fastformer": Fastformer}  # of docs/model-format.md
TWIN_ONLY = {}  # kinds to compare with, which register here: no model file can hold them
