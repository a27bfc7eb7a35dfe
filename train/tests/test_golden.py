"""The twin against the original Mega and Fastformer code's tensors: GOLDEN=DIR pytest (skipped without DIR)."""
import glob
import os

import pytest
import torch
from safetensors import safe_open

from kws_train.layers import Ema, FastSelf, Mega, Nffn, Norm

FILES = sorted(glob.glob(os.path.join(os.environ.get("GOLDEN", "/nonexistent"), "*.safetensors")))


def read(path):
    with safe_open(path, "pt") as f:
        return f.metadata(), {k: f.get_tensor(k) for k in f.keys()}  # noqa: SIM118 it is no dict


def load(module, tensors, prefix):
    module.load_state_dict({k[len(prefix):]: v for k, v in tensors.items() if k.startswith(prefix)}, strict=False)
    missing = {n for n, _ in module.named_parameters()} - {k[len(prefix):] for k in tensors if k.startswith(prefix)}
    assert not missing
    return module.eval()


def mega(meta):
    chunk = int(meta["chunk"])
    return Mega(int(meta["embed_dim"]), zdim=int(meta["zdim"]), hdim=int(meta["hdim"]), ndim=int(meta["ndim"]),
                chunk=chunk, attention=meta["attention"], rel_pos_bias=meta["rel_pos_bias"], norm=meta["norm"],
                prenorm=meta["prenorm"] == "true", max_positions=int(meta.get("max_positions", 0)))


def ffn(meta):
    return Nffn(int(meta["embed_dim"]), ffn=int(meta["ffn"]), norm=meta["norm"], prenorm=meta["prenorm"] == "true")


def close(got, want, atol=5e-6):
    got, want = got.transpose(0, 1).double(), want.double()
    bad = ~((got - want).abs() <= atol + 2e-6 * want.abs())
    assert not bad.any(), f"worst {(got - want).abs().max():.3g}"


@pytest.mark.parametrize("path", FILES, ids=[os.path.basename(f)[:-12] for f in FILES])
@torch.no_grad()
def test_against_original(path):
    meta, t = read(path)
    x = t["x"].float().transpose(0, 1) if "x" in t else None
    atol = 3e-5 if "batchnorm_pre_laplace" in path or "stack" in path else 5e-6
    kind = meta["kind"]
    if kind == "MultiHeadEMA":
        close(load(Ema(int(meta["embed_dim"]), int(meta["ndim"])), t, "w.")(x), t["y"])
    elif kind == "MovingAverageGatedAttention":
        close(load(mega(meta), t, "w.")(x), t["y"])
    elif kind.startswith("MegaDecoderLayer"):
        y = load(mega(meta), t, "w.mega_layer.")(x)
        close(y, t["y_mega"], atol)
        close(load(ffn(meta), t, "w.nffn.")(y), t["y"], atol)
    elif kind.startswith("4 x"):
        for i in range(4):
            x = load(mega(meta), t, f"w.layers.{i}.mega_layer.")(x)
            x = load(ffn(meta), t, f"w.layers.{i}.nffn.")(x)
            close(x, t[f"layer{i}_out"], atol)
        close(load(Norm(meta["norm"], int(meta["embed_dim"])), t, "w.final_norm.")(x), t["y"], atol)
    elif kind == "FastSelfAttention":
        x = t["x"].double()[None]
        fast = {c: load(FastSelf(int(meta["d"]), heads=int(meta["heads"]), forget=False, causal=c), t, "w.").double()
                for c in (True, False)}
        close(fast[True](x), t["y_causal_derived"][:, None])
        close(fast[False](x), t["y_original_full"][:, None], 1.5e-5)  # the original's float32: |y| reaches 20
        fast[True].rates = lambda: t["decay"][:, None].expand(2, fast[True].heads)
        close(fast[True](x), t["y_causal_decay_derived"][:, None])
    else:
        pytest.skip(kind)
