"""The teacher's layers in the twin against the teacher itself: TEACHER=DIR pytest (skipped without DIR)."""
import os

import numpy as np
import onnx
import onnxruntime
import pytest
import torch

from kws_train.augment import Teacher
from kws_train.features import SPEECH_EMBEDDING, log_mel
from kws_train.model import Features, Stem
from kws_train.pretrained import read_stem

FOLDER = os.environ.get("TEACHER", "")
pytestmark = pytest.mark.skipif(not FOLDER, reason="TEACHER is not set")
BANDS = 32  # of the teacher; ours go on above them
LATE, SKIP = 2, 24  # our window of 400 samples ends with its hop; the teacher's lies in the middle of 512


def voice(n):
    t, rng = np.arange(n) / 16000, np.random.default_rng(1)
    tones = sum(np.sin(2 * np.pi * k * (120 * t + 20 * np.sin(5 * t))) / k for k in range(1, 30))
    return (0.1 * tones + 0.02 * rng.standard_normal(n)).astype(np.float32)


def stem_and_features(convs):
    entries, state = read_stem(FOLDER, convs)
    stem, features = Stem(entries, BANDS), Features(SPEECH_EMBEDDING.n_mels)
    stem.load_state_dict({k[5:]: v for k, v in state.items() if k.startswith("stem.")})
    features.load_state_dict({k[9:]: v for k, v in state.items() if k.startswith("features.")})
    return stem, features


def test_the_first_bands_are_the_teachers():
    x = voice(16000)
    _, features = stem_and_features(1)
    want = Teacher(FOLDER)._mel.run(None, {"input": (x[None, SKIP:] * 32767)})[0][0, 0] / 10 + 2
    got = features(torch.from_numpy(log_mel(x, SPEECH_EMBEDDING))).numpy()[LATE:, :BANDS]
    assert np.abs(got[: len(want)] - want[: len(got)]).max() < 1e-2  # in log10; it weighs in single precision


@pytest.mark.parametrize("convs, pools", [(3, 1), (7, 2), (15, 4), (19, 5)])
def test_the_convolutions_are_the_teachers(convs, pools):
    model = onnx.load(os.path.join(FOLDER, "embedding_model.onnx"))
    out = [n.output[0] for n in model.graph.node if n.op_type == "MaxPool"][pools - 1]
    model.graph.output.append(onnx.helper.make_tensor_value_info(out, onnx.TensorProto.FLOAT, None))
    del model.graph.value_info[:]
    x = np.random.default_rng(2).normal(1, 1, (1, 76, BANDS, 1)).astype(np.float32)
    want = onnxruntime.InferenceSession(model.SerializeToString()).run([out], {"input_1": x})[0]  # [1, channels, t, bands]
    want = want[0].transpose(1, 2, 0).reshape(want.shape[2], -1)
    stem, _ = stem_and_features(convs)
    with torch.no_grad():
        got = stem(torch.from_numpy(x[..., 0]), torch.zeros(BANDS))[0].numpy()
    if convs == 19:  # its last pool takes pairs of frames, ours leaves them alone
        got = np.maximum(got[-6::2], got[-5::2])
    assert np.abs(got[-len(want) :] - want).max() < 1e-3  # before that, ours sees what was before the start
