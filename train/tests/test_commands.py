"""Every command of README.md once, as a user types it, on a tiny corpus: so none can ship dead."""
import importlib
import json
import os
import re
import shutil
import subprocess
import sys

import made
import numpy as np
import pytest
import soundfile

from kws_train.__main__ import COMMANDS
from kws_train.data import SILENCE, UNKNOWN
from kws_train.model_file import load_model

SMALL = ["--network", '{"dim": 16, "depth": 1, "hdim": 16, "ffn": 16}', "--steps", "4", "--batch", "6", "--every", "2"]
FEW = ["--versions", "0-1", "--silences", "20", "--cuts", "2"]
GOLDEN = os.path.join(made.ROOT, "tests", "golden")


@pytest.fixture(scope="module")
def pipeline(tmp_path_factory, corpus, teacher):
    """All of README's table from augmented copies to the file that ships, in one folder."""
    cwd = tmp_path_factory.mktemp("pipeline")
    run = lambda *args: made.run(*args, cwd=cwd)
    data, wide, bands = ["--data", corpus], [f"runs/shards/v0{v}.npz" for v in (0, 1)], [f"runs/bands/v0{v}.npz" for v in (0, 1)]
    run("augment", *data, "--teacher", teacher, *FEW)
    run("augment", *data, "--again", "runs/shards", "--features", "speech-embedding", "--out", "runs/bands", *FEW)
    run("teacher", "--shards", wide[0], "--heads", "conv", "--epochs", 1)
    run("teacher", "--label", "--shards", wide[1], "--heads", "conv")
    run("dense", *data, "--teacher", teacher)
    run("train", *data, "--shards", *wide, "--dense", "runs/dense.npz", "--run", "runs/first", *SMALL)
    run("label", "--checkpoint", "runs/first/last.pt", "--heard", *wide, "--shards", *bands)
    trunk = ["train", *data, "--teacher", teacher, "--shards", *bands, *SMALL]
    run(*trunk, "--run", "runs/trunk", "--stop", 2)
    run(*trunk, "--run", "runs/a", "--init", "runs/trunk/last.pt")
    run(*trunk, "--run", "runs/b", "--init", "runs/trunk/last.pt", "--splits", "train,val")
    run("export", "--checkpoint", "runs/a/last.pt", "runs/b/last.pt", "--prior", f"{UNKNOWN}=0.5", "--out", "mine.safetensors")
    return cwd


def test_readme_and_usage_name_every_command():
    with open(os.path.join(made.TRAIN, "README.md")) as f:
        readme = f.read()
    assert set(re.findall(r"`(?:python -m kws_train|kws-train) ([a-z]+)", readme)) == set(COMMANDS)
    assert all(f"\n  {name} " in made.run("--help", cwd=".") for name in COMMANDS)


def test_the_pipeline_makes_a_model_of_the_corpus(pipeline):
    net, cfg, words, meta = load_model(pipeline / "mine.safetensors")
    assert words == made.WORDS and meta["name"] == "mine" and cfg.mel == "slaney"
    assert net.pool * net.step == 100  # one second, also with the teacher's stem
    assert json.loads(meta["measured"]) == {} and "licence" not in meta
    assert len(json.loads(meta["training"])["mean_of"]) == 2


def test_the_shards_are_of_the_same_audio(pipeline):
    wide, bands = (np.load(pipeline / "runs" / f / "v01.npz") for f in ("shards", "bands"))
    for field in ("embed", "label", "kind", "val", "group", "audio", "words"):
        assert np.array_equal(wide[field], bands[field])
    assert wide["features"] != bands["features"] and not np.array_equal(wide["frames"], bands["frames"])
    assert json.loads(str(wide["words"])) == made.WORDS


@pytest.fixture(scope="module")
def unheard(pipeline, corpus):
    """A folder of shards that no teacher heard, made by two processes."""
    out = "runs/unheard"
    made.run("augment", "--data", corpus, "--features", "speech-embedding", "--out", out, *FEW, "--jobs", 2, cwd=pipeline)
    return out


def test_shards_are_the_same_by_however_many_processes_and_without_a_teacher(pipeline, unheard):
    heard, alone = (np.load(pipeline / f / "v01.npz") for f in ("runs/bands", unheard))
    for field in ("frames", "label", "kind", "val", "group", "audio", "words"):
        assert np.array_equal(heard[field], alone[field])
    assert np.isnan(alone["embed"]).all()
    said = made.run("teacher", "--shards", f"{unheard}/v00.npz", cwd=pipeline, status=1)
    assert f"{unheard}/v00.npz: no teacher heard it" in said


