"""Measure a model file with the twin: clips fresh and streamed, and continuous recordings.

    python -m kws_train evaluate --data CORPUS --model FILE [--continuous]

The C engine's figures count (kws eval); this is for work on the model, and to compare the two.
"""
import argparse
import json

import numpy as np
import torch
import torch.nn.functional as F

from .data import CLIP, COMMANDS, RATE, WORDS, Corpus, cut_noise, fit_clip
from .export import load_model
from .features import log_mel
from .mix import build
from .train import posteriors


@torch.no_grad()
def stream(net, cfg, pcm, phase=0):
    """Probabilities [T, words] of a whole recording, at every network frame."""
    net.eval()
    return F.softmax(net(torch.from_numpy(log_mel(pcm, cfg))[None], phase)[0], -1).numpy()


def events(prob, frame_s, decision, thresholds=None):
    """Smoothing, threshold, refractory: list of (time s, word, score). The score is the smoothed peak while over the
    threshold; a word counts once until it has fallen below, and is then silent for the refractory time."""
    n = max(1, round(decision["smooth_ms"] / 1000 / frame_s))
    c = np.cumsum(np.pad(prob, ((n, 0), (0, 0))), 0)
    smooth = (c[n:] - c[:-n]) / n
    refractory = decision["refractory_ms"] / 1000
    out, quiet_until, inside = [], np.full(prob.shape[1], -1.0), np.zeros(prob.shape[1], bool)
    limit = np.array([(thresholds or decision.get("thresholds", {})).get(w, decision["threshold"]) for w in WORDS])
    for t in range(len(smooth)):
        now = (t + 1) * frame_s
        w = int(smooth[t].argmax())
        over = smooth[t] >= limit
        if w < len(COMMANDS) and over[w] and not inside[w] and now >= quiet_until[w]:
            out.append((now, WORDS[w], float(smooth[t, w])))
            inside[w] = True
            quiet_until[w] = now + refractory
        inside &= over
    return out


def match(found, truth, late=1.2):
    """Each true word takes the first event of its name from its start to `late` s after its end -> hits, false alarms."""
    left, hits = list(found), []
    for s, e, w in truth:
        k = next((i for i, f in enumerate(left) if f[1] == w and s <= f[0] <= e + late), None)
        if k is not None:
            hits.append((left.pop(k)[0] - e, w))
    return hits, left


def streamed(net, cfg, corpus, pauses=(0.0, 0.14, 0.64), seed=1):
    """Accuracy on val clips from a fresh state, at chunk phases, and all in a row without a reset.

    In a row, each clip is judged at the frame that ends it; between clips there is a pause of noise at a tenth of its level.
    """
    idx = corpus.where("commands", "unknown", split="val")
    pcm = [fit_clip(corpus.audio(i)) for i in idx]
    y = np.array([corpus.items[i].label for i in idx])
    frames = np.stack([log_mel(x, cfg) for x in pcm])
    share = lambda p: float((p.argmax(1) == y).mean())
    out = {f"fresh, phase {n}": share(posteriors(net, frames, n).numpy()) for n in (0, 7, 12, 19)}
    bed = cut_noise([corpus.audio(i) for i in corpus.where("noise")], 400)
    hop = cfg.hop * net.stride
    for pause in pauses:
        rng = np.random.default_rng(seed)
        order, gap, parts = rng.permutation(len(idx)), round(pause * RATE / hop), []
        for k in order:
            parts += [pcm[k], 0.1 * bed[rng.integers(len(bed))][: gap * hop]]
        prob = stream(net, cfg, np.concatenate(parts))
        at = np.arange(len(order)) * (CLIP // hop + gap) + CLIP // hop - 1
        out[f"in a row, {pause} s between"] = float((prob[at].argmax(1) == y[order]).mean())
    return out


def continuous(net, cfg, corpus, decision, seconds=900, seed=11, snr=10.0):
    """Miss rate on mixes of val words, false alarms an hour there and on orders/ and speech/, over thresholds."""
    frame_s = cfg.hop * net.stride / cfg.rate_hz
    rng = np.random.default_rng(seed)
    mixes = []
    for noise in corpus.where("noise"):
        pcm, truth, _ = build(corpus, rng, seconds / 7, snr, noise, "val", unknown=0.4)
        mixes.append((stream(net, cfg, pcm), truth, len(pcm) / RATE))
    negatives = {f: [stream(net, cfg, corpus.audio(i)) for i in corpus.where(f)] for f in ("orders", "speech", "noise")}
    rows = []
    for smooth in (60, 100, 160, 240):
        for threshold in (0.5, 0.6, 0.7, 0.8, 0.85, 0.9, 0.95, 0.97):
            d = {**decision, "smooth_ms": smooth, "threshold": threshold}
            hits, false, n, hours, late, per = 0, 0, 0, 0.0, [], {}
            for prob, truth, s in mixes:
                h, f = match(events(prob, frame_s, d, {}), truth)
                hits, false, n, hours = hits + len(h), false + len(f), n + len(truth), hours + s / 3600
                late += [x[0] for x in h]
            row = {"smooth_ms": smooth, "threshold": threshold, "miss": 1 - hits / n, "fa_h_mix": false / hours,
                   "latency_s": float(np.median(late)) if late else None}
            for name, probs in negatives.items():
                ev = [e for p in probs for e in events(p, frame_s, d, {})]
                h = sum(len(p) for p in probs) * frame_s / 3600
                row[f"fa_h_{name}"] = len(ev) / h
                if name == "orders":
                    row["orders_words"] = {w: sum(e[1] == w for e in ev) for w in COMMANDS if any(e[1] == w for e in ev)}
            rows.append(row)
    return rows


def main(argv=None):
    ap = argparse.ArgumentParser(prog="kws_train evaluate", description=__doc__.splitlines()[0])
    ap.add_argument("--data", required=True)
    ap.add_argument("--cache", default="runs/cache")
    ap.add_argument("--model", required=True)
    ap.add_argument("--continuous", action="store_true")
    ap.add_argument("--seconds", type=float, default=900)
    a = ap.parse_args(argv)
    torch.set_num_threads(1)
    corpus = Corpus(a.data, a.cache)
    net, cfg, _, meta = load_model(a.model)
    for k, v in streamed(net, cfg, corpus).items():
        print(f"{k}\t{100 * v:.2f} %", flush=True)
    if a.continuous:
        for row in continuous(net, cfg, corpus, json.loads(meta["decision"]), a.seconds):
            print({k: round(v, 3) if isinstance(v, float) else v for k, v in row.items()}, flush=True)


if __name__ == "__main__":
    main()
