"""Several models on one stream."""
from __future__ import annotations

import os
import weakref
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from numpy.typing import ArrayLike

from ._base import _check, _mono, _pointer
from ._binding import ffi, lib
from ._events import Event
from ._model import Model, _model
from ._stream import _config, _Stream


@dataclass(frozen=True)
class _Voice:
    """One model of a cascade; what C's callback gets."""

    cascade: Cascade
    model: Model

    def _on_event(self, ev: Any) -> None:
        self.cascade._hear(ev, self.model, lib.kws_cascade_context(self.cascade._c))


class Cascade(_Stream):
    """Several models on one stream, with names; the words of one may count only for some seconds after a word of another::

        both = kws.Cascade({"jarvis": "hey.safetensors", "lights": "lights.safetensors"}, after={"lights": "jarvis"})

    Each hears as a :class:`Spotter` does, and all events come in one order; :attr:`Event.spotter` says whose it is.

    :param models: by name, 1 to 31 of A-Z a-z 0-9 _ -.
    :param rate_hz: of the samples, 8000..192000.
    :param after: whose words count only after a word of which other: it hears from a second before that was decided, costs nothing
        in between, and its events name the other's.
    :param within: seconds after it at most, 0..3600, for all or by name; else 5.
    :param threshold: by name, as for :class:`Spotter`; and so on.
    :param file: name of the recording, for the JSON of its events.
    :raises Error: a name, a gate or a number is wrong; the text says which.
    """

    def __init__(self, models: Mapping[str, Model | str | os.PathLike[str]], rate_hz: int = 16000, *,
                 after: Mapping[str, str] | None = None, within: float | Mapping[str, float] = 5.0,
                 threshold: Mapping[str, float | Mapping[str, float]] | None = None, smooth_ms: int | None = None,
                 refractory_ms: int | None = None, file: str | os.PathLike[str] | None = None) -> None:
        super().__init__(rate_hz, file)
        self.models = {name: _model(model) for name, model in models.items()}
        for what, names in (("threshold", threshold), ("within", within), ("after", after)):
            for name in names if isinstance(names, Mapping) else ():
                if name not in self.models:
                    raise ValueError(f"{what}: no model is called {name!r}: {' '.join(self.models)}")
        out, error = ffi.new("kws_cascade **"), ffi.new("kws_error *")
        _check(lib.kws_cascade_create(out, error), error)
        self._c = ffi.gc(out[0], lib.kws_cascade_destroy)
        self._handles = []
        for name, model in self.models.items():
            handle = ffi.new_handle(_Voice(weakref.proxy(self), model))
            config, thresholds = _config(model, (threshold or {}).get(name), smooth_ms, refractory_ms,
                                         on_event=lib.kws_python_event, ctx=handle)
            _check(lib.kws_cascade_add(self._c, name.encode(), model._c, config, error), error)
            self._handles.append(handle)
            del thresholds  # which C has copied
        for name, other in (after or {}).items():
            seconds = within.get(name, 5.0) if isinstance(within, Mapping) else within
            _check(lib.kws_cascade_gate(self._c, name.encode(), other.encode(), seconds, error), error)
        self.reset()

    def process(self, samples: ArrayLike) -> list[Event]:
        """Hear samples (n,), mono floats in [-1, 1], any n; the events that they decided."""
        pcm = _mono(samples)
        lib.kws_cascade_process(self._c, _pointer(pcm), pcm.size)
        return self._take()

    def flush(self) -> list[Event]:
        """The audio has ended: the events that were still open. Only :meth:`reset` may follow."""
        lib.kws_cascade_flush(self._c)
        return self._take()

    def reset(self) -> None:
        """Back to the state of a new one."""
        error = ffi.new("kws_error *")
        _check(lib.kws_cascade_start(self._c, self.rate_hz, self._context, error), error)
        self._events.clear()