def test_elders_label_what_no_teacher_heard(pipeline, corpus, unheard):
    args = ["train", "--data", corpus, "--shards", f"{unheard}/v01.npz", *SMALL]
    assert "v01.soft.npy: not there" in made.run(*args, "--run", "runs/none", cwd=pipeline, status=1)
    made.run(*args, "--run", "runs/young", "--elders", "runs/trunk/last.pt", "--commands", "beta", "--clean", "1", cwd=pipeline)
    assert load_model(pipeline / "runs" / "young" / "model.safetensors")[2] == ["beta", UNKNOWN, SILENCE]
    said = made.run(*args, "--run", "runs/none", "--elders", "runs/young/model.safetensors", cwd=pipeline, status=1)
    assert "runs/young/model.safetensors and the corpus are of different words" in said


def test_a_device_that_is_not_there(corpus, tmp_path):
    said = made.run("train", "--data", corpus, "--run", "none", "--device", "abacus", cwd=tmp_path, status=2)
    assert "--device: 'abacus': " in said and not (tmp_path / "none").exists()


def test_what_a_run_says_it_measured(pipeline):
    of = lambda run: json.loads(load_model(pipeline / "runs" / run / "model.safetensors")[3]["measured"])
    assert list(of("a")) == ["val_accuracy"]
    assert list(of("b")) == ["val_accuracy_trained_on_val"]
    assert load_model(pipeline / "runs" / "a" / "model.safetensors")[3]["name"] == "a"


def test_a_finished_run_is_not_done_again(pipeline, corpus):
    before = (pipeline / "runs" / "first" / "last.pt").read_bytes()
    args = ["train", "--data", corpus, "--shards", "runs/shards/v00.npz", "runs/shards/v01.npz", "--run", "runs/first", *SMALL]
    made.run(*args, cwd=pipeline)
    assert (pipeline / "runs" / "first" / "last.pt").read_bytes() == before
    assert "last.pt is of another seed or corpus" in made.run(*args, "--seed", 2, cwd=pipeline, status=1)


def test_the_same_seed_trains_the_same_network(corpus, tmp_path):
    for name in ("a", "b"):
        made.call("train", "--data", corpus, "--run", name, *SMALL, cwd=tmp_path)
    made.call("train", "--data", corpus, "--run", "c", *SMALL, "--stop", 2, cwd=tmp_path)
    made.call("train", "--data", corpus, "--run", "c", *SMALL, cwd=tmp_path)  # goes on
    a, b, c = (load_model(tmp_path / name / "model.safetensors")[0].state_dict() for name in "abc")
    assert all(a[k].equal(b[k]) and a[k].equal(c[k]) for k in a)


def test_c_runs_the_model(pipeline, corpus, kws):
    said = json.loads(subprocess.run([kws, "model", "--format", "jsonl", "mine.safetensors"], cwd=pipeline, check=True,
                                     capture_output=True).stdout)
    assert said["words"] == made.WORDS and said["name"] == "mine"
    clip = os.path.join(corpus, "commands", "alpha", "s0.flac")
    out = subprocess.run([kws, "classify", "-m", "mine.safetensors", clip], cwd=pipeline, check=True, capture_output=True)
    assert out.stdout.decode().splitlines()[1].split()[0] in made.WORDS


def test_mix(corpus, tmp_path):
    made.run("mix", "--data", corpus, "--out", "m.flac", "--seconds", 30, "--commands", "beta,alpha,beta", "--sources",
             "--noise", "hiss1", cwd=tmp_path)
    lines = [line.split("\t") for line in (tmp_path / "m.tsv").read_text().splitlines()]
    assert [line[2] for line in lines] == ["word", "beta", "alpha", "beta"]
    assert soundfile.info(str(tmp_path / "m.flac")).duration == 30
    assert "noise/hiss1.flac" in (tmp_path / "m.sources.tsv").read_text()


def test_golden_files_are_those_that_are_there(pipeline, tmp_path):
    shutil.copy(os.path.join(GOLDEN, "speech.flac"), tmp_path)
    made.run("golden", tmp_path, "--model", pipeline / "mine.safetensors", cwd=tmp_path)
    assert (tmp_path / "speech_mine.safetensors").exists()
    from safetensors.numpy import load_file
    theirs = [n for n in os.listdir(GOLDEN) if n.endswith(".safetensors") and (n.startswith("net_") or "frames" in
              load_file(os.path.join(GOLDEN, n)))]
    assert len(theirs) > 20
    for name in theirs:
        new, old = load_file(tmp_path / name), load_file(os.path.join(GOLDEN, name))
        assert set(new) == set(old) and all(np.allclose(new[k], old[k], atol=1e-5) for k in old), name


def script(name, *args, cwd, **env):
    """A script of train/, with `python` the one that runs the tests."""
    bin_dir = cwd / "bin"
    bin_dir.mkdir(exist_ok=True)
    if not (bin_dir / "python").exists():
        (bin_dir / "python").write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
        (bin_dir / "python").chmod(0o755)
    env = os.environ | {"PATH": f"{bin_dir}:{os.environ['PATH']}", "PYTHONPATH": made.TRAIN, "OMP_NUM_THREADS": "1"} | env
    return subprocess.run([os.path.join(made.TRAIN, name), *map(str, args)], cwd=cwd, env=env, capture_output=True, text=True,
                          check=False)


