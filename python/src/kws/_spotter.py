"""Streams of one model: alone, and many in a group."""
from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ._base import _array, _check, _mono, _pointer
from ._binding import ffi, lib
from ._events import Event, Frame
from ._model import Model, _model
from ._stream import _config, _Stream


class Spotter(_Stream):
    """A stream: samples in, events out.

    :param model: a :class:`Model`, or the path of one.
    :param rate_hz: of the samples, 8000..192000.
    :param threshold: one score for all commands, or a mapping of some of them, 0..1; more than 1: never. Others keep the
        model's.
    :param smooth_ms: mean of the probabilities over so long, 0..2000; None: the model's.
    :param refractory_ms: after an event the word is silent for so long at least, 0..60000; None: the model's.
    :param on_frame: called with every :class:`Frame`, for meters and plots.
    :param group: hear in this :class:`Group`, which has the model.
    :param file: name of the recording, for the JSON of its events.
    :raises Error: something is out of its range; the text names it.
    """

    def __init__(self, model: Model | str | os.PathLike[str] | None = None, rate_hz: int = 16000, *,
                 threshold: float | Mapping[str, float] | None = None, smooth_ms: int | None = None,
                 refractory_ms: int | None = None, on_frame: Callable[[Frame], None] | None = None,
                 group: Group | None = None, file: str | os.PathLike[str] | None = None) -> None:
        if group is not None and model is not None and model is not group.model:
            raise ValueError("model: the group has another one")
        super().__init__(rate_hz, file)
        self.model = group.model if group is not None else _model(model)
        self._group = group
        self._frame_fn = on_frame
        self._failure: BaseException | None = None
        self._handle = ffi.new_handle(self)
        config = self._config(threshold, smooth_ms, refractory_ms)
        out, error = ffi.new("kws_spotter **"), ffi.new("kws_error *")
        if group is None:
            _check(lib.kws_spotter_create(out, self.model._c, rate_hz, config, error), error)
        else:
            _check(lib.kws_spotter_create_in(out, group._c, rate_hz, config, error), error)
        self._c = ffi.gc(out[0], lib.kws_spotter_destroy)

    def _config(self, threshold: float | Mapping[str, float] | None, smooth_ms: int | None,
                refractory_ms: int | None) -> Any:
        config, self._thresholds = _config(self.model, threshold, smooth_ms, refractory_ms, on_event=lib.kws_python_event,
                                           on_frame=lib.kws_python_frame if self._frame_fn else ffi.NULL, ctx=self._handle)
        return config

    def _on_event(self, ev: Any) -> None:
        self._hear(ev, self.model, self._context)

    def _on_frame(self, frame: Any) -> None:
        try:
            assert self._frame_fn is not None
            self._frame_fn(Frame(frame.sample / self.model.rate_hz, _array(frame.prob, frame.n_words), self.scores,
                                 _array(frame.level, frame.stride), _array(frame.embedding, frame.n_embedding),
                                 _array(frame.mel, frame.stride * frame.n_mels).reshape(frame.stride, frame.n_mels)))
        except BaseException as e:  # C cannot carry it: it is raised when the call returns
            self._failure = self._failure or e

    def _take(self) -> list[Event]:
        failure, self._failure = self._failure, None
        events = super()._take()
        if failure is not None:
            raise failure
        return events

    def process(self, samples: ArrayLike) -> list[Event]:
        """Hear samples (n,), mono floats in [-1, 1], any n; the events that they decided."""
        pcm = _mono(samples)
        lib.kws_spotter_process(self._c, _pointer(pcm), pcm.size)
        return self._take()

    def flush(self) -> list[Event]:
        """The audio has ended: the events that were still open. Only :meth:`reset` may follow."""
        lib.kws_spotter_flush(self._c)
        return self._take()

    def reset(self) -> None:
        """Back to the state of a new one."""
        lib.kws_spotter_reset(self._c)
        self._events.clear()

    def configure(self, *, threshold: float | Mapping[str, float] | None = None, smooth_ms: int | None = None,
                  refractory_ms: int | None = None) -> None:
        """Other thresholds and times from the next frame on, as in the constructor; all that was heard stays.

        :raises Error: something is out of its range, and nothing has changed.
        """
        error = ffi.new("kws_error *")
        _check(lib.kws_spotter_configure(self._c, self._config(threshold, smooth_ms, refractory_ms), error), error)

    @property
    def scores(self) -> NDArray[np.float32]:
        """(n_words,) the smoothed probabilities of the last frame."""
        return _array(lib.kws_spotter_score(self._c), len(self.model.words))

    @property
    def heard(self) -> float:
        """Seconds of audio since the start or reset."""
        return lib.kws_spotter_heard(self._c) / self.model.rate_hz


class Group:
    """Many streams of one model, which share what they compute in: little memory each, and common matrix products.

    A group and its spotters belong to one thread at a time. Spotters come and go as they like, and each hears as if it were alone.
    """

    def __init__(self, model: Model | str | os.PathLike[str] | None = None) -> None:
        self.model = _model(model)
        out, error = ffi.new("kws_group **"), ffi.new("kws_error *")
        _check(lib.kws_group_create(out, self.model._c, error), error)
        self._c = ffi.gc(out[0], lib.kws_group_destroy)

    def spotter(self, rate_hz: int = 16000, **options: Any) -> Spotter:
        """A new stream in the group; the options are those of :class:`Spotter`."""
        return Spotter(rate_hz=rate_hz, group=self, **options)

    def process(self, inputs: Sequence[tuple[Spotter, ArrayLike]]) -> list[list[Event]]:
        """Feed spotters of the group together, each at most once; the events of each, in the same order."""
        spotters = [spotter for spotter, _ in inputs]
        if len(set(map(id, spotters))) != len(spotters):
            raise ValueError("inputs: a spotter is there twice")
        if any(spotter._group is not self for spotter in spotters):
            raise ValueError("inputs: a spotter of another group")
        pcm = [_mono(samples) for _, samples in inputs]
        c = ffi.new("kws_spotter_input[]", [{"spotter": s._c, "pcm": _pointer(x), "n": x.size}
                                            for s, x in zip(spotters, pcm, strict=True)])
        lib.kws_spotter_process_all(c, len(inputs))
        return [spotter._take() for spotter in spotters]
