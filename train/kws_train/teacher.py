"""Train heads on the teacher's embeddings and write what they think of every item of every shard.

    python -m kws_train teacher --shards runs/shards/v*.npz

Heads are trained in folds over speakers: an item's soft label comes only from heads that never heard its speaker, in
any version. Validation speakers are in no fold, so their labels come from all heads, and the accuracy on them is
honest. Writes <shard>.soft.npy: log of the mean probability.
"""
import os
import time

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from . import shards as shard_files
from .data import same_words
from .options import listed, parser, whole


class ConvHead(nn.Module):
    """[b, 9, 96] -> logits: two convolutions over the windows, attention and maximum pooling."""

    def __init__(self, n_words, width=160, drop=0.35):
        super().__init__()
        self.c1, self.c2 = nn.Conv1d(96, width, 3, padding=1), nn.Conv1d(width, width, 3, padding=1)
        self.att = nn.Conv1d(width, 1, 1)
        self.drop = nn.Dropout(drop)
        self.f1, self.f2 = nn.Linear(2 * width, 256), nn.Linear(256, n_words)

    def forward(self, x):
        h = F.silu(self.c1(x.transpose(1, 2)))
        h = h + F.silu(self.c2(self.drop(h)))
        a = torch.softmax(self.att(h), -1)
        h = torch.cat([(a * h).sum(-1), h.amax(-1)], -1)
        return self.f2(self.drop(F.silu(self.f1(self.drop(h)))))


class FlatHead(nn.Module):
    """[b, 9, 96] -> logits: one wide hidden layer on everything."""

    def __init__(self, n_words, width=384, drop=0.5):
        super().__init__()
        self.drop = nn.Dropout(drop)
        self.f1, self.f2 = nn.Linear(9 * 96, width), nn.Linear(width, n_words)

    def forward(self, x):
        return self.f2(self.drop(F.silu(self.f1(F.dropout(x.flatten(1), 0.1, self.training)))))


HEADS = {"conv": ConvHead, "flat": FlatHead}


