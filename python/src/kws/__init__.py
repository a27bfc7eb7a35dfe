"""Spoken commands in audio: libkws for Python.

>>> import kws
>>> for event in kws.spot("recording.flac", model="commands-12.safetensors"):
...     print(f"{event.start:.2f} {event.word} {event.score:.2f}")

A stream that never ends::

    spotter = kws.Spotter(kws.Model("commands-12.safetensors"), rate_hz=48000)
    while True:
        for event in spotter.process(microphone.read()):
            ...

The events are those of ``kws spot`` and ``kwsd``, to the last bit, however the audio is cut into calls. A model may be shared by
any number of threads; every other object belongs to one thread at a time. The interpreter lock is released while C code runs.
"""
from __future__ import annotations

import json
import math
import os
import warnings
import weakref
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ._binding import ffi, lib

__all__ = ["Cascade", "Classification", "Classifier", "Error", "Event", "Frame", "Group", "Model", "SoundWarning", "Spotter",
           "classify", "spot", "version"]

Samples = NDArray[np.float32]

#: Samples that are read from a file at a time.
_BLOCK = 16384


class SoundWarning(UserWarning):
    """What could not be heard of a recording, or what is wrong with its sound: cut off, clipped, channels that cancel."""


class Error(Exception):
    """What libkws refuses, with its reason: ``layers.0.v_proj.weight: shape [128, 63], want [128, 64]``.

    ``status`` is the name of the C status, e.g. ``"KWS_ERR_FORMAT"``.
    """

    def __init__(self, status: str, text: str) -> None:
        super().__init__(text)
        self.status = status


def version() -> str:
    """The version of the library, e.g. ``"0.1.0"``."""
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


@dataclass(frozen=True)
class Event:
    """A command that was heard. Times are seconds since the stream began."""

    word: str
    start: float
    end: float
    #: When it was decided.
    decided: float
    #: Peak of the smoothed probability, and what it had to reach, 0..1.
    score: float
    threshold: float
    #: RMS level of the word, dB re full scale, and over the background before it, dB.
    level_dbfs: float
    snr_db: float
    #: The times, in samples at the model's rate.
    start_sample: int
    end_sample: int
    decided_sample: int
    #: Of a :class:`Cascade`: the name of the model, the word of another after which this one counts, and the id of its event.
    spotter: str | None = None
    after: str | None = None
    after_id: str | None = None
    _line: str = field(default="", repr=False, compare=False)

    def json(self) -> str:
        """The event as a line of JSON, as ``kws spot --format jsonl`` writes it."""
        return self._line

    def as_dict(self) -> dict[str, Any]:
        """What :meth:`json` holds."""
        return json.loads(self._line)

    @property
    def margin(self) -> float:
        """How far the score is above the threshold."""
        return self.score - self.threshold


@dataclass(frozen=True)
class Frame:
    """One network frame. ``time``: seconds at its end; ``probabilities`` and ``scores`` (n_words,): of the frame alone, and
    smoothed, as the decision compares them with its thresholds; ``level`` (hops,): mean square of each 10 ms in it; ``embedding``
    (n,): what the network's head makes the probabilities of; ``mel`` (hops, n_mels): natural log of the power in each mel band of
    each 10 ms."""

    time: float
    probabilities: NDArray[np.float32]
    scores: NDArray[np.float32]
    level: NDArray[np.float32]
    embedding: NDArray[np.float32]
    mel: NDArray[np.float32]


@ffi.def_extern()
def kws_python_event(ctx: Any, ev: Any) -> None:
    ffi.from_handle(ctx)._on_event(ev)


@ffi.def_extern()
def kws_python_frame(ctx: Any, frame: Any) -> None:
    ffi.from_handle(ctx)._on_frame(frame)


def _array(pointer: Any, n: int) -> NDArray[np.float32]:
    return np.frombuffer(ffi.buffer(pointer, 4 * n), dtype=np.float32).copy() if n else np.zeros(0, np.float32)


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


@dataclass(frozen=True)
class Classification:
    """The most probable class of a clip, its probability, and all of them (n_words,), which sum to 1."""

    word: str
    probability: float
    probabilities: NDArray[np.float32]


class Classifier:
    """Clips in, one label each.

    :param at_end: judge the end of the clip with all that came before it as its past, as a stream would; else the frame at which a
        command is most probable.
    """

    def __init__(self, model: Model | str | os.PathLike[str] | None = None, rate_hz: int = 16000, *,
                 at_end: bool = False) -> None:
        self.model = _model(model)
        self.rate_hz = rate_hz
        out, error = ffi.new("kws_classifier **"), ffi.new("kws_error *")
        _check(lib.kws_classifier_create(out, self.model._c, rate_hz, at_end, error), error)
        self._c = ffi.gc(out[0], lib.kws_classifier_destroy)

    def classify(self, samples: ArrayLike) -> Classification:
        """A whole clip (n,), mono floats in [-1, 1]."""
        pcm = _mono(samples)
        prob = np.zeros(len(self.model.words), np.float32)
        lib.kws_classifier_process(self._c, _pointer(pcm), pcm.size)
        lib.kws_classifier_finish(self._c, ffi.cast("float *", prob.ctypes.data))
        best = int(np.argmax(prob))
        return Classification(self.model.words[best], float(prob[best]), prob)


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
