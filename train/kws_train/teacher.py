"""Train heads on the teacher's embeddings and write what they think of every item of every shard.

    python -m kws_train teacher --shards runs/shards/v*.npz

Heads are trained in folds over speakers: an item's soft label comes only from heads that never heard its speaker, in
any version. Validation speakers are in no fold, so their labels come from all heads, and the accuracy on them is
honest. Writes <shard>.soft.npy, float32 [n, words]: log of the mean probability.
"""
import argparse
import time

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from .data import WORDS, soft_path


class ConvHead(nn.Module):
    """[b, 9, 96] -> logits: two convolutions over the windows, attention and maximum pooling."""

    def __init__(self, width=160, drop=0.35):
        super().__init__()
        self.c1, self.c2 = nn.Conv1d(96, width, 3, padding=1), nn.Conv1d(width, width, 3, padding=1)
        self.att = nn.Conv1d(width, 1, 1)
        self.drop = nn.Dropout(drop)
        self.f1, self.f2 = nn.Linear(2 * width, 256), nn.Linear(256, len(WORDS))

    def forward(self, x):
        h = F.silu(self.c1(x.transpose(1, 2)))
        h = h + F.silu(self.c2(self.drop(h)))
        a = torch.softmax(self.att(h), -1)
        h = torch.cat([(a * h).sum(-1), h.amax(-1)], -1)
        return self.f2(self.drop(F.silu(self.f1(self.drop(h)))))


class FlatHead(nn.Module):
    """[b, 9, 96] -> logits: one wide hidden layer on everything."""

    def __init__(self, width=384, drop=0.5):
        super().__init__()
        self.drop = nn.Dropout(drop)
        self.f1, self.f2 = nn.Linear(9 * 96, width), nn.Linear(width, len(WORDS))

    def forward(self, x):
        return self.f2(self.drop(F.silu(self.f1(F.dropout(x.flatten(1), 0.1, self.training)))))


def fit_head(head, x, y, epochs, lr=1e-3, batch=256, seed=0):
    """AdamW, cosine, label smoothing, mixup; the last third's weights are averaged."""
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
            xi, yi = x[i].float(), F.one_hot(y[i], len(WORDS)).float() * 0.95 + 0.05 / len(WORDS)
            lam = float(np.random.default_rng((seed, step)).beta(0.3, 0.3))
            lam = max(lam, 1 - lam)
            xi, yi = lam * xi + (1 - lam) * xi.flip(0), lam * yi + (1 - lam) * yi.flip(0)
            loss = -(yi * F.log_softmax(head(xi), -1)).sum(-1).mean()
            opt.zero_grad()
            loss.backward()
            opt.step()
            step += 1
            if step > 2 * steps // 3 and step % 10 == 0:
                taken += 1
                for k, v in head.state_dict().items():
                    average[k] += (v - average[k]) / taken
    head.load_state_dict(average)
    return head.eval()


@torch.no_grad()
def probabilities(head, x):
    return torch.cat([F.softmax(head(x[i : i + 1024].float()), -1) for i in range(0, len(x), 1024)])


def main(argv=None):
    ap = argparse.ArgumentParser(prog="kws_train teacher", description=__doc__.splitlines()[0])
    ap.add_argument("--shards", nargs="+", required=True)
    ap.add_argument("--folds", type=int, default=4)
    ap.add_argument("--epochs", type=int, default=10)
    ap.add_argument("--heads", default="conv,flat")
    ap.add_argument("--probe", action="store_true", help="one head of each kind on everything, accuracy only")
    ap.add_argument("--fit", type=int, default=0, help="train on the first so many shards only (0: on all)")
    ap.add_argument("--save", default="runs/teacher.pt")
    ap.add_argument("--label", action="store_true", help="only label the shards, with the heads in --save")
    ap.add_argument("--seed", type=int, default=1)
    a = ap.parse_args(argv)
    torch.set_num_threads(1)
    shards = [np.load(s) for s in sorted(a.shards)]
    cat = lambda k: torch.from_numpy(np.concatenate([s[k] for s in shards]))
    x, y, val, kind, group = cat("embed"), cat("label").long(), cat("val"), cat("kind"), cat("group")
    version = torch.from_numpy(np.concatenate([np.full(len(s["label"]), v) for v, s in enumerate(shards)]))
    saved = torch.load(a.save) if a.label else {"heads": {}}
    if not a.label:
        pick = x[:: max(1, len(x) // 20000)].float()
        saved |= {"mean": pick.mean((0, 1)), "std": pick.std((0, 1))}
    mean, std = saved["mean"], saved["std"]
    x = ((x.float() - mean) / std).half()
    train = ~val & ((version < a.fit) if a.fit else torch.ones_like(val))
    fold = group % a.folds
    kinds = {"conv": ConvHead, "flat": FlatHead}
    total, count = torch.zeros(len(x), len(WORDS)), torch.zeros(len(x), 1)

    def report(name, p, rows):
        for v in sorted(set(version.tolist())):
            r = rows & (version == v)
            print(f"{name} version {v}: {100 * float((p[r].argmax(1) == y[r]).float().mean()):.2f} % of {int(r.sum())}",
                  flush=True)

    for f in range(1 if a.probe else a.folds):
        for k, name in enumerate(a.heads.split(",")):
            t0 = time.time()
            torch.manual_seed(a.seed * 100 + f * 10 + k)
            rows = train if a.probe else train & (fold != f)
            head = kinds[name]()
            if a.label:
                head.load_state_dict(saved["heads"][f"{f}.{name}"])
                head.eval()
            else:
                fit_head(head, x[rows], y[rows], a.epochs, seed=a.seed * 100 + f * 10 + k)
                saved["heads"][f"{f}.{name}"] = head.state_dict()
            out = val | (fold == f)
            p = probabilities(head, x[out])
            total[out] += p
            count[out] += 1
            r = val[out] & (version[out] == 0)
            print(f"fold {f} {name}: val clean {100 * float((p[r].argmax(1) == y[out][r]).float().mean()):.2f} %"
                  f"  {time.time() - t0:.0f} s", flush=True)
    p = total / count.clamp_min(1)
    report("val clips", p, val & (kind == 0))
    if a.probe:
        return
    report("train clips out of fold", p, ~val & (kind == 0))
    report("running speech", p, kind == 1)
    report("silence", p, kind == 2)
    if not a.label:
        torch.save(saved, a.save)
    at = 0
    for path, s in zip(sorted(a.shards), shards):
        n = len(s["label"])
        np.save(soft_path(path), torch.log(p[at : at + n] + 1e-6).numpy())
        at += n


if __name__ == "__main__":
    main()
