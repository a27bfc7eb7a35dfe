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


def page(width, height, elements):
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif" font-size="12">'
    return "\n".join([head, f'<rect width="{width}" height="{height}" fill="#fff"/>', *elements, "</svg>\n"])
