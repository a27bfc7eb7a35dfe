"""Rooms, microphones, codecs, and sounds that are no words. x float [n], samples at 16 kHz; rng a numpy generator."""
import io

import numpy as np
import soundfile
from scipy.signal import fftconvolve, resample_poly

from .data import RATE


def rms(x):
    """Root mean square of all samples, above 0."""
    return float(np.sqrt(np.mean(np.square(x, dtype=np.float64))) + 1e-9)


def loud_rms(x, block=800):
    """RMS of the loudest third of the 50 ms blocks: the level of the word, not of its pauses."""
    block = min(block, len(x))
    e = np.square(x[: len(x) // block * block]).reshape(-1, block).mean(1)
    return float(np.sqrt(np.sort(e)[-max(1, len(e) // 3):].mean()) + 1e-9)


def faster(rng, x):
    """x [n] at another speed, and so pitch, four times in five."""
    return resample_poly(x, int(round(50 * np.exp(rng.uniform(-0.15, 0.15)))), 50) if rng.random() < 0.8 else x


def room(rng, x):
    """A room: direct sound, a few early reflections, an exponentially decaying tail of RT60 0.1 to 0.6 s, from 18 dB below the
    direct sound (near the mouth) to 8 dB above (across the room)."""
    rt60, wet = rng.uniform(0.1, 0.6), 10 ** (rng.uniform(-18, 8) / 20)
    n = int(RATE * min(rt60, 0.4))
    tail = rng.standard_normal(n) * np.exp(-6.9 * np.arange(n) / (rt60 * RATE))
    tail[: int(rng.uniform(0.002, 0.01) * RATE)] = 0
    tail *= wet / (np.sqrt(np.square(tail).sum()) + 1e-9)
    for _ in range(rng.integers(0, 5)):
        tail[rng.integers(16, int(0.03 * RATE))] += rng.uniform(-0.5, 0.5) * wet
    tail[0] = 1
    return fftconvolve(x, tail)[: len(x)]


def distant(rng, x, metres, critical=0.6):
    """x as it is heard so far from the mouth, in a room of RT60 0.4 s in which direct and reverberant sound are alike at
    `critical` metres. Direct sound has the level of x."""
    tail = rng.standard_normal(int(0.4 * RATE)) * np.exp(-6.9 * np.arange(int(0.4 * RATE)) / (0.4 * RATE))
    tail[: int(0.003 * RATE)] = 0
    tail *= metres / critical / np.sqrt(np.square(tail).sum())
    tail[0] = 1
    return fftconvolve(x, tail)[: len(x)]


def colour(rng, x):
    """Band limits of telephones and cheap microphones, and a smooth random response, by multiplication in frequency."""
    f = np.fft.rfftfreq(len(x), 1 / RATE)
    g = np.zeros_like(f)
    if rng.random() < 0.6:
        knots = np.linspace(0, RATE / 2, 8)
        g += np.interp(f, knots, rng.normal(0, 3.0, 8))
    band = rng.random()
    lo, hi = (300, 3400) if band < 0.25 else (rng.uniform(50, 300), rng.uniform(4000, 7500)) if band < 0.6 else (0, 8000)
    slope = rng.uniform(24, 60)  # dB an octave
    g -= slope * np.maximum(0, np.log2(np.maximum(f, 1) / hi))
    if lo > 0:
        g -= slope * np.maximum(0, np.log2(lo / np.maximum(f, 1)))
    return np.fft.irfft(np.fft.rfft(x) * 10 ** (np.maximum(g, -80) / 20), len(x))


CODECS = [("OGG", "VORBIS", RATE), ("MP3", "MPEG_LAYER_III", RATE), ("WAV", "IMA_ADPCM", RATE), ("WAV", "GSM610", 8000),
          ("WAV", "ULAW", 8000), ("WAV", "G721_32", 8000)]


def codec(rng, x):
    """x as a codec leaves it, with the same place in time: one that loses something, at 16 or 8 kHz."""
    kind, subtype, rate = CODECS[rng.integers(len(CODECS))]
    return coded(x, kind, subtype, rate, rng.uniform(0.4, 0.9) if kind in ("OGG", "MP3") else None)


def coded(x, kind, subtype, rate, level=None):
    """x as a file of libsndfile leaves it, at that rate. level: compression, 0 to 1; None: the codec has none."""
    y = np.clip(x if rate == RATE else resample_poly(x, 1, RATE // rate), -1, 1)
    quality = {} if level is None else {"compression_level": level}
    file = io.BytesIO()
    soundfile.write(file, y, rate, subtype, format=kind, **quality)
    file.seek(0)
    y = soundfile.read(file)[0]
    y = (y if rate == RATE else resample_poly(y, RATE // rate, 1))[: len(x)]
    return np.pad(y, (0, len(x) - len(y)))


def synthetic_noise(rng, n):
    """Noise of slope 0 to -9 dB an octave, hum, tones, clicks: sounds that are no speech."""
    kind = rng.random()
    t = np.arange(n) / RATE
    if kind < 0.5:
        spec = np.fft.rfft(rng.standard_normal(n))
        f = np.maximum(np.fft.rfftfreq(n, 1 / RATE), 20)
        return np.fft.irfft(spec * f ** -rng.uniform(0, 1.5), n)
    if kind < 0.7:  # chords with decays: something like music
        x = np.zeros(n)
        for _ in range(rng.integers(1, 6)):
            f0, at = 55 * 2 ** rng.uniform(0, 5), rng.uniform(0, n / RATE)
            env = np.where(t >= at, np.exp(-(t - at).clip(0) * rng.uniform(0.5, 8)), 0)
            for h in range(1, rng.integers(2, 8)):
                if f0 * h < RATE / 2:
                    x += env * np.sin(2 * np.pi * (f0 * h * t + rng.random())) / h
        return x
    if kind < 0.85:  # sweep
        f0, f1 = rng.uniform(50, 4000, 2)
        return np.sin(2 * np.pi * (f0 * t + (f1 - f0) * t * t / (2 * t[-1])))
    x = 1e-3 * rng.standard_normal(n)  # clicks and knocks
    for _ in range(rng.integers(1, 12)):
        at, m = rng.integers(0, n - 400), rng.integers(20, 400)
        x[at : at + m] += rng.uniform(-1, 1) * rng.standard_normal(m) * np.exp(-np.arange(m) / (m / 5))
    return x
