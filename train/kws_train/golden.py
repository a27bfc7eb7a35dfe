"""Golden files for the C tests.

    python -m kws_train golden OUTDIR --model FILE

    net_<case>.safetensors     a tiny random network, a complete model file
    net_<case>.io.safetensors  frames [t, n_mels] and what the twin makes of them: logits [T, n_words]
    speech.flac                1.5 s of LibriSpeech (CC BY 4.0), cut anew only when --speech is given
    speech_<contract>.safetensors  its log-mel frames [150, n_mels], for each of features.CONTRACTS; metadata "features"
    ill/<case>.safetensors     layers whose float32 output is far off for what they are, as build/golden reads them
    speech_<name>.safetensors  with --model: logits [T, n_words] of that model on speech.flac; its SHA-256 in the metadata

Everything is computed in float64 and stored in float32. Seeds are fixed: the same versions write the same numbers.
"""
import hashlib
import json
import os

import numpy as np
import soundfile
import torch

from .data import RATE, SILENCE, UNKNOWN, read_audio
from .export import save_model
from .features import CONTRACTS, FeatureConfig, log_mel
from .layers import Mega, Nffn, Norm
from .model import Int8Conv, Net, fastformer_spec, network_spec
from .model_file import load_model
from .options import parser
from .quantise import quantise_layers
from .stable import save_file

TINY = FeatureConfig(n_mels=6, win=400, f_lo_hz=60.0, f_hi_hz=7600.0, log_floor=1e-5)
SMALL = dict(dim=8, zdim=4, hdim=12, ndim=3, ffn=10, depth=2, pool=6, head=7, stem=None)
CASES = {
    "layernorm_softmax_simple_c5": dict(norm="layernorm", attention="softmax", rel_pos_bias="simple", chunk=5,
                                        stack=2, stride=2),
    "rmsnorm_laplace_rotary_c7": dict(norm="rmsnorm", attention="laplace", rel_pos_bias="rotary", chunk=7, stack=3,
                                      stride=2),
    "scalenorm_relu2_simple_c4_post": dict(norm="scalenorm", attention="relu2", rel_pos_bias="simple", chunk=4,
                                           prenorm=False, stack=1, stride=1),
    "batchnorm_softmax_rotary_c3": dict(norm="batchnorm", attention="softmax", rel_pos_bias="rotary", chunk=3,
                                        stack=4, stride=1),
    "batchnorm_laplace_simple_full": dict(norm="batchnorm", attention="laplace", rel_pos_bias="simple", chunk=-1,
                                          max_positions=48, stack=3, stride=3),
    "layernorm_softmax_rotary_full_post": dict(norm="layernorm", attention="softmax", rel_pos_bias="rotary",
                                               chunk=-1, max_positions=64, prenorm=False, stack=5, stride=2),
    "rmsnorm_relu2_rotary_c1": dict(norm="rmsnorm", attention="relu2", rel_pos_bias="rotary", chunk=1, stack=2,
                                    stride=1, pool=1),
    "layernorm_laplace_simple_bare": dict(norm="layernorm", attention="laplace", rel_pos_bias="simple", chunk=6,
                                          stack=2, stride=2, ffn=0),
}
FAST = dict(dim=12, heads=3, ffn=10, depth=2, pool=6, head=7, stem=None)
FAST_CASES = {
    "fastformer_forget": dict(stack=2, stride=2),
    "fastformer_shared": dict(stack=3, stride=1, depth=3, share=True, forget=False),
    "fastformer_clip": dict(stack=3, stride=2, forget=False, causal=False, max_positions=40),
}


def _conv(channels, kernel, stride=(1, 1), activation="silu"):
    return {"kind": "conv", "channels": channels, "kernel": list(kernel), "stride": list(stride), "activation": activation}


def _int8(channels, kernel, stride=(1, 1)):
    return _conv(channels, kernel, stride, "leaky_relu") | {"weights": "int8"}


