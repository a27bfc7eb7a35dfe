"""Augmented copies of the corpus with what a pre-trained embedding hears in them: one shard a version.

    python -m kws_train augment --data CORPUS --teacher DIR --out runs/shards --versions 0-7
    python -m kws_train augment --data CORPUS --again runs/shards --features speech-embedding --out runs/speech-embedding

The second makes other features of the same audio; all else is in the shards that are there. With neither --teacher nor --again no
teacher hears the copies, which takes a third of the time. A shard that is there is not made again.

Version 0 is the corpus as it is. The others pass through speed (and so pitch), room, band limits, colouring, noise or
babble, gain and clipping, and codecs, in that order. What the teacher hears of a clip is its sound before the room: what was
said, not what became of it. Item k of version v has its own generator, seeded by (seed, v, k): a shard
does not depend on which others were made. shards.py says what it holds. Clips of split train and val go in, of the latter marked.
"""
import itertools
import json
import multiprocessing
import os
import time
import zlib
from dataclasses import asdict

import numpy as np
import onnx
import onnxruntime
from google.protobuf.message import DecodeError
from scipy.signal import resample_poly

from . import shards
from .data import CLIP, RATE, SILENCE, UNKNOWN, Corpus, at_least, digest
from .features import CONTRACTS, log_mel
from .options import corpus as corpus_options
from .options import listed, parser, versions, whole
from .shards import CLIP_KIND, SILENCE_KIND, SPEECH_KIND
from .sounds import codec, colour, faster, loud_rms, rms, room, synthetic_noise

SIDE = RATE // 4  # what the teacher hears before and after the clip
LONG = CLIP + 2 * SIDE
RECIPE = 3  # of what is done to a clip: goes up with each change of it


class Teacher:
    """Google's speech_embedding (arXiv 2002.01322, Apache-2.0), ONNX form of openWakeWord; one thread.

    Published for windows of 76 mel frames every 8. Its convolutions have no padding in time and its pools divide the
    8, so nine windows are one pass over 147 frames, at a fifth of the cost: the two Reshape nodes are all that stands
    in the way.
    """

    def __init__(self, folder):
        opt = onnxruntime.SessionOptions()
        opt.intra_op_num_threads = opt.inter_op_num_threads = 1
        opt.log_severity_level = 3  # errors; it warns of what is cut away below
        load = lambda m: onnxruntime.InferenceSession(m.SerializeToString(), opt, ["CPUExecutionProvider"])
        self._mel = load(read_onnx(folder, "melspectrogram.onnx"))
        m = read_onnx(folder, "embedding_model.onnx")
        first, last = m.graph.node[0], m.graph.node[-1]
        if first.op_type != "Reshape" or last.op_type != "Reshape":
            raise SystemExit(f"{folder}: embedding_model.onnx does not begin and end in a Reshape: not speech_embedding")
        for t in m.graph.initializer:
            if t.name == first.input[1]:
                t.CopyFrom(onnx.numpy_helper.from_array(np.array([0, 1, -1, 32], np.int64), t.name))
        out = last.input[0]
        m.graph.node.remove(last)
        del m.graph.output[:]
        m.graph.output.append(onnx.helper.make_tensor_value_info(out, onnx.TensorProto.FLOAT, None))
        m.graph.input[0].type.tensor_type.shape.dim[1].dim_param = "frames"
        del m.graph.value_info[:]
        self._net = load(m)

    def __call__(self, pcm):
        """pcm float32 [b, n] -> [b, windows, 96], one window every 80 ms; nine for n = LONG."""
        mel = [self._mel.run(None, {"input": (x[None] * 32767).astype(np.float32)})[0][0, 0] for x in pcm]
        y = self._net.run(None, {"input_1": np.stack(mel)[..., None] / 10 + 2})[0]  # [b, 96, 9, 1]
        return y[..., 0].transpose(0, 2, 1)


