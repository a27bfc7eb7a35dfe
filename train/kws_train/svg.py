"""Pictures as SVG: texts, lines and scales; no library is needed for these few."""
import math
from xml.sax.saxutils import escape


def text(x, y, s, more=""):
    return f'<text x="{x:.1f}" y="{y:.1f}" {more}>{escape(s)}</text>'


def line(x1, y1, x2, y2, more):
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" {more}/>'


def titled(element, title):
    """An element that tells more while the pointer is over it."""
    return f"<g>{element}<title>{escape(title)}</title></g>"


def steps(lo, hi, most):
    """Round numbers from at or below lo to at or above hi, at most `most` steps apart."""
    span = max(hi - lo, 1e-12)
    power = 10.0 ** math.floor(math.log10(span / most))
    step = next(s * power for s in (1, 2, 5, 10) if span / (s * power) <= most)
    return [i * step for i in range(math.floor(lo / step + 1e-9), math.ceil(hi / step - 1e-9) + 1)]


def log_steps(lo, hi, most):
    """Round numbers between lo and hi for an axis of logarithms: as many as are useful, but at most `most`."""
    tens = range(math.floor(math.log10(lo)), math.ceil(math.log10(hi)) + 1)
    for digits in ((1, 1.5, 2, 2.5, 3, 3.5, 4, 4.5, 5, 6, 7, 8, 9), range(1, 10), (1, 2, 3, 5, 7), (1, 2, 5), (1, 3)):
        found = [round(d * 10.0**k, 9 - k) for k in tens for d in digits if lo <= d * 10.0**k <= hi]
        if len(found) <= most and len(found) > 1:
            return found
    powers = [10.0**k for k in tens if lo <= 10.0**k <= hi]
    return powers[:: math.ceil(len(powers) / most)] if len(powers) > 1 else [lo, hi]


def page(width, height, elements):
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif" font-size="12">'
    return "\n".join([head, f'<rect width="{width}" height="{height}" fill="#fff"/>', *elements, "</svg>\n"])