MORE_CASES = {
    "fastformer_gated": dict(attention="additive", heads=3, share=True),
    "no_attention": dict(attention="none"),
    "no_ema": dict(ndim=0, chunk=7),
    "stem": dict(stem=[_conv(3, (3, 3), (1, 2)), _conv(4, (3, 3), (2, 2))], stack=1, stride=1, chunk=7),
    "stem_deep": dict(stem=[_conv(5, (3, 3), activation="leaky_relu"), _conv(4, (1, 3)), _conv(17, (3, 1)),
                            {"kind": "pool", "size": [2, 2]}, _conv(6, (3, 1), activation="leaky_relu"),
                            {"kind": "pool", "size": [2, 2]}], stack=1, stride=1, chunk=7),
    "stem_stacked": dict(stem=[_conv(3, (7, 5), (3, 3)), _conv(2, (1, 1), (2, 1))], stack=3, stride=2, chunk=7),
    "stem_int8": dict(stem=[_conv(5, (3, 3), activation="leaky_relu"), _int8(6, (1, 3)), {"kind": "pool", "size": [2, 2]},
                            _int8(18, (3, 1)), _int8(7, (3, 3), (2, 2))], stack=1, stride=1, chunk=7),
    "layers_int8": dict(stack=3, stride=2, chunk=7),
}


def spec_of(case):
    """The `network` object of a case."""
    if case in CASES:
        return network_spec(**{**SMALL, **CASES[case]})
    if case in FAST_CASES:
        return fastformer_spec(**{**FAST, **FAST_CASES[case]})
    return network_spec(**{**SMALL, "stack": 2, "stride": 2, **MORE_CASES[case]})


def _wild_int8(conv, gen):
    """Images that reach beyond their ends now and then, and sums of about 1."""
    conv.weight.copy_(torch.randint(-127, 128, conv.weight.shape, generator=gen, dtype=torch.int8))
    conv.step.copy_(0.004 + 0.008 * torch.rand(conv.step.shape, generator=gen))
    conv.zero.copy_(torch.randint(40, 120, conv.zero.shape, generator=gen))
    conv.scale.copy_((0.5 + torch.rand(conv.scale.shape, generator=gen)) / (2000 * conv.weight[0].numel() ** 0.5))
    conv.bias.copy_(0.3 * torch.randn(conv.bias.shape, generator=gen))


def wild(net: Net, seed: int):
    """Random weights large enough that every term of the formulas shows in the output."""
    gen = torch.Generator().manual_seed(seed)
    normal = lambda p, std, mean=0.0: p.copy_(mean + std * torch.randn(p.shape, generator=gen))
    with torch.no_grad():
        for conv in net.modules():
            if isinstance(conv, Int8Conv):
                _wild_int8(conv, gen)
        for name, p in net.state_dict().items():
            if name.endswith("num_batches_tracked") or isinstance(net.get_submodule(name.rpartition(".")[0]), Int8Conv):
                continue
            if name.endswith(("running_var", "scale")):
                p.copy_(0.5 + torch.rand(p.shape, generator=gen))
            elif name.endswith("forget"):
                normal(p, 1.0, -2.0)
            elif ".norm.weight" in name or "LayerNorm.weight" in name or name.endswith("scalar"):
                normal(p, 0.2, 1.0)
            elif name.endswith("weight"):
                normal(p, 0.8 / p[0].numel() ** 0.5)
            elif name == "features.mean":
                normal(p, 1.0, -4.0)
            elif ".move." in name:
                normal(p, 0.7)
            else:
                normal(p, 0.4)


@torch.no_grad()
def write_net(outdir, case, seed):
    """The model file of a case, and beside it frames and logits."""
    torch.manual_seed(seed)
    bare = case.endswith("_bare")
    spec = spec_of(case)
    if bare:
        spec["final_norm"] = None
    net = Net(spec, TINY.n_mels, 4, not bare, TINY.log_floor)
    wild(net, seed)
    if case == "layers_int8":
        quantise_layers(net)
    words = ["red", "green", UNKNOWN, SILENCE]
    path = os.path.join(outdir, f"net_{case}.safetensors")
    save_model(path, net, TINY, words, case, {"smooth_ms": 100, "refractory_ms": 500, "threshold": 0.7,
                                              "thresholds": {"green": 0.8}}, licence="CC0-1.0")
    rng = np.random.default_rng(seed)
    t = min(60, spec["layers"][0].get("max_positions", 60) * spec["stride"])
    level = 0.0 if bare else -4.0
    frames = torch.from_numpy((level + 1.5 * rng.standard_normal((t, TINY.n_mels))).astype(np.float32))
    logits = net.double().eval()(frames[None].double())[0]
    save_file({"frames": frames, "logits": logits.float().contiguous()}, path.replace(".safetensors", ".io.safetensors"),
              {"model": os.path.basename(path), "seed": str(seed)})


