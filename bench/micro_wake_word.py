"""microWakeWord by its package for Linux: micro_wake_word.py DIR. Its C frontend, 10 ms a call, and its network of 8 bits in
TensorFlow Lite, called with as little Python between as there can be. What that Python takes is measured, with calls that do
nothing in place of the frontend's and the network's, and taken off.
"""
import ctypes
import json
import sys
from importlib.metadata import version

import peer

try:
    import numpy as np
    from micro_features_cpp import create_frontend, process_samples
    from pymicro_wakeword import microwakeword
except ImportError as e:
    peer.missing(f"{e} (make bench-peers)")

WORDS = ["okay_nabu", "alexa", "hey_jarvis", "hey_mycroft"]  # the first is the one that is measured alone


class Word:
    """A network: 40 features of each of `stride` frames in, a probability out."""

    def __init__(self, name):
        m = self.model = microwakeword.MicroWakeWord.from_config(microwakeword._MODELS_DIR / f"{name}.json")
        self.stride, lib = m.stride, m.lib
        self.scale, self.zero, self.kind = 1 / m.input_scale, m.input_zero_point, m.input_dtype
        self.out = np.empty(1, m.output_dtype)
        self.fill = lambda x: lib.TfLiteTensorCopyFromBuffer(m.input_tensor, x.ctypes.data, x.nbytes)
        self.invoke = lambda: lib.TfLiteInterpreterInvoke(m.interpreter)
        self.nothing = lambda: lib.TfLiteTensorByteSize(m.output_tensor)
        to, n = self.out.ctypes.data_as(ctypes.c_void_p), self.out.nbytes
        self.read = lambda: lib.TfLiteTensorCopyToBuffer(m.output_tensor, to, n)

    def hear(self, features, invoke):
        self.fill(np.round(features * self.scale + self.zero).astype(self.kind))
        invoke()
        self.read()


def pipeline(hops, words, heard=True):
    """All hops through the frontend and the words' networks; or, not heard, through calls that do nothing."""
    frontend, stride, rows = create_frontend(), words[0].stride, []
    calls = [(w, w.invoke if heard else w.nothing) for w in words]
    step = process_samples if heard else lambda *_: (FEATURES, peer.HOP)
    for hop in hops:
        features, _ = step(frontend, hop)
        if features:
            rows.append(features)
        if len(rows) == stride:
            x = np.array(rows)
            rows.clear()
            for word, invoke in calls:
                word.hear(x, invoke)


FEATURES = [1.0] * 40


def main(folder):
    pcm = peer.audio(folder).tobytes()
    hops = [pcm[i : i + 2 * peer.HOP] for i in range(0, len(pcm), 2 * peer.HOP)]
    words = [Word(name) for name in WORDS]
    length, one = len(hops) * peer.HOP / peer.RATE_HZ, words[:1]
    pipeline(hops, words)
    empty = {n: min(peer.seconds(lambda n=n: pipeline(hops, words[:n], False)) for _ in range(5)) for n in (1, len(words))}
    network = [one[0].invoke] * (len(hops) // one[0].stride)
    nothing = min(peer.seconds(lambda: [one[0].nothing() for _ in network]) for _ in range(5))
    rows = {
        "live": ("one word, frontend and network, 10 ms a call", lambda: pipeline(hops, one), empty[1]),
        "network": ("its network alone", lambda: [call() for call in network], nothing),
        "four": ("four words", lambda: pipeline(hops, words), empty[len(words)]),
    }
    note = {name: f"{1e6 * off / length:.0f}" for name, (_, _, off) in rows.items()}
    peer.serve(f"pymicro-wakeword {version('pymicro-wakeword')}", {k: (t, run) for k, (t, run, _) in rows.items()}, length,
               [f"us a second of audio that are Python's own, taken off: {json.dumps(note)}"],
               {k: off for k, (_, _, off) in rows.items()})


if __name__ == "__main__":
    main(sys.argv[1])
