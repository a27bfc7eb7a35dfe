"""Corpora, a teacher and a network made by code: small enough that every command runs on them in seconds."""
import contextlib
import io
import os
import subprocess
import sys
import xml.dom.minidom
from dataclasses import asdict

import numpy as np
import onnx
import soundfile
import torch
from onnx import TensorProto, helper, numpy_helper

from kws_train.__main__ import main
from kws_train.data import RATE, SILENCE, UNKNOWN
from kws_train.features import FeatureConfig

TRAIN = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
ROOT = os.path.dirname(TRAIN)
WORDS = ["alpha", "beta", "gamma", UNKNOWN, SILENCE]  # of corpus()


def clip(word, speaker, n=RATE):
    """A word [n]: three tones that follow from it, at a pitch that follows from the speaker, in a little noise."""
    rng = np.random.default_rng([*word.encode()])
    tones, pitch = rng.uniform(200, 3000, 3), np.random.default_rng([*speaker.encode()]).uniform(0.9, 1.1)
    t = np.arange(n) / RATE
    part = np.clip((t - 0.2) / 0.2, 0, 2.999).astype(int)
    x = 0.3 * np.sin(2 * np.pi * tones[part] * pitch * t) * ((t > 0.2) & (t < 0.8))
    return x + 1e-3 * np.random.default_rng(n).standard_normal(n)


def titles(svg):
    """What an SVG tells while the pointer is over it."""
    return [t.firstChild.data for t in xml.dom.minidom.parse(str(svg)).getElementsByTagName("title")]


def noise(seed, seconds=4):
    """Noise [seconds * RATE]."""
    return 0.02 * np.random.default_rng(seed).standard_normal(seconds * RATE)


def write(path, x):
    """A 16-bit recording, and the folders it lies in."""
    os.makedirs(os.path.dirname(path), exist_ok=True)
    soundfile.write(path, x, RATE, subtype="PCM_16")


def corpus(folder, commands=("alpha", "beta", "gamma"), others=("delta", "epsilon"), speakers=("train",) * 6 + ("val",) * 2,
           speech=2):
    """A corpus with its manifest; speakers: the split of each."""
    rows = []

    def add(path, word, speaker, split, x):
        write(os.path.join(folder, path), x)
        rows.append(f"{path}\tmade\t{word}\t{speaker}\t{split}\t{len(x) / RATE:.3f}\n")

    for kind, words in (("commands", commands), ("unknown", others)):
        for word in words:
            for k, split in enumerate(speakers):
                add(f"{kind}/{word}/s{k}.flac", word, f"s{k}", split, clip(word, f"s{k}"))
    for k in range(2):
        add(f"noise/hiss{k}.flac", "", "", "train", noise(k))
    for k in range(speech):
        add(f"speech/talk{k}.flac", "", f"t{k}", "train", np.concatenate([clip(w, f"t{k}") for w in "abcdef"]))
    if speech:
        add("orders/order.flac", "", "o", "val", np.concatenate([clip(w, "o") for w in "uvw"]))
    with open(os.path.join(folder, "manifest.tsv"), "w", encoding="utf-8") as f:
        f.write("path\tset\tword\tspeaker\tsplit\tseconds\n" + "".join(rows))
    return str(folder)


def plain(folder, words, speakers=8, lists=True):
    """A plain Speech Commands folder; with lists the last two speakers are for validation and tests."""
    names = [f"{k:08x}" for k in range(0xA0, 0xA0 + speakers)]
    for word in words:
        for name in names:
            write(os.path.join(folder, word, f"{name}_nohash_0.wav"), clip(word, name))
    write(os.path.join(folder, "_background_noise_", "hiss.wav"), noise(1))
    for name, file in zip(names[-2:], ("validation_list.txt", "testing_list.txt"), strict=True) if lists else ():
        with open(os.path.join(folder, file), "w") as f:
            f.writelines(f"{word}/{name}_nohash_0.wav\n" for word in words)
    return str(folder)


