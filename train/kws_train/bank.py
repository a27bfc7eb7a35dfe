"""The clips of a training as log-mel frames, and the batches that are made of them.

Clips are augmented there, on the fly: placement, tempo and vocal-tract warp are one affine resampling of the (time, mel)
plane; gain adds a constant; noise adds in the power domain (logaddexp), since the mel bands are powers. Clips are laid one
behind the other, so that the network learns non-zero history, and every batch starts at a random chunk phase.
"""
import math
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F

from . import dense, shards
from .data import SILENCE, UNKNOWN, Corpus, fit_clip
from .features import FeatureConfig, log_mel
from .recordings import Heard, Recordings

FRAMES = 100  # feature frames of a clip


class Bank:
    """Everything a batch is made of, as log-mel frames in float16.

    clips [n, 100, M] with label [n] and, if a teacher has heard them, embed [n, 9, 96] and soft [n, words]; noise and speech:
    long Recordings; voices: speech, or some clips where there is none. Labels are on the CPU, all else on `device`.
    """

    def __init__(self, corpus: Corpus, cfg: FeatureConfig, splits=("train",), shard_paths=(), heard=None, soft=True,
                 device="cpu"):
        """soft: read the teacher's labels of the shards."""
        half = lambda x: torch.from_numpy(np.asarray(x, np.float32)).half()
        mel = lambda i: half(log_mel(corpus.audio(i), cfg))
        self.words, self.floor, self.device = corpus.words, math.log(cfg.log_floor), torch.device(device)
        self.noise = Recordings([mel(i) for i in corpus.noise(*(s for s in ("train", "val") if s in splits))], device)
        speech = [mel(i) for i in corpus.speech()]
        self.speech = Recordings(speech, device) if speech else None
        self.heard = Heard(dense.load(heard, corpus), self.words.index(SILENCE), device) if heard else None
        self.soft = self.embed = None
        if shard_paths:
            self._read(corpus, splits, shard_paths, soft)
        else:
            idx = [i for s in splits for i in corpus.where("commands", "unknown", split=s)]
            if not idx:
                raise SystemExit(f"{corpus.root}: no clips of split {' or '.join(splits)} in its manifest")
            self.clips = torch.stack([half(log_mel(fit_clip(corpus.audio(i)), cfg)) for i in idx]).to(device)
            self.label = torch.tensor([corpus.label(i) for i in idx])
            self.kind = torch.zeros_like(self.label)
            self.clean = torch.ones_like(self.label, dtype=torch.bool)
        pick = self.clips[:: max(1, len(self.clips) // 4000)].float()
        self.mean, self.std = pick.mean((0, 1)), pick.std((0, 1)).clamp_min(1e-3)  # a band may be silent throughout
        self.voices = self.speech or Recordings(self.clips[:: max(1, len(self.clips) // 1000)], device)
        self.check(splits)

    def _read(self, corpus, splits, paths, soft):
        """Clips out of shards."""
        parts = {k: [] for k in ("frames", "label", "kind", "embed", "clean", "soft")}
        for path in sorted(paths):
            z = shards.read(path)
            if str(z["corpus"]) != corpus.digest():
                raise SystemExit(f"{path} is not of the corpus that {corpus.root} holds now: make it anew")
            keep = np.flatnonzero(~z["val"] | ("val" in splits))
            for k in ("frames", "label", "kind", "embed"):
                parts[k].append(torch.from_numpy(z[k][keep]))
            parts["clean"].append(torch.full((len(keep),), int(z["version"]) == 0))
            if soft:
                parts["soft"].append(torch.from_numpy(shards.load_soft(path, self.words, len(z["val"]))[keep]))
        self.clips, label, kind, embed, self.clean = (torch.cat(parts[k]) for k in ("frames", "label", "kind", "embed", "clean"))
        self.clips = self.clips.to(self.device).clamp_(min=self.floor)
        self.label, self.kind = label.long(), kind.long()
        heard = ~embed[:, 0, 0].isnan()
        some = embed[heard][::37].float() if heard.any() else torch.zeros(1, 9, 96)
        mean, std = some.mean((0, 1)), some.std((0, 1)).clamp_min(1e-3)  # one silence may be all
        self.embed, self.embed_mean, self.embed_std = (x.to(self.device) for x in (embed, mean, std))
        if soft:
            self.soft = torch.cat(parts["soft"])
            wrong = (self.kind != shards.SPEECH_KIND) & (self.soft.argmax(1) != self.label)  # there the label counts
            self.soft[wrong] = sure(self.label[wrong], 0.9, len(self.words))
            self.soft = self.soft.to(self.device)

    def check(self, splits):
        """SystemExit: a class has nothing to be learned from."""
        where = f"split {' or '.join(splits)}"
        clips = self.label[self.kind == 0]
        for i, word in enumerate(self.words[:-2]):
            if not (clips == i).any():
                raise SystemExit(f"no clip of '{word}' in {where}: nothing to learn it from")
        if not (clips == self.words.index(UNKNOWN)).any() and not self.speech:
            raise SystemExit(f"no other words and no running speech in {where}: nothing to learn {UNKNOWN} from")


def spread(label, p, n_words):
    """label [n] -> probabilities [n, n_words]: p for the label, the rest spread over all."""
    return (label[:, None] == torch.arange(n_words, device=label.device)) * p + (1 - p) / n_words


def sure(label, p, n_words):
    """The same as log-probabilities."""
    return torch.log(spread(label, p, n_words))


def power_db(x, keep=0.3):
    """Mean band power of the loudest `keep` of the frames, dB. x [B, T, M] -> [B]."""
    p = x.exp().mean(2)
    return 10 * torch.log10(p.topk(max(1, int(keep * p.shape[1])), 1).values.mean(1) + 1e-12)


@dataclass
class Batch:
    """`chain` clips follow each other in a sequence; n of them in all, sequence by sequence."""

    frames: torch.Tensor  # [n / chain, t, M]
    label: torch.Tensor   # [n]
    soft: torch.Tensor    # [n, words] log-probabilities of the teacher; None: there are none
    embed: torch.Tensor   # [n, 9, 96] its embeddings, normalised; None: there was none
    at: torch.Tensor      # [n, 9] the network frame of the sequence at which each is due; -1: none is
    ends: list            # the network frame behind each clip
    phase: int            # place in the chunk of the first network frame


class Augment:
    """Makes batches for a network with a frame every `step` feature frames, where the bank's frames are.

    Seeded; everything random comes from one numpy generator, whose state is checkpointed."""

    def __init__(self, bank: Bank, step, rng, unknown_speech=0.04, silence=0.07, unknown=0.11, warp=1.0, partial=0.03,
                 clean=0.35, commands=None, draw=None, snr=0.0, layouts=None):
        """commands: the words that the network spots, as many clips of each; other words of the bank share `unknown`, by the
        root of how many clips they have. None: all. draw: word -> how much more often than that, against words of its kind.
        snr: the lowest of added noise, dB. layouts: there are so many ways to lay clips, and all batches are of one of
        them; None: each is of one of its own."""
        self.bank, self.step, self.rng = bank, step, rng
        self.warp, self.partial, self.snr = warp, partial, snr
        self.unknown, self.silence = bank.words.index(UNKNOWN), bank.words.index(SILENCE)
        rows = lambda where: torch.nonzero(where)[:, 0].numpy()
        self.extra = {k: rows(bank.kind == v) for k, v in (("speech", 1), ("silence", 2))}
        if not (bank.speech if bank.embed is None else len(self.extra["speech"])):  # none there: other words have its share
            unknown, unknown_speech = unknown + unknown_speech, 0.0
        of = lambda c: (bank.label == c) & (bank.kind == 0)
        more = [(draw or {}).get(w, 1.0) for w in bank.words]
        spotted = {c: more[c] for c, w in enumerate(bank.words[:-2]) if commands is None or w in commands}
        others = {c: more[c] * math.sqrt(n) for c in range(self.silence) if c not in spotted and (n := int(of(c).sum()))}
        share = {c: (1 - unknown - silence - unknown_speech) * x / sum(spotted.values()) for c, x in spotted.items()}
        share |= {c: unknown * x / sum(others.values()) for c, x in others.items()}
        self.other = torch.ones(len(bank.words), dtype=torch.bool)  # words of which a part is no command either
        self.other[[*spotted, self.silence]] = False
        groups = [[rows(of(c) & (bank.clean == clean)) for clean in (False, True)] for c in share]
        groups = [g if len(g) else pair[1 - k] for pair in groups for k, g in enumerate(pair)]  # clips of one kind only
        self.group_rows, self.group_size = np.concatenate(groups), np.array([len(g) for g in groups])
        self.group_at = np.cumsum(self.group_size) - self.group_size
        self.clean_p = clean if bank.embed is not None else 1.0
        self.classes, self.p = list(share), np.array(list(share.values()))
        self.share = {"clip": self.p.sum(), "speech": unknown_speech, "silence": silence}
        self.layouts = layouts

    def _uniform(self, lo, hi, n):
        return torch.from_numpy(self.rng.uniform(lo, hi, n).astype(np.float32)).to(self.bank.device)

    def _clips(self, n):
        """n clips of the words that are drawn -> their rows in the bank."""
        rng = self.rng
        group = 2 * rng.choice(len(self.p), n, p=self.p / self.p.sum()) + (rng.random(n) < self.clean_p)
        return self.group_rows[self.group_at[group] + (rng.random(n) * self.group_size[group]).astype(np.int64)]

    def _draw(self, n):
        """n sources -> frames [n, 100, M], label [n], soft [n, words] or None, embed [n, 9, 96] or None, clean [n]: not
        augmented as audio yet. In random order, so that everything follows everything in a sequence. What no teacher
        heard has embeddings of NaN. label and clean are on the CPU."""
        rng, bank = self.rng, self.bank
        kinds = rng.choice(3, n, p=np.array(list(self.share.values())) / sum(self.share.values()))
        n_clip, n_speech, n_sil = (int((kinds == k).sum()) for k in range(3))
        idx = self._clips(n_clip)
        made = n_sil // 3 if bank.embed is not None else 0  # silences out of shards; the others are cut or built here
        if bank.embed is not None:
            idx = np.concatenate([idx, rng.choice(self.extra["speech"], n_speech),
                                  rng.choice(self.extra["silence"], made)])
            n_speech = 0
        idx = torch.from_numpy(idx.astype(np.int64))
        rows, quiet = idx.to(bank.device), (n_sil - made) // 4
        nothing = torch.full((quiet, FRAMES, bank.clips.shape[2]), bank.floor, device=bank.device)
        frames = torch.cat([bank.clips[rows].float(), bank.voices.cut(n_speech, FRAMES, rng),
                            bank.noise.cut(n_sil - made - quiet, FRAMES, rng), nothing])
        label = torch.cat([bank.label[idx], torch.full((n_speech,), self.unknown), torch.full((n_sil - made,), self.silence)])
        clean = torch.cat([bank.clean[idx], torch.ones(n - len(idx), dtype=torch.bool)])
        at = torch.from_numpy(rng.permutation(n))
        order = at.to(bank.device)
        soft = embed = None
        if bank.soft is not None:
            soft = torch.cat([bank.soft[rows], sure(label[len(idx):], 0.95, len(bank.words)).to(bank.device)])[order]
        if bank.embed is not None:
            embed = (bank.embed[rows].float() - bank.embed_mean) / bank.embed_std
            embed = F.pad(embed, (0, 0, 0, 0, 0, n - len(idx)), value=math.nan)[order]
        return frames[order], label[at], soft, embed, clean[at]

    def _place(self, x, shift, tempo, formant):
        """Affine resampling of x [B, T, M] (values over the floor): shift in frames, tempo and formant as factors."""
        b, t, m = x.shape
        theta = torch.zeros(b, 2, 3, device=x.device)
        theta[:, 0, 0] = formant
        theta[:, 0, 2] = formant - 1  # keeps mel 0 in its place
        theta[:, 1, 1] = tempo
        theta[:, 1, 2] = -2 * shift / t
        grid = F.affine_grid(theta, (b, 1, t, m), align_corners=False)
        band = grid[..., 0].clamp(-1 + 1 / m, 1 - 1 / m)  # bands beyond the last repeat it; time beyond the end is 0
        return F.grid_sample(x[:, None], torch.stack([band, grid[..., 1]], -1), align_corners=False)[:, 0]

    def _noise(self, x, p, level=None):
        """With probability p [B] add noise at self.snr to 30 dB, or rarely babble 5 dB lower, in the power domain. level [B]:
        what is taken for the signal's, dB; x's own if None."""
        rng, bank = self.rng, self.bank
        b, t, m = x.shape
        n = bank.noise.cut(b, t, rng)
        babble = np.flatnonzero(rng.random(b) < 0.12)
        n[babble] = bank.voices.cut(len(babble), t, rng)
        flat = np.flatnonzero(rng.random(b) < 0.15)  # stationary noise of a random smooth spectrum
        if len(flat):
            n[flat] = self._stationary(len(flat), t, m)
        lower = np.zeros(b, np.float32)
        lower[babble] = 5
        snr = self._uniform(self.snr, 30, b) + torch.from_numpy(lower).to(x.device)
        level = (power_db(x) if level is None else level).clamp_min(-25)
        gain = (level - snr - power_db(n)) * (math.log(10) / 10)
        gain[self._uniform(0, 1, b) >= p] = -30.0
        return torch.logaddexp(x, n + gain[:, None, None])

    def _stationary(self, n, t, m):
        """Noise of a random smooth spectrum, the power of whose frames is of a gamma distribution -> [n, t, m]."""
        rng, device = self.rng, self.bank.device
        tilt = torch.from_numpy(rng.normal(0, 1.5, (n, 1, 6)).astype(np.float32)).to(device)
        noise = torch.Generator(device).manual_seed(int(rng.integers(2**62)))
        power = -torch.rand(6, n, t, m, generator=noise, device=device).clamp_min(1e-9).log().mean(0)
        return F.interpolate(tilt, m, mode="linear", align_corners=True) + torch.log(power + 1e-3)

    def _mask(self, x, p=0.8):
        """SpecAugment: two masks over bands, two over time, filled with the mean frame."""
        b, t, m = x.shape
        ft, fm = torch.arange(t, device=x.device), torch.arange(m, device=x.device)
        hide = torch.zeros(b, t, m, dtype=torch.bool, device=x.device)
        for _ in range(2):
            w, at = self._uniform(0, 8, b), self._uniform(0, 1, b)
            lo = (at * (m - w)).floor()
            hide |= ((fm >= lo[:, None]) & (fm < (lo + w.floor())[:, None]))[:, None, :]
            w, at = self._uniform(0, 16, b), self._uniform(0, 1, b)
            lo = t - FRAMES + (at * (FRAMES - w)).floor()
            hide |= ((ft >= lo[:, None]) & (ft < (lo + w.floor())[:, None]))[:, :, None]
        hide &= (self._uniform(0, 1, b) < p)[:, None, None]
        return torch.where(hide, self.bank.mean, x)

    def _shifts(self, label):
        """Where the clip lies in the window, in frames [n], and which clips lose half their word so [n].

        Mostly within 120 ms, a quarter within 240 ms. Other words may lie anywhere: a part of them is no command
        either. A few commands are pushed half out of the window, and are then no command: what a stream sees between
        words. Not so far that nothing is left: that would be silence.
        """
        rng, n = self.rng, len(label)
        shift = rng.uniform(-1, 1, n) * np.where(rng.random(n) < 0.25, 24, 12)
        other = self.other[label].numpy()
        shift = np.where(other & (rng.random(n) < 0.3), rng.uniform(-48, 48, n), shift)
        half = (label.numpy() < self.unknown) & ~other & (rng.random(n) < self.partial)
        shift = np.where(half, rng.choice([-1, 1], n) * rng.uniform(44, 56, n), shift)
        half |= other & (np.abs(shift) > 30)  # of a word that is none of the commands, too
        return torch.from_numpy(shift.astype(np.float32)).to(self.bank.device), torch.from_numpy(half)

    def batch(self, n, chain):
        """-> Batch of n clips in sequences of `chain`."""
        floor, w, device = self.bank.floor, self.warp, self.bank.device
        x, label, soft, embed, clean = self._draw(n)
        shift, half = self._shifts(label)
        label = torch.where(half, self.unknown, label)
        if soft is not None:
            soft = torch.where(half.to(device)[:, None], sure(label, 0.99, len(self.bank.words)).to(device), soft)
        tempo = torch.exp(self._uniform(-0.14, 0.14, n) * w)
        x = self._place(x - floor, shift, tempo, torch.exp(self._uniform(-0.1, 0.1, n) * w)) + floor
        x = (x + self._uniform(-3.2, 2.9, n)[:, None, None]).clamp_min(floor)
        label = label.to(device)
        starts, phase = self._layout(chain)
        x = self._chain(x, label.eq(self.silence), torch.where(clean, 0.75, 0.3).to(device), starts)
        ends = [(at + FRAMES) // self.step for at in starts]
        due = torch.tensor(ends, device=device).repeat(n // chain)
        at = None if embed is None else self._due(embed, shift, tempo, due)
        return Batch(x, label, soft, embed, at, ends, phase)

    def _due(self, embed, shift, tempo, end):
        """When the teacher's windows end, after placement -> [n, 9], network frames of the sequence. Those that
        reach out of the clip are left out: there, something else was laid."""
        window = 52.5 + 8 * torch.arange(9, device=shift.device)  # feature frames: 0.775 s, from 0.25 s before the clip on
        at = ((window - FRAMES / 2 + shift[:, None]) / tempo[:, None] + FRAMES / 2) / self.step
        at = torch.round(at).long() - 1
        inside = (at >= 40 // self.step) & (at < FRAMES // self.step) & ~embed[:, :, 0].isnan()
        return torch.where(inside, at + end[:, None] - FRAMES // self.step, -1)

    def _layout(self, chain):
        """-> where each of `chain` clips of a sequence starts, with pauses up to 0.5 s, in frames; and the sequence's phase."""
        rng = self.rng if self.layouts is None else np.random.default_rng(self.rng.integers(self.layouts))
        step = lambda lo, hi: self.step * int(rng.integers(lo // self.step, hi // self.step))
        starts = [0 if rng.random() < 0.6 else step(self.step, 52)]
        for _ in range(chain - 1):
            starts.append(starts[-1] + FRAMES + step(0, 52))
        return starts, 0 if rng.random() < 0.4 else int(rng.integers(0, 10**6))

    def _chain(self, x, silent, p, starts):
        """Lay clips x [n, 100, M] one behind the other, and with probability p [n] in noise -> [n / chain, t, M].

        They do not overlap, or silences would hold the ends of words. One noise under all is as loud as the words ask
        for, whatever the clips that are silent [n] hold: a loud one would have it drown the words.
        """
        rng, floor, chain = self.rng, self.bank.floor, len(starts)
        b = len(x) // chain
        bed = rng.random() < 0.5  # one noise under all of a sequence, or each clip with its own
        if not bed:
            x = self._noise(x, p).clamp_min(floor)
        x = x.view(b, chain, FRAMES, -1)
        y = torch.full((b, starts[-1] + FRAMES, x.shape[3]), floor, device=x.device)
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
        return y

    def dense(self, b, t=320, every=10):
        """b long cuts of running speech, a quarter of them of noise, judged everywhere and not at clips only.

        -> frames [b, t, M], target [b, windows, words], most [b, windows, words] (what the teacher suspects about there, each
        word at its most; 1: it heard nothing), ends of the windows in network frames, a range. every: feature frames between
        them. b: 4 or more. Needs bank.heard, see dense.py.
        """
        rng, bank, quiet = self.rng, self.bank, b // 4
        ends = range(FRAMES // self.step, t // self.step + 1, every // self.step)
        warp = torch.exp(self._uniform(-0.35, 0.35, (2, quiet)) * self.warp)
        noise = bank.noise.cut(quiet, t, rng) - bank.floor
        noise = self._place(noise, torch.zeros(quiet, device=bank.device), *warp) + bank.floor
        k = rng.integers(len(bank.speech), size=b - quiet)
        at = 2 * rng.integers(0, np.maximum(1, (bank.speech.length[k] - t) // 2))
        x = torch.cat([noise, bank.speech.piece(k, at, t, bank.floor)]) + self._uniform(-3.2, 2.9, b)[:, None, None]
        till = at[:, None] + self.step * np.array(ends)
        most, silent, there = bank.heard.near(k, (till - dense.END) // 8)
        there &= torch.from_numpy(till <= bank.speech.length[k, None]).to(bank.device)
        target = torch.zeros(b, len(ends), len(bank.words), device=bank.device)
        target[:quiet, :, self.silence] = 1
        target[quiet:, :, self.silence], target[quiet:, :, self.unknown] = silent, 1 - silent
        most = F.pad(torch.where(there[..., None], most, 1), (0, 0, 0, 0, quiet, 0))
        x = self._noise(x, torch.full((b,), 0.5, device=bank.device)).clamp_min(bank.floor)
        return x, target, most, ends
