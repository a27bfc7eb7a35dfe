"""What spotters and cascades share."""
from __future__ import annotations

import math
import os
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from numpy.typing import ArrayLike

from ._base import _c_path
from ._binding import ffi, lib
from ._events import Event
from ._model import Model


@ffi.def_extern()
def kws_python_event(ctx: Any, ev: Any) -> None:
    ffi.from_handle(ctx)._on_event(ev)


@ffi.def_extern()
def kws_python_frame(ctx: Any, frame: Any) -> None:
    ffi.from_handle(ctx)._on_frame(frame)


def _config(model: Model, threshold: float | Mapping[str, float] | None, smooth_ms: int | None, refractory_ms: int | None,
            **callbacks: Any) -> tuple[Any, Any]:
    """A C configuration, and the thresholds that it points to."""
    words = model.words
    each = [math.nan] * len(words)
    if isinstance(threshold, Mapping):
        for word, value in threshold.items():
            if word not in model.thresholds:
                raise ValueError(f"threshold: {word!r} is no command of {model.name}: {' '.join(model.thresholds)}")
            each[words.index(word)] = value
    elif threshold is not None:
        each = [threshold] * len(words)
    thresholds = ffi.new("float[]", each)
    return ffi.new("kws_spotter_config *", {
        "size": ffi.sizeof("kws_spotter_config"),
        "smooth_ms": -1 if smooth_ms is None else smooth_ms,
        "refractory_ms": -1 if refractory_ms is None else refractory_ms,
        "threshold": thresholds,
        **callbacks,
    }), thresholds


class _Stream:
    """What spotters and cascades share: a place for their events, and the name of the recording."""

    def __init__(self, rate_hz: int, file: str | os.PathLike[str] | None) -> None:
        self.rate_hz = rate_hz
        self._events: list[Event] = []
        self._file = ffi.new("char[]", _c_path(file)) if file is not None else ffi.NULL
        self._context = ffi.new("kws_event_context *", {"size": ffi.sizeof("kws_event_context"), "file": self._file,
                                                        "wall": math.nan, "monotonic": math.nan})
        self._line = ffi.new("char[]", lib.KWS_EVENT_JSON + 6 * (len(self._file) if self._file else 0))

    def _hear(self, ev: Any, model: Model, context: Any) -> None:
        hz = model.rate_hz
        length = lib.kws_event_json(ev, model._c, context, self._line, len(self._line))
        line = ffi.buffer(self._line, length)[:].decode()
        known = (ffi.string(text).decode() if text else None for text in (context.spotter, context.after, context.after_id))
        self._events.append(Event(model.words[ev.word], ev.start / hz, ev.end / hz, ev.sample / hz, ev.score, ev.threshold,
                                  ev.level_dbfs, ev.snr_db, ev.start, ev.end, ev.sample, *known, line))

    def _take(self) -> list[Event]:
        events, self._events = self._events, []
        return events

    def process(self, samples: ArrayLike) -> list[Event]:
        """Hear samples (n,), mono floats in [-1, 1], any n; the events that they decided."""
        raise NotImplementedError

    def flush(self) -> list[Event]:
        """The audio has ended: the events that were still open. Only :meth:`reset` may follow."""
        raise NotImplementedError

    def events(self, blocks: Iterable[ArrayLike]) -> Iterator[Event]:
        """Hear block after block, e.g. of a microphone, and yield each event as soon as it is decided; then flush."""
        for block in blocks:
            yield from self.process(block)
        yield from self.flush()
