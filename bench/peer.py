"""What a Python peer of the comparison is: as bench/peer.h says."""
import os
import sys
import time

import numpy as np

RATE_HZ, HOP, FRAME = 16000, 160, 640


def audio(folder):
    """The samples of audio.raw, int16 [n], n a multiple of FRAME."""
    pcm = np.fromfile(os.path.join(folder, "audio.raw"), np.int16)
    return pcm[: len(pcm) // FRAME * FRAME]


def missing(why):
    """Say that the peer is not here."""
    print(f"missing\t{why}")
    sys.exit()


def seconds(run):
    """Processor time of one call, of all threads."""
    start = time.process_time()
    run()
    return time.process_time() - start


def serve(version, rows, length, notes=(), off=None):
    """rows: name -> (title, function that processes all of the audio once); length: its seconds; off: name -> seconds of each
    that are not the peer's own. Answer until standard input ends."""
    print(f"version\t{version}")
    for note in notes:
        print(f"note\t{note}")
    for name, (title, _) in rows.items():
        print(f"row\t{name}\t{title}")
    print("ready", flush=True)
    for line in sys.stdin:
        name = line.strip()
        took = seconds(rows[name][1]) - (off or {}).get(name, 0)
        print(f"{took / length:.9f}", flush=True)