def teacher(folder, channels=4):
    """ONNX files with the shapes, pools and convolutions of speech_embedding and its front end, and few random channels."""
    rng = np.random.default_rng(1)
    tensor = lambda name, x: numpy_helper.from_array(x.astype(np.float32), name)
    shape = lambda name, dims: numpy_helper.from_array(np.array(dims, np.int64), name)
    value = lambda name, dims: helper.make_tensor_value_info(name, TensorProto.FLOAT, dims)

    def save(name, nodes, inputs, outputs, tensors):
        model = helper.make_model(helper.make_graph(nodes, name, inputs, outputs, tensors),
                                  opset_imports=[helper.make_opsetid("", 13)], ir_version=7)
        onnx.save(model, os.path.join(folder, name))

    os.makedirs(folder, exist_ok=True)
    t = np.arange(512) / RATE  # 32 filters of 512 samples every 160, their power in dB
    filters = np.stack([np.hanning(512) * np.cos(2 * np.pi * f * t) for f in np.geomspace(60, 3800, 32)])[:, None] / 32767
    save("melspectrogram.onnx", [
        helper.make_node("Unsqueeze", ["input", "axis"], ["x"]),
        helper.make_node("Conv", ["x", "filters"], ["y"], kernel_shape=[512], strides=[160]),
        helper.make_node("Mul", ["y", "y"], ["power"]), helper.make_node("Max", ["power", "floor"], ["some"]),
        helper.make_node("Log", ["some"], ["log"]), helper.make_node("Mul", ["log", "to_db"], ["db"]),
        helper.make_node("Transpose", ["db"], ["frames"], perm=[0, 2, 1]),
        helper.make_node("Unsqueeze", ["frames", "axis"], ["output"])],
        [value("input", ["b", "n"])], [value("output", ["b", 1, "t", 32])],
        [shape("axis", [1]), tensor("filters", filters), tensor("floor", np.array(1e-5)), tensor("to_db", np.array(4.34))])
    nodes, last, n_in = [helper.make_node("Reshape", ["input_1", "new"], ["x0"])], "x0", 1
    tensors = [shape("new", [-1, 1, 76, 32])]

    def node(kind, *inputs, **attributes):
        nonlocal last
        name = f"x{len(nodes)}"
        nodes.append(helper.make_node(kind, [last, *inputs], [name], **attributes))
        last = name

    def conv(kernel, n_out):
        nonlocal n_in
        w = f"w{len(tensors)}"
        tensors.extend([tensor(w, rng.normal(0, (n_in * kernel[0] * kernel[1]) ** -0.5, (n_out, n_in, *kernel))),
                        tensor(w + "b", rng.normal(0, 0.1, n_out))])
        node("Conv", w, w + "b", kernel_shape=list(kernel), pads=[0, kernel[1] // 2, 0, kernel[1] // 2])
        n_in = n_out

    def stage(kernels, pool):
        for kernel in kernels:
            conv(kernel, channels)
            node("LeakyRelu", alpha=0.2)
            node("Max", "least")
        node("MaxPool", kernel_shape=list(pool), strides=list(pool))

    tensors.append(tensor("least", np.array(-0.4)))
    pair = [(1, 3), (3, 1)]
    stage([(3, 3), *pair], (2, 2))
    for pool in ((1, 2), (2, 2), (1, 2), (2, 2)):
        stage(pair * 2, pool)
    conv((3, 1), 96)
    tensors.append(shape("out", [-1, 1, 1, 96]))
    node("Reshape", "out")
    save("embedding_model.onnx", nodes, [value("input_1", ["k", 76, 32, 1])], [value(last, ["k", 1, 1, 96])], tensors)
    return str(folder)


def checkpoint(net, path, words=None, cfg=None, **more):
    """Writes a Net to a path, as `train` does."""
    n = net.head.fc2.out_features
    words = list(words or [*(f"w{i}" for i in range(n - 2)), UNKNOWN, SILENCE])
    torch.save({"network": net.network, "average": net.state_dict(), "embedder": {}, "features": asdict(cfg or FeatureConfig()),
                "words": words, "training": {"seed": 1, "steps": 3}} | more, path)
    return str(path)


def run(*args, cwd, status=0):
    """`python -m kws_train ARGS` as a user types it -> stdout. A failure has to be one line on stderr, without a traceback."""
    env = os.environ | {"PYTHONPATH": TRAIN, "OMP_NUM_THREADS": "1"}
    done = subprocess.run([sys.executable, "-m", "kws_train", *map(str, args)], cwd=cwd, env=env, capture_output=True, text=True,
                          timeout=300, check=False)
    assert done.returncode == status, f"{args}: {done.returncode}\n{done.stdout}\n{done.stderr}"
    assert "Traceback" not in done.stderr
    if status == 1:
        assert len(done.stderr.strip().splitlines()) == 1, done.stderr
    return done.stdout if status == 0 else done.stderr


def call(*args, cwd, status=0):
    """The same as run() within this process, which is much faster."""
    out, err, code, here = io.StringIO(), io.StringIO(), 0, os.getcwd()
    os.chdir(cwd)
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            main([str(a) for a in args])
    except SystemExit as e:
        code = e.code if isinstance(e.code, int) else 1
        err.write("" if isinstance(e.code, int) else f"{e.code}\n")
    finally:
        os.chdir(here)
    assert code == status, f"{args}: {code}\n{out.getvalue()}\n{err.getvalue()}"
    assert status != 1 or len(err.getvalue().strip().splitlines()) == 1, err.getvalue()
    return err.getvalue() if status else out.getvalue()


def kws():
    """The C program: $KWS, or the one that make has built; None: there is none."""
    path = os.environ.get("KWS", os.path.join(ROOT, "build", "kws"))
    return os.path.abspath(path) if os.path.exists(path) else None
