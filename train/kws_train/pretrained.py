"""The first layers of the teacher as a student's stem.

speech_embedding (arXiv 2002.01322, Apache-2.0) was trained on far more speech than any corpus of commands holds. Its
convolutions have no padding in time, so they run on a stream as they are, and over more bands than its 32; before them
stand log-mel bands, log10 of a power in int16 scale, in triangles of one area.
"""
import math

import numpy as np
import torch
from onnx import numpy_helper

from .augment import read_onnx
from .features import SPEECH_EMBEDDING, mel_matrix
from .options import whole


def read_stem(folder, convs, step=4):
    """The first `convs` convolutions, with the pools between and behind them -> entries of the `stem` of a model file,
    tensors by name (mean and scale of the features too). Pools leave no frames out beyond one of `step`."""
    graph = read_onnx(folder, "embedding_model.onnx").graph
    tensors = {t.name: numpy_helper.to_array(t) for t in graph.initializer}
    entries, state, stride = [], {}, 1
    for node in graph.node:
        size = next((list(a.ints) for a in node.attribute if a.name == "kernel_shape"), None)
        if node.op_type == "MaxPool":
            size[0] = size[0] if stride * size[0] <= step else 1
            stride *= size[0]
            entries.append({"kind": "pool", "size": size})
        elif node.op_type == "Conv":
            if len(state) == 2 * convs:
                break
            weight, bias = (torch.from_numpy(tensors[i].copy()) for i in node.input[1:])
            state |= {f"stem.{len(entries)}.weight": weight, f"stem.{len(entries)}.bias": bias}
            entries.append({"kind": "conv", "channels": len(weight), "kernel": size, "stride": [1, 1],
                            "activation": "leaky_relu"})
    area = mel_matrix(SPEECH_EMBEDDING).sum(1) * SPEECH_EMBEDDING.rate_hz / SPEECH_EMBEDDING.n_fft
    offset = 2 + 2 * math.log10(32767) - np.log10(area)  # of log10, in what its front end makes of full scale
    mean = torch.from_numpy(-offset * math.log(10)).float()
    return entries, state | {"features.mean": mean, "features.scale": torch.full_like(mean, 1 / math.log(10))}


def stem_options(ap):
    """Add the options of a stem that begins as the teacher."""
    ap.add_argument("--teacher", metavar="DIR", help="folder of the teacher: its first layers are the stem's start")
    ap.add_argument("--convs", metavar="N", type=whole(1, 19), default=15, help="so many of its convolutions, 1 to 19")


def asked_stem(ap, a, cfg):
    """-> entries and tensors as read_stem(); None, None: not asked for. An error of ap: features that are not the teacher's."""
    if a.teacher and cfg != SPEECH_EMBEDDING:
        ap.error("--teacher: the shards are not of its features (augment --features speech-embedding)")
    return read_stem(a.teacher, a.convs) if a.teacher else (None, None)
