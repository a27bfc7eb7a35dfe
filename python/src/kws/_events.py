"""What is heard: events, and the frames that they are decided from."""
from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray


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
