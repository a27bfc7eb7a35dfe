"""Write the network of a model file as a step in ONNX, for other engines: so many network frames a call, all state in and out.

    python -m kws_train onnx --model commands-12.safetensors --out step.onnx

Inputs: `frames`, the log-mel features [frames, bands] that are new, and states. Outputs: `probabilities` [network frames, words],
and each state again, with `next_` before its name, for the next call. Beside the file, with .npz for .onnx, are the states of a
stream that begins. Metadata: name, words, features.

With --frames 1, the default, a call is what a live stream has every 40 ms. With more it is a piece of a file, and N must be whole
chunks of the attention. This needs neither PyTorch nor the C programs, but numpy, safetensors and onnx.
"""
import json
import os

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from safetensors import SafetensorError
from safetensors.numpy import load_file, safe_open

from .options import parser, whole

OPSET, IR = 17, 8
HIDDEN = np.float32(-1e30)  # the score of a frame that is not there yet


class Graph:
    """A graph in the making. A value is known by its name."""

    def __init__(self):
        self.nodes, self.constants, self.inputs, self.outputs = [], [], [], []
        self.first = {}  # the states of a stream that begins, by name

    def constant(self, array):
        name = f"c{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.ascontiguousarray(array), name))
        return name

    def op(self, kind, *inputs, outputs=1, **attributes):
        """-> the name of the output, or a list of them."""
        names = [f"{kind.lower()}{len(self.nodes)}_{i}" for i in range(outputs)]
        self.nodes.append(helper.make_node(kind, inputs, names, **attributes))
        return names[0] if outputs == 1 else names

    def ints(self, *values):
        return self.constant(np.array(values, np.int64))

    def state(self, name, first):
        """A state that begins as the array first."""
        kind = helper.np_dtype_to_tensor_dtype(first.dtype)
        self.inputs.append(helper.make_tensor_value_info(name, kind, first.shape))
        self.first[name] = first
        return name

    def output(self, value, name, shape, kind=TensorProto.FLOAT):
        self.nodes.append(helper.make_node("Identity", [value], [name]))
        self.outputs.append(helper.make_tensor_value_info(name, kind, shape))

    def keep(self, name, value):
        """value is the state for the next call."""
        first = self.first[name]
        self.output(value, f"next_{name}", first.shape, helper.np_dtype_to_tensor_dtype(first.dtype))

    def last(self, x, n, axis):
        return self.op("Slice", x, self.ints(-n), self.ints(np.iinfo(np.int64).max), self.ints(axis))

    def silu(self, x):
        return self.op("Mul", x, self.op("Sigmoid", x))


def silence(entry, w, quiet):
    """What an entry of the stem makes of frames that are all like quiet [channels, bands] -> the same."""
    if entry["kind"] == "pool":
        n = entry["size"][1]
        padded = np.pad(quiet, ((0, 0), (0, -quiet.shape[1] % n)), constant_values=-np.inf)
        return padded.reshape(len(quiet), -1, n).max(2)
    kernel, pad = w["weight"].sum(2, dtype=np.float64), entry["kernel"][1] // 2
    windows = np.lib.stride_tricks.sliding_window_view(np.pad(quiet, ((0, 0), (pad, pad))), 2 * pad + 1, 1)
    y = np.einsum("ibk,oik->ob", windows[:, :: entry["stride"][1]], kernel) + w["bias"][:, None]
    return np.maximum(y, np.maximum(0.2 * y, -0.4)) if entry["activation"] == "leaky_relu" else y / (1 + np.exp(-y))


