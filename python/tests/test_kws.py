"""The binding says what the programs say, whatever is cut, grouped or refused."""
import json
import os
import subprocess
import warnings
from pathlib import Path

import numpy as np
import pytest
import soundfile

import kws

TREE = Path(__file__).resolve().parents[2]
MODEL = TREE / "config/models/commands-12.safetensors"
DEMO = TREE / "tests/data/demo.flac"
KWS = Path(os.environ.get("KWS_BUILD", TREE / "build")) / "kws"


@pytest.fixture(scope="module")
def model():
    return kws.Model(MODEL)


@pytest.fixture(scope="module")
def demo():
    samples, rate = soundfile.read(DEMO, dtype="float32")
    return samples if samples.ndim == 1 else samples.mean(axis=1), rate


@pytest.fixture(scope="module")
def events(model):
    return list(kws.spot(DEMO, model))


def program(*arguments):
    if not KWS.exists():
        pytest.skip(f"{KWS} is not built")
    return subprocess.run([KWS, *arguments], capture_output=True, text=True, check=True).stdout


def test_model_says_what_is_in_the_file(model):
    assert model.name == "commands-12" and len(model.hash) == 64 and model.rate_hz == 16000
    assert model.words[:2] == ("yes", "no") and model.words[-1] == "_silence_"
    assert set(model.thresholds) == set(model.words) - {"_unknown_", "_silence_"}
    assert model.hears_streams and "commands-12" in repr(model)
    assert kws.version() in (TREE / "include/kws/kws.h").read_text()


def test_paths_with_a_nul_are_refused():
    with pytest.raises(ValueError, match="NUL"):
        kws.Model(f"{MODEL}\0x")
    with pytest.raises(ValueError, match="NUL"):
        list(kws.spot(f"{DEMO}\0x", MODEL))


def test_events_are_those_of_the_program(events):
    lines_as_they_are = program("spot", "-m", MODEL, "--format", "jsonl", DEMO).splitlines()
    lines = [json.loads(line) for line in lines_as_they_are]
    assert len(lines) == len(events) >= 5
    for line, event in zip(lines, events, strict=True):
        assert (line["word"], line["start_sample"], line["end_sample"], line["decided_sample"]) == (
            event.word, event.start_sample, event.end_sample, event.decided_sample)
        for key in ("score", "threshold", "level_dbfs", "snr_db", "start", "end", "decided"):
            assert line[key] == pytest.approx(getattr(event, key), abs=1e-6)
        assert event.margin == event.score - event.threshold > 0
        assert event.as_dict() == line and event.json() in lines_as_they_are


def test_events_fit_the_schema(events, model, demo):
    jsonschema = pytest.importorskip("jsonschema")
    validator = jsonschema.Draft202012Validator(json.loads((TREE / "docs/event.schema.json").read_text()))
    validator.check_schema(validator.schema)
    samples, rate = demo
    streamed = list(kws.Spotter(model, rate).events([samples]))
    assert streamed == events
    for event in [*events, *streamed]:
        validator.validate(event.as_dict())
    assert events[0].as_dict()["file"] == str(DEMO) and "file" not in streamed[0].as_dict()
    with pytest.raises(jsonschema.ValidationError):
        validator.validate(events[0].as_dict() | {"score": 2})


@pytest.mark.parametrize("cut", [1, 160, 777, 100_000])
def test_cuts_do_not_matter(model, demo, events, cut):
    samples, rate = demo
    samples = samples[:3 * rate] if cut == 1 else samples
    want = [e for e in events if cut > 1 or e.decided_sample < 3 * rate - 4000]
    spotter = kws.Spotter(model, rate)
    blocks = (samples[i:i + cut] for i in range(0, len(samples), cut))
    got = [e for e in spotter.events(blocks) if cut > 1 or e.decided_sample < 3 * rate - 4000]
    assert got == want
    assert spotter.heard == len(samples) / rate
    spotter.reset()
    assert spotter.heard == 0


def test_a_group_hears_as_each_alone(model, demo, events):
    samples, rate = demo
    group = kws.Group(model)
    spotters = [group.spotter(rate) for _ in range(12)]
    heard = [[] for _ in spotters]
    for i in range(0, len(samples), 640):
        for mine, new in zip(heard, group.process([(s, samples[i:i + 640]) for s in spotters]), strict=True):
            mine += new
    for mine, spotter in zip(heard, spotters, strict=True):
        assert mine + spotter.flush() == events
    with pytest.raises(ValueError, match="twice"):
        group.process([(spotters[0], samples[:1])] * 2)
    with pytest.raises(ValueError, match="another group"):
        group.process([(kws.Spotter(model), samples[:1])])


