"""The PyTorch twin of a model file's network: normalisation, stem, layers (layers.py), head; and the objects that describe
it. x [B, T, D], batch first; B batch, T network frames, D dim.
"""
import math

import torch
import torch.nn.functional as F
from torch import nn

from .features import FeatureConfig
from .layers import KINDS, TWIN_ONLY, Fastformer, Norm, wide


class _LeakyRelu(torch.autograd.Function):
    """max(x, 0.2 x, -0.4) in place: what speech_embedding (arXiv 2002.01322) has behind its convolutions."""

    @staticmethod
    def forward(ctx, x):
        ctx.mark_dirty(x)
        F.leaky_relu_(x, 0.2).clamp_(min=-0.4)
        ctx.save_for_backward(x)
        return x

    @staticmethod
    def backward(ctx, g):
        y, = ctx.saved_tensors
        g = torch.ops.aten.leaky_relu_backward(g, y, 0.2, True)
        return torch.ops.aten.threshold_backward(g, y, -0.4)


class _Nearest(torch.autograd.Function):
    """The nearest whole number, ties to the even one; its gradient is that of x itself."""

    @staticmethod
    def forward(ctx, x):
        return x.round()

    @staticmethod
    def backward(ctx, g):
        return g


nearest = _Nearest.apply
ACTIVATIONS = {"silu": F.silu, "leaky_relu": _LeakyRelu.apply}


