"""Long recordings as log-mel frames, laid behind each other on one device, and cuts of them."""
import numpy as np
import torch
import torch.nn.functional as F


class Recordings:
    """frames [sum of lengths, M] of recordings, at and length [n] of each."""

    def __init__(self, recordings, device="cpu"):
        """recordings: at least one, [t, M] each."""
        self.length = np.array([len(r) for r in recordings])
        self.at = np.concatenate([[0], np.cumsum(self.length)[:-1]])
        self.frames = torch.cat(list(recordings)).to(device)

    def __len__(self):
        return len(self.length)

    def _take(self, rows):
        """rows int [n, t] -> float32 [n, t, M]."""
        rows = torch.from_numpy(rows).to(self.frames.device)
        return self.frames[rows].float()

    def cut(self, n, t, rng):
        """n random cuts of t frames -> float32 [n, t, M]. A recording is drawn by its length; short ones are repeated."""
        k = rng.choice(len(self), n, p=self.length / self.length.sum())
        start = rng.integers(0, np.maximum(self.length[k] - t, 0) + 1)
        return self._take(self.at[k, None] + (start[:, None] + np.arange(t)) % self.length[k, None])

    def piece(self, k, start, t, floor):
        """t frames of the recordings k [n] from frame start [n] on -> float32 [n, t, M]; behind their ends is floor."""
        at = start[:, None] + np.arange(t)
        x = self._take(self.at[k, None] + np.minimum(at, self.length[k, None] - 1))
        beyond = torch.from_numpy(at >= self.length[k, None]).to(x.device)
        return x.masked_fill(beyond[..., None], floor)


class Heard:
    """What a teacher heard in each recording, window by window, and asked for four windows at a time."""

    def __init__(self, recordings, silence, device="cpu"):
        """recordings: probabilities [windows, words] of each. silence: which word is none."""
        most, quiet, self.at, self.last, n = [], [], [], [], 0
        for p in recordings:
            near = F.pad(p, (0, 0, 3, 3), value=-1.0).unfold(0, 4, 1) if len(p) else torch.ones(1, p.shape[1], 4)
            most.append(near.amax(2))
            there = near[:, silence] >= 0
            quiet.append((near[:, silence] * there).sum(1) / there.sum(1))
            self.at.append(n)
            self.last.append(len(most[-1]) - 1)
            n += len(most[-1])
        self.at, self.last = np.array(self.at), np.array(self.last)
        self.most, self.quiet = torch.cat(most).to(device), torch.cat(quiet).to(device)

    def near(self, k, window):
        """Of the windows from one before to two behind window [n, m] of the recordings k [n] -> each word at its most
        [n, m, words], the mean of silence [n, m], and whether there is any such window [n, m]."""
        at = window + 2
        there = (at >= 0) & (at <= self.last[k, None])
        rows = torch.from_numpy(self.at[k, None] + np.clip(at, 0, self.last[k, None])).to(self.most.device)
        return self.most[rows], self.quiet[rows], torch.from_numpy(there).to(self.most.device)
