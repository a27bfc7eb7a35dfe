"""ONNX Runtime on the very network of commands-12: onnx_runtime.py DIR, with what `make bench` puts there.

step.onnx has one network frame a call, block.onnx a hundred; step8.onnx and block8.onnx are these with weights and images of 8
bits, made here by ONNX Runtime's own tool. Each call reads and writes memory that is bound once, two sets of states by turns: the
call from Python is all that is not ONNX Runtime. That the float32 network gives the engine's probabilities is checked first.
"""
import logging
import os
import sys

import peer

try:
    import numpy as np
    import onnxruntime as ort
    from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static
    from onnxruntime.quantization.shape_inference import quant_pre_process
except ImportError as e:
    peer.missing(f"{e} (make bench-peers)")

LEVELS = ort.GraphOptimizationLevel


def session(path, level=LEVELS.ORT_ENABLE_ALL):
    options = ort.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.graph_optimization_level, options.log_severity_level = level, 3
    return ort.InferenceSession(path, options, providers=["CPUExecutionProvider"])


class Step:
    """A network with its states, fed block by block."""

    def __init__(self, path, states, features, level=LEVELS.ORT_ENABLE_ALL):
        self.session = session(path, level)
        shape = {i.name: i.shape for i in self.session.get_inputs() + self.session.get_outputs()}
        self.blocks = features[: len(features) // shape["frames"][0] * shape["frames"][0]].reshape(-1, *shape["frames"])
        self.frames, self.out = np.zeros(shape["frames"], np.float32), np.zeros(shape["probabilities"], np.float32)
        self.first = dict(np.load(states))
        self.states = [{k: v.copy() for k, v in self.first.items()} for _ in range(2)]
        self.bound = [self.bind(self.states[i], self.states[1 - i]) for i in range(2)]

    def bind(self, before, after):
        value, io = ort.OrtValue.ortvalue_from_numpy, self.session.io_binding()
        io.bind_ortvalue_input("frames", value(self.frames))
        io.bind_ortvalue_output("probabilities", value(self.out))
        for name in before:
            io.bind_ortvalue_input(name, value(before[name]))
            io.bind_ortvalue_output(f"next_{name}", value(after[name]))
        return io

    def reset(self):
        for name, value in self.first.items():
            self.states[0][name][...] = value

    def run(self):
        self.reset()
        call, bound, frames = self.session.run_with_iobinding, self.bound, self.frames
        for i, block in enumerate(self.blocks):
            frames[...] = block
            call(bound[i & 1])

    def probabilities(self):
        self.reset()
        rows = []
        for i, block in enumerate(self.blocks):
            self.frames[...] = block
            self.session.run_with_iobinding(self.bound[i & 1])
            rows.append(self.out.copy())
        return np.concatenate(rows)


class Heard(CalibrationDataReader):
    """What the float32 network reads in the first ten seconds: its tool measures ranges with it."""

    def __init__(self, step):
        self.inputs = iter(self.collect(step))

    @staticmethod
    def collect(step):
        step.reset()
        for i, block in enumerate(step.blocks[: 1000 // len(step.frames)]):
            step.frames[...] = block
            yield {"frames": block, **{k: v.copy() for k, v in step.states[i & 1].items()}}
            step.session.run_with_iobinding(step.bound[i & 1])

    def get_next(self):
        return next(self.inputs, None)


def quantise(step, path, out):
    """By ONNX Runtime's tool: symmetric weights with a scale for each channel, images of 8 bits, in its QDQ form."""
    ready = out + ".ready"
    logging.getLogger().setLevel(logging.ERROR)  # what it could not make faster
    quant_pre_process(path, ready, skip_symbolic_shape=True)
    quantize_static(ready, out, Heard(step), QuantFormat.QDQ, per_channel=True, weight_type=QuantType.QInt8,
                    activation_type=QuantType.QUInt8, op_types_to_quantize=["Conv", "Gemm", "MaxPool", "Concat", "Clip"])
    os.remove(ready)


def best(path, states, features):
    """The network at the level of optimisation that is the fastest here."""
    steps = [Step(path, states, features, level) for level in (LEVELS.ORT_ENABLE_ALL, LEVELS.ORT_ENABLE_EXTENDED)]
    for step in steps:
        step.run()
    return min(steps, key=lambda s: min(peer.seconds(s.run) for _ in range(3)))


def main(folder):
    path = lambda name: os.path.join(folder, name)
    features = np.fromfile(path("features.f32"), np.float32).reshape(-1, 40)
    features = features[: len(features) // 400 * 400]  # whole calls of both kinds
    want = np.fromfile(path("probabilities.f32"), np.float32)
    rows, notes = {}, []
    for name, row, title in ("step", "live", "40 ms a call"), ("block", "file", "4 s a call"):
        states = path(name + ".npz")
        step = Step(path(name + ".onnx"), states, features)
        got = step.probabilities()
        apart = np.abs(got - want.reshape(-1, got.shape[1])[: len(got)]).max()
        if not apart < 1e-5:
            sys.exit(f"onnx_runtime: {name}.onnx is {apart:.2g} apart from the engine's probabilities")
        quantise(step, path(name + ".onnx"), path(name + "8.onnx"))
        eight = Step(path(name + "8.onnx"), states, features)
        same = np.mean(eight.probabilities().argmax(1) == got.argmax(1))
        notes.append(f"{name}: float32 differs from our probabilities by {apart:.1g} at most; with 8 bits the best class is the "
                     f"same in {100 * same:.1f} % of the frames")
        for kind, file in ("float32", name + ".onnx"), ("int8", name + "8.onnx"):
            rows[f"{row}-{kind}"] = (f"the network of commands-12 alone, {kind}, {title}", best(path(file), states, features).run)
    peer.serve(f"ONNX Runtime {ort.__version__}", rows, len(features) / 100, notes)


if __name__ == "__main__":
    main(sys.argv[1])
