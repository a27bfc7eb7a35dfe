"""Clips, one label each."""
from __future__ import annotations

import os
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ._base import _check, _mono, _pointer
from ._binding import ffi, lib
from ._model import Model, _model


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
