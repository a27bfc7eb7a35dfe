"""The step in ONNX gives what the twin and the C programs give, call by call, and refuses what it cannot say."""
import os

import made
import numpy as np
import pytest
import torch
from safetensors.numpy import load_file

from kws_train.export import save_model
from kws_train.features import FeatureConfig
from kws_train.model import Net, network_spec

pytest.importorskip("onnx")
onnxruntime = pytest.importorskip("onnxruntime")

CHUNK, SHIPPED = 5, os.path.join(made.ROOT, "config", "models", "commands-12.safetensors")
GOLDEN = os.path.join(made.ROOT, "tests", "golden")


def conv(channels, kernel, stride=(1, 1), activation="leaky_relu"):
    return {"kind": "conv", "channels": channels, "kernel": list(kernel), "stride": list(stride), "activation": activation}


STEMS = {
    "convolutions and pools": [conv(6, (3, 3)), {"kind": "pool", "size": [2, 2]}, conv(9, (1, 3)), conv(9, (3, 1)),
                               {"kind": "pool", "size": [2, 3]}],
    "strides, silu, a kernel shorter than its stride": [conv(5, (5, 3), (2, 2), "silu"), conv(7, (1, 3), (2, 1))],
}


def write(path, stem, **more):
    """A model file of random weights -> its Net."""
    torch.manual_seed(7)
    spec = network_spec(dim=16, zdim=8, hdim=12, ndim=4, ffn=16, depth=2, pool=7, head=8, stack=1, stride=1,
                        **{"chunk": CHUNK, "stem": stem, **more})
    net = Net(spec, 40, len(made.WORDS))
    net.features.mean.fill_(-5.0)
    net.features.scale.fill_(0.3)
    with torch.no_grad():
        for p in net.parameters():
            p.add_(0.2 * torch.randn_like(p))
    save_model(path, net.eval(), FeatureConfig(), made.WORDS, "made", licence="CC0-1.0")
    return net


def export(model, frames, folder):
    made.call("onnx", "--model", model, "--frames", frames, "--out", "step.onnx", cwd=folder)
    return os.path.join(folder, "step.onnx")


def heard(path, frames):
    """Feature frames through the step, call by call -> probabilities, a row for each network frame."""
    step = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    state, rows = dict(np.load(path.replace(".onnx", ".npz"))), []
    n = next(i.shape[0] for i in step.get_inputs() if i.name == "frames")
    names = [o.name for o in step.get_outputs()]
    for at in range(0, len(frames) - n + 1, n):
        out = dict(zip(names, step.run(None, {"frames": frames[at : at + n], **state}), strict=True))
        rows.append(out.pop("probabilities"))
        state = {k.removeprefix("next_"): v for k, v in out.items()}
    return np.concatenate(rows)


@pytest.mark.parametrize("frames", [1, CHUNK, 3 * CHUNK])
@pytest.mark.parametrize("stem", STEMS.values(), ids=STEMS)
@pytest.mark.parametrize("share", [False, True])
def test_each_call_goes_on_where_the_last_one_ended(tmp_path, stem, frames, share):
    net = write(tmp_path / "m.safetensors", stem, share=share)
    x = np.random.default_rng(1).normal(-5, 2, (4 * 6 * CHUNK, 40)).astype(np.float32)
    with torch.no_grad():
        want = torch.softmax(net(torch.from_numpy(x)[None])[0], -1).numpy()
    got = heard(export("m.safetensors", frames, tmp_path), x)
    assert got.shape == want.shape and np.abs(got - want).max() < 1e-5


def test_the_shipped_model_hears_what_the_c_programs_hear(tmp_path):
    """build/test_twin holds C to the same logits."""
    frames = load_file(os.path.join(GOLDEN, "speech_speech-embedding.safetensors"))["frames"].reshape(-1, 40)
    logits = load_file(os.path.join(GOLDEN, "speech_commands-12.safetensors"))["logits"].reshape(-1, 12)
    want = torch.softmax(torch.from_numpy(logits), -1).numpy()
    got = heard(export(SHIPPED, 1, tmp_path), frames)
    assert np.abs(got - want[: len(got)]).max() < 1e-5


@pytest.mark.parametrize("more", [{"attention": "laplace"}, {"rel_pos_bias": "rotary"}, {"norm": "rmsnorm"}, {"prenorm": False},
                                  {"ndim": 0}, {"stem": None}, {"chunk": 4}], ids=str)
def test_what_it_cannot_say_is_refused(tmp_path, more):
    spec = {"ndim": 4, "stem": STEMS["convolutions and pools"], **more}
    network = network_spec(dim=16, zdim=8, hdim=12, ffn=16, depth=1, pool=7, head=8, **{"chunk": CHUNK, **spec})
    save_model(tmp_path / "m.safetensors", Net(network, 40, len(made.WORDS)).eval(), FeatureConfig(), made.WORDS, "made")
    made.call("onnx", "--model", "m.safetensors", "--frames", CHUNK, "--out", "x.onnx", cwd=tmp_path, status=1)
    assert sorted(os.listdir(tmp_path)) == ["m.safetensors"]


def test_weights_of_8_bits_and_other_files_are_refused(tmp_path):
    (tmp_path / "text").write_text("no model")
    for file in (SHIPPED.replace("-12", "-12-int8"), "text", "none"):
        made.call("onnx", "--model", file, "--out", "x.onnx", cwd=tmp_path, status=1)
    assert not os.path.exists(tmp_path / "x.onnx")
