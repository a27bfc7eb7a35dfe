"""What all of the package stands on: errors, paths and arrays as C takes them."""
from __future__ import annotations

import os
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ._binding import ffi, lib

Samples = NDArray[np.float32]


class Error(Exception):
    """What libkws refuses, with its reason: ``layers.0.v_proj.weight: shape [128, 63], want [128, 64]``.

    ``status`` is the name of the C status, e.g. ``"KWS_ERR_FORMAT"``.
    """

    def __init__(self, status: str, text: str) -> None:
        super().__init__(text)
        self.status = status


def version() -> str:
    """The version of the library, e.g. ``"0.2.0"``."""
    return ffi.string(lib.kws_version()).decode()


def _c_path(path: str | os.PathLike) -> bytes:
    """The path as C takes it: `ValueError` for one with a NUL, which would end it there."""
    name = os.fsencode(path)
    if b"\0" in name:
        raise ValueError(f"a path with a NUL in it: {path!r}")
    return name


def _check(status: int, error: Any) -> None:
    if status != lib.KWS_OK:
        text = ffi.string(error.text).decode(errors="replace")
        name = ffi.typeof("enum kws_status").elements.get(status, str(status))
        raise Error(name, text or ffi.string(lib.kws_strerror(status)).decode())


def _mono(samples: ArrayLike) -> Samples:
    """(n,) float samples as the library takes them. Integers would be 32768 times too loud, so they are refused."""
    array = np.asarray(samples)
    if array.ndim != 1:
        raise ValueError(f"samples: shape {array.shape}, want one channel, (n,)")
    if array.size and not np.issubdtype(array.dtype, np.floating):
        raise TypeError(f"samples: {array.dtype}, want floats in [-1, 1]; divide int16 by 32768")
    return np.ascontiguousarray(array, dtype=np.float32)


def _pointer(samples: Samples) -> Any:
    return ffi.cast("const float *", samples.ctypes.data)


def _array(pointer: Any, n: int) -> NDArray[np.float32]:
    return np.frombuffer(ffi.buffer(pointer, 4 * n), dtype=np.float32).copy() if n else np.zeros(0, np.float32)
