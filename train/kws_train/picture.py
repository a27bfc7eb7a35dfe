"""Pictures drawn by cairo: SVG, PNG or PDF, by the ending of the file's name. One unit is one pixel, y grows downwards, and
colours are #rrggbb. Needs nothing else of this package, and no torch."""
import argparse
import io
import math
import os
import re
from xml.sax.saxutils import escape

try:
    import cairocffi as cairo
except OSError:  # its message is of four lines
    raise OSError("pictures need the library cairo (Debian: libcairo2), which is not here") from None

KINDS = (".svg", ".png", ".pdf")
SHARE = {"start": 0.0, "middle": 0.5, "end": 1.0}  # of a text that is to the left of its x


def picture_file(text):
    """A type for add_argument: the name of a picture, whose ending says what it is."""
    if _kind(text) not in KINDS:
        raise argparse.ArgumentTypeError(f"'{text}' does not end in .svg, .png or .pdf")
    return text


def _kind(path):
    return os.path.splitext(path)[1].lower()


def _drawable(text):
    """A text without control characters, and without bytes of a file's name that are no UTF-8."""
    return re.sub(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]", "?", text)


class Picture:
    """A page to draw on. It is a context: at the end of its block the file is written, whole; if the block fails, it is not."""

    def __init__(self, path, width, height, paper="#ffffff"):
        self.path, self.kind, self.out, self.titles = path, _kind(path), io.BytesIO(), []
        if self.kind == ".png":
            self.surface = cairo.ImageSurface(cairo.FORMAT_RGB24, math.ceil(width), math.ceil(height))
        elif self.kind == ".pdf":
            self.surface = cairo.PDFSurface(self.out, width, height)
        else:
            self.surface = cairo.SVGSurface(self.out, width, height)
            self.surface.set_document_unit(cairo.SVG_UNIT_PX)
        self.cairo = cairo.Context(self.surface)
        unhinted = cairo.FontOptions()  # letters are as wide in a PNG as in the others
        unhinted.set_hint_metrics(cairo.HINT_METRICS_OFF)
        unhinted.set_hint_style(cairo.HINT_STYLE_NONE)
        self.cairo.set_font_options(unhinted)
        self.box(0, 0, width, height, paper)

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        if kind is None and self.kind == ".png":
            self.surface.write_to_png(self.out)
        self.surface.finish()
        if kind is None:
            with open(f"{self.path}.tmp", "wb") as f:
                f.write(self._bytes())
            os.replace(f"{self.path}.tmp", self.path)

    def _bytes(self):
        """The file; the titles of an SVG lie above all that is drawn."""
        drawn = self.out.getvalue()
        if not self.titles:
            return drawn
        before, end, after = drawn.rpartition(b"</svg>")
        return before + "".join(self.titles).encode() + end + after

    def _ink(self, colour, width=1.0, opacity=1.0, dashes=()):
        self.cairo.set_source_rgba(*(int(colour[i:i + 2], 16) / 255 for i in (1, 3, 5)), opacity)
        self.cairo.set_line_width(width)
        self.cairo.set_line_join(cairo.LINE_JOIN_ROUND)
        self.cairo.set_dash(dashes)

    def _area(self, fill, stroke, width, opacity):
        """Fill what was outlined, and draw its outline; either may be None."""
        if fill:
            self._ink(fill, opacity=opacity)
            self.cairo.fill_preserve()
        if stroke:
            self._ink(stroke, width)
            self.cairo.stroke_preserve()
        self.cairo.new_path()

    def _font(self, size, bold, family):
        self.cairo.select_font_face(family, cairo.FONT_SLANT_NORMAL, cairo.FONT_WEIGHT_BOLD if bold else cairo.FONT_WEIGHT_NORMAL)
        self.cairo.set_font_size(size)

    def width(self, text, size=12, bold=False, family="sans-serif"):
        """How wide a text is."""
        self._font(size, bold, family)
        return self.cairo.text_extents(_drawable(text))[4]

    def text(self, x, y, text, size=12, colour="#000000", anchor="start", bold=False, family="sans-serif"):
        """A text on the base line y; anchor: which part of it is at x, start, middle or end."""
        self.cairo.move_to(x - SHARE[anchor] * self.width(text, size, bold, family), y)
        self._ink(colour)
        self.cairo.show_text(_drawable(text))
        self.cairo.new_path()

    def line(self, x0, y0, x1, y1, colour, width=1.0, opacity=1.0, dashes=()):
        self._ink(colour, width, opacity, dashes)
        self.cairo.move_to(x0, y0)
        self.cairo.line_to(x1, y1)
        self.cairo.stroke()

    def curve(self, points, colour, width=1.5):
        """A line through points (x, y)."""
        self._ink(colour, width)
        for x, y in points:
            self.cairo.line_to(x, y)
        self.cairo.stroke()

    def box(self, x, y, width, height, fill=None, stroke=None, line=1.0, opacity=1.0):
        """A rectangle; opacity is that of what fills it, line the width of its outline."""
        self.cairo.rectangle(x, y, width, height)
        self._area(fill, stroke, line, opacity)

    def dot(self, x, y, radius, fill=None, stroke=None, line=2.0):
        self.cairo.arc(x, y, radius, 0, 2 * math.pi)
        self._area(fill, stroke, line, 1.0)

    def title(self, points, text, reach=5.0):
        """What an SVG tells while the pointer is near the line through points (x, y), or the only point, by at most `reach`."""
        if self.kind == ".svg":
            first, *others = points
            ends = [first, *others] if others else [(first[0] - reach, first[1]), (first[0] + reach, first[1])]
            at = " ".join(f"{x:.1f},{y:.1f}" for x, y in ends)
            self.titles.append(f'<polyline points="{at}" fill="none" stroke-width="{2 * reach:g}" pointer-events="stroke">'
                               f"<title>{escape(_drawable(text))}</title></polyline>\n")


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
