"""Train the student.

Clips are kept as log-mel frames and augmented there, on the fly: placement, tempo and vocal-tract warp are one affine
resampling of the (time, mel) plane; gain adds a constant; noise adds in the power domain (logaddexp), since the mel
bands are powers. Clips are laid one behind the other, so that the network learns non-zero history, and every batch
starts at a random chunk phase.

Where a teacher has heard the clips, the network learns from its labels, and its frames from its embeddings: a small
net that is thrown away afterwards maps each network frame to what the teacher made of the 0.8 s before it.
"""
import argparse
import copy
import json
import math
import os
import time
from dataclasses import asdict, dataclass

import numpy as np
import torch
import torch.nn.functional as F

from .checkpoint import mean
from .data import COMMANDS, SILENCE, UNKNOWN, WORDS, Corpus, fit_clip, soft_path
from .dense import END as dense_end
from .export import save_model
from .features import SPEECH_EMBEDDING, FeatureConfig, log_mel
from .model import STEM, Net, network_spec
from .pretrained import read_stem

FRAMES = 100  # feature frames of a clip
DECISION = {"smooth_ms": 200, "refractory_ms": 700, "threshold": 0.8}


def contract(shards):
    """-> the FeatureConfig that all these shards were made with; without any, the default."""
    made = {str(np.load(path)["features"]) for path in shards}
    if len(made) > 1:
        raise SystemExit(f"shards of {len(made)} kinds of features: " + ", ".join(sorted(made)))
    return FeatureConfig(**json.loads(made.pop())) if made else FeatureConfig()


