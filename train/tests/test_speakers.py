"""People by their errors, and by the pitch of their voices."""
import made
import numpy as np
import pytest
import soundfile

from kws_train.data import RATE
from kws_train.model import Net, network_spec
from kws_train.speakers import by_errors, by_pitch, people, pitches


def voice(hz, seconds=0.6, rng=None):
    """A tone with many harmonics, as of a voice, in a little noise."""
    t = np.arange(int(seconds * RATE)) / RATE
    x = sum(np.sin(2 * np.pi * hz * k * t + k) / k for k in range(1, 15) if hz * k < RATE / 2)
    return 0.1 * x + 0.01 * (rng or np.random.default_rng(1)).standard_normal(len(t))


@pytest.mark.parametrize("hz", [80, 110, 163, 210, 300, 390])
def test_the_pitch_of_a_voice_is_found(hz):
    found = pitches(np.concatenate([np.zeros(4000), voice(hz), np.zeros(4000)]))
    assert len(found) > 20 and abs(np.median(found) / hz - 1) < 0.02


def test_noise_and_nothing_have_no_pitch():
    assert len(pitches(np.random.default_rng(1).standard_normal(RATE))) == 0
    assert len(pitches(np.zeros(RATE))) == 0 and len(pitches(np.zeros(10))) == 0


def test_those_with_most_errors_are_apart():
    right = {f"s{i}": [True] * 5 for i in range(11)} | {"poor": [False, False, True], "poorer": [False, False]}
    assert by_errors(right) == "13 speakers: 2 with most errors 20.00 % of 5 clips, all others 100.00 % of 55"


def test_voices_are_grouped_by_pitch():
    right = {"low": [True, False], "high": [True], "higher": [False], "whisper": [True]}
    lines = list(by_pitch(right, {"low": 120.0, "high": 165.0, "higher": 300.0, "whisper": np.nan}))
    assert lines == ["voices below 165 Hz: 1 speakers, 50.00 % of 2 clips",
                     "voices 165 to 255 Hz: 1 speakers, 100.00 % of 1 clips",
                     "voices above 255 Hz: 1 speakers, 0.00 % of 1 clips",
                     "voices of no pitch: 1 speakers, 100.00 % of 1 clips"]


def test_other_words_are_right_as_unknown_and_nobody_is_left_out():
    clips = [{"path": f"{i}.wav", "speaker": s} for i, s in enumerate(["a", "a", "b", "-"])]
    said = [{"file": f"{i}.wav", "expected": e, "label": g} for i, (e, g) in enumerate(
        [("yes", "yes"), ("bed", "_unknown_"), ("bed", "yes"), ("_silence_", "_silence_")])]
    right, paths = people(clips, said, ["yes", "_unknown_", "_silence_"], "said.csv")
    assert right == {"a": [True, True], "b": [False]} and paths["a"] == ["0.wav", "1.wav"]
    with pytest.raises(SystemExit, match=r"said.csv: 9.wav is not in the list"):
        people(clips, [{"file": "9.wav", "expected": "yes", "label": "yes"}], ["yes"], "said.csv")


def test_the_command(tmp_path):
    net = Net(network_spec(dim=8, hdim=8, depth=1), 40, 3)
    made.checkpoint(net, tmp_path / "m.pt", ["yes", "_unknown_", "_silence_"])
    made.call("export", "--checkpoint", "m.pt", "--out", "m.safetensors", cwd=tmp_path)
    for name, hz in (("0.wav", 120), ("1.wav", 220)):
        soundfile.write(tmp_path / name, voice(hz), RATE)
    (tmp_path / "list.tsv").write_text("path\tword\tspeaker\n0.wav\tyes\tann\n1.wav\tyes\tbob\n")
    (tmp_path / "said.csv").write_text("file,expected,label,prob\n0.wav,yes,yes,0.9\n1.wav,yes,_unknown_,0.6\n")
    args = ["speakers", "--model", "m.safetensors", "--list", "list.tsv", "--said"]
    said = made.run(*args, "said.csv", cwd=tmp_path)
    assert "voices below 165 Hz: 1 speakers, 100.00 % of 1 clips" in said and "voices 165 to 255 Hz: 1 speakers, 0.00 %" in said
    assert "none.csv: No such file" in made.run(*args, "none.csv", cwd=tmp_path, status=1)
    assert "list.tsv: no column expected, file, label" in made.run(*args, "list.tsv", cwd=tmp_path, status=1)
