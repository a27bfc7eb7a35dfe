"""Model files."""
from __future__ import annotations

import os

from ._base import _c_path, _check
from ._binding import ffi, lib


class Model:
    """A model file, checked; immutable, and free to be shared by threads.

    :param path: a ``.safetensors`` file; None: the file that the environment variable ``KWS_MODEL`` names.
    :raises Error: the file cannot be read, or is no model; the text names the place and the reason.
    """

    def __init__(self, path: str | os.PathLike[str] | None = None) -> None:
        path = path if path is not None else os.environ.get("KWS_MODEL")
        if not path:
            raise ValueError("path: name a model file, or set KWS_MODEL")
        out, error = ffi.new("kws_model **"), ffi.new("kws_error *")
        _check(lib.kws_model_open(out, _c_path(path), error), error)
        self._c = ffi.gc(out[0], lib.kws_model_close)
        n = lib.kws_model_n_words(self._c)
        #: Name in the file, e.g. ``"commands-12"``.
        self.name: str = ffi.string(lib.kws_model_name(self._c)).decode()
        #: SHA-256 of the file, 64 hex digits.
        self.hash: str = ffi.string(lib.kws_model_hash(self._c)).decode()
        #: Rate at which all samples are counted, Hz.
        self.rate_hz: int = lib.kws_model_rate_hz(self._c)
        #: Its classes, (n_words,): commands, and such as ``_unknown_``, which make no events.
        self.words: tuple[str, ...] = tuple(ffi.string(lib.kws_model_word(self._c, i)).decode() for i in range(n))
        #: The classes that make events, with the score that each has to reach, 0..1.
        self.thresholds: dict[str, float] = {
            w: lib.kws_model_threshold(self._c, i) for i, w in enumerate(self.words)
            if lib.kws_model_is_command(self._c, i)
        }
        #: Can it hear an endless stream? A model with full attention takes clips only.
        self.hears_streams: bool = lib.kws_model_hears_streams(self._c)

    def __repr__(self) -> str:
        return f"<kws.Model {self.name} {self.hash[:12]}>"


def _model(model: Model | str | os.PathLike[str] | None) -> Model:
    return model if isinstance(model, Model) else Model(model)
