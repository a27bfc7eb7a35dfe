"""Recordings, to their real end."""
from __future__ import annotations

import os
import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np

from ._base import Samples, _c_path, _check
from ._binding import ffi, lib
from ._classifier import Classification, Classifier
from ._events import Event
from ._model import Model
from ._spotter import Spotter

#: Samples that are read from a file at a time.
_BLOCK = 16384


class SoundWarning(UserWarning):
    """What could not be heard of a recording, or what is wrong with its sound: cut off, clipped, channels that cancel."""


def _blocks(path: str | os.PathLike[str], channel: int | None) -> tuple[int, Iterator[Samples]]:
    """The rate of a recording, and its samples: the mean of all channels, or one of them, counted from 1."""
    if channel is not None and channel < 1:
        raise ValueError(f"{path}: channel {channel} is not counted from 1")
    out, error = ffi.new("kws_source **"), ffi.new("kws_error *")
    _check(lib.kws_source_open_file(out, _c_path(path), channel or 0, error), error)
    source = ffi.gc(out[0], lib.kws_source_close)

    def read() -> Iterator[Samples]:
        got, status = ffi.new("size_t *"), lib.KWS_OK
        while True:
            block = np.empty(_BLOCK, np.float32)
            status = lib.kws_source_read(source, ffi.from_buffer("float[]", block), _BLOCK, got, error)
            if got[0]:
                yield block[:got[0]]
            if status != lib.KWS_OK or not got[0]:
                break
        _warn(path, source, ffi.string(error.text) if status != lib.KWS_OK else b"")

    return lib.kws_source_rate(source), read()


def _warn(path: str | os.PathLike[str], source: Any, damage: bytes) -> None:
    """Tell what ``kws spot`` tells at the end of a recording."""
    text = ffi.new("char[]", lib.KWS_FLAW_TEXT)
    said = [damage.decode(errors="replace")] if damage else []
    if note := ffi.string(lib.kws_source_note(source)):
        said.append(f"{path}: {note.decode(errors='replace')}")
    for flaw in range(lib.KWS_N_FLAWS):
        if flaw != lib.KWS_FLAW_STEADY and lib.kws_python_flaw(source, flaw, text):
            said.append(f"{path}: {ffi.string(text).decode()}")
    for one in said:
        warnings.warn(one, SoundWarning, stacklevel=4)


def spot(path: str | os.PathLike[str], model: Model | str | os.PathLike[str] | None = None, *, channel: int | None = None,
         **options: Any) -> Iterator[Event]:
    """What is said when in a recording, in any format that ``kws spot`` hears, to its real end; the options are those of
    :class:`Spotter`. What could not be heard, or is wrong with the sound, is a :class:`SoundWarning` at the end.

    :param channel: hear this one, from 1; None: the mean of all.
    """
    rate_hz, blocks = _blocks(path, channel)
    return Spotter(model, rate_hz, **{"file": path, **options}).events(blocks)


def classify(path: str | os.PathLike[str], model: Model | str | os.PathLike[str] | None = None, *, channel: int | None = None,
             at_end: bool = False) -> Classification:
    """Which word is in a clip, read as :func:`spot` reads it."""
    rate_hz, blocks = _blocks(path, channel)
    return Classifier(model, rate_hz, at_end=at_end).classify(np.concatenate([np.zeros(0, np.float32), *blocks]))