def fit_head(head, x, y, n_words, epochs, lr=1e-3, batch=256, seed=0):
    """AdamW, cosine, label smoothing, mixup; the last third's weights are averaged. x [n, 9, 96], y [n] -> head, trained."""
    batch = min(batch, len(x))
    gen = torch.Generator().manual_seed(seed)
    opt = torch.optim.AdamW(head.parameters(), lr, weight_decay=0.02)
    steps = epochs * (len(x) // batch)
    average, taken, step = {k: torch.zeros_like(v) for k, v in head.state_dict().items()}, 0, 0
    head.train()
    for _ in range(epochs):
        order = torch.randperm(len(x), generator=gen)
        for at in range(0, len(x) - batch + 1, batch):
            if step >= steps:
                break
            for g in opt.param_groups:
                g["lr"] = lr * min(1, (step + 1) / 200) * (0.5 + 0.5 * np.cos(np.pi * step / steps))
            i = order[at : at + batch]
            xi, yi = x[i].float(), F.one_hot(y[i], n_words).float() * 0.95 + 0.05 / n_words
            lam = float(np.random.default_rng((seed, step)).beta(0.3, 0.3))
            lam = max(lam, 1 - lam)
            xi, yi = lam * xi + (1 - lam) * xi.flip(0), lam * yi + (1 - lam) * yi.flip(0)
            loss = -(yi * F.log_softmax(head(xi), -1)).sum(-1).mean()
            opt.zero_grad()
            loss.backward()
            opt.step()
            step += 1
            if step > 2 * steps // 3 and step % 10 == 0 or step == steps and not taken:
                taken += 1
                for k, v in head.state_dict().items():
                    average[k] += (v - average[k]) / taken
    head.load_state_dict(average)
    return head.eval()


@torch.no_grad()
def probabilities(head, x):
    """x [n, 9, 96] -> [n, words]"""
    return torch.cat([F.softmax(head(x[i : i + 1024].float()), -1) for i in range(0, len(x), 1024)])


class Items:
    """Everything that the shards hold and the heads need, one item a row."""

    def __init__(self, paths):
        _, self.words = shard_files.alike(paths)
        files = [shard_files.read(p) for p in paths]
        unheard = [p for p, z in zip(paths, files, strict=True) if np.isnan(z["embed"]).any()]
        if unheard:
            raise SystemExit(f"{unheard[0]}: no teacher heard it: make it anew, with `kws_train augment --teacher`")
        cat = lambda k: torch.from_numpy(np.concatenate([z[k] for z in files]))
        self.x, self.y, self.val, self.kind, self.group = cat("embed"), cat("label").long(), cat("val"), cat("kind"), cat("group")
        self.sizes = [len(z["label"]) for z in files]
        self.version = torch.from_numpy(np.repeat([int(z["version"]) for z in files], self.sizes))
        self.shard = torch.from_numpy(np.repeat(np.arange(len(files)), self.sizes))


def report(name, p, items, rows):
    """Print how much of these rows [n] the probabilities p [n, words] have right, by version."""
    for v in sorted(set(items.version.tolist())):
        r = rows & (items.version == v)
        if r.any():
            print(f"{name} version {v}: {100 * float((p[r].argmax(1) == items.y[r]).float().mean()):.2f} % of {int(r.sum())}",
                  flush=True)


def read_heads(path, names, folds, words):
    """-> what main() saved. SystemExit: it is none of that, of other words, or without the heads asked for."""
    try:
        saved = torch.load(path, weights_only=True)
        missing = {f"{f}.{k}" for f in range(folds) for k in names} - set(saved["heads"])
        theirs = saved["words"]
    except OSError as e:
        raise SystemExit(f"{path}: {e.strerror or e}") from None
    except Exception:  # pickle, zip and torch have each their own
        raise SystemExit(f"{path}: no heads of this kws_train teacher") from None
    if words is not None:
        same_words(theirs, path, words, "the shards")
    if missing or saved["folds"] < folds:
        raise SystemExit(f"{path}: has {saved['folds']} folds of {', '.join(sorted({k[2:] for k in saved['heads']}))}")
    return saved


def options():
    """-> ArgumentParser of this command."""
    ap = parser("teacher", __doc__)
    ap.add_argument("--shards", metavar="FILE", nargs="+", required=True, help="of kws_train augment")
    ap.add_argument("--folds", metavar="N", type=whole(2), default=4, help="groups of speakers; each is labelled by the others")
    ap.add_argument("--epochs", metavar="N", type=whole(1), default=10, help="passes over the items")
    ap.add_argument("--heads", metavar="NAME,...", type=listed, default="conv,flat", help="kinds of heads: conv, flat")
    ap.add_argument("--probe", action="store_true", help="one head of each kind on everything, accuracy only")
    ap.add_argument("--fit", metavar="N", type=whole(0), default=0, help="train on the first so many shards only; 0: on all")
    ap.add_argument("--save", metavar="FILE", default="runs/teacher.pt", help="the heads")
    ap.add_argument("--label", action="store_true", help="only label the shards, with the heads in --save")
    ap.add_argument("--seed", metavar="N", type=whole(0), default=1, help="of all that is random")
    return ap


def main(argv=None):
    """Train or read the heads, and label."""
    ap = options()
    a = ap.parse_args(argv)
    unknown = [k for k in a.heads if k not in HEADS]
    if unknown:
        ap.error(f"--heads: no kind '{unknown[0]}'; there are {', '.join(HEADS)}")
    torch.set_num_threads(1)
    paths = sorted(a.shards)
    items = Items(paths)
    x, y, val, words = items.x, items.y, items.val, items.words
    if a.label:
        saved = read_heads(a.save, a.heads, a.folds, words)
        a.folds = saved["folds"]
    else:
        pick = x[:: max(1, len(x) // 20000)].float()
        saved = {"heads": {}, "words": words, "folds": a.folds, "mean": pick.mean((0, 1)),
                 "std": pick.std((0, 1)).clamp_min(1e-6)}
    x = ((x.float() - saved["mean"]) / saved["std"]).half()
    train = ~val & ((items.shard < a.fit) if a.fit else torch.ones_like(val))
    fold = items.group % a.folds
    total, count = torch.zeros(len(x), len(words)), torch.zeros(len(x), 1)

    for f in range(1 if a.probe else a.folds):
        for k, name in enumerate(a.heads):
            t0 = time.time()
            torch.manual_seed(a.seed * 100 + f * 10 + k)
            rows = train if a.probe else train & (fold != f)
            head = HEADS[name](len(words))
            if a.label:
                head.load_state_dict(saved["heads"][f"{f}.{name}"])
                head.eval()
            else:
                if not rows.any():
                    raise SystemExit(f"{paths[0]}: nothing to train fold {f} on: too few speakers for {a.folds} folds")
                fit_head(head, x[rows], y[rows], len(words), a.epochs, seed=a.seed * 100 + f * 10 + k)
                saved["heads"][f"{f}.{name}"] = head.state_dict()
            out = val | (fold == f)
            p = probabilities(head, x[out]) if out.any() else total[out]
            total[out] += p
            count[out] += 1
            r = val[out] & (items.version[out] == 0)
            right = f"{100 * float((p[r].argmax(1) == y[out][r]).float().mean()):.2f} %" if r.any() else "none there"
            print(f"fold {f} {name}: val clean {right}  {time.time() - t0:.0f} s", flush=True)
    p = total / count.clamp_min(1)
    report("val clips", p, items, val & (items.kind == 0))
    if a.probe:
        return
    report("train clips out of fold", p, items, ~val & (items.kind == 0))
    report("running speech", p, items, items.kind == 1)
    report("silence", p, items, items.kind == 2)
    if not a.label:
        os.makedirs(os.path.dirname(a.save) or ".", exist_ok=True)
        torch.save(saved, a.save)
    for path, soft in zip(paths, torch.log(p + 1e-6).split(items.sizes), strict=True):
        shard_files.save_soft(path, soft.numpy(), words)
