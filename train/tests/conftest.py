"""What several test modules need."""
import os

import made
import pytest


@pytest.fixture
def checkpoint():
    """Writes a Net of the default features to a path, as `train` does."""
    return made.checkpoint


@pytest.fixture(scope="session")
def corpus(tmp_path_factory):
    """A tiny corpus of three words; its folder is not to be changed."""
    return made.corpus(tmp_path_factory.mktemp("corpus"))


@pytest.fixture(scope="session")
def teacher(tmp_path_factory):
    """The folder of the teacher: $TEACHER, or one made here."""
    folder = os.environ.get("TEACHER")
    return os.path.abspath(folder) if folder else made.teacher(tmp_path_factory.mktemp("teacher"))


@pytest.fixture
def kws():
    """The C program."""
    path = made.kws()
    if not path:
        pytest.skip("no kws: neither $KWS nor build/kws is there (make)")
    return path
