"""What a batch teaches a network: its labels, those of larger networks, the teacher's embeddings, and running speech."""
import torch
import torch.nn.functional as F

from .bank import spread
from .dense import SUSPECT


class Losses:
    """What a step is judged by. vocabularies: the network's words, and those of the heads beside it. elders: networks of all
    words of the corpus, that label each batch."""

    def __init__(self, a, net, beside, vocabularies, elders=()):
        self.a, self.net, self.beside, self.vocabularies, self.elders = a, net, beside, vocabularies, elders
        self.apart = False  # what is beside the network learns, and does not teach it
        self.device = net.input.weight.device.type

    def _narrow(self):
        return torch.autocast(self.device, torch.bfloat16)

    def _pooled(self, net, y, ends):
        """y [B, T, D] -> the mean before each of these ends [B, ends, D]."""
        return torch.stack([y[:, max(0, e - net.pool) : e].float().sum(1) / net.pool for e in ends], 1)

    @torch.no_grad()
    def _elders(self, batch):
        """-> log of the mean probability of each clip [n, words]; where they mishear a clip, its label counts."""
        p = 0
        for net in self.elders:
            with self._narrow():
                y = net.encode(batch.frames, batch.phase)
            p = p + F.softmax(net.head(self._pooled(net, y, batch.ends).flatten(0, 1)), -1) / len(self.elders)
        wrong = p.argmax(1) != batch.label
        return torch.log(torch.where(wrong[:, None], spread(batch.label, 0.9, p.shape[1]), p) + 1e-6)

    def _heads(self, pooled):
        """pooled [..., D] -> (vocabulary, logits, weight) of each head."""
        yield self.vocabularies[0], self.net.head(pooled), 1.0
        pooled = pooled.detach() if self.apart else pooled
        for v, head in zip(self.vocabularies[1:], self.beside.heads, strict=True):
            yield v, head(pooled), self.a.beside

    def clips(self, batch):
        """Labels, the teacher's labels and its embeddings -> scalar."""
        a, net = self.a, self.net
        with self._narrow():
            y = net.encode(batch.frames, batch.phase)
        pooled = self._pooled(net, y, batch.ends)
        target = spread(batch.label, 1 - a.smooth, len(self.vocabularies[0].of))
        soft = self._elders(batch) if self.elders else batch.soft
        if soft is not None:
            target = (1 - a.distil) * target + a.distil * F.softmax(soft * a.sharpen, -1)
        loss = sum(w * F.cross_entropy(logits, v.fold(target)) for v, logits, w in self._heads(pooled.flatten(0, 1)))
        return loss if batch.embed is None or not a.embed else loss + a.embed * self._embedding(y, batch)

    def _embedding(self, y, batch):
        """y [B, T, D] against the teacher's embeddings, where one is due -> scalar; 0: it heard none of these clips."""
        y = y.detach() if self.apart else y
        at = batch.at.view(len(y), -1, 1)  # those of all clips of a sequence
        with self._narrow():
            e = self.beside.embed(y.gather(1, at.clamp_min(0).expand(-1, -1, y.shape[2])))
        off = torch.where(at >= 0, e.float() - batch.embed.view(e.shape), 0.0)
        return off.square().sum() / ((at >= 0).sum().clamp_min(1) * off.shape[2])

    def speech(self, x, target, most, ends, phase):
        """Running speech: what is nearly a false alarm teaches most; not so where the teacher suspects a command -> scalar.
        ends: range."""
        with self._narrow():
            y = self.net.encode(x, phase)
        loss = 0
        for v, logits, w in self._heads(self.net.pooled(y)[:, ends.start - 1 : ends.stop - 1 : ends.step]):
            if v is not self.vocabularies[0] and len(v) == len(v.of):
                continue  # all words: what is said in running speech is some of them
            sure = v.fold(most)[..., :-2].amax(-1) <= SUSPECT
            each = -(v.fold(target) * F.log_softmax(logits, -1)).sum(-1) * sure
            loss = loss + w * each.flatten().topk(each.numel() // 4).values.mean()
        return loss