def test_thresholds(model, demo, events):
    samples, rate = demo
    word = events[0].word
    without = list(kws.Spotter(model, rate, threshold={word: 2.0}).events([samples]))
    assert word not in {e.word for e in without} and without
    spotter = kws.Spotter(model, rate, threshold=2.0)
    assert spotter.process(samples[:rate]) == []
    spotter.configure()
    spotter.reset()
    assert spotter.process(samples) + spotter.flush() == events
    with pytest.raises(ValueError, match="'maybe' is no command of commands-12: yes no"):
        kws.Spotter(model, threshold={"maybe": 0.5})
    with pytest.raises(kws.Error, match=r"config.threshold: yes: -0.5") as e:
        kws.Spotter(model, threshold={"yes": -0.5})
    assert e.value.status == "KWS_ERR_ARG"


def test_frames(model, demo):
    samples, rate = demo
    frames = []
    spotter = kws.Spotter(model, rate, on_frame=frames.append)
    spotter.process(samples[:rate])
    assert [f.time for f in frames] == pytest.approx(np.arange(1, 26) / 25)
    assert all(f.probabilities.sum() == pytest.approx(1, abs=1e-5) for f in frames)
    assert all(f.level.shape == (4,) and f.embedding.shape == (80,) and f.mel.shape == (4, 40) for f in frames)
    power = [(np.log(f.level).mean(), f.mel.mean()) for f in frames]
    assert np.corrcoef(np.transpose(power))[0, 1] > 0.7
    assert (frames[-1].scores == spotter.scores).all()

    def fail(frame):
        raise RuntimeError("no more")

    with pytest.raises(RuntimeError, match="no more"):
        kws.Spotter(model, rate, on_frame=fail).process(samples[:rate])


def test_classify_as_the_program(model, tmp_path, events, demo):
    samples, rate = demo
    first = events[0]
    clip = tmp_path / "clip.wav"
    begin = max(0, first.end_sample - 12000)
    soundfile.write(clip, samples[begin:begin + 16000], rate, subtype="FLOAT")
    got = kws.classify(clip, model)
    line = json.loads(program("classify", "-m", MODEL, "--format", "jsonl", clip))
    assert got.word == line["label"] == first.word
    assert got.probabilities.sum() == pytest.approx(1, abs=1e-5)
    assert got.probability == got.probabilities.max()
    assert kws.classify(clip, model, at_end=True).probabilities.shape == (12,)


def test_two_channels(model, demo, events, tmp_path):
    samples, rate = demo
    both = tmp_path / "both.wav"
    soundfile.write(both, np.stack([samples, np.zeros_like(samples)], axis=1), rate, subtype="FLOAT")
    assert list(kws.spot(both, model, channel=1)) == events
    with pytest.warns(kws.SoundWarning, match="digital silence"):
        assert list(kws.spot(both, model, channel=2)) == []
    with pytest.raises(kws.Error, match=r"channel 3 is not in 1..2"):
        kws.spot(both, model, channel=3)
    with pytest.raises(ValueError, match=r"channel 0 is not counted"):
        kws.spot(both, model, channel=0)


