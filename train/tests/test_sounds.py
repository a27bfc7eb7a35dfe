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


@pytest.mark.parametrize("metres", [0.6, 1, 4])
def test_far_away_the_room_is_louder_than_the_voice_by_the_distance(metres):
    click = np.zeros(RATE)
    click[100] = 1
    y = sounds.distant(np.random.default_rng(1), click, metres)
    assert abs(y[100] - 1) < 1e-6 and np.abs(y[:100]).max() < 1e-6
    assert np.isclose(np.sum(y[101:] ** 2), (metres / 0.6) ** 2, rtol=0.01)