class Conv(nn.Conv2d):
    """Convolution over frames and bands, with an activation: x [B, c, t, bands] -> [B, channels, (t - kernel[0]) // stride[0]
    + 1, -(-bands // stride[1])]. Bands beyond the ends are zeros."""

    def __init__(self, n_in, *, channels, kernel, stride, activation):
        super().__init__(n_in, channels, tuple(kernel), tuple(stride), (0, kernel[1] // 2))
        self.activation = ACTIVATIONS[activation]
        nn.init.normal_(self.weight, std=(n_in * kernel[0] * kernel[1] / 2) ** -0.5)
        nn.init.zeros_(self.bias)

    def forward(self, x):
        return self.activation(super().forward(x))


class Int8Conv(nn.Module):
    """A convolution with weights of 8 bits on an image of 8 bits (docs/model-format.md), to the bit what the C programs
    compute. quantise makes it; aware.py trains such a one."""

    def __init__(self, n_in, *, channels, kernel, stride, activation, weights):
        super().__init__()
        assert (activation, weights) == ("leaky_relu", "int8")
        self.kernel_size, self.stride = tuple(kernel), tuple(stride)
        self.register_buffer("weight", torch.zeros(channels, n_in, *kernel, dtype=torch.int8))
        for name, n in ("scale", channels), ("bias", channels), ("step", n_in), ("zero", n_in):
            self.register_buffer(name, torch.ones(n))

    def image(self, x):
        """x [B, c, t, bands] -> whole numbers less their zeros."""
        step, zero = self.step[:, None, None], self.zero[:, None, None]
        return nearest((x * (1 / step) + zero).clamp(0, 255)) - zero

    def product(self, x, weight, scale, bias):
        """What the convolution makes of x with these whole numbers as its weights; their type is that of the sums."""
        sums = F.conv2d(self.image(x).to(weight.dtype), weight, None, self.stride, (0, self.kernel_size[1] // 2))
        return ACTIVATIONS["leaky_relu"](sums.float() * scale[:, None, None] + bias[:, None, None])

    def forward(self, x):
        return self.product(x, self.weight.double(), self.scale, self.bias)


class Int8Linear(nn.Module):
    """A Linear with weights of 8 bits: each row of what it reads becomes numbers whose step is its largest value over 127."""

    def __init__(self, n_in, n_out):
        super().__init__()
        self.register_buffer("weight", torch.zeros(n_out, n_in, dtype=torch.int8))
        self.register_buffer("scale", torch.ones(n_out))
        self.register_buffer("bias", torch.zeros(n_out))

    def product(self, x, weight, scale, bias):
        """What the layer makes of x with these whole numbers as its weights."""
        top = x.detach().abs().amax(-1, keepdim=True)
        numbers = nearest(x * torch.where(top > 0, 127 / top.clamp(min=1e-38), 0))
        return (numbers.double() @ weight.T.double()).to(x.dtype) * (top / 127) * scale + bias

    def forward(self, x):
        return self.product(x, self.weight, self.scale, self.bias)


class Pool(nn.MaxPool2d):
    """Maximum of each field of frames and bands; the last of the bands may be fewer."""

    def __init__(self, *, size):
        super().__init__(tuple(size), ceil_mode=True)  # in time there is no rest: t is a multiple of all strides


def advance(step, x, quiet):
    """One step of a stem: images [B, c, t, bands] and [1, c, 1, bands], that of silence before x -> those behind it."""
    frames, new = (k[0] for k in (step.kernel_size, step.stride))
    if frames > new:  # the last of a kernel's frames is the last of a stride
        x = torch.cat([quiet.to(x.dtype).expand(len(x), -1, frames - new, -1), x], 2)
    # after enough frames that are all alike, so are all layers' frames
    return step(x[:, :, max(new - frames, 0) :]), step(quiet.expand(-1, -1, frames, -1))


class Stem(nn.ModuleDict):
    """Convolutions and maximum pools over the feature frames, causal; entry i's tensors are called i."""

    def __init__(self, entries, bands):
        super().__init__()
        channels, self.stride = 1, 1
        for i, entry in enumerate(entries):
            entry = dict(entry)
            pool = entry.pop("kind") == "pool"
            step = entry["size" if pool else "stride"]
            self[str(i)] = Pool(**entry) if pool else (Int8Conv if "weights" in entry else Conv)(channels, **entry)
            channels = entry.get("channels", channels)
            self.stride *= step[0]
            bands = -(-bands // step[1])
        self.n_out = bands * channels

    def forward(self, x, quiet):
        """x [B, t, n_mels] -> [B, t // self.stride, n_out], band by band. Before x were frames like quiet [n_mels]."""
        x, quiet = x[:, None].contiguous(memory_format=torch.channels_last), quiet[None, None, None]
        for step in self.values():
            x, quiet = advance(step, x, quiet)
        return x.permute(0, 2, 3, 1).flatten(2)


class Head(nn.Module):
    def __init__(self, dim, hidden, n_words):
        super().__init__()
        self.fc1, self.fc2 = nn.Linear(dim, hidden), nn.Linear(hidden, n_words)

    def forward(self, x):
        return self.fc2(F.silu(self.fc1(x)))


class Features(nn.Module):
    """Affine normalisation per band, (frame - mean) * scale."""

    def __init__(self, n_mels):
        super().__init__()
        self.register_buffer("mean", torch.zeros(n_mels))
        self.register_buffer("scale", torch.ones(n_mels))

    def forward(self, frames):
        return (frames - self.mean) * self.scale


class Net(nn.Module):
    """Features in, logits out. `network` is the JSON object of the model file."""

    def __init__(self, network: dict, n_mels: int, n_words: int, affine=True, log_floor=FeatureConfig.log_floor):
        super().__init__()
        self.quiet = math.log(log_floor)  # a band of a feature frame of silence
        self.network = network
        self.stack, self.stride, self.pool = network["stack"], network["stride"], network["pool"]
        dim = network["dim"]
        self.features = Features(n_mels) if affine else None
        self.stem = Stem(network["stem"], n_mels) if network.get("stem") else None
        self.step = self.stride * (self.stem.stride if self.stem else 1)  # feature frames of a network frame
        n_in = self.stack * (self.stem.n_out if self.stem else n_mels)
        self.input = nn.Linear(n_in, dim)
        self.layers = nn.ModuleDict()  # a layer that shares another's tensors has none of its own
        self.order = []
        for i, spec in enumerate(network["layers"]):
            spec = dict(spec)
            if "kind" in spec:
                self.layers[str(i)] = (KINDS | TWIN_ONLY)[spec.pop("kind")](dim, **spec)
            self.order.append(str(spec.get("share", i)))
        self.final_norm = Norm(network["final_norm"], dim) if network["final_norm"] else None
        self.head = Head(dim, network["head"], n_words)
        for m in self.modules():
            if isinstance(m, nn.Linear):
                nn.init.normal_(m.weight, std=0.02)
                nn.init.zeros_(m.bias)
        nn.init.normal_(self.input.weight, std=n_in ** -0.5)
        nn.init.normal_(self.head.fc1.weight, std=dim ** -0.5)
        if isinstance(self.layers["0"], Fastformer):  # no norm before it, and its own are steep: zeros have no finite gradient
            nn.init.normal_(self.input.bias, std=0.02)

    def take_int8(self, tensors):
        """Make room for those of a model file's tensors that are bytes; the stem has it by its entries."""
        for name, t in tensors.items():
            owner, _, leaf = name.rpartition(".")
            if leaf == "weight" and t.dtype == torch.int8 and t.dim() == 2:
                self.set_submodule(owner, Int8Linear(*reversed(t.shape)))

    def encode(self, frames, phase=0):
        """frames [B, t, n_mels] -> y [B, t // step, D], before pooling."""
        x = self.features(frames) if self.features is not None else frames
        x = x[:, : x.shape[1] // self.step * self.step]
        if self.stem:
            quiet = torch.full((1, 1, x.shape[2]), self.quiet, dtype=x.dtype, device=x.device)
            x = self.stem(x, (self.features(quiet) if self.features is not None else quiet)[0, 0])
        x = F.pad(x, (0, 0, self.stack - self.stride, 0))
        x = x.unfold(1, self.stack, self.stride).transpose(2, 3).flatten(2)  # oldest first
        x = self.input(x)
        for i in self.order:
            x = self.layers[i](x, phase)
        return self.final_norm(x) if self.final_norm is not None else x

    def pooled(self, y):
        """y [B, T, D] -> sum of the last `pool` frames / pool, at every frame."""
        s = F.pad(wide(y).cumsum(1), (0, 0, self.pool, 0))
        return (s[:, self.pool :] - s[:, : -self.pool]) / self.pool

    def forward(self, frames, phase=0):
        """frames [B, t, n_mels] -> logits [B, t // step, n_words]: one row per network frame."""
        return self.head(self.pooled(self.encode(frames, phase)))


STEM = [{"kind": "conv", "channels": 16, "kernel": [3, 3], "stride": [1, 2], "activation": "silu"},
        {"kind": "conv", "channels": 32, "kernel": [3, 3], "stride": [2, 2], "activation": "silu"}]


def network_spec(dim=80, zdim=32, hdim=160, ndim=16, ffn=160, depth=4, chunk=25, attention="softmax",
                 rel_pos_bias="simple", norm="layernorm", prenorm=True, stack=1, stride=1, pool=50, head=128,
                 max_positions=None, heads=4, forget=True, share=False, stem=STEM):
    """The `network` object for `depth` pairs of Mega and feed-forward layers; share: one pair's tensors for all.
    attention "additive" goes without zdim, chunk and rel_pos_bias, and so does "none"; ndim 0 is no EMA."""
    mega = {"kind": "mega", "hdim": hdim, "ndim": ndim, "attention": attention, "norm": norm, "prenorm": prenorm}
    if attention == "additive":
        mega.update(heads=heads, forget=forget)
    elif attention != "none":
        mega.update(zdim=zdim, chunk=chunk, rel_pos_bias=rel_pos_bias)
        if chunk < 0:
            mega["max_positions"] = max_positions
    pair = [mega] + ([{"kind": "nffn", "ffn": ffn, "norm": norm, "prenorm": prenorm}] if ffn else [])
    return _spec(dim, _deep(pair, depth, share), norm if prenorm else None, stack, stem, stride, pool, head)


def fastformer_spec(dim=80, heads=4, ffn=160, depth=4, forget=True, causal=True, max_positions=None, share=False,
                    stack=1, stride=1, pool=50, head=128, stem=STEM):
    """The `network` object for `depth` of the original Fastformer's blocks; share: one block's tensors for all."""
    block = {"kind": "fastformer", "heads": heads, "ffn": ffn, "forget": forget, "causal": causal}
    if not causal:
        block["max_positions"] = max_positions
    return _spec(dim, _deep([block], depth, share), None, stack, stem, stride, pool, head)


def _spec(dim, layers, final_norm, stack, stem, stride, pool, head):
    front = {"stem": list(stem)} if stem else {}
    return {"stack": stack, **front, "stride": stride, "dim": dim, "layers": layers, "final_norm": final_norm, "pool": pool,
            "head": head}


def _deep(layers, depth, share):
    if isinstance(depth, bool) or not isinstance(depth, int) or depth < 1:
        raise ValueError(f"depth: {depth!r} is not a whole number of 1 or more")
    again = [{"share": i} for i in range(len(layers))] if share else layers
    return layers + again * (depth - 1)