def assert_adds_up(said):
    """The clips by speaker are the clean ones without the silences: as many, and as many of them right."""
    part = re.search(r"speakers: \d+ with most errors ([\d.]+) % of (\d+) clips, all others ([\d.]+) % of (\d+)", said)
    right = sum(round(float(part[k]) * int(part[k + 1]) / 100) for k in (1, 3))
    rows = re.findall(r"^(\w+) +(\d+) +(\d+) +[\d.]+ %", said, re.M)
    clips = [(int(n), int(ok)) for word, n, ok in rows if word != SILENCE]
    assert (int(part[2]) + int(part[4]), right) == tuple(map(sum, zip(*clips, strict=True)))


def test_measure(pipeline, corpus, tmp_path, kws):
    model = pipeline / "mine.safetensors"
    done = script("measure", corpus, model, "out", cwd=tmp_path, KWS=kws, MIX_SECONDS="20")
    assert done.returncode == 0, done.stdout + done.stderr
    for part in ("clean", "stream-snr20", "telephone8k", "rate48k", "room4m", "gsm8k", "# misses in mixes",
                 "# events where no command"):
        assert part in done.stdout
    assert "0 words said in 0 recordings" in done.stdout.split("# events")[1]
    assert_adds_up(done.stdout)
    assert re.search(r"^voices .*: \d+ speakers, [\d.]+ % of \d+ clips$", done.stdout, re.M)
    (tmp_path / "said.tsv").write_text("recording\tstart\tend\tword\ntalk1.flac\t1.2\t1.5\talpha\n")
    done = script("measure", corpus, model, "out", cwd=tmp_path, KWS=kws, MIX_SECONDS="20", SAID=str(tmp_path / "said.tsv"))
    assert "1 words said in 1 recordings" in done.stdout.split("# events")[1]
    other = made.corpus(tmp_path / "other", speech=0)
    done = script("measure", other, model, "out", cwd=tmp_path, KWS=kws, MIX_SECONDS="20")
    assert done.returncode == 1 and "out: is of another corpus" in done.stderr
    done = script("measure", corpus, model, "out", cwd=tmp_path, KWS=kws, SPLIT="held")
    assert done.returncode == 1 and "or split" in done.stderr
    done = script("measure", other, model, "out2", cwd=tmp_path, KWS=kws, MIX_SECONDS="20")  # without speech and orders
    assert done.returncode == 0, done.stdout + done.stderr


def test_build_model_runs_only_commands_and_options_that_there_are(tmp_path, corpus, teacher):
    """The script with a kws_train that writes down its command lines, which are then taken apart by the real one."""
    (tmp_path / "kws_train").mkdir()
    (tmp_path / "kws_train" / "__main__.py").write_text("import json, sys\nprint(json.dumps(sys.argv[1:]))\n")
    (tmp_path / "runs" / "all").mkdir(parents=True)
    for v in range(13):  # the script has the shell find these
        (tmp_path / "runs" / "all" / f"v{v:02d}.npz").touch()
    done = script("build-model", corpus, teacher, cwd=tmp_path, PYTHONPATH=str(tmp_path))
    assert done.returncode == 0, done.stdout + done.stderr
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    known = {"words", "augment", "teacher", "dense", "label", "train", "export", "quantise", "golden", "base",
             "negatives", "wake", "enrol"}
    assert {command for command, *_ in lines} == known
    trained = set()
    for command, *args in lines:
        a = importlib.import_module(f"kws_train.{command}").options().parse_args(args)
        assert getattr(a, "data", corpus) in (corpus, "runs/words") and getattr(a, "teacher", None) in (None, teacher)
        needed = {"train": lambda a: [*(a.init or []), *a.elders], "export": lambda a: a.checkpoint}.get(command, lambda a: [])(a)
        assert set(needed) <= trained, needed  # nothing begins with, learns from or is the mean of what comes later
        if command == "train":
            trained.add(f"{a.run}/last.pt")
        assert command != "export" or os.path.exists(os.path.join(made.TRAIN, a.card))


def test_other_words_train_and_are_accepted(tmp_path, kws):
    for n in (1, 3, 20):
        words = [f"word{i}" for i in range(n)]
        data = made.corpus(tmp_path / f"c{n}", words, speakers=("train", "train", "val"), speech=0)
        made.call("train", "--data", data, "--cache", f"cache{n}", "--run", f"r{n}", *SMALL, cwd=tmp_path)
        made.call("export", "--checkpoint", f"r{n}/last.pt", "--out", f"m{n}.safetensors", "--name", "käse", cwd=tmp_path)
        said = json.loads(subprocess.run([kws, "model", "--format", "jsonl", f"m{n}.safetensors"], cwd=tmp_path, check=True,
                                         capture_output=True).stdout)
        assert said["words"] == [*words, UNKNOWN, SILENCE] and said["name"] == "käse"