@torch.no_grad()
def write_ill(outdir, depth=3, gain=8.0, seed=44):
    """Three relu2 layers with large weights: a change of one float32 ulp in them moves the output by many."""
    sizes = dict(zdim=2, hdim=6, ndim=2, chunk=5, attention="relu2", rel_pos_bias="simple", norm="scalenorm")
    layers = [layer for _ in range(depth) for layer in (Mega(6, prenorm=True, **sizes),
                                                        Nffn(6, ffn=6, norm="scalenorm", prenorm=True))]
    layers.append(Norm("scalenorm", 6))
    stack = torch.nn.Sequential(*layers)
    wild(stack, seed)
    tensors = {}
    for i, layer in enumerate(layers):
        at = "final_norm" if i == 2 * depth else f"layers.{i // 2}." + ("nffn" if i % 2 else "mega_layer")
        for name, p in layer.state_dict().items():
            if name.endswith("weight"):
                p.mul_(gain)
            tensors[f"w.{at}.{name}"] = p.clone()
    x = torch.from_numpy(np.random.default_rng(seed).standard_normal((24, 1, 6)).astype(np.float32))
    tensors["x"], y = x, x.transpose(0, 1).double()
    for i, layer in enumerate(stack.double().eval()):
        y = layer(y)
        tensors["y" if i == 2 * depth else f"layer{i // 2}_out"] = y.transpose(0, 1).float().contiguous()
    os.makedirs(os.path.join(outdir, "ill"), exist_ok=True)
    save_file(tensors, os.path.join(outdir, "ill", "stack3_scalenorm_relu2.safetensors"),
              {"kind": f"{depth} x MegaDecoderLayer + final_norm", "ffn": "6", "prenorm": "true",
               **{key: str(value) for key, value in sizes.items()}})


def write_speech(outdir, source):
    """The frames of speech.flac -> its pcm float64 [n]. source: the recording to cut it from anew, or None."""
    flac = os.path.join(outdir, "speech.flac")
    if source:
        x = read_audio(source)[2 * RATE : 3 * RATE + RATE // 2]
        if len(x) < RATE * 3 // 2:
            raise SystemExit(f"{source}: shorter than 3.5 s")
        soundfile.write(flac, x, RATE, subtype="PCM_16")
    if not os.path.exists(flac):
        raise SystemExit(f"{flac}: not there; --speech makes it")
    x, _ = soundfile.read(flac, dtype="float64")
    for name, cfg in CONTRACTS.items():
        frames = torch.from_numpy(log_mel(x, cfg, np.float64)).float()
        save_file({"frames": frames.contiguous()}, os.path.join(outdir, f"speech_{name}.safetensors"),
                  {"features": json.dumps(cfg.metadata()), "audio": "speech.flac"})
    return x


@torch.no_grad()
def write_model(outdir, path, x):
    """The logits of a model file on x [n]."""
    net, cfg, _, meta = load_model(path)
    frames = torch.from_numpy(log_mel(x, cfg, np.float64))
    logits = net.double()(frames[None])[0]
    with open(path, "rb") as f:
        sha = hashlib.sha256(f.read()).hexdigest()
    save_file({"logits": logits.float().contiguous()}, os.path.join(outdir, f"speech_{meta['name']}.safetensors"),
              {"audio": "speech.flac", "sha256": sha})


def options():
    """-> ArgumentParser of this command."""
    ap = parser("golden", __doc__)
    ap.add_argument("outdir", metavar="OUTDIR", help="folder of the files; speech.flac is in it, or --speech is given")
    ap.add_argument("--speech", metavar="FILE", help="cut speech.flac anew, seconds 2 to 3.5 of this recording")
    ap.add_argument("--model", metavar="FILE", help="a model file, to have its logits too")
    return ap


def main(argv=None):
    """Write the files."""
    a = options().parse_args(argv)
    os.makedirs(a.outdir, exist_ok=True)
    x = write_speech(a.outdir, a.speech)
    for seed, case in enumerate([*CASES, *FAST_CASES, *MORE_CASES]):
        write_net(a.outdir, case, 100 + seed)
    write_ill(a.outdir)
    if a.model:
        write_model(a.outdir, a.model, x)
