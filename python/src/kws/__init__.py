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
from ._base import Error, version
from ._cascade import Cascade
from ._classifier import Classification, Classifier
from ._events import Event, Frame
from ._files import SoundWarning, classify, spot
from ._model import Model
from ._spotter import Group, Spotter

__all__ = ["Cascade", "Classification", "Classifier", "Error", "Event", "Frame", "Group", "Model", "SoundWarning", "Spotter",
           "classify", "spot", "version"]

for _name in __all__:  # a traceback says kws.Error, whichever file it is written in
    globals()[_name].__module__ = __name__
