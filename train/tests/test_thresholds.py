"""Thresholds: what costs least is chosen, a word gets its own only for a gain, and a card takes the decision."""
import json
from types import SimpleNamespace

import made
import numpy as np
import pytest
import soundfile
from test_quantise import model

from kws_train.export import check_decision
from kws_train.thresholds import choose, decided, least

STEPS = [0.7, 0.8, 0.9]


def curves(**words):
    """counts() of words: by threshold the misses, the false alarms in mixes, the false alarms in silence."""
    of = lambda part: {w: {t: part(*row) for t, row in zip(STEPS, rows, strict=True)} for w, rows in words.items()}
    return of(lambda missed, false, _: (10, missed, false)), of(lambda _missed, _false, quiet: (0, 0, quiet))


def chosen(a=None, **words):
    a = SimpleNamespace(**{"price": 2, "among": 0.25, "gain": 2, **(a or {})})
    return choose(*curves(**words), list(words), STEPS, a)


def test_the_least_cost_is_for_all_and_a_gain_for_one():
    plain = [(1, 0, 2), (1, 0, 0), (6, 0, 0)]  # 0.8
    loud = [(0, 0, 5), (0, 0, 3), (1, 0, 0)]  # 10, 6, 1
    assert chosen(yes=plain, no=plain, up=loud) == (0.8, {"up": 0.9})
    assert chosen({"gain": 6}, yes=plain, no=plain, up=loud) == (0.8, {})
    assert chosen({"price": 0}, yes=plain, no=plain, up=loud) == (0.8, {})
    shy = [(0, 0, 0), (3, 0, 0), (5, 0, 0)]
    assert chosen(yes=plain, no=plain, up=shy) == (0.8, {"up": 0.7})


def test_false_alarms_in_mixes_count_a_little():
    word = [(0, 9, 0), (2, 0, 0), (9, 0, 0)]
    assert chosen(yes=word)[0] == 0.8
    assert chosen({"among": 0.2}, yes=word)[0] == 0.7


def test_of_equals_the_nearest():
    assert least({0.6: 1, 0.7: 1, 0.8: 2, 0.9: 1}, 0.8) == 0.7
    assert least({0.6: 1, 0.75: 1, 0.9: 0}, 0.8) == 0.9


def test_the_times_are_those_of_the_model():
    times = {"smooth_ms": 160, "refractory_ms": 500, "wait_ms": 400}
    before = {**times, "threshold": 0.5, "thresholds": {"no": 0.6}}
    assert decided(before, 0.7, {}) == {**times, "threshold": 0.7, "thresholds": {}}


@pytest.fixture(scope="module")
def sounds(tmp_path_factory, corpus):
    cwd = tmp_path_factory.mktemp("thresholds")
    model(cwd / "m.safetensors")
    made.call("mix", "--data", corpus, "--seconds", 30, "--out", "mix.flac", cwd=cwd)
    (cwd / "silent").mkdir()
    soundfile.write(cwd / "silent" / "hiss.flac", made.noise(4), 16000)
    soundfile.write(cwd / "silent" / "said.flac", made.noise(5), 16000)
    (cwd / "silent" / "said.tsv").write_text("start\tend\tword\n1\t2\talpha\n")
    return cwd


def test_it_prints_a_decision_that_export_takes(sounds, kws):
    args = ["thresholds", "--model", "m.safetensors", "--said", "mix.flac", "--silent", "silent"]
    decision = json.loads(made.call(*args, "--kws", kws, cwd=sounds))
    check_decision(decision, made.WORDS, "printed")
    assert set(decision) == {"smooth_ms", "refractory_ms", "threshold", "thresholds"}
    assert np.isclose(decision["threshold"] * 20 % 1, 0)


def test_what_cannot_be_chosen_from(sounds, kws):
    args = ["thresholds", "--model", "m.safetensors", "--silent", "silent", "--kws", kws]
    assert "none of alpha, beta, gamma is said" in made.call(*args, "--said", "silent/hiss.flac", cwd=sounds, status=1)
    between = ["--lowest", 0.61, "--highest", 0.64]
    assert "no multiple of 0.05" in made.call(*args, "--said", "mix.flac", *between, cwd=sounds, status=2)
    assert "nothing.flac" in made.call(*args, "--said", "nothing.flac", cwd=sounds, status=1)
