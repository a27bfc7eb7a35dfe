"""What a network learns beside its own words, by nets that are thrown away afterwards, and its words out of all the corpus has.

A corpus may know more words than a network spots: then each other word counts as unknown for the network, but its frames
learn to tell it from all others.
"""
import torch
import torch.nn.functional as F
from torch import nn

from .data import SILENCE, UNKNOWN, said
from .model import Head


class Vocabulary:
    """The words of a head, and which of the corpus's words counts as which of them."""

    def __init__(self, commands, corpus_words):
        """commands: None: all. SystemExit: one of them is no command of the corpus."""
        commands = corpus_words[:-2] if commands is None else commands
        missing = [w for w in commands if w not in corpus_words[:-2]]
        if missing:
            raise SystemExit(f"--commands: '{missing[0]}' is no command of the corpus: {said(corpus_words[:-2])}")
        self.words = [*commands, UNKNOWN, SILENCE]
        other = self.words.index(UNKNOWN)
        self.of = torch.tensor([self.words.index(w) if w in self.words else other for w in corpus_words])
        self._fold = F.one_hot(self.of, len(self.words)).float()

    def __len__(self):
        return len(self.words)

    def fold(self, p):
        """Probabilities of the corpus's words [..., all] -> of these [..., len(self)]."""
        self._fold = self._fold.to(p.device)
        return p @ self._fold


class Beside(nn.Module):
    """embed: what the teacher's embedding would be, out of a network frame [..., D] -> [..., 96]; heads: one for each further
    vocabulary, out of the pooled frames."""

    def __init__(self, network, vocabularies=()):
        super().__init__()
        dim = network["dim"]
        self.embed = nn.Sequential(nn.Linear(dim, 192), nn.SiLU(), nn.Linear(192, 96))
        self.heads = nn.ModuleList(Head(dim, network["head"], len(v)) for v in vocabularies)
        for h in self.heads:
            nn.init.normal_(h.fc1.weight, std=dim ** -0.5)
