"""The arithmetic of the comparison and its tables: what bench/compare.py does without any peer."""
import statistics

BEGIN, END = "<!-- made by `make bench` -->", "<!-- to here -->"


def spread(values, form):
    """The median, and in brackets the ends of the middle half."""
    low, middle, high = statistics.quantiles(values, n=4, method="inclusive")
    return f"{middle:{form}} ({low:{form}} to {high:{form}})"


def ratio(own, base):
    """of each pair. own, base: seconds, round by round."""
    return spread([a / b for a, b in zip(own, base, strict=True)], ".2f")


def against(rows, models):
    """What rows take, and how often what each of our models takes. rows: (title, seconds [rounds], {model: seconds [rounds] right
    before each}) -> lines of Markdown."""
    lines = ["| | us of processor time for a second of audio | " + " | ".join(f"times {m}" for m in models) + " |",
             "|---" * (2 + len(models)) + "|"]
    for title, own, bases in rows:
        cells = [title, spread([1e6 * s for s in own], ".0f")] + [ratio(own, bases[m]) for m in models]
        lines.append("| " + " | ".join(cells) + " |")
    return lines


def floors(rows):
    """rows: (model, seconds of a file [rounds], of its floor [rounds]) -> lines of Markdown."""
    lines = ["| | times real time | over its floor |", "|---|---|---|"]
    for model, whole, floor in rows:
        lines.append(f"| {model} | {spread([1 / s for s in whole], '.0f')} | {ratio(whole, floor)} |")
    return lines


def put(text, lines):
    """text with lines in place of what is between its marks. ValueError: it has not one pair of marks."""
    if text.count(BEGIN) != 1 or text.count(END) != 1 or text.index(END) < text.index(BEGIN):
        raise ValueError(f"want one '{BEGIN}' and one '{END}' behind it")
    before, after = text.split(BEGIN)[0], text.split(END)[1]
    return before + "\n".join([BEGIN, *lines, END]) + after
