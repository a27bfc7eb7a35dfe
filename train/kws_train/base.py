"""The base for words of one's own: a model file that gets an embedding (docs/model-format.md), which `kws enrol` puts heads on.

    python -m kws_train base --data CORPUS --teacher DIR --model ../config/models/commands-12-small.safetensors \\
        --into ../config/models/commands-12-small-int8.safetensors --out ../config/models/own-words.safetensors

The embedding hears the teacher, all of its convolutions run causally as a second stem, and the model's own last layer: one is
good in clean sound, the other in noise, since it was trained in it. A row is what both say of 80 ms, a point what the last rows
say together. Both are linear at first, on the principal axes of running speech, clips and noise of split train. Then layers of
the embedding's own learn to say of noisy speech what the linear maps say of it clean (rows.py; --depth 0: no such layers). What
the model itself says stays.
"""
import argparse
import hashlib
import json
import os

import numpy as np
import torch
import torch.nn.functional as F
from onnx import numpy_helper
from safetensors import safe_open

from .augment import read_onnx
from .data import RATE, Corpus, digest
from .features import log_mel
from .model import Stem
from .model_file import load_model
from .options import corpus as corpus_options
from .options import parser, real, whole
from .pairs import pairs
from .pretrained import read_stem
from .rows import Layered, Principal, learn
from .stable import save_file

TEACHER = "embedding_model.onnx"
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
        graph = read_onnx(teacher, TEACHER).graph
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
    """Of each kind of sound a share -> what both networks say [rows, 96 + every * dim], float32."""
    said = []
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
            said.append(np.concatenate(ears(pcm[at : at + PIECE]), 1))
        print(f"{len(pcm) / RATE:.0f} s of {len(items)} recordings", flush=True)
    return np.concatenate(said)


def embedding(ears, net):
    """-> tensors of the embedding by name. The teacher's last convolution, which is linear, becomes a part of the rows."""
    n = ears.weight.shape[0]
    row = net.row.weight.detach().double()
    said = torch.einsum("wn,nck->wkc", row[:, :n], ears.weight.double()).flatten(1)  # [width, LAST * 96], oldest first
    mean, scale = ears.normalisation()
    found = {k: v for k, v in net.state_dict().items() if k.split(".")[0] in ("row", "layers", "out", "point")}
    found |= {"row.weight": torch.cat([said, row[:, n:]], 1), "mean": mean, "scale": scale}
    found |= {k: v for k, v in ears.state.items() if k.startswith("stem.")}
    return {f"embedding.{k}": v.float().contiguous() for k, v in found.items()}


def same_network(a, b):
    """SystemExit, naming both files: they are of other features, or of networks of other sizes."""
    x, y = load_model(a), load_model(b)
    sizes = lambda net: {k: v for k, v in net.network.items() if k != "stem"}
    features = [torch.cat([m[0].features.mean, m[0].features.scale]) for m in (x, y) if m[0].features is not None]
    if sizes(x[0]) != sizes(y[0]) or x[1] != y[1] or len(features) == 1 or features and not features[0].equal(features[-1]):
        raise SystemExit(f"{a} and {b} are of different networks")


def write(path, model, tensors, spec, how):
    """The model's file with the embedding. Its words do not wait until they are sure: a word of one's own may be followed at once
    by another, and how well such words are heard was measured without."""
    with safe_open(model, "pt") as f:
        meta = dict(f.metadata())
        tensors = {k: f.get_tensor(k) for k in f.keys()} | tensors  # noqa: SIM118 it is no dict
    network = json.loads(meta["network"]) | {"embedding": spec}
    decision = {k: v for k, v in json.loads(meta["decision"]).items() if k != "wait_ms"}
    training = json.loads(meta.get("training", "{}"))
    training["embedding"] = ("the convolutions of Google speech_embedding (arXiv 2002.01322), Apache-2.0, and the last layer; "
                             + how)
    version = max("3" if "layers" in spec else "2", meta["version"])
    save_file(tensors, path, meta | {"version": version, "name": "own-words", "network": json.dumps(network),
                                     "decision": json.dumps(decision), "training": json.dumps(training)})