def read_onnx(folder, name):
    """-> ModelProto. SystemExit: the file is not there, or is none."""
    path = os.path.join(folder, name)
    try:
        return onnx.load(path)
    except OSError as e:
        raise SystemExit(f"{path}: {e.strerror or e}") from None
    except DecodeError:
        raise SystemExit(f"{path}: no ONNX file") from None


def fit(x, n):
    """Centre of x, cut or padded with zeros to n samples."""
    if len(x) >= n:
        at = (len(x) - n) // 2
        return x[at : at + n]
    left = (n - len(x)) // 2
    return np.pad(x, (left, n - len(x) - left))


class Maker:
    """Makes the items of one version."""

    def __init__(self, corpus: Corpus):
        self.corpus = corpus
        self.noise = [corpus.audio(i) for i in corpus.noise("train")]
        self.speech_at = corpus.speech()
        self.clips = corpus.where("commands", "unknown", split="train")
        if not self.clips:
            raise SystemExit(f"{corpus.root}: no clips of split train")
        some = self.clips[:: max(1, len(self.clips) // 1000)]
        self.speech = [corpus.audio(i) for i in self.speech_at or some]  # other voices

    @staticmethod
    def _cut(rng, recordings, n):
        x = at_least(recordings[rng.integers(len(recordings))], n)
        at = rng.integers(0, len(x) - n + 1)
        return x[at : at + n]

    def _background(self, rng, n):
        """n samples of something to add, and the lowest SNR in dB at which the word stays the word."""
        kind = rng.random()
        if kind < 0.6:
            return self._cut(rng, self.noise, n), 0.0
        if kind < 0.75:
            return synthetic_noise(rng, n), 0.0
        if kind < 0.9:  # babble of 2 to 5 voices
            return sum(self._cut(rng, self.speech, n) for _ in range(rng.integers(2, 6))), 3.0
        if kind < 0.95:
            return self._cut(rng, self.speech, n), 8.0
        return fit(self.corpus.audio(self.clips[rng.integers(len(self.clips))]), n), 10.0

    def spoil(self, rng, x):
        """x [n] -> [n], everything behind the speaker's mouth."""
        if rng.random() < 0.35:
            x = room(rng, x)
        if rng.random() < 0.5:
            x = colour(rng, x)
        if rng.random() < 0.75:
            noise, lowest = self._background(rng, len(x))
            level = max(loud_rms(x), 1e-3)
            x = x + noise * (level / rms(noise) * 10 ** (-rng.uniform(lowest, 30) / 20))
        peak = np.abs(x).max() + 1e-9
        x = x * min(10 ** (rng.uniform(-14, 12) / 20), (2.0 if rng.random() < 0.06 else 0.98) / peak)
        return codec(rng, np.clip(x, -1, 1)) if rng.random() < 0.2 else np.clip(x, -1, 1)

    def clip(self, rng, x, clean):
        """-> what is heard, and what was said, both [LONG]."""
        if clean:
            x = np.pad(x[:CLIP], (SIDE, SIDE + CLIP - len(x[:CLIP])))
            return x, x
        x = np.roll(fit(faster(rng, x), LONG), int(rng.uniform(-0.08, 0.08) * RATE))
        return self.spoil(rng, x), x

    def speech_cut(self, rng, x, clean):
        """-> what is heard, and what was said, both [LONG]."""
        n = LONG + 6000
        at = rng.integers(0, max(1, len(x) - n))
        x = x[at : at + n]
        return (fit(x, LONG),) * 2 if clean else self.clip(rng, x, False)

    def silence(self, rng, clean):
        """-> sound in which nobody speaks [LONG]. Recordings of noise are heard at many speeds."""
        kind = rng.random()
        if kind < 0.08:
            return np.zeros(LONG)
        x = self._cut(rng, self.noise, 2 * LONG) if kind < 0.8 else synthetic_noise(rng, LONG)
        if kind < 0.8:
            x = x[:LONG] if clean or kind < 0.25 else resample_poly(x, int(round(50 * np.exp(rng.uniform(-0.4, 0.4)))), 50)[:LONG]
        if clean and kind < 0.8:
            return x
        if rng.random() < 0.4:
            x = colour(rng, x)
        x = x / rms(x) * 10 ** (rng.uniform(-70, -8) / 20)
        if rng.random() < 0.1:
            x = x + rng.uniform(-0.5, 0.5)  # DC
        x = np.clip(x, -1, 1)
        return codec(rng, x) if not clean and rng.random() < 0.2 else x

    def plan(self, version, silences, cuts, copies):
        """copies: word -> how often each of its clips is in versions but 0, if not once.
        -> list of (kind, corpus index or -1, label, val, group)."""
        corpus, items = self.corpus, self.corpus.items
        out = []
        for i in corpus.where("commands", "unknown"):
            it = items[i]
            again = copies.get(it.word, 1) if version and it.kind == "commands" else 1
            if it.split in ("train", "val"):
                out += [(CLIP_KIND, i, corpus.label(i), it.split == "val", zlib.crc32(it.speaker.encode()))] * again
        for i in self.speech_at:
            out += [(SPEECH_KIND, i, corpus.words.index(UNKNOWN), False, zlib.crc32(items[i].path.encode()))] * cuts
        out += [(SILENCE_KIND, -1, corpus.words.index(SILENCE), False, k) for k in range(silences)]
        return out

    def make(self, version, k, entry, seed):
        """-> what is heard, and what was said, both [LONG]."""
        kind, i, _, _, _ = entry
        rng = np.random.default_rng((seed, version, k))
        if kind == CLIP_KIND:
            return self.clip(rng, self.corpus.audio(i), version == 0)
        if kind == SPEECH_KIND:
            return self.speech_cut(rng, self.corpus.audio(i), version == 0)
        return (self.silence(rng, version == 0),) * 2


def same_audio(path, audio):
    """-> the shard there. SystemExit: it is not of this audio."""
    z = shards.read(path)
    if str(z["audio"]) != audio:
        raise SystemExit(f"{path}: of another corpus, or made with other options")
    return z


class Hands:
    """What makes some items of a version, in this process or in others. teacher: its folder; None: it is not asked."""

    def __init__(self, maker, teacher, cfg, version, seed):
        self.maker, self.cfg, self.version, self.seed = maker, cfg, version, seed
        self.teacher = teacher and Teacher(teacher)

    def __call__(self, k, entries):
        """entries: those of the plan from k on -> frames float16 [n, 100, n_mels], what the teacher hears [n, 9, 96] or None."""
        made = zip(*(self.maker.make(self.version, k + i, e, self.seed) for i, e in enumerate(entries)), strict=True)
        pcm, said = (np.stack(x).astype(np.float32) for x in made)
        frames = log_mel(pcm[:, SIDE : SIDE + CLIP], self.cfg).astype(np.float16)
        return frames, self.teacher and self.teacher(said).astype(np.float16)

    @classmethod
    def come(cls, *args):
        """In a process that helps: be there for tasks."""
        cls.mine = cls(*args)

    @classmethod
    def help(cls, task):
        return cls.mine(*task)


def in_turn(tasks, jobs, *args):
    """What Hands(*args) make of each task, in order, by so many processes."""
    if jobs == 1:
        yield from itertools.starmap(Hands(*args), tasks)
        return
    with multiprocessing.get_context("fork").Pool(jobs, Hands.come, args) as pool:
        yield from pool.imap(Hands.help, tasks)


def make_shard(path, maker, teacher, cfg, version, seed, silences, cuts, copies, jobs=1, again=None, batch=8):
    """Write the shard of a version. teacher: its folder, or None; again: a shard that holds what it heard in the same audio, or
    None. Both None: nobody hears it, and the embeddings are NaN."""
    plan = maker.plan(version, silences, cuts, copies)
    audio = digest([RECIPE, maker.corpus.digest(), version, seed, silences, cuts, copies])
    if os.path.exists(path):
        if json.loads(str(same_audio(path, audio)["features"])) != asdict(cfg):
            raise SystemExit(f"{path}: of other features")
        return
    frames = np.empty((len(plan), CLIP // cfg.hop, cfg.n_mels), np.float16)
    kind, _, label, val, group = (np.array(c) for c in zip(*plan, strict=True))
    embed = same_audio(again, audio)["embed"] if again else np.full((len(plan), 9, 96), np.nan, np.float16)
    t0 = time.time()
    tasks = [(k, plan[k : k + batch]) for k in range(0, len(plan), batch)]
    for (at, entries), (heard, said) in zip(tasks, in_turn(tasks, jobs, maker, teacher, cfg, version, seed), strict=True):
        done = at + len(entries)
        frames[at:done] = heard
        if teacher:
            embed[at:done] = said
        if at % (batch * 100) == 0:
            print(f"version {version}: {done}/{len(plan)}  {(time.time() - t0) / done * 1e3:.1f} ms an item", flush=True)
    tmp = path + ".tmp.npz"
    np.savez(tmp, frames=frames, embed=embed, label=label, kind=kind, val=val, group=group, version=version,
             features=json.dumps(asdict(cfg)), words=json.dumps(maker.corpus.words), corpus=maker.corpus.digest(), audio=audio)
    if os.path.exists(shards.soft_path(path)):  # of a shard that was here before
        os.remove(shards.soft_path(path))
    os.replace(tmp, path)


def copies_of(ap, entries, words):
    """["on=3"] -> {"on": 3}, of the words of a corpus."""
    copies = {}
    for entry in entries:
        word, _, n = entry.partition("=")
        if word not in words[:-2] or not n.isdigit() or int(n) < 1:
            ap.error(f"--copies: '{entry}' is not WORD=N, with a word of {', '.join(words[:-2])} and N from 1")
        copies[word] = int(n)
    return copies


def options():
    """-> ArgumentParser of this command."""
    ap = parser("augment", __doc__)
    corpus_options(ap)
    source = ap.add_mutually_exclusive_group()
    source.add_argument("--teacher", metavar="DIR", help="folder of the teacher: melspectrogram.onnx, embedding_model.onnx")
    source.add_argument("--again", metavar="DIR", help="folder of shards: the same audio, with other features")
    ap.add_argument("--out", metavar="DIR", default="runs/shards", help="folder of the shards")
    ap.add_argument("--versions", metavar="FIRST-LAST", type=versions, default="0-7", help="which copies, 0 to 99")
    ap.add_argument("--features", choices=CONTRACTS, default="wide", help="the contract of the frames")
    ap.add_argument("--order", metavar="WORD,...", type=listed, help="all commands, as the network is to have them "
                    "(default: as the manifest has them)")
    ap.add_argument("--silences", metavar="N", type=whole(1), default=500, help="silences a version")
    ap.add_argument("--cuts", metavar="N", type=whole(1), default=7, help="cuts of each recording of running speech")
    ap.add_argument("--copies", metavar="WORD=N", action="append", default=[],
                    help="so many copies of each clip of a poor word, in versions but 0; else one")
    ap.add_argument("--jobs", metavar="N", type=whole(1), default=1, help="so many processes; the shards are the same")
    ap.add_argument("--seed", metavar="N", type=whole(0), default=1, help="of all that is random")
    return ap


def main(argv=None):
    """Make the shards that are missing."""
    ap = options()
    a = ap.parse_args(argv)
    corpus = Corpus(a.data, a.cache, a.order and [*a.order, UNKNOWN, SILENCE], "--order")
    copies = copies_of(ap, a.copies, corpus.words)
    maker, cfg = Maker(corpus), CONTRACTS[a.features]
    if a.teacher:
        Teacher(a.teacher)  # whose files are wrong is said before the work begins
    os.makedirs(a.out, exist_ok=True)
    for v in a.versions:
        name = f"v{v:02d}.npz"
        make_shard(os.path.join(a.out, name), maker, a.teacher, cfg, v, a.seed, a.silences, a.cuts, copies, a.jobs,
                   a.again and os.path.join(a.again, name))
