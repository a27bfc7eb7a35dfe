"""The Python on the pages of the documentation, run as it stands there."""
import os
import subprocess
import sys
from pathlib import Path

import pytest

TREE = Path(__file__).resolve().parents[2]


def blocks():
    """One after another, until there is none."""
    command = [sys.executable, TREE / "tests/docs.py", "--of", "python/tests/test_pages.py"]
    for n in range(1, 100):
        done = subprocess.run([*command, "--nth", str(n)], capture_output=True, text=True, check=False)
        if done.returncode:
            assert n > 1, done.stderr
            return
        yield done.stdout


@pytest.mark.parametrize("block", list(blocks()))
def test_a_block_runs(block):
    env = os.environ | {"PYTHONWARNINGS": "error"}
    done = subprocess.run([sys.executable, "-c", block], cwd=TREE, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "left" in done.stdout or "Spotter" in block
