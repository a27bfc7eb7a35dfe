"""The package as others get it: a wheel, installed without the source beside it, and its entry point."""
import os
import pathlib
import shutil
import subprocess
import sys
import sysconfig
import zipfile

import made
import pytest

from kws_train.model_file import load_model

SMALL = ["--network", '{"dim": 16, "depth": 1, "hdim": 16, "ffn": 16}', "--steps", "2", "--batch", "3"]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """A wheel, built without a network."""
    pytest.importorskip("setuptools")
    folder = tmp_path_factory.mktemp("wheel")
    leave = shutil.ignore_patterns("runs", "build", "*.egg-info", "__pycache__")
    source = shutil.copytree(made.TRAIN, folder / "train", ignore=leave)
    done = subprocess.run([sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "--no-build-isolation", "--no-index", "-w",
                           folder, source], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return next(folder.glob("*.whl"))


@pytest.fixture(scope="module")
def program(wheel, tmp_path_factory):
    """kws-train of that wheel, in an environment that has what it needs from this one."""
    folder = tmp_path_factory.mktemp("env")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
    python = folder / "bin" / "python"
    site = run(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))", cwd=folder).strip()
    run(sys.executable, "-m", "pip", "--python", python, "install", "-q", "--no-deps", "--no-index", wheel, cwd=folder)
    with open(os.path.join(site, "needed.pth"), "w") as f:
        f.write(sysconfig.get_path("purelib") + "\n")
    return folder / "bin" / "kws-train"


def run(program, *args, cwd):
    env = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"} | {"OMP_NUM_THREADS": "1"}
    done = subprocess.run([program, *map(str, args)], cwd=cwd, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_wheel_has_all_of_the_package(wheel):
    names = zipfile.ZipFile(wheel).namelist()
    modules = {str(p.relative_to(made.TRAIN)) for p in pathlib.Path(made.TRAIN, "kws_train").rglob("*.py")}
    assert len(modules) > 40 and modules <= set(names)
    data = {os.path.basename(n) for n in names if ".data/data/share/kws-train/" in n}
    assert data == {n for n in os.listdir(made.TRAIN) if n.endswith((".json", ".tsv"))} | {"README.md", "build-model", "measure"}


def test_a_folder_of_speech_commands_becomes_a_model_in_two_commands(program, tmp_path):
    made.plain(tmp_path / "speech_commands", ["yes", "no", "marvin"])
    run(program, "manifest", "speech_commands", cwd=tmp_path)
    run(program, "train", "--data", "speech_commands", "--run", "runs/mine", *SMALL, cwd=tmp_path)
    _, _, words, meta = load_model(tmp_path / "runs" / "mine" / "model.safetensors")
    assert words[:2] == ["yes", "no"] and meta["name"] == "mine"
    where = run(program.parent / "python", "-c", "import kws_train; print(kws_train.__file__)", cwd=tmp_path)
    assert str(program.parent.parent) in where