class Bank:
    """Everything a batch is made of, as log-mel frames in float16.

    clips [n, 100, M] with label [n] and, if a teacher has heard them, soft [n, words] and embed [n, 9, 96]; long
    recordings of noise and speech as lists of [t, M].
    """

    def __init__(self, corpus: Corpus, cfg: FeatureConfig, splits=("train",), shards=(), dense=None):
        half = lambda x: torch.from_numpy(np.asarray(x, np.float32)).half()
        mel = lambda i: half(log_mel(corpus.audio(i), cfg))
        self.floor = math.log(cfg.log_floor)
        self.noise = [mel(i) for s in ("train", "val") if s in splits for i in corpus.where("noise", split=s)]
        self.speech = [mel(i) for i in corpus.where("speech")]
        if dense:
            z = np.load(dense)
            self.heard = [torch.from_numpy(z["prob"][i:j]) for i, j in zip(z["at"][:-1], z["at"][1:])]
        if shards:
            parts = {k: [] for k in ("frames", "label", "kind", "embed", "soft", "clean")}
            for path in sorted(shards):
                z = np.load(path)
                keep = np.flatnonzero(~z["val"] | ("val" in splits))
                for k in ("frames", "label", "kind", "embed"):
                    parts[k].append(torch.from_numpy(z[k][keep]))
                parts["soft"].append(torch.from_numpy(np.load(soft_path(path))[keep]))
                parts["clean"].append(torch.full((len(keep),), os.path.basename(path).startswith("v00")))
            self.clips, label, kind, self.embed, self.soft, self.clean = (torch.cat(x) for x in parts.values())
            self.clips.clamp_(min=self.floor)
            some = self.embed[::37].float()
            self.embed_mean, self.embed_std = some.mean((0, 1)), some.std((0, 1))
            self.label, self.kind = label.long(), kind.long()
            wrong = (self.kind == 0) & (self.soft.argmax(1) != self.label)  # where it mishears a clip, the label counts
            self.soft[wrong] = sure(self.label[wrong], 0.9)
        else:
            idx = [i for s in splits for i in corpus.where("commands", "unknown", split=s)]
            self.clips = torch.stack([half(log_mel(fit_clip(corpus.audio(i)), cfg)) for i in idx])
            self.label = torch.tensor([corpus.items[i].label for i in idx])
            self.kind = torch.zeros_like(self.label)
            self.clean = torch.ones_like(self.label, dtype=torch.bool)
            self.soft = None
        pick = self.clips[:: max(1, len(self.clips) // 4000)].float()
        self.mean, self.std = pick.mean((0, 1)), pick.std((0, 1))


def cut(recordings, n, t, rng):
    """n random cuts of t frames -> float32 [n, t, M]. A recording is drawn by its length; short ones are repeated."""
    w = np.array([len(r) for r in recordings], float)
    out = []
    for k in rng.choice(len(recordings), n, p=w / w.sum()):
        r = recordings[k]
        if len(r) < t:
            r = r.repeat(-(-t // len(r)), 1)
        at = rng.integers(0, len(r) - t + 1)
        out.append(r[at : at + t])
    return torch.stack(out).float() if out else torch.zeros(0, t, recordings[0].shape[1])


def spread(label, p):
    """label [n] -> probabilities [n, words]: p for the label, the rest spread over all."""
    return F.one_hot(label, len(WORDS)) * p + (1 - p) / len(WORDS)


def sure(label, p):
    """The same as log-probabilities."""
    return torch.log(spread(label, p))


def uniform(rng, lo, hi, n):
    return torch.from_numpy(rng.uniform(lo, hi, n).astype(np.float32))


def power_db(x, keep=0.3):
    """Mean band power of the loudest `keep` of the frames, dB. x [B, T, M] -> [B]."""
    p = x.exp().mean(2)
    return 10 * torch.log10(p.topk(max(1, int(keep * p.shape[1])), 1).values.mean(1) + 1e-12)


@dataclass
class Batch:
    """`chain` clips follow each other in a sequence; n of them in all, sequence by sequence."""

    frames: torch.Tensor  # [n / chain, t, M]
    label: torch.Tensor   # [n]
    soft: torch.Tensor    # [n, words] log-probabilities of the teacher; None: there was none
    embed: torch.Tensor   # [n, 9, 96] its embeddings, normalised; None: there was none
    at: torch.Tensor      # [n, 9] the network frame of the sequence at which each is due; -1: none is
    ends: list            # the network frame behind each clip
    phase: int            # place in the chunk of the first network frame


class Augment:
    """Makes batches for a network with a frame every `step` feature frames.

    Seeded; everything random comes from one numpy generator, whose state is checkpointed."""

    def __init__(self, bank: Bank, step, rng, unknown_speech=0.04, silence=0.07, unknown=0.11, warp=1.0, partial=0.03,
                 clean=0.35):
        self.bank, self.step, self.rng = bank, step, rng
        self.warp, self.partial = warp, partial
        n_words = len(COMMANDS)
        share = {i: (1 - unknown - silence - unknown_speech) / n_words for i in range(n_words)}
        share[WORDS.index(UNKNOWN)] = unknown
        self.by_class = {(c, clean): torch.nonzero((bank.label == c) & (bank.kind == 0) & (bank.clean == clean))[:, 0]
                         .numpy() for c in share for clean in (False, True)}
        self.clean_p = clean if bank.soft is not None else 1.0
        self.classes, self.p = list(share), np.array(list(share.values()))
        self.share = {"clip": self.p.sum(), "speech": unknown_speech, "silence": silence}
        self.extra = {k: torch.nonzero(bank.kind == v)[:, 0].numpy() for k, v in (("speech", 1), ("silence", 2))}

    def _draw(self, n):
        """n sources -> frames [n, 100, M], label [n], soft [n, words] or None, embed [n, 9, 96] or None, clean [n]: not
        augmented as audio yet. In random order, so that everything follows everything in a sequence. What no teacher
        heard has embeddings of NaN."""
        rng, bank = self.rng, self.bank
        kinds = rng.choice(3, n, p=np.array(list(self.share.values())) / sum(self.share.values()))
        n_clip, n_speech, n_sil = (int((kinds == k).sum()) for k in range(3))
        cls = rng.choice(self.classes, n_clip, p=self.p / self.p.sum())
        clean = rng.random(n_clip) < self.clean_p
        idx = np.array([rng.choice(self.by_class[c, k]) for c, k in zip(cls, clean)], dtype=np.int64)
        made = n_sil // 3 if bank.soft is not None else 0  # silences out of shards; the others are cut or built here
        if bank.soft is not None:
            idx = np.concatenate([idx, rng.choice(self.extra["speech"], n_speech),
                                  rng.choice(self.extra["silence"], made)])
            n_speech = 0
        quiet = (n_sil - made) // 4
        nothing = torch.full((quiet, FRAMES, bank.clips.shape[2]), bank.floor)
        frames = torch.cat([bank.clips[idx].float(), cut(bank.speech, n_speech, FRAMES, rng),
                            cut(bank.noise, n_sil - made - quiet, FRAMES, rng), nothing])
        label = torch.cat([bank.label[idx], torch.full((n_speech,), WORDS.index(UNKNOWN)),
                           torch.full((n_sil - made,), WORDS.index(SILENCE))])
        clean = torch.cat([bank.clean[idx], torch.ones(n - len(idx), dtype=torch.bool)])
        at = torch.from_numpy(rng.permutation(n))
        if bank.soft is None:
            return frames[at], label[at], None, None, clean[at]
        soft = torch.cat([bank.soft[idx], sure(label[len(idx):], 0.95)])
        embed = (bank.embed[idx].float() - bank.embed_mean) / bank.embed_std
        embed = F.pad(embed, (0, 0, 0, 0, 0, n - len(idx)), value=math.nan)
        return frames[at], label[at], soft[at], embed[at], clean[at]

    def _place(self, x, shift, tempo, formant):
        """Affine resampling of x [B, T, M] (values over the floor): shift in frames, tempo and formant as factors."""
        b, t, m = x.shape
        theta = torch.zeros(b, 2, 3)
        theta[:, 0, 0] = formant
        theta[:, 0, 2] = formant - 1  # keeps mel 0 in its place
        theta[:, 1, 1] = tempo
        theta[:, 1, 2] = -2 * shift / t
        grid = F.affine_grid(theta, (b, 1, t, m), align_corners=False)
        band = grid[..., 0].clamp(-1 + 1 / m, 1 - 1 / m)  # bands beyond the last repeat it; time beyond the end is 0
        return F.grid_sample(x[:, None], torch.stack([band, grid[..., 1]], -1), align_corners=False)[:, 0]

    def _noise(self, x, p, level=None):
        """With probability p [B] add noise at 0 to 30 dB, or rarely babble at 5 to 35 dB, in the power domain. level [B]:
        what is taken for the signal's, dB; x's own if None."""
        rng, bank = self.rng, self.bank
        b, t, m = x.shape
        n = cut(bank.noise, b, t, rng)
        babble = rng.random(b) < 0.12
        if babble.any():
            n[babble] = cut(bank.speech, int(babble.sum()), t, rng)
        flat = rng.random(b) < 0.15  # stationary noise of a random smooth spectrum
        if flat.any():
            k = int(flat.sum())
            tilt = F.interpolate(torch.from_numpy(rng.normal(0, 1.5, (k, 1, 6)).astype(np.float32)), m, mode="linear",
                                 align_corners=True)
            fluct = torch.from_numpy(np.log(rng.gamma(6, 1 / 6, (k, t, m)) + 1e-3).astype(np.float32))
            n[flat] = tilt + fluct
        snr = uniform(rng, 0, 30, b) + torch.from_numpy(babble.astype(np.float32)) * 5
        level = (power_db(x) if level is None else level).clamp_min(-25)
        gain = (level - snr - power_db(n)) * (math.log(10) / 10)
        gain[torch.from_numpy(rng.random(b)) >= p] = -30.0
        return torch.logaddexp(x, n + gain[:, None, None])

    def _mask(self, x, p=0.8):
        """SpecAugment: two masks over bands, two over time, filled with the mean frame."""
        rng = self.rng
        b, t, m = x.shape
        ft, fm = torch.arange(t), torch.arange(m)
        hide = torch.zeros(b, t, m, dtype=torch.bool)
        for _ in range(2):
            w, at = uniform(rng, 0, 8, b), uniform(rng, 0, 1, b)
            lo = (at * (m - w)).floor()
            hide |= ((fm >= lo[:, None]) & (fm < (lo + w.floor())[:, None]))[:, None, :]
            w, at = uniform(rng, 0, 16, b), uniform(rng, 0, 1, b)
            lo = t - FRAMES + (at * (FRAMES - w)).floor()
            hide |= ((ft >= lo[:, None]) & (ft < (lo + w.floor())[:, None]))[:, :, None]
        hide &= torch.from_numpy(rng.random(b) < p)[:, None, None]
        return torch.where(hide, self.bank.mean, x)

    def _shifts(self, label):
        """Where the clip lies in the window, in frames [n], and which clips lose half their word so [n].

        Mostly within 120 ms, a quarter within 240 ms. Other words may lie anywhere: a part of them is no command
        either. A few commands are pushed half out of the window, and are then no command: what a stream sees between
        words. Not so far that nothing is left: that would be silence.
        """
        rng, n = self.rng, len(label)
        shift = rng.uniform(-1, 1, n) * np.where(rng.random(n) < 0.25, 24, 12)
        other = label.numpy() == WORDS.index(UNKNOWN)
        shift = np.where(other & (rng.random(n) < 0.3), rng.uniform(-48, 48, n), shift)
        half = (label.numpy() < len(COMMANDS)) & (rng.random(n) < self.partial)
        shift = np.where(half, rng.choice([-1, 1], n) * rng.uniform(44, 56, n), shift)
        return torch.from_numpy(shift.astype(np.float32)), torch.from_numpy(half)

    def batch(self, n, chain):
        """-> Batch of n clips in sequences of `chain`."""
        rng, floor, w = self.rng, self.bank.floor, self.warp
        x, label, soft, embed, clean = self._draw(n)
        shift, half = self._shifts(label)
        label = torch.where(half, WORDS.index(UNKNOWN), label)
        if soft is not None:
            soft = torch.where(half[:, None], sure(label, 0.99), soft)
        tempo = torch.exp(uniform(rng, -0.14, 0.14, n) * w)
        x = self._place(x - floor, shift, tempo, torch.exp(uniform(rng, -0.1, 0.1, n) * w)) + floor
        x = (x + uniform(rng, -3.2, 2.9, n)[:, None, None]).clamp_min(floor)
        x, ends = self._chain(x, label.eq(WORDS.index(SILENCE)), torch.where(clean, 0.75, 0.3), chain)
        at = None if embed is None else self._due(embed, shift, tempo, torch.tensor(ends).repeat(n // chain))
        phase = 0 if rng.random() < 0.4 else int(rng.integers(0, 10**6))
        return Batch(x, label, soft, embed, at, ends, phase)

    def _due(self, embed, shift, tempo, end):
        """When the teacher's windows end, after placement -> [n, 9], network frames of the sequence. Those that
        reach out of the clip are left out: there, something else was laid."""
        window = 52.5 + 8 * torch.arange(9)  # feature frames: 0.775 s from 0.25 s before the clip, every 80 ms
        at = ((window - FRAMES / 2 + shift[:, None]) / tempo[:, None] + FRAMES / 2) / self.step
        at = torch.round(at).long() - 1
        inside = (at >= 40 // self.step) & (at < FRAMES // self.step) & ~embed[:, :, 0].isnan()
        return torch.where(inside, at + end[:, None] - FRAMES // self.step, -1)

    def _chain(self, x, silent, p, chain):
        """Lay clips x [n, 100, M] one behind the other, with pauses up to 0.5 s, and with probability p [n] in noise.

        They do not overlap, or silences would hold the ends of words. One noise under all is as loud as the words ask
        for, whatever the clips that are silent [n] hold: a loud one would have it drown the words.
        """
        rng, floor = self.rng, self.bank.floor
        b = len(x) // chain
        bed = rng.random() < 0.5  # one noise under all of a sequence, or each clip with its own
        if not bed:
            x = self._noise(x, p).clamp_min(floor)
        step = lambda lo, hi: self.step * int(rng.integers(lo // self.step, hi // self.step))
        starts = [0 if rng.random() < 0.6 else step(self.step, 52)]
        for _ in range(chain - 1):
            starts.append(starts[-1] + FRAMES + step(0, 52))
        x = x.view(b, chain, FRAMES, -1)
        y = torch.full((b, starts[-1] + FRAMES, x.shape[3]), floor)
        for k, at in enumerate(starts):
            y[:, at : at + FRAMES] = x[:, k]
        if bed:
            silent = silent.view(b, chain)
            asks = ~silent | silent.all(1, keepdim=True)
            power = 10 ** (power_db(x.flatten(0, 1)).view(b, chain) / 10)
            level = 10 * torch.log10((power * asks).sum(1) / asks.sum(1))
            y = self._noise(y, p.view(b, chain).amax(1), level).clamp_min(floor)
        for at in starts:
            y[:, at : at + FRAMES] = self._mask(y[:, at : at + FRAMES], 0.7)
        return y, [(at + FRAMES) // self.step for at in starts]

    def dense(self, b, t=320, every=10):
        """b long cuts of running speech, a quarter of them of noise, judged everywhere and not at clips only.

        -> frames [b, t, M], target [b, windows, words], weight [b, windows] (0: the teacher suspects a command),
        ends of the windows in network frames. every: feature frames between them. Needs bank.heard, see dense.py.
        """
        rng, bank = self.rng, self.bank
        ends = list(range(FRAMES, t + 1, every // self.step * self.step))
        quiet = b // 4
        x = [cut(bank.noise, quiet, t, rng)]
        target = torch.zeros(b, len(ends), len(WORDS))
        target[:quiet, :, WORDS.index(SILENCE)] = 1
        weight = torch.ones(b, len(ends))
        for i in range(quiet, b):
            k = int(rng.integers(len(bank.speech)))
            r, heard = bank.speech[k].float(), bank.heard[k]
            at = 2 * int(rng.integers(0, max(1, (len(r) - t) // 2)))
            r = r[at : at + t]
            x.append(F.pad(r, (0, 0, 0, t - len(r)), value=self.bank.floor)[None])
            for j, e in enumerate(ends):
                w = (at + e - dense_end) // 8
                near = heard[max(0, w - 1) : w + 3]
                if len(near) == 0 or e > len(r) or near[:, : len(COMMANDS)].max() > 0.35:
                    weight[i, j] = 0
                    continue
                p = float(near[:, WORDS.index(SILENCE)].mean())
                target[i, j, WORDS.index(SILENCE)], target[i, j, WORDS.index(UNKNOWN)] = p, 1 - p
        x = torch.cat(x) + uniform(rng, -3.2, 2.9, b)[:, None, None]
        return self._noise(x, torch.full((b,), 0.5)).clamp_min(self.bank.floor), target, weight, [e // self.step for e in ends]


@torch.no_grad()
def posteriors(net, frames, phase=0, batch=256):
    """frames [n, t, M] -> probabilities [n, words] at the last network frame."""
    net.eval()
    frames = torch.as_tensor(frames)
    out = [F.softmax(net.head(net.pooled(net.encode(frames[i : i + batch], phase))[:, -1]), -1)
           for i in range(0, len(frames), batch)]
    return torch.cat(out)


def accuracy(net, frames, labels, phase=0):
    return float((posteriors(net, frames, phase).argmax(1).numpy() == labels).mean())


def optimiser(net, embedder, a):
    """AdamW; no decay on vectors, nor on the EMA's and attention's own parameters. The stem has a rate of its own."""
    stem = list(net.stem.parameters()) if net.stem else []
    named = [*net.named_parameters(), *embedder.named_parameters()]
    plain = [p for n, p in named if p.ndim == 2 and n.endswith("weight")]
    apart = {id(p) for p in [*plain, *stem]}
    rest = [p for _, p in named if id(p) not in apart]
    groups = [{"params": plain, "weight_decay": a.decay, "share": 1.0}, {"params": rest, "weight_decay": 0.0, "share": 1.0}]
    if stem:
        groups.append({"params": stem, "weight_decay": 0.0, "share": a.stem_rate})
    return torch.optim.AdamW(groups, a.lr, betas=(0.9, 0.98), fused=True)


class Embedder(torch.nn.Sequential):
    """What the teacher's embedding would be, out of a network frame [..., D] -> [..., 96]. For training only."""

    def __init__(self, dim):
        super().__init__(torch.nn.Linear(dim, 192), torch.nn.SiLU(), torch.nn.Linear(192, 96))


class Losses:
    """What a step is judged by."""

    def __init__(self, a, net, embedder):
        self.a, self.net, self.embedder = a, net, embedder

    def clips(self, batch):
        """Labels, the teacher's labels and its embeddings -> scalar."""
        a, net = self.a, self.net
        with torch.autocast("cpu", torch.bfloat16):
            y = net.encode(batch.frames, batch.phase)
        pooled = torch.stack([y[:, max(0, e - net.pool) : e].float().sum(1) / net.pool for e in batch.ends], 1)
        target = spread(batch.label, 1 - a.smooth)
        if batch.soft is not None:
            target = (1 - a.distil) * target + a.distil * F.softmax(batch.soft * a.sharpen, -1)
        loss = F.cross_entropy(net.head(pooled.flatten(0, 1)), target)
        return loss if batch.soft is None or not a.embed else loss + a.embed * self._embedding(y, batch)

    def _embedding(self, y, batch):
        clip, window = torch.nonzero(batch.at >= 0, as_tuple=True)
        with torch.autocast("cpu", torch.bfloat16):
            e = self.embedder(y[clip // len(batch.ends), batch.at[clip, window]])
        return (e.float() - batch.embed[clip, window]).square().mean()

    def speech(self, x, target, weight, ends, phase):
        """Running speech: what is nearly a false alarm teaches most -> scalar."""
        with torch.autocast("cpu", torch.bfloat16):
            y = self.net.encode(x, phase)
        logits = self.net.head(self.net.pooled(y)[:, [e - 1 for e in ends]])
        each = -(target * F.log_softmax(logits, -1)).sum(-1) * weight
        return each.flatten().topk(each.numel() // 4).values.mean()


def recipe(ap):
    """The options of how to train, which every command that trains has."""
    ap.add_argument("--steps", type=int, default=6000)
    ap.add_argument("--stop", type=int, help="end at this step, in the middle of the schedule")
    ap.add_argument("--batch", type=int, default=96, help="clips a step")
    ap.add_argument("--lr", type=float, default=5e-3)
    ap.add_argument("--stem-rate", type=float, default=1.0, help="rate of the stem, over that of all else")
    ap.add_argument("--stem-from", type=int, default=0, help="from this step on; before, it stays as it is")
    ap.add_argument("--warmup", type=int, default=300)
    ap.add_argument("--decay", type=float, default=0.05)
    ap.add_argument("--chain", type=int, default=3, help="clips in a sequence; divides the batch")
    ap.add_argument("--partial", type=float, default=0.03, help="share of commands cut in half, which are unknown")
    ap.add_argument("--dense", help="what the teacher heard in running speech: judge that everywhere")
    ap.add_argument("--dense-from", type=int, default=0, help="from this step on")
    ap.add_argument("--dense-batch", type=int, default=8, help="sequences of 3.2 s a step for that")
    ap.add_argument("--dense-weight", type=float, default=0.3)
    ap.add_argument("--sharpen", type=float, default=1.4, help="exponent of the teacher's probabilities")
    ap.add_argument("--clean", type=float, default=0.35, help="with shards: share of clips that are as recorded")
    ap.add_argument("--silence", type=float, default=0.1, help="share of silences")
    ap.add_argument("--distil", type=float, default=0.7, help="weight of the teacher's labels, where there are any")
    ap.add_argument("--embed", type=float, default=1.0, help="weight of the teacher's embeddings, where there are any")
    ap.add_argument("--smooth", type=float, default=0.0, help="label smoothing of the hard labels")
    ap.add_argument("--average", type=float, default=0.999, help="decay of the averaged weights")
    ap.add_argument("--every", type=int, default=500, help="steps between validations and checkpoints")


def fresh(network, bank, cfg, pretrained=None):
    """-> Net that knows the mean and spread of the bank's clips, or begins as the teacher does; and an Embedder for it."""
    net = Net(network, cfg.n_mels, len(WORDS), log_floor=cfg.log_floor)
    net.features.mean.copy_(bank.mean)
    net.features.scale.copy_(1 / bank.std)
    if pretrained:
        net.load_state_dict(net.state_dict() | pretrained)
    if net.stem:
        net.stem.to(memory_format=torch.channels_last)
    return net, Embedder(network["dim"])


def fit(a, net, embedder, average, opt, augment, step=0):
    """Train from `step` to a.stop or a.steps. Yields the step, the mean loss since the last and the rate, every a.every
    steps and at the end; `average` is then the averaged net."""
    judge, losses, end = Losses(a, net, embedder), [], a.stop or a.steps
    while step < end:
        rate = a.lr * min(1, (step + 1) / a.warmup) * (0.5 + 0.5 * math.cos(math.pi * step / a.steps)) + 1e-6
        for g in opt.param_groups:
            g["lr"] = rate * g["share"]
        net.train()
        if net.stem:
            net.stem.requires_grad_(step >= a.stem_from)
        batch = augment.batch(a.batch, a.chain)
        loss = judge.clips(batch)
        if a.dense and step >= a.dense_from:
            loss = loss + a.dense_weight * judge.speech(*augment.dense(a.dense_batch), batch.phase)
        if not loss.isfinite():
            raise FloatingPointError(f"the loss of step {step + 1} is {loss.item()}: a lower rate than {a.lr} may do")
        opt.zero_grad(set_to_none=True)
        loss.backward()
        if torch.nn.utils.clip_grad_norm_(net.parameters(), 1.0).isfinite():  # not the rare one that would end it all
            opt.step()
        step += 1
        keep = min(a.average, (step + 1) / (step + 20))
        with torch.no_grad():
            for p, q in zip(average.parameters(), net.parameters()):
                p.lerp_(q, 1 - keep)
            for p, q in zip(average.buffers(), net.buffers()):
                p.copy_(q)
        losses.append(loss.item())
        if step % a.every == 0 or step == end:
            yield step, np.mean(losses), rate
            losses = []


def main(argv=None):
    ap = argparse.ArgumentParser(prog="kws_train train", description=__doc__.splitlines()[0])
    ap.add_argument("--data", required=True)
    ap.add_argument("--run", required=True, help="folder for log, checkpoint and exports; resumes what is there")
    ap.add_argument("--cache", default="runs/cache")
    ap.add_argument("--splits", default="train", help="train, or train,val for the final model")
    ap.add_argument("--shards", nargs="*", default=[], help="augmented shards with teacher labels")
    ap.add_argument("--init", nargs="+", help="start from the averaged weights of this checkpoint, or the mean of several")
    ap.add_argument("--network", default="{}", help="JSON: arguments of network_spec")
    ap.add_argument("--teacher", help="the folder of the teacher: its first layers are the stem's start")
    ap.add_argument("--convs", type=int, default=15, help="so many of its convolutions")
    recipe(ap)
    ap.add_argument("--seed", type=int, default=1)
    a = ap.parse_args(argv)

    torch.set_num_threads(1)
    torch.manual_seed(a.seed)
    rng = np.random.default_rng(a.seed)
    os.makedirs(a.run, exist_ok=True)
    cfg = contract(a.shards)
    if a.teacher and cfg != SPEECH_EMBEDDING:
        ap.error("--teacher: the shards are not of its features (augment --features speech-embedding)")
    corpus = Corpus(a.data, a.cache)
    bank = Bank(corpus, cfg, a.splits.split(","), a.shards, a.dense)
    val_x, val_y = corpus.validation(cfg)
    stem, pretrained = read_stem(a.teacher, a.convs) if a.teacher else (STEM, None)
    net, embedder = fresh(network_spec(**{"stem": stem, **json.loads(a.network)}), bank, cfg, pretrained)
    if a.init:
        try:
            s = mean(a.init)
        except ValueError as e:
            ap.error(f"--init: {e}")
        if (s["network"], s["features"]) != (net.network, asdict(cfg)):
            ap.error(f"--init: {a.init[0]} is of another network or other features than asked for")
        net.load_state_dict(s["average"])
        embedder.load_state_dict(s["embedder"])
    average = copy.deepcopy(net)
    opt = optimiser(net, embedder, a)
    augment = Augment(bank, net.step, rng, partial=a.partial, silence=a.silence, clean=a.clean)
    step, log = 0, open(os.path.join(a.run, "log.tsv"), "a")
    ckpt = os.path.join(a.run, "last.pt")
    if os.path.exists(ckpt):
        s = torch.load(ckpt, weights_only=False)
        net.load_state_dict(s["net"])
        average.load_state_dict(s["average"])
        embedder.load_state_dict(s["embedder"])
        opt.load_state_dict(s["opt"])
        rng.bit_generator.state = s["rng"]
        step = s["step"]
    print(json.dumps(vars(a)), f"clips {len(bank.clips)} parameters {sum(p.numel() for p in net.parameters())}",
          flush=True)

    t0, began = time.time(), step
    for step, loss, rate in fit(a, net, embedder, average, opt, augment, step):
        acc, acc7 = accuracy(average, val_x, val_y), accuracy(average, val_x, val_y, 7)
        line = (f"{step}\tloss {loss:.4f}\tval {100 * acc:.2f}\tphase7 {100 * acc7:.2f}"
                f"\tlr {rate:.2e}\t{(time.time() - t0) / (step - began) * 1e3:.0f} ms/step")
        print(line, flush=True)
        log.write(line + "\n")
        log.flush()
        torch.save({"net": net.state_dict(), "average": average.state_dict(),
                    "embedder": embedder.state_dict(), "opt": opt.state_dict(),
                    "rng": rng.bit_generator.state, "step": step, "args": vars(a), "network": net.network,
                    "features": asdict(cfg)},
                   ckpt + ".tmp")
        os.replace(ckpt + ".tmp", ckpt)
        save_model(os.path.join(a.run, "model.safetensors"), average, cfg, WORDS, "commands-12", DECISION,
                   training={"seed": a.seed, "steps": step}, measured={"val_accuracy": round(acc, 4)})


if __name__ == "__main__":
    main()
