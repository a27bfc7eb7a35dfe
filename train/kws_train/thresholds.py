"""Choose the thresholds of a card (`export --card`), for all words and for some apart.

    python -m kws_train thresholds --model mine.safetensors --said runs/mixes --silent CORPUS/speech CORPUS/noise

`kws eval` counts, at each threshold, the words that are missed and the false alarms: in recordings with truth, where words are
said close together (`kws_train mix`), and in those that say none. A threshold costs its misses, --price for each false alarm
where no command is said, and --among for each in the mixes, which say other words far more often than anybody does. The one
with the least cost over all words is for all of them; a word that saves --gain by another one gets its own. No recording here
may be one that the figures of the card are of.

Prints the object `decision` of a card, with the times of the model's, and what it costs on stderr. A word's counts are those of
one threshold for all words: words compete a little, so `kws eval` with the new file may differ by an event or two.
"""
import csv
import json
import subprocess
import sys

from .data import said
from .model_file import load_model
from .options import parser, real


def counts(kws, model, paths, *options):
    """-> {word: {threshold: (said, misses, false alarms)}} of `kws eval`. SystemExit: what it complains of, if it fails."""
    done = subprocess.run([kws, "eval", "--format", "csv", "-m", model, *options, *paths], capture_output=True, text=True,
                          check=False)
    if done.returncode:
        raise SystemExit("; ".join(done.stderr.splitlines()) or f"{kws} eval: ended with status {done.returncode}")
    sys.stderr.write(done.stderr)
    found = {}
    for r in csv.DictReader(done.stdout.splitlines()):
        said_here, hits = int(r["said"]), int(r["hits"])
        found.setdefault(r["word"], {})[round(float(r["threshold"]), 4)] = (said_here, said_here - hits, int(r["false_alarms"]))
    return found


def least(cost, near):
    """cost: {threshold: cost} -> the threshold that costs least, of several the one nearest to `near`."""
    return min(cost, key=lambda t: (cost[t], round(abs(t - near), 6), t))


def choose(mixes, silent, words, steps, a):
    """-> the threshold of all words, {word: its own}. mixes, silent: counts(); steps: the thresholds that there are."""
    def cost(word, t):
        return mixes[word][t][1] + a.price * silent[word][t][2] + a.among * mixes[word][t][2]

    middle = (steps[0] + steps[-1]) / 2
    common = least({t: sum(cost(w, t) for w in words) for t in steps}, middle)
    own = {w: least({t: cost(w, t) for t in steps}, common) for w in words}
    return common, {w: t for w, t in own.items() if cost(w, common) - cost(w, t) >= max(a.gain, 1e-9)}


def decided(decision, common, own):
    """-> the decision of a card: the times of a model's decision, and these thresholds."""
    return {**{k: v for k, v in decision.items() if k.endswith("_ms")}, "threshold": common, "thresholds": own}


def table(mixes, silent, words, threshold):
    """-> lines: what each word's threshold gives."""
    rows = [(w, threshold[w], *mixes[w][threshold[w]], silent[w][threshold[w]][2]) for w in words]
    rows.append(("all", "", *(sum(r[k] for r in rows) for k in range(2, 6))))
    return [f"{'word':<12}{'threshold':>9}{'said':>6}{'missed':>8}{'false there':>13}{'false in silence':>18}",
            *(f"{w:<12}{t:>9}{n:>6}{miss:>8}{false:>13}{quiet:>18}" for w, t, n, miss, false, quiet in rows)]


def options():
    """-> ArgumentParser of this command."""
    ap = parser("thresholds", __doc__)
    ap.add_argument("--model", metavar="FILE", required=True, help="the network")
    ap.add_argument("--said", metavar="PATH", nargs="+", required=True, help="recordings with truth, or folders of them")
    ap.add_argument("--silent", metavar="PATH", nargs="+", required=True,
                    help="recordings in which no command is said, or folders; what has truth among them is left out")
    ap.add_argument("--price", metavar="X", type=real(0), default=2, help="misses that a false alarm in silence is worth")
    ap.add_argument("--among", metavar="X", type=real(0), default=0.25, help="the same in recordings with truth")
    ap.add_argument("--gain", metavar="X", type=real(0), default=2, help="what a word has to save for a threshold of its own")
    ap.add_argument("--lowest", metavar="T", type=real(0.01, 1), default=0.6, help="lowest threshold to choose")
    ap.add_argument("--highest", metavar="T", type=real(0.01, 1), default=0.95, help="highest threshold to choose")
    ap.add_argument("--kws", metavar="FILE", default="../build/kws", help="the program")
    return ap


def main(argv=None):
    """Print the decision."""
    ap = options()
    a = ap.parse_args(argv)
    steps = [k / 20 for k in range(1, 20) if a.lowest <= k / 20 <= a.highest]
    if not steps:
        ap.error(f"--lowest {a.lowest:g}, --highest {a.highest:g}: no multiple of 0.05 between them")
    _, _, words, meta = load_model(a.model)
    mixes = counts(a.kws, a.model, a.said)
    silent = counts(a.kws, a.model, a.silent, "--unlabelled-only")
    commands = [w for w in words[:-2] if w in mixes and mixes[w][steps[0]][0]]
    if not commands:
        raise SystemExit(f"--said: none of {said(words[:-2])} is said in these recordings")
    common, own = choose(mixes, silent, commands, steps, a)
    print("\n".join(table(mixes, silent, commands, {w: own.get(w, common) for w in commands})), file=sys.stderr)
    print(json.dumps(decided(json.loads(meta["decision"]), common, own), indent=2))
