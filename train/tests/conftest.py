"""What several test modules need."""
import os
from types import SimpleNamespace

import made
import pytest

from kws_train.picture import Picture


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


@pytest.fixture
def drawn(monkeypatch):
    """What pictures are made of while the test runs, in the order in which it is drawn: letters are outlines in an SVG."""
    found = SimpleNamespace(texts=[], curves=[], dots=[])

    def watch(name, of):
        draw = getattr(Picture, name)
        monkeypatch.setattr(Picture, name, lambda p, *at, **more: (of(*at), draw(p, *at, **more))[1])

    watch("text", lambda x, y, text, *_: found.texts.append(text))
    watch("curve", lambda points, *_: found.curves.append(points))
    watch("dot", lambda x, y, *_: found.dots.append((x, y)))
    return found
