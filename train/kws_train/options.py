"""What the command lines have in common: help that shows defaults, numbers with ranges, the options that name a corpus."""
import argparse
import math


class Formatter(argparse.ArgumentDefaultsHelpFormatter, argparse.RawDescriptionHelpFormatter):
    """Every default that there is; the description as it was written."""

    def _get_help_string(self, action):
        shown = action.default is not None and action.default is not False and action.default != []
        return super()._get_help_string(action) if shown and "(default" not in action.help else action.help


def parser(command, doc):
    """-> ArgumentParser of `kws_train COMMAND`, which says what the module's docstring says."""
    return argparse.ArgumentParser(prog=f"kws_train {command}", description=doc, formatter_class=Formatter)


def _number(kind, what, lo, hi, above):
    limits = f"above {lo}" if above else f"{lo} or more"
    if hi is not None:
        limits = f"above {lo} and at most {hi}" if above else f"from {lo} to {hi}"

    def read(text):
        try:
            value = kind(text)
        except ValueError:
            value = math.nan
        if not (value > lo if above else value >= lo) or not (value <= hi if hi is not None else value < math.inf):
            raise argparse.ArgumentTypeError(f"'{text}' is not {what} {limits}")
        return value

    return read


def whole(lo, hi=None):
    """A type for add_argument: a whole number from lo to hi (None: without end)."""
    return _number(int, "a whole number", lo, hi, False)


def real(lo, hi=None, above=False):
    """A type for add_argument: a finite number from lo to hi (None: without end); above: lo itself is not one of them."""
    return _number(float, "a number", lo, hi, above)


def listed(text):
    """A type for add_argument: yes,no,up -> ["yes", "no", "up"]."""
    parts = [p.strip() for p in text.split(",")]
    if "" in parts or len(set(parts)) < len(parts):
        raise argparse.ArgumentTypeError(f"'{text}' has an empty or a repeated entry")
    return parts


def weight(text):
    """A type for add_argument: WORD=X -> (word, x above 0)."""
    word, _, number = text.rpartition("=")
    try:
        x = float(number)
    except ValueError:
        x = 0.0
    if not word or not 0 < x < math.inf:
        raise argparse.ArgumentTypeError(f"'{text}' is not WORD=X with X above 0")
    return word, x


def versions(text):
    """A type for add_argument: 0-7 -> range(0, 8), and 3 -> range(3, 4)."""
    first, _, last = text.partition("-")
    if not first.isdigit() or not (last or first).isdigit() or int(last or first) < int(first) or int(last or first) > 99:
        raise argparse.ArgumentTypeError(f"'{text}' is not first-last, from 0 to 99")
    return range(int(first), int(last or first) + 1)


def corpus(ap, required=True, more=""):
    """The options that name a corpus and its cache."""
    ap.add_argument("--data", metavar="DIR", required=required, help="folder of the corpus, with manifest.tsv" + more)
    ap.add_argument("--cache", metavar="DIR", default="runs/cache", help="folder of its decoded audio, made where it is missing")
