"""A step of a training: from a batch to changed weights. On a GPU it is one graph, where it would be thousands of small kernels
that take longer to start than to run."""
import contextlib
from dataclasses import fields, replace

import torch

from .bank import Batch

LAYOUTS = 24  # of the clips of a batch, where each is a graph of its own: some tenths of a second each


def tensors_of(batch, speech):
    """What a step is made of -> the tensors, by name; and all else, by which two steps are of the same kind."""
    parts = {f.name: getattr(batch, f.name) for f in fields(Batch)}
    x, target, most, ends = speech or (None, None, None, range(0))
    parts |= {"speech": x, "target": target, "most": most}
    return {k: v for k, v in parts.items() if torch.is_tensor(v)}, (tuple(batch.ends), batch.phase, ends)


class Step:
    """Changes a net, and the average that follows it. Batches come from torch's own stream, and are made while the step before is
    at work on this one's; finish() waits for it. judge: Losses."""

    def __init__(self, a, judge, average, opt):
        self.a, self.judge, self.net, self.average, self.opt = a, judge, judge.net, average, opt
        self.device = judge.net.input.weight.device
        self.graphs = Graphs(self) if self.device.type == "cuda" else None
        with self._aside():
            for g in opt.param_groups:  # a graph reads what is on the GPU
                g["lr"] = torch.zeros((), device=self.device)
                g["capturable"] = self.graphs is not None  # a checkpoint may be of another device
            opt.found_inf = torch.zeros((), device=self.device)  # 1: the optimiser leaves everything as it is

    def _aside(self):
        return torch.cuda.stream(self.graphs.stream) if self.graphs else contextlib.nullcontext()

    def change(self, batch, speech):
        """The loss, its gradients, the optimiser's step -> the loss. Asks nothing of the processor: so a graph can hold it."""
        loss = self.judge.clips(batch)
        if speech:
            loss = loss + self.a.dense_weight * self.judge.speech(*speech, batch.phase)
        loss.backward()
        size = torch.nn.utils.clip_grad_norm_(self.net.parameters(), 1.0)
        self.opt.found_inf.copy_(~size.isfinite())  # not the rare one that would end it all
        self.opt.step()
        return loss.detach()

    def __call__(self, batch, speech, rate, keep, stem, apart):
        """rate: of learning; keep: of the average; stem: it learns, too; apart: what is beside the net does not teach it -> the
        loss, of this batch, maybe not there yet."""
        self.net.train()
        if self.net.stem:
            self.net.stem.requires_grad_(stem)
        self.judge.apart = apart
        if self.graphs:
            self.graphs.stream.wait_stream(torch.cuda.current_stream())
        with self._aside():
            for g in self.opt.param_groups:
                g["lr"].fill_(rate * g["share"])
            if self.graphs:
                loss = self.graphs(batch, speech, (stem, apart))
            else:
                self.opt.zero_grad(set_to_none=True)
                loss = self.change(batch, speech)
            follow(self.average, self.net, keep)
        return loss

    def finish(self):
        """Wait until all is there."""
        if self.graphs:
            self.graphs.stream.synchronize()


def follow(average, net, keep):
    """The averaged net keeps so much of itself, and takes the rest of the net."""
    with torch.no_grad():
        torch._foreach_lerp_(list(average.parameters()), list(net.parameters()), 1 - keep)
        for p, q in zip(average.buffers(), net.buffers(), strict=True):
            p.copy_(q)


class Graphs:
    """Steps as CUDA graphs: one for each kind of step, that is of lengths, places and shapes of what it reads. Their memory is
    shared, as they run one after another. What a step changes lies where it lay when it was recorded."""

    def __init__(self, step):
        self.step, self.stream, self.pool = step, torch.cuda.Stream(), torch.cuda.graph_pool_handle()
        self.recorded = {}

    def __call__(self, batch, speech, how):
        tensors, kind = tensors_of(batch, speech)
        key = (kind, how, *(t.shape for t in tensors.values()))
        for t in tensors.values():
            t.record_stream(self.stream)
        if key not in self.recorded:  # once without: what is made once must not be in a graph
            self.recorded[key] = None
            self.step.opt.zero_grad(set_to_none=True)
            return self.step.change(batch, speech)
        if not self.recorded[key]:
            self.recorded[key] = self._record(batch, speech, tensors)
        graph, held, loss = self.recorded[key]
        for name, t in tensors.items():
            held[name].copy_(t)
        graph.replay()
        return loss.clone()

    def _record(self, batch, speech, tensors):
        held = {k: t.clone() for k, t in tensors.items()}
        batch = replace(batch, **{k: t for k, t in held.items() if hasattr(batch, k)})
        speech = speech and (held["speech"], held["target"], held["most"], speech[3])
        graph = torch.cuda.CUDAGraph()
        self.step.opt.zero_grad(set_to_none=True)  # the gradients are the graph's own
        with torch.cuda.graph(graph, self.pool, self.stream):
            loss = self.step.change(batch, speech)
        return graph, held, loss