def test_files_to_their_real_end(model, demo, tmp_path):
    """As the program: a recorder that was killed, Ogg and MP3 one behind the other, what is cut off; and what is said of it."""
    samples, rate = demo
    whole = tmp_path / "whole.wav"
    soundfile.write(whole, samples, rate)
    want = list(kws.spot(whole, model))
    assert want
    data = bytearray(whole.read_bytes())
    at = data.index(b"data") + 4
    data[at:at + 4] = bytes(4)
    (tmp_path / "killed.wav").write_bytes(data)
    with pytest.warns(kws.SoundWarning, match="the header says 0 samples"):
        assert list(kws.spot(tmp_path / "killed.wav", model)) == want
    (tmp_path / "cut.wav").write_bytes(whole.read_bytes()[:-1000])
    with pytest.warns(kws.SoundWarning, match="cut off"):
        assert list(kws.spot(tmp_path / "cut.wav", model))[:len(want) - 1] == want[:-1]
    with pytest.warns(kws.SoundWarning, match="cut off"):
        kws.classify(tmp_path / "cut.wav", model)
    for kind in ["ogg", "mp3"]:
        one, two = tmp_path / f"one.{kind}", tmp_path / f"two.{kind}"
        soundfile.write(one, samples, rate)
        two.write_bytes(one.read_bytes() * 2)
        with warnings.catch_warnings(record=True):  # MP3 counts its frames, wrongly now
            got = [(e.word, e.start_sample) for e in kws.spot(two, model)]
        lines = program("spot", "-m", MODEL, "--format", "jsonl", two).splitlines()
        assert got == [(e["word"], e["start_sample"]) for e in map(json.loads, lines)]
        assert len(got) == 2 * len(list(kws.spot(one, model)))
    soundfile.write(whole, np.stack([samples, -samples], axis=1), rate)
    with pytest.warns(kws.SoundWarning, match="cancel each other: .*channel=1"):
        assert list(kws.spot(whole, model)) == []


def test_refusals(model, tmp_path, monkeypatch):
    with pytest.raises(kws.Error, match="No such file") as e:
        kws.Model(tmp_path / "none.safetensors")
    assert e.value.status == "KWS_ERR_IO"
    (tmp_path / "bad.safetensors").write_bytes(b"0" * 100)
    with pytest.raises(kws.Error, match=r"bad.safetensors"):
        kws.Model(tmp_path / "bad.safetensors")
    (tmp_path / "text.wav").write_bytes(b"no sound at all, only words")
    with pytest.raises(kws.Error, match=r"text.wav: its format is not known"):
        kws.spot(tmp_path / "text.wav", model)
    with pytest.raises(kws.Error, match="rate: 100 Hz"):
        kws.Spotter(model, 100)
    with pytest.raises(ValueError, match="one channel"):
        kws.Spotter(model).process(np.zeros((10, 2), np.float32))
    with pytest.raises(TypeError, match="divide int16"):
        kws.Spotter(model).process(np.zeros(10, np.int16))
    monkeypatch.delenv("KWS_MODEL", raising=False)
    with pytest.raises(ValueError, match="KWS_MODEL"):
        kws.Model()
    monkeypatch.setenv("KWS_MODEL", str(MODEL))
    assert kws.Model().hash == model.hash


def test_cascade_as_the_program(demo):
    samples, rate = demo
    other = TREE / "config/models/fastformer-12.safetensors"
    lines = program("spot", "-m", f"wake={MODEL}", "-m", f"lights={other}", "--after", "lights=wake", "--within", "3",
                    "--threshold", "lights:yes=off", "--format", "jsonl", DEMO).splitlines()
    cascade = kws.Cascade({"wake": MODEL, "lights": other}, rate, after={"lights": "wake"}, within={"lights": 3.0},
                          threshold={"lights": {"yes": 2.0}}, file="tests/data/demo.flac")
    for _ in range(2):
        events = list(cascade.events(samples[i:i + 777] for i in range(0, samples.size, 777)))
        got = [e.as_dict() | {"file": str(DEMO), "id": "", "after_id": ""} for e in events]
        assert got == [json.loads(line) | {"file": str(DEMO), "id": "", "after_id": ""} for line in lines]
        gated = [e for e in events if e.spotter == "lights"]
        assert gated and all(e.after and e.after_id in [w.as_dict()["id"] for w in events] for e in gated)
        assert all(e.after is None and e.after_id is None for e in events if e.spotter == "wake")
        cascade.reset()


def test_cascade_refuses_by_name(model):
    with pytest.raises(kws.Error, match="a b: a name has"):
        kws.Cascade({"a b": model})
    with pytest.raises(kws.Error, match="a after b: a circle"):
        kws.Cascade({"a": model, "b": model}, after={"b": "a", "a": "b"})
    with pytest.raises(kws.Error, match="c: no model has that name"):
        kws.Cascade({"a": model}, after={"a": "c"})
    for wrong in ({"after": {"c": "a"}}, {"within": {"c": 1}}, {"threshold": {"c": 1}}):
        with pytest.raises(ValueError, match="no model is called 'c': a"):
            kws.Cascade({"a": model}, **wrong)
