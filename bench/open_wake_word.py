"""openWakeWord's pipeline: open_wake_word.py DIR [MODELS]. Its three networks in ONNX Runtime, 80 ms a call, as its package feeds
them: melspectrogram, embedding, and the head of one word. MODELS has the first two; without it they are looked for where
`openwakeword.utils.download_models()` puts them. A head of the size that its training makes stands for a word.
"""
import os
import sys
from importlib.metadata import version

import peer

try:
    import numpy as np
    import onnxruntime as ort
    import openwakeword
    from onnx import TensorProto, helper, numpy_helper
except ImportError as e:
    peer.missing(f"{e} (make bench-peers)")

STEP, BEFORE = 1280, 480  # samples of a call, and those before them that the spectrogram needs
MELS, WINDOW, EMBEDDING, CONTEXT, HIDDEN = 32, 76, 96, 16, 128


def session(model):
    options = ort.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    s = ort.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    name = s.get_inputs()[0].name
    return lambda x: s.run(None, {name: x})[0]


def head():
    """Two hidden layers with layer norms, and a probability."""
    rng, nodes, constants, x, n = np.random.default_rng(1), [], [], "flat", CONTEXT * EMBEDDING
    number = lambda name, *shape: constants.append(numpy_helper.from_array(0.1 * rng.standard_normal(shape, np.float32), name))
    nodes.append(helper.make_node("Flatten", ["x"], ["flat"]))
    for i in range(2):
        number(f"w{i}", n, HIDDEN), number(f"b{i}", HIDDEN), number(f"s{i}", HIDDEN), number(f"o{i}", HIDDEN)
        nodes.append(helper.make_node("Gemm", [x, f"w{i}", f"b{i}"], [f"g{i}"]))
        nodes.append(helper.make_node("LayerNormalization", [f"g{i}", f"s{i}", f"o{i}"], [f"n{i}"]))
        nodes.append(helper.make_node("Relu", [f"n{i}"], [f"r{i}"]))
        x, n = f"r{i}", HIDDEN
    number("w", HIDDEN, 1), number("b", 1)
    nodes += [helper.make_node("Gemm", [x, "w", "b"], ["g"]), helper.make_node("Sigmoid", ["g"], ["y"])]
    value = lambda name, *shape: helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)
    graph = helper.make_graph(nodes, "head", [value("x", 1, CONTEXT, EMBEDDING)], [value("y", 1, 1)], constants)
    opset = helper.make_opsetid("", 17)
    return helper.make_model(graph, opset_imports=[opset], ir_version=8).SerializeToString()


def main(folder, models=None):
    models = models or os.path.join(os.path.dirname(openwakeword.__file__), "resources", "models")
    files = [os.path.join(models, f"{name}.onnx") for name in ("melspectrogram", "embedding_model")]
    for file in files:
        if not os.path.exists(file):
            peer.missing(f"{file}: not there (make bench OPENWAKEWORD=FOLDER, or openwakeword.utils.download_models())")
    (mel, embed), judge = map(session, files), session(head())
    pcm = peer.audio(folder).astype(np.float32)
    starts = range(BEFORE, len(pcm) - STEP + 1, STEP)

    def run():
        bands, rows = np.ones((WINDOW, MELS), np.float32), np.zeros((CONTEXT, EMBEDDING), np.float32)
        for at in starts:
            new = mel(pcm[None, at - BEFORE : at + STEP]).squeeze() / 10 + 2
            bands = np.concatenate((bands, new))[-WINDOW:]
            row = embed(bands[None, :, :, None]).reshape(1, EMBEDDING)
            rows = np.concatenate((rows, row))[-CONTEXT:]
            judge(rows[None])

    run()
    serve = {"live": ("one word, its three networks, 80 ms a call", run)}
    peer.serve(f"openWakeWord {version('openwakeword')}, ONNX Runtime {ort.__version__}", serve,
               len(starts) * STEP / peer.RATE_HZ)


if __name__ == "__main__":
    main(*sys.argv[1:])
