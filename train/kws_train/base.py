"""The base for words of one's own: a model file that gets an embedding (docs/model-format.md), which `kws enrol` puts heads on.

    python -m kws_train base --data CORPUS --teacher DIR --model ../config/models/commands-12.safetensors \\
        --out ../config/models/own-words.safetensors

The embedding hears the teacher, all of its convolutions run causally as a second stem, and the model's own last layer: one is
good in clean sound, the other in noise, since it was trained in it. A row is what both say of 80 ms, on the principal axes of
speech, each of variance 1; a point is the last rows, whitened. Both maps are linear and come from the corpus: running speech,
clips and noise of split train. Nothing else is learnt, and what the model says stays.
"""
import argparse
import json

import numpy as np
import torch
import torch.nn.functional as F
from onnx import numpy_helper
from safetensors import safe_open

from .augment import read_onnx
from .data import RATE, Corpus
from .features import log_mel
from .model import Stem
from .model_file import load_model
from .options import corpus as corpus_options
from .options import parser, real, whole
from .pretrained import read_stem
from .stable import save_file

CONVS = 19  # of the teacher; the twentieth is linear, and becomes a part of the rows
LAST = 3  # its kernel, in frames
BANDS = 32  # that it was trained on
PIECE = 60 * RATE


class Ears:
    """Both networks on one stream: pcm -> what a row is made of."""

    def __init__(self, model, teacher):
        self.net, self.cfg, _, _ = load_model(model)
        self.entries, state = read_stem(teacher, CONVS, step=8)
        self.bands = BANDS
        state |= {k: v[:BANDS] for k, v in state.items() if k.startswith("features.")}
        self.stem = Stem(self.entries, self.bands)
        self.stem.load_state_dict({k[len("stem."):]: v for k, v in state.items() if k.startswith("stem.")})
        self.state = state
        self.every = self.stem.stride // self.net.step
        graph = read_onnx(teacher, "embedding_model.onnx").graph
        tensors = {t.name: numpy_helper.to_array(t) for t in graph.initializer}
        last = [n for n in graph.node if n.op_type == "Conv"][CONVS]
        self.weight = torch.from_numpy(tensors[last.input[1]].copy())[:, :, :, 0]  # [out, in, LAST]

    def normalisation(self):
        """-> mean, scale [bands] that make the teacher's features of the network's normalised ones."""
        f, own = self.net.features, self.state
        mean, scale = f.mean[: self.bands], f.scale[: self.bands]
        return (own["features.mean"] - mean) * scale, own["features.scale"] / scale

    @torch.no_grad()
    def parts(self, pcm):
        """pcm float32 [n] -> frames of the stem [rows, 96], what the last layer says [rows, every * dim]."""
        x = torch.from_numpy(log_mel(pcm[None], self.cfg))
        step = self.stem.stride
        x = x[:, : x.shape[1] // step * step]
        own = lambda v: (v - self.state["features.mean"]) * self.state["features.scale"]
        quiet = torch.full((1, self.bands), self.net.quiet)
        frames = self.stem(own(x[..., : self.bands]), own(quiet)[0])[0]
        return frames, self.net.encode(x)[0].reshape(len(frames), -1)

    def __call__(self, pcm):
        """pcm float32 [n] -> what the teacher says [rows, 96], what the last layer says [rows, every * dim]."""
        frames, own = self.parts(pcm)
        said = F.conv1d(F.pad(frames.T[None], (LAST - 1, 0)), self.weight)[0].T
        return said.numpy(), own.numpy()


def heard(ears, corpus, seconds, rng):
    """Of each kind of sound a share -> rows of both, float32."""
    teacher, own = [], []
    kinds = [corpus.speech(), corpus.where("commands", "unknown", split="train"), corpus.noise("train")]
    for items in kinds:
        pcm, n = [], 0
        for i in rng.permutation(items):
            pcm.append(corpus.audio(i))
            n += len(pcm[-1])
            if n > seconds * RATE:
                break
        pcm = np.concatenate(pcm)
        for at in range(0, len(pcm), PIECE):
            t, y = ears(pcm[at : at + PIECE])
            teacher.append(t)
            own.append(y)
        print(f"{len(pcm) / RATE:.0f} s of {len(items)} recordings", flush=True)
    return np.concatenate(teacher), np.concatenate(own)


def axes(x, n):
    """x [m, d] -> variances [n] and directions [d, n] of its first principal axes."""
    value, vector = np.linalg.eigh(np.cov(x.T, dtype=np.float64))
    return value[::-1][:n], vector[:, ::-1][:, :n]


def windows(x, n):
    """Rows [m, d] -> the last n of them, oldest first [m, n * d]; zeros before the start."""
    x = np.concatenate([np.zeros((n - 1, x.shape[1]), x.dtype), x])
    return np.lib.stride_tricks.sliding_window_view(x, n, 0).transpose(0, 2, 1).reshape(len(x) - n + 1, -1)


def embedding(ears, teacher, own, dim, window, rank):
    """-> tensors of the embedding by name."""
    x = np.concatenate([teacher, own], 1).astype(np.float64)
    mean, std = x.mean(0), x.std(0) + 1e-3
    value, vector = axes((x - mean) / std, dim)
    rows = ((x - mean) / std) @ vector
    to_row = vector / std[:, None] / np.sqrt(value)  # [d, dim]: variance 1
    over = windows(rows.astype(np.float32), window)[window:]
    middle = over.mean(0, dtype=np.float64)
    spread, direction = axes(over[:: max(1, len(over) // 60000)], rank)
    all_spread = over.var(0, dtype=np.float64).mean()
    whiten = direction / np.sqrt(spread + 0.02 * all_spread)  # [window * dim, rank]
    scale = np.tile(np.sqrt(value), window)
    w = to_row[: teacher.shape[1]].T @ ears.weight.double().numpy().transpose(2, 0, 1)  # [LAST, dim, 96]
    row = np.concatenate([*w, to_row[teacher.shape[1]:].T], 1)
    mean_in, scale_in = ears.normalisation()
    found = {"row.weight": row, "row.bias": -mean @ to_row, "point.weight": (whiten * scale[:, None]).T,
             "point.bias": -middle @ whiten, "mean": mean_in.numpy(), "scale": scale_in.numpy()}
    found |= {k: v.numpy() for k, v in ears.state.items() if k.startswith("stem.")}
    return {f"embedding.{k}": torch.from_numpy(np.asarray(v, np.float32)) for k, v in found.items()}


def write(path, model, tensors, spec):
    """The model's file with the embedding. Its words do not wait until they are sure: a word of one's own may be followed at once
    by another, and how well such words are heard was measured without."""
    with safe_open(model, "pt") as f:
        meta = dict(f.metadata())
        tensors = {k: f.get_tensor(k) for k in f.keys()} | tensors  # noqa: SIM118 it is no dict
    network = json.loads(meta["network"]) | {"embedding": spec}
    decision = {k: v for k, v in json.loads(meta["decision"]).items() if k != "wait_ms"}
    training = json.loads(meta.get("training", "{}"))
    training["embedding"] = ("the convolutions of Google speech_embedding (arXiv 2002.01322), Apache-2.0, and the last layer; "
                             "principal axes of the same data")
    save_file(tensors, path, meta | {"version": max("2", meta["version"]), "name": "own-words", "network": json.dumps(network),
                                     "decision": json.dumps(decision), "training": json.dumps(training)})


def options():
    """-> ArgumentParser of this command."""
    ap = parser("base", __doc__)
    corpus_options(ap)
    ap.add_argument("--teacher", metavar="DIR", required=True, help="folder of the teacher: embedding_model.onnx")
    ap.add_argument("--model", metavar="FILE", required=True, help="the model file that gets the embedding")
    ap.add_argument("--out", metavar="FILE", required=True, help="the base")
    ap.add_argument("--dim", metavar="N", type=whole(1, 256), default=48, help="values of a row, 1 to 256")
    ap.add_argument("--window", metavar="N", type=whole(1, 64), default=9, help="rows of a point, 1 to 64")
    ap.add_argument("--rank", metavar="N", type=whole(1, 512), default=200, help="values of a point, 1 to 512")
    ap.add_argument("--seconds", metavar="S", type=real(60), default=1900, help="of each kind of sound")
    ap.add_argument("--seed", metavar="N", type=whole(0), default=1, help="of what is taken")
    return ap


def main(argv=None):
    """Write the base."""
    a: argparse.Namespace = options().parse_args(argv)
    ears = Ears(a.model, a.teacher)
    if ears.stem.stride != ears.every * ears.net.step:
        raise SystemExit(f"{a.model}: a network frame is no whole part of 80 ms")
    teacher, own = heard(ears, Corpus(a.data, a.cache), a.seconds, np.random.default_rng(a.seed))
    spec = {"every": ears.every, "dim": a.dim, "window": a.window, "rank": a.rank, "bands": ears.bands, "stack": LAST,
            "stem": ears.entries}
    write(a.out, a.model, embedding(ears, teacher, own, a.dim, a.window, a.rank), spec)
