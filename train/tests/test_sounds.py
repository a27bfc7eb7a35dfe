"""What is done to sound."""
import numpy as np
import pytest

from kws_train import sounds
from kws_train.data import RATE


@pytest.mark.parametrize("k", range(len(sounds.CODECS)))
def test_a_codec_loses_something_and_moves_nothing(k, monkeypatch):
    monkeypatch.setattr(sounds, "CODECS", [sounds.CODECS[k]])
    t = np.arange(RATE + 7) / RATE
    x = 0.4 * np.sin(2 * np.pi * (300 + 400 * t) * t) * (np.abs(t - 0.5) < 0.3)
    for seed in range(3):
        y = sounds.codec(np.random.default_rng(seed), x)
        likeness = [np.corrcoef(x, np.roll(y, n))[0, 1] for n in range(-3, 4)]
        assert y.shape == x.shape and int(np.argmax(likeness)) == 3 and 0.9 < likeness[3] < 1
        assert np.isfinite(sounds.codec(np.random.default_rng(seed), 0 * x)).all()
