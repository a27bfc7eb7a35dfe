"""How far probabilities mean what they say: of the clips that are heard at 0.9, nine in ten should be heard right.

    kws classify --at-end -k 256 --format csv -m MODEL --manifest clips/list.tsv > said.csv
    python -m kws_train reliability --said said.csv

Prints the clips by the probability of the word that was heard, how often it is right, the expected calibration error (the mean
difference of the two, by tenths) and the cross entropy; and both at the temperature at which the cross entropy is least
(C. Guo et al., On Calibration of Modern Neural Networks, ICML 2017), which is for `export --temperature`. Choose it on clips of
people that the network has not heard, in such noise as it is used in, and judge it on those of others (--temperature).
"""
import csv

import numpy as np

from .data import UNKNOWN, said
from .options import parser, real

LEAST = 5e-7  # half of the last decimal that is printed
BINS = (0, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99, 1)
STEPS = np.arange(20, 301) / 100


def read(path):
    """-> words, probabilities [clips, words], the right word of each. SystemExit: not all words are there, or no clips."""
    with open(path, newline="", encoding="utf-8") as f:
        rows = csv.DictReader(f)
        n = sum(c.startswith("label") for c in rows.fieldnames or ())
        if "expected" not in (rows.fieldnames or ()) or not n:
            raise SystemExit(f"{path}: no columns expected, label and prob, as `kws classify --format csv --manifest` has them")
        heard = [(r["expected"], _probabilities(r, n, f"{path}:{rows.line_num}")) for r in rows]
    if not heard:
        raise SystemExit(f"{path}: no clips")
    words = sorted(heard[0][1])
    if any(sorted(p) != words for _, p in heard):
        raise SystemExit(f"{path}: not all clips have the same words")
    if any(abs(sum(p.values()) - 1) > 1e-4 for _, p in heard) or UNKNOWN not in words:
        raise SystemExit(f"{path}: the probabilities of {said(words)} are not all that there are: kws classify -k 256")
    prob = np.array([[p[w] for w in words] for _, p in heard])
    return words, np.maximum(prob, LEAST), np.array([words.index(e if e in words else UNKNOWN) for e, _ in heard])


def _probabilities(row, n, where):
    """-> {word: probability}. SystemExit: a clip was not heard, or a line is damaged."""
    try:
        found = {row[f"label{k}"]: float(row[f"prob{k}"]) for k in ("", *range(2, n + 1))}
        if not all(0 <= p <= 1 for p in found.values()):
            raise ValueError
    except (KeyError, TypeError, ValueError):
        raise SystemExit(f"{where}: not {n} words with their probabilities") from None
    return found


def tempered(prob, temperature):
    """prob [clips, words] with logits divided by a temperature."""
    z = np.log(prob) / temperature
    p = np.exp(z - z.max(1, keepdims=True))
    return p / p.sum(1, keepdims=True)


def binned(prob, right, edges):
    """-> (from, to, clips, their mean probability, how often they are right) of each bin in which there are any."""
    best, hit = prob.max(1), prob.argmax(1) == right
    for lo, hi in zip(edges[:-1], edges[1:], strict=True):
        these = (best > lo) & (best <= hi)
        if these.any():
            yield lo, hi, int(these.sum()), float(best[these].mean()), float(hit[these].mean())


def calibration_error(prob, right):
    """The mean over all clips of how far their tenth's probability is from how often it is right."""
    return sum(n * abs(p - share) for _, _, n, p, share in binned(prob, right, np.arange(11) / 10)) / len(right)


def cross_entropy(prob, right):
    """The mean of -log of the right word's probability."""
    return float(-np.log(prob[np.arange(len(right)), right]).mean())


def best_temperature(prob, right):
    """-> that of STEPS at which the cross entropy is least."""
    return float(min(STEPS, key=lambda t: cross_entropy(tempered(prob, t), right)))


def report(prob, right):
    """-> lines."""
    yield f"{'probability':<14}{'clips':>7}{'mean':>9}{'right':>9}"
    for lo, hi, n, p, share in binned(prob, right, BINS):
        yield f"{lo:.2f} .. {hi:.2f}  {n:>7}{100 * p:>7.1f} %{100 * share:>7.1f} %"
    error, entropy = calibration_error(prob, right), cross_entropy(prob, right)
    yield f"expected calibration error {100 * error:.2f} %, cross entropy {entropy:.4f}"


def options():
    """-> ArgumentParser of this command."""
    ap = parser("reliability", __doc__)
    ap.add_argument("--said", metavar="FILE", nargs="+", required=True, help="what `kws classify` printed; several are one set")
    ap.add_argument("--temperature", metavar="X", type=real(0, 100, above=True), help="judge this one (default: find the best)")
    return ap


def main(argv=None):
    """Print both tables."""
    a = options().parse_args(argv)
    sets = [read(path) for path in a.said]
    for path, (words, _, _) in zip(a.said, sets, strict=True):
        if words != sets[0][0]:
            raise SystemExit(f"{a.said[0]} and {path} are of different words: {said(sets[0][0])}; {said(words)}")
    prob, right = np.concatenate([s[1] for s in sets]), np.concatenate([s[2] for s in sets])
    temperature = a.temperature or best_temperature(prob, right)
    print("\n".join(report(prob, right)))
    print(f"\nat a temperature of {temperature:g}:")
    print("\n".join(report(tempered(prob, temperature), right)))