def options():
    """-> ArgumentParser of this command."""
    ap = parser("base", __doc__)
    corpus_options(ap)
    ap.add_argument("--teacher", metavar="DIR", required=True, help="folder of the teacher: embedding_model.onnx")
    ap.add_argument("--model", metavar="FILE", required=True, help="the model file whose last layer is heard")
    ap.add_argument("--into", metavar="FILE", help="the model file that gets the embedding: the same network with weights "
                    "of 8 bits (default: --model)")
    ap.add_argument("--out", metavar="FILE", required=True, help="the base")
    ap.add_argument("--dim", metavar="N", type=whole(1, 256), default=48, help="values of a row, 1 to 256")
    ap.add_argument("--window", metavar="N", type=whole(1, 64), default=9, help="rows of a point, 1 to 64")
    ap.add_argument("--rank", metavar="N", type=whole(1, 512), default=200, help="values of a point, 1 to 512")
    ap.add_argument("--seconds", metavar="S", type=real(60), default=1900, help="of each kind of sound")
    ap.add_argument("--width", metavar="N", type=whole(1, 256), default=96, help="values of its own layers, 1 to 256")
    ap.add_argument("--depth", metavar="N", type=whole(0, 8), default=2, help="so many Mega layers, each with a "
                    "feed-forward one; 0: none, and nothing is learnt")
    ap.add_argument("--pairs", metavar="N", type=whole(1), default=9000, help="streams of ten seconds to learn from")
    ap.add_argument("--keep", metavar="FILE", help="what both networks hear of these, .npz; read if it is there, else written")
    ap.add_argument("--jobs", metavar="N", type=whole(1), default=1, help="so many processes make pairs; they are the same")
    ap.add_argument("--steps", metavar="N", type=whole(1), default=4000, help="of the training")
    ap.add_argument("--batch", metavar="N", type=whole(2), default=32, help="pairs of a step")
    ap.add_argument("--rate", metavar="X", type=real(0, 1, above=True), default=2e-3, help="highest learning rate")
    ap.add_argument("--seed", metavar="N", type=whole(0), default=1, help="of what is taken")
    return ap


def sha256(*path):
    """Of the file there."""
    with open(os.path.join(*path), "rb") as f:
        return hashlib.file_digest(f, "sha256").hexdigest()


def layered(a, ears, corpus, linear):
    """-> the net that has learnt, and what it learnt from."""
    said, heard = pairs(a.keep, ears, corpus, a.pairs, a.seed, a.jobs, digest([sha256(a.model), sha256(a.teacher, TEACHER)]))
    torch.manual_seed(a.seed)
    net = Layered(linear, a.width, a.depth)
    learn(net, linear, said, heard, a.steps, a.batch, a.rate, a.seed)
    few = slice(0, 500)
    net.settle(torch.cat([said[few], heard[few]]).float())
    return net


def main(argv=None):
    """Write the base."""
    a: argparse.Namespace = options().parse_args(argv)
    if a.depth and a.width < a.dim:
        raise SystemExit(f"--width: {a.width} is less than the {a.dim} values of a row (--dim)")
    ears = Ears(a.model, a.teacher)
    if ears.stem.stride != ears.every * ears.net.step:
        raise SystemExit(f"{a.model}: a network frame is no whole part of 80 ms")
    if a.into:
        same_network(a.model, a.into)
    corpus = Corpus(a.data, a.cache)
    net = Principal(heard(ears, corpus, a.seconds, np.random.default_rng(a.seed)), a.dim, a.window, a.rank)
    spec = {"every": ears.every, "dim": a.dim, "window": a.window, "rank": a.rank, "bands": ears.bands, "stack": LAST,
            "stem": ears.entries}
    how = "principal axes of the same data"
    if a.depth:
        net = layered(a, ears, corpus, net)
        spec |= {"width": a.width, "layers": net.spec}
        how = f"layers that learnt to hear noisy speech as these hear it clean, {a.pairs} streams of ten seconds, {a.steps} steps"
    write(a.out, a.into or a.model, embedding(ears, net), spec, how)
