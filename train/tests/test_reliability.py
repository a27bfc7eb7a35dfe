"""Probabilities that mean what they say, and the temperature that mends those that do not."""
import csv
import re

import made
import numpy as np
import pytest

from kws_train.reliability import best_temperature, binned, calibration_error, cross_entropy, read, tempered

WORDS = ["_silence_", "_unknown_", "no", "yes"]


def honest(n=20000, seed=1):
    """Probabilities, and right words drawn by them."""
    rng = np.random.default_rng(seed)
    prob = tempered(rng.dirichlet(np.ones(4), n), 0.4)
    return prob, (prob.cumsum(1) > rng.random((n, 1))).argmax(1)


def test_honest_ones_need_no_mending():
    prob, right = honest()
    assert calibration_error(prob, right) < 0.01 and abs(best_temperature(prob, right) - 1) < 0.03


@pytest.mark.parametrize("temperature", [0.6, 1.7])
def test_the_temperature_is_found(temperature):
    prob, right = honest()
    wrong = tempered(prob, 1 / temperature)
    assert abs(best_temperature(wrong, right) / temperature - 1) < 0.03
    mended = tempered(wrong, best_temperature(wrong, right))
    assert calibration_error(mended, right) < calibration_error(wrong, right) / 3
    assert cross_entropy(mended, right) < cross_entropy(wrong, right)
    assert (mended.argmax(1) == prob.argmax(1)).all()


def test_bins_and_the_error_by_hand():
    prob = np.array([[0.95, 0.05], [0.95, 0.05], [0.7, 0.3], [0.3, 0.7]])
    right = np.array([0, 1, 0, 1])
    assert [b[2:] for b in binned(prob, right, (0, 0.5, 0.8, 1))] == [(2, 0.7, 1.0), (2, 0.95, 0.5)]
    assert np.isclose(calibration_error(prob, right), (2 * 0.3 + 2 * 0.45) / 4)
    assert np.isclose(cross_entropy(prob, right), -np.log([0.95, 0.05, 0.7, 0.7]).mean())


def write(path, prob, expected, words=WORDS):
    with open(path, "w", newline="") as f:
        out = csv.writer(f)
        out.writerow(["file", "expected", *(f"{c}{k or ''}" for k in (0, *range(2, len(words) + 1)) for c in ("label", "prob"))])
        for i, (p, e) in enumerate(zip(prob, expected, strict=True)):
            order = np.argsort(-p)
            out.writerow([f"{i}.wav", e, *(x for k in order for x in (words[k], f"{p[k]:.6f}"))])


def test_the_command(tmp_path):
    prob, right = honest(300)
    expected = ["bed" if WORDS[k] == "_unknown_" else WORDS[k] for k in right]
    write(tmp_path / "a.csv", prob[:200], expected[:200])
    write(tmp_path / "b.csv", prob[200:], expected[200:])
    words, p, r = read(tmp_path / "a.csv")
    assert words == WORDS and np.allclose(p, prob[:200], atol=1e-6) and (r == right[:200]).all()
    out = made.call("reliability", "--said", "a.csv", "b.csv", cwd=tmp_path)
    assert f"at a temperature of {best_temperature(prob, right):g}:" in out
    out = made.call("reliability", "--said", "a.csv", "--temperature", 0.5, cwd=tmp_path)
    told = [float(x) for x in re.findall(r"cross entropy (\S+)", out)]
    want = [cross_entropy(tempered(prob[:200], t), right[:200]) for t in (1, 0.5)]
    assert "at a temperature of 0.5:" in out and np.allclose(told, want, atol=1e-3)


def test_what_cannot_be_judged(tmp_path):
    prob, right = honest(5)
    expected = [WORDS[k] for k in right]
    write(tmp_path / "a.csv", prob, expected)
    write(tmp_path / "other.csv", prob, expected, ["_silence_", "_unknown_", "no", "up"])
    write(tmp_path / "few.csv", prob[:, :3], expected, WORDS[:3])
    (tmp_path / "none.csv").write_text("file,expected,label,prob\n")
    (tmp_path / "text.csv").write_text("hello\n")
    two = "file,expected,label,prob,label2,prob2\na,yes,yes,0.9,_unknown_,0.1\n"
    (tmp_path / "unheard.csv").write_text(two + "b,yes,,,,\n")
    (tmp_path / "short.csv").write_text(two + "b,yes,yes,0.9\n")
    (tmp_path / "two.csv").write_text(two + "b,yes,no,0.9,_unknown_,0.1\n")
    (tmp_path / "percent.csv").write_text(two + "b,yes,yes,90,_unknown_,10\n")
    for names, message in ((["a.csv", "other.csv"], "a.csv and other.csv are of different words"),
                           (["few.csv"], "few.csv: the probabilities of .* are not all that there are"),
                           (["none.csv"], "none.csv: no clips"), (["text.csv"], "text.csv: no columns expected"),
                           (["unheard.csv"], "unheard.csv:3: not 2 words with their probabilities"),
                           (["short.csv"], "short.csv:3: not 2 words with their probabilities"),
                           (["percent.csv"], "percent.csv:3: not 2 words with their probabilities"),
                           (["two.csv"], "two.csv: not all clips have the same words"),
                           (["nowhere.csv"], "nowhere.csv: No such file")):
        assert re.search(message, made.call("reliability", "--said", *names, cwd=tmp_path, status=1)), names
