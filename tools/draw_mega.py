#!/usr/bin/env python3
"""Draw what the moving averages of a model remember.

Above, from the weights of the first Mega layer: how single averages forget, and what three
channels make of their averages. Below, what a Mega layer of this model may look at in one moment."""
import argparse
import json
import math
import struct
import sys
from array import array
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "train"))
from kws_train.picture import Picture, picture_file

FRAME_S, SECONDS = 0.04, 3.0
TITLED = 5  # frames from one title of a curve to the next
BLUE, ORANGE, GREEN, GREY, INK = "#1f77b4", "#d95f02", "#1b9e77", "#9a9a9a", "#222222"


def tensors(path):
    """name -> (shape, values) of the float32 tensors of a safetensors file, and its network."""
    with open(path, "rb") as f:
        blob = f.read()
    size = struct.unpack("<Q", blob[:8])[0]
    head = json.loads(blob[8:8 + size])
    network = json.loads(head.pop("__metadata__")["network"])
    found = {}
    for name, t in head.items():
        if t["dtype"] == "F32":
            begin, end = (8 + size + at for at in t["data_offsets"])
            found[name] = t["shape"], array("f", blob[begin:end])
    return found, network


def averages(found, layer):
    """Decay q and weight c of each average: two lists of channels, each of ndim numbers (model/ema.h has the formula)."""
    of = lambda name: found[f"layers.{layer}.move.{name}"]
    (dim, ndim), gamma = of("gamma")
    sigma = lambda x: 1 / (1 + math.exp(-x))
    p = [sigma(x) for x in of("delta")[1]]
    q = [1 - a * sigma(b) for a, b in zip(p, of("alpha")[1], strict=True)]
    c = [a * b * g / math.sqrt(ndim) for a, b, g in zip(p, of("beta")[1], gamma, strict=True)]
    cut = lambda x: [x[i * ndim:(i + 1) * ndim] for i in range(dim)]
    return cut(q), cut(c)


def axis(p, x0, y0, width):
    """Seconds ago, the present on the left."""
    p.line(x0, y0, x0 + width, y0, INK)
    for s in range(int(SECONDS) + 1):
        x = x0 + width * s / SECONDS
        p.line(x, y0, x, y0 + 4, INK)
        p.text(x, y0 + 17, f"{s} s" if s else "now", 11, anchor="middle")
    p.text(x0 + width, y0 + 33, "age of the sound", 11, GREY, "end")


def draw_kernel(p, kernel, colour, x0, y0, width, height, name):
    """What is left of a sound, frame by frame; 0 is at the height y0, 1 is `height` above it."""
    at = [(x0 + width * k * FRAME_S / SECONDS, y0 - height * v) for k, v in enumerate(kernel)]
    p.curve(at, colour, 2)
    for k in range(0, len(kernel), TITLED):
        p.title([at[k]], f"{name}: {round(kernel[k], 2) + 0.0:.2f} after {k * FRAME_S:.1f} s")


def draw_forgetting(p, q, x0, y0, width, height):
    """Three averages of the layer: among the fastest, in the middle, among the slowest."""
    p.text(x0, y0 - height - 14, "How single averages forget", 13, bold=True)
    every = sorted(x for channel in q for x in channel)
    frames = int(SECONDS / FRAME_S)
    for share, colour in ((0.1, BLUE), (0.5, GREEN), (0.9, ORANGE)):
        decay = every[int(share * (len(every) - 1))]
        half_s = FRAME_S * math.log(0.5) / math.log(decay)
        draw_kernel(p, [decay**k for k in range(frames + 1)], colour, x0, y0, width, height, f"q = {decay:.3f}")
        y = y0 - height + 18 + 18 * [0.1, 0.5, 0.9].index(share)
        p.line(x0 + width - 190, y - 4, x0 + width - 168, y - 4, colour, 2)
        p.text(x0 + width - 162, y, f"q = {decay:.3f}: half after {half_s:.2f} s", 11)
    p.text(x0 - 6, y0 - height + 4, "1", 11, anchor="end")
    p.text(x0 - 6, y0 + 4, "0", 11, anchor="end")
    axis(p, x0, y0, width)