class Writer:
    """The step of one network: t network frames a call."""

    def __init__(self, network, tensors, t):
        self.g, self.network, self.tensors, self.t = Graph(), network, tensors, t
        self.dim = network["dim"]

    def of(self, prefix):
        """The tensors whose names begin so, without it."""
        return {k[len(prefix):]: v for k, v in self.tensors.items() if k.startswith(prefix)}

    def linear(self, x, prefix):
        w = self.of(prefix + ".")
        return self.g.op("Gemm", x, self.g.constant(w["weight"]), self.g.constant(w["bias"]), transB=1)

    def norm(self, x, prefix):
        w = self.of(prefix + ".norm.")
        return self.g.op("LayerNormalization", x, self.g.constant(w["weight"]), self.g.constant(w["bias"]), epsilon=1e-5)

    def convolution(self, i, entry, x, quiet):
        g, w, (frames, bands), (new, _) = self.g, self.of(f"stem.{i}."), entry["kernel"], entry["stride"]
        if frames > new:
            first = np.repeat(quiet[None, :, None].astype(np.float32), frames - new, 2)
            x = g.op("Concat", g.state(f"stem_{i}", first), x, axis=2)
            g.keep(f"stem_{i}", g.last(x, frames - new, 2))
        elif frames < new:  # the last of a kernel's frames is the last of a stride
            x = g.op("Slice", x, g.ints(new - frames), g.ints(np.iinfo(np.int64).max), g.ints(2))
        y = g.op("Conv", x, g.constant(w["weight"]), g.constant(w["bias"]), kernel_shape=entry["kernel"],
                 strides=entry["stride"], pads=[0, bands // 2, 0, bands // 2])
        if entry["activation"] == "silu":
            return g.silu(y)
        return g.op("Clip", g.op("LeakyRelu", y, alpha=0.2), g.constant(np.float32(-0.4)))

    def stem(self, bands, log_floor):
        """-> [t, bands * channels]"""
        g, quiet = self.g, np.full((1, bands), np.log(log_floor))
        t = self.t * int(np.prod([e.get("stride", e.get("size"))[0] for e in self.network["stem"]]))
        g.inputs.append(helper.make_tensor_value_info("frames", TensorProto.FLOAT, [t, bands]))
        x = "frames"
        if "features.mean" in self.tensors:
            mean, scale = self.tensors["features.mean"], self.tensors["features.scale"]
            x = g.op("Mul", g.op("Sub", x, g.constant(mean)), g.constant(scale))
            quiet = (quiet - mean) * scale
        x = g.op("Reshape", x, g.ints(1, 1, t, bands))
        for i, entry in enumerate(self.network["stem"]):
            if entry["kind"] == "pool":
                x = g.op("MaxPool", x, kernel_shape=entry["size"], strides=entry["size"], ceil_mode=1)
            else:
                x = self.convolution(i, entry, x, quiet)
            quiet = silence(entry, self.of(f"stem.{i}."), quiet)
        return g.op("Reshape", g.op("Transpose", x, perm=[0, 2, 3, 1]), g.ints(self.t, quiet.size))

    def ema(self, x, i, prefix):
        """x [t, dim] -> silu of the damped moving averages, and x."""
        g, t, w = self.g, self.t, {k: v.astype(np.float64) for k, v in self.of(prefix).items()}
        sigmoid = lambda y: 1 / (1 + np.exp(-y))
        p = sigmoid(w["delta"])
        q = (1 - p * sigmoid(w["alpha"]))[..., 0]
        c = (p * w["beta"])[..., 0] * w["gamma"] / np.sqrt(q.shape[1])  # of what comes in, and goes out
        first = np.zeros(q.T.shape, np.float32)  # [states, dim]
        h = g.state(f"average_{i}", first)
        number = lambda array: g.constant(array.astype(np.float32))
        if t == 1:
            h = g.op("Add", g.op("Mul", number(q.T), h), x)
            e = g.op("ReduceSum", g.op("Mul", number(c.T), h), g.ints(0), keepdims=1)
        else:
            lag = np.arange(t)
            response = np.einsum("dn,dnt->dt", c, q[..., None] ** lag)
            new = np.stack([np.pad(response[:, : j + 1][:, ::-1], ((0, 0), (0, t - 1 - j))) for j in lag], 1)  # [dim, t, t]
            old = (c[..., None] * q[..., None] ** (lag + 1)).swapaxes(1, 2)  # [dim, t, states]
            column = g.op("Unsqueeze", g.op("Transpose", x, perm=[1, 0]), g.ints(2))
            before = g.op("Unsqueeze", g.op("Transpose", h, perm=[1, 0]), g.ints(2))
            e = g.op("Add", g.op("MatMul", number(new), column), g.op("MatMul", number(old), before))
            e = g.op("Transpose", g.op("Squeeze", e, g.ints(2)), perm=[1, 0])
            came = g.op("Squeeze", g.op("MatMul", number(q[..., None] ** lag[::-1]), column), g.ints(2))
            h = g.op("Add", g.op("Mul", number((q ** t).T), h), g.op("Transpose", came, perm=[1, 0]))
        g.keep(f"average_{i}", h)
        return g.silu(g.op("Add", e, g.op("Mul", x, number(w["omega"]))))

    def attend_frame(self, i, q, k, v, bias, spec):
        """One frame: its keys and values go to their places of the chunk's."""
        g, c = self.g, spec["chunk"]
        place = np.arange(c)[None]
        here = g.op("Equal", g.constant(place), "position")
        keys, values = np.zeros((spec["zdim"], c), np.float32), np.zeros((c, spec["hdim"]), np.float32)
        all_k = g.op("Where", here, g.op("Transpose", k, perm=[1, 0]), g.state(f"keys_{i}", keys))
        all_v = g.op("Where", g.op("Transpose", here, perm=[1, 0]), v, g.state(f"values_{i}", values))
        g.keep(f"keys_{i}", all_k)
        g.keep(f"values_{i}", all_v)
        distance = g.op("Sub", g.constant(place + c - 1), "position")
        score = g.op("Add", g.op("MatMul", q, all_k), g.op("Gather", g.constant(bias), distance))
        score = g.op("Where", g.op("Greater", g.constant(place), "position"), g.constant(HIDDEN), score)
        return g.op("MatMul", g.op("Softmax", score, axis=-1), all_v)

    def attend_chunks(self, q, k, v, bias, spec):
        g, c = self.g, spec["chunk"]
        chunks = lambda x, n: g.op("Reshape", x, g.ints(self.t // c, c, n))
        at = np.arange(c)
        mask = np.where(at[None] > at[:, None], HIDDEN, bias[np.clip(c - 1 + at[None] - at[:, None], 0, None)])
        k = g.op("Transpose", chunks(k, spec["zdim"]), perm=[0, 2, 1])
        score = g.op("Add", g.op("MatMul", chunks(q, spec["zdim"]), k), g.constant(mask.astype(np.float32)))
        o = g.op("MatMul", g.op("Softmax", score, axis=-1), chunks(v, spec["hdim"]))
        return g.op("Reshape", o, g.ints(self.t, spec["hdim"]))

    def mega(self, x0, i, spec, prefix):
        g, w = self.g, self.of(prefix)
        x = self.norm(x0, prefix + "norm")
        mixed = self.linear(self.ema(x, i, prefix + "move."), prefix + "mx_proj")
        parts = g.ints(self.dim, spec["zdim"], spec["hdim"], self.dim)
        u, z, r, hx = g.op("Split", mixed, parts, outputs=4, axis=1)
        z, scale = g.silu(z), np.array([[spec["zdim"] ** -0.5], [1]], np.float32)
        gamma, beta = w["gamma"] * scale, w["beta"] * scale
        q, k = (g.op("Add", g.op("Mul", z, g.constant(gamma[j])), g.constant(beta[j])) for j in (0, 1))
        v = g.silu(self.linear(x, prefix + "v_proj"))
        bias = w["rel_pos_bias.rel_pos_bias"]
        o = self.attend_frame(i, q, k, v, bias, spec) if self.t == 1 else self.attend_chunks(q, k, v, bias, spec)
        h = g.silu(g.op("Add", hx, self.linear(g.op("Mul", o, g.silu(r)), prefix + "h_proj")))
        return g.op("Add", x0, g.op("Mul", g.op("Sigmoid", u), g.op("Sub", h, x0)))

    def layer(self, x, i, spec):
        own = spec.get("share", i)
        spec, prefix = self.network["layers"][own], f"layers.{own}."
        if spec["kind"] == "mega":
            return self.mega(x, i, spec, prefix)
        inner = self.g.silu(self.linear(self.norm(x, prefix + "norm"), prefix + "fc1"))
        return self.g.op("Add", x, self.linear(inner, prefix + "fc2"))

    def pooled(self, x):
        """The mean of the last frames, at every frame."""
        g, n, t = self.g, self.network["pool"], self.t
        if n == 1:
            return x
        first = np.zeros((n - 1, self.dim), np.float32)
        x = g.op("Concat", g.state("pooled", first), x, axis=0)
        g.keep("pooled", g.last(x, n - 1, 0))
        band = sum(np.eye(t, t + n - 1, k) for k in range(n)) / n
        return g.op("MatMul", g.constant(band.astype(np.float32)), x)

    def write(self, features):
        """-> the GraphProto; self.g.first has the states to begin with."""
        g, mega = self.g, [s for s in self.network["layers"] if s.get("kind") == "mega"]
        x = self.linear(self.stem(features["n_mels"], features["log_floor"]), "input")
        if self.t == 1 and mega:
            first = np.zeros(1, np.int64)
            place = g.op("Add", g.state("position", first), g.ints(1))
            g.keep("position", g.op("Mod", place, g.ints(mega[0]["chunk"])))
        for i, spec in enumerate(self.network["layers"]):
            x = self.layer(x, i, spec)
        x = g.silu(self.linear(self.pooled(self.norm(x, "final_norm")), "head.fc1"))
        words = len(self.tensors["head.fc2.bias"])
        g.output(g.op("Softmax", self.linear(x, "head.fc2"), axis=-1), "probabilities", [self.t, words])
        return helper.make_graph(g.nodes, "step", g.inputs, g.outputs, g.constants)


def refuse(network, tensors, t):
    """Raise ValueError for what Writer cannot say in ONNX."""
    layers = [s for s in network["layers"] if "share" not in s]
    chunks = {s.get("chunk") for s in layers if s["kind"] == "mega"}
    wanted = {"mega": {"attention": "softmax", "norm": "layernorm", "prenorm": True, "rel_pos_bias": "simple"},
              "nffn": {"norm": "layernorm", "prenorm": True}}
    if any(v.dtype != np.float32 for v in tensors.values()):
        raise ValueError("has weights of 8 bits; take the file that it was made from")
    if not network.get("stem") or (network["stack"], network["stride"]) != (1, 1) or network["final_norm"] != "layernorm":
        raise ValueError("has no stem, stacked frames, or another norm than layernorm at its end")
    for s in layers:
        odd = [k for k, v in wanted.get(s["kind"], {"kind": None}).items() if s[k] != v]
        if odd or s.get("ndim") == 0 or s.get("chunk", 1) < 1:
            raise ValueError(f"has a layer that is not exported: {json.dumps(s)}")
    if len(chunks) > 1 or (t > 1 and any(t % c for c in chunks)):
        raise ValueError(f"has chunks of {sorted(chunks)} frames, and --frames is {t}: want 1 or a multiple of a single one")


def step_of(path, t):
    """-> the ModelProto of a model file's step of t network frames, and its first states by name. ValueError: it cannot be
    written."""
    with safe_open(path, "numpy") as f:
        meta = f.metadata() or {}
    network, features, tensors = json.loads(meta["network"]), json.loads(meta["features"]), load_file(path)
    refuse(network, tensors, t)
    writer, opset = Writer(network, tensors, t), helper.make_opsetid("", OPSET)
    model = helper.make_model(writer.write(features), opset_imports=[opset], ir_version=IR)
    helper.set_model_props(model, {k: meta[k] for k in ("name", "words", "features") if k in meta})
    onnx.checker.check_model(model, full_check=True)
    return model, writer.g.first


def options():
    """-> ArgumentParser of this command."""
    ap = parser("onnx", __doc__)
    ap.add_argument("--model", metavar="FILE", required=True, help="a model file with weights of float32")
    ap.add_argument("--frames", metavar="N", type=whole(1, 10000), default=1, help="network frames of a call")
    ap.add_argument("--out", metavar="FILE", required=True, help="the ONNX file to write")
    return ap


def main(argv=None):
    """Write the ONNX file."""
    a = options().parse_args(argv)
    try:
        model, first = step_of(a.model, a.frames)
    except FileNotFoundError:
        raise SystemExit(f"{a.model}: not there") from None
    except (SafetensorError, KeyError) as e:
        raise SystemExit(f"{a.model}: no model file: {e}") from None
    except ValueError as e:
        raise SystemExit(f"{a.model}: {e}") from None
    onnx.save(model, a.out)
    np.savez(os.path.splitext(a.out)[0] + ".npz", **first)
    print(f"{a.out}: {len(model.graph.node)} operations, {os.path.getsize(a.out)} bytes")
