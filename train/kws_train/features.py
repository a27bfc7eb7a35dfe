"""Log-mel features, the same numbers as dsp/mel.h.

    frame t = log(max(floor, M |rfft(w * x)|^2)),  x = the last `win` samples up to the end of hop t

w is a periodic Hann window of length win at the start of n_fft, M are n_mels triangles of peak 1 whose edges are
equally spaced on a mel scale: HTK's, or Slaney's of the Auditory Toolbox, which is linear below 1 kHz. A triangle's
slopes are linear in Hz, evaluated at the exact bin frequencies.
Before the first sample there is silence.
"""
from dataclasses import asdict, dataclass

import numpy as np


@dataclass(frozen=True)
class FeatureConfig:
    """The feature contract of a model file (docs/model-format.md)."""

    rate_hz: int = 16000
    win: int = 480
    hop: int = 160
    n_fft: int = 512
    n_mels: int = 40
    f_lo_hz: float = 20.0
    f_hi_hz: float = 7000.0
    log_floor: float = 1e-4
    mel: str = "htk"

    def metadata(self) -> dict:
        return {"kind": "log-mel", **asdict(self), "normalisation": "affine"}


CONTRACTS = {
    "wide": FeatureConfig(),
    # the teacher's 32 bands, which end at 3.8 kHz, and eight more of the same scale: most of an s lies there
    "speech-embedding": FeatureConfig(win=400, n_mels=40, f_lo_hz=60.0, f_hi_hz=6643.532, mel="slaney"),
}
SPEECH_EMBEDDING = CONTRACTS["speech-embedding"]


def _htk_mel(f):
    return 2595.0 * np.log10(1.0 + f / 700.0)


def _htk_hz(m):
    return 700.0 * (10.0 ** (m / 2595.0) - 1.0)


def _slaney_mel(f):
    return np.where(f < 1000.0, 3.0 * f / 200.0, 15.0 + 27.0 * np.log(np.maximum(f, 1.0) / 1000.0) / np.log(6.4))


def _slaney_hz(m):
    return np.where(m < 15.0, 200.0 * m / 3.0, 1000.0 * np.exp((m - 15.0) * np.log(6.4) / 27.0))


MEL = {"htk": (_htk_mel, _htk_hz), "slaney": (_slaney_mel, _slaney_hz)}  # Hz -> mel, mel -> Hz


def mel_matrix(cfg: FeatureConfig) -> np.ndarray:
    """Triangles, float64 [n_mels, n_fft/2 + 1]."""
    to_mel, to_hz = MEL[cfg.mel]
    edges = to_hz(np.linspace(*to_mel(np.array([cfg.f_lo_hz, cfg.f_hi_hz])), cfg.n_mels + 2))
    freq = np.arange(cfg.n_fft // 2 + 1) * (cfg.rate_hz / cfg.n_fft)
    lo, mid, hi = edges[:-2, None], edges[1:-1, None], edges[2:, None]
    return np.maximum(0.0, np.minimum((freq - lo) / (mid - lo), (hi - freq) / (hi - mid)))


def hann(win: int) -> np.ndarray:
    """Periodic Hann window, float64 [win]."""
    return 0.5 - 0.5 * np.cos(2.0 * np.pi * np.arange(win) / win)


_tables: dict = {}


def _table(cfg: FeatureConfig, dtype):
    key = (cfg, np.dtype(dtype))
    if key not in _tables:
        _tables[key] = (hann(cfg.win).astype(dtype), np.ascontiguousarray(mel_matrix(cfg).T).astype(dtype))
    return _tables[key]


def log_mel(pcm: np.ndarray, cfg: FeatureConfig = FeatureConfig(), dtype=np.float32) -> np.ndarray:
    """pcm [..., n] in -1..1 -> frames [..., n // hop, n_mels], natural log of band power. dtype float32 or float64."""
    pcm = np.nan_to_num(np.asarray(pcm, dtype), nan=0.0, posinf=0.0, neginf=0.0)
    n = pcm.shape[-1] // cfg.hop
    w, m = _table(cfg, dtype)
    pad = cfg.win - cfg.hop
    x = np.concatenate([np.zeros((*pcm.shape[:-1], pad), dtype), pcm[..., : n * cfg.hop]], axis=-1)
    if n == 0:
        return np.zeros((*pcm.shape[:-1], 0, cfg.n_mels), dtype)
    frames = np.lib.stride_tricks.sliding_window_view(x, cfg.win, axis=-1)[..., :: cfg.hop, :]
    spec = np.fft.rfft(frames * w, cfg.n_fft, axis=-1)
    power = spec.real ** 2 + spec.imag ** 2
    return np.log(np.maximum(power.astype(dtype) @ m, dtype(cfg.log_floor)))