def draw_channels(p, q, c, x0, y0, width, height):
    """What a channel hears of the past: the sum of its averages. Those that change their sign most, of each third of the channels."""
    p.text(x0, y0 - height - 14, "What three channels make of their 16 averages", 13, bold=True)
    frames = int(SECONDS / FRAME_S)
    kernels = []
    for decays, weights in zip(q, c, strict=True):
        kernel = [sum(w * d**k for d, w in zip(decays, weights, strict=True)) for k in range(frames + 1)]
        top = max(abs(v) for v in kernel)
        kernels.append([v / top for v in kernel])
    third = len(kernels) // 3
    swing = lambda kernel: max(kernel) - min(kernel)
    for i, colour in enumerate((BLUE, GREEN, ORANGE)):
        n = max(range(i * third, (i + 1) * third), key=lambda n: swing(kernels[n]))
        draw_kernel(p, kernels[n], colour, x0, y0 - height / 2, width, height / 2, f"channel {n + 1}")
    p.line(x0, y0 - height / 2, x0 + width, y0 - height / 2, GREY, dashes=(3, 3))
    for y, text in ((height, "1"), (height / 2, "0"), (0, "-1")):
        p.text(x0 - 6, y0 - y + 4, text, 11, anchor="end")
    axis(p, x0, y0, width)


def draw_moment(p, q, chunk, x0, y0, width):
    """Frames of the last seconds, and which of them count now for attention and for the averages."""
    p.text(x0, y0, "What a Mega layer looks at in one moment", 13, bold=True)
    shown, now = 3 * chunk, 2 * chunk + chunk * 3 // 5
    step = width / shown
    slow = sorted(x for channel in q for x in channel)[int(0.9 * len(q) * len(q[0]))]
    for row, (name, what) in enumerate((("averages", "all of the past, fading"), ("attention", "the chunk so far"),
                                         ("mean for the answer", "the last second"))):
        y = y0 + 26 + 40 * row
        p.text(x0, y + 14, name, 12)
        p.text(x0, y + 28, what, 10, GREY)
        for k in range(shown):
            counts = (slow ** (now - k), 1.0 if k >= 2 * chunk else 0.0, 1.0 if k > now - chunk else 0.0)[row] if k <= now else 0.0
            x = x0 + 150 + (width - 150) * k / shown
            p.box(x, y, step * (width - 150) / width - 1.5, 20, "#eeeeee")
            if counts > 0.004:
                p.box(x, y, step * (width - 150) / width - 1.5, 20, (BLUE, ORANGE, GREEN)[row], opacity=counts)
    bottom = y0 + 26 + 3 * 40 - 12
    for k in range(0, shown + 1, chunk):
        x = x0 + 150 + (width - 150) * k / shown - 0.75
        p.line(x, y0 + 18, x, bottom, INK, dashes=(3, 3))
        if k < shown:
            p.text(x + (width - 150) / 6, bottom + 14, f"chunk of {chunk} frames, {chunk * FRAME_S:g} s", 11, GREY, "middle")
    x = x0 + 150 + (width - 150) * (now + 1) / shown - 0.75
    p.line(x, y0 + 12, x, bottom, INK, 2)
    p.text(x, y0 + 8, "now", 11, anchor="middle")


def main():
    ap = argparse.ArgumentParser(description=__doc__)
    ap.add_argument("model", metavar="MODEL", help="a model file with a Mega layer")
    ap.add_argument("out", metavar="OUT", type=picture_file, help="the picture: .svg, .png or .pdf")
    a = ap.parse_args()
    found, network = tensors(a.model)
    layer = next(i for i, of in enumerate(network["layers"]) if of.get("kind") == "mega")
    q, c = averages(found, layer)
    with Picture(a.out, 880, 460) as p:
        draw_forgetting(p, q, 40, 220, 370, 170)
        draw_channels(p, q, c, 480, 220, 370, 170)
        draw_moment(p, q, network["layers"][layer]["chunk"], 30, 300, 820)


if __name__ == "__main__":
    main()
