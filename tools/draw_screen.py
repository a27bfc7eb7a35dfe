#!/usr/bin/env python3
"""Draw the last page that a command shows on a terminal: draw_screen.py OUT.svg COLUMNSxROWS COMMAND...

It understands what `kws listen` sends: pages that begin in the upper left corner, their lines, bold, dim and colours."""
import fcntl
import os
import pty
import re
import struct
import sys
import termios
from xml.sax.saxutils import escape

COLUMN, ROW, MARGIN = 7.83, 17, 14  # pixels; the width of a letter is that of 13 px
PAPER, INK = "#1e1e1e", "#d4d4d4"
STYLE = {"1": "font-weight='bold'", "2": "fill='#8a8a8a'", "31": "fill='#f14c4c'", "32": "fill='#23d18b'", "33": "fill='#e5e510'",
         "36": "fill='#29b8db'"}


def shown(size, command):
    """All that the command writes to a terminal of this size."""
    child, terminal = pty.fork()
    if child == 0:
        os.environ |= {"TERM": "xterm-256color", "LC_ALL": "C.UTF-8"}
        os.environ.pop("NO_COLOR", None)
        columns, rows = (int(n) for n in size.split("x"))
        fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        os.execvp(command[0], command)
    text = b""
    while True:
        try:
            piece = os.read(terminal, 65536)
        except OSError:  # the command has ended
            piece = b""
        if not piece:
            break
        text += piece
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if status:
        sys.exit(f"draw_screen: {command[0]} ended with status {status}: {text[-300:].decode(errors='replace')}")
    return text.decode()


def row(y, line):
    """A line of the page as text elements, a style each."""
    parts, column, style = [], 0, ""
    for piece in re.split(r"(\033\[[0-9;]*[a-zA-Z])", line):
        if piece.startswith("\033["):
            if piece.endswith("m"):
                style = STYLE.get(piece[2:-1], "")
        elif piece:
            x = MARGIN + column * COLUMN
            width = len(piece) * COLUMN
            parts.append(f"<text x='{x:.1f}' y='{y}' textLength='{width:.1f}' xml:space='preserve' {style}>{escape(piece)}</text>")
            column += len(piece)
    return parts


def main():
    if len(sys.argv) < 4:
        sys.exit(__doc__)
    out, size, command = sys.argv[1], sys.argv[2], sys.argv[3:]
    pages = re.findall(r"\033\[H(.*?)\033\[J", shown(size, command), re.S)
    if not pages:
        sys.exit(f"draw_screen: {command[0]} shows no page")
    lines = pages[-1].split("\r\n")
    width, height = 2 * MARGIN + int(size.split("x")[0]) * COLUMN, 2 * MARGIN + len(lines) * ROW
    parts = [f"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {width:.0f} {height}' width='{width:.0f}' height='{height}'>",
             f"<rect width='100%' height='100%' rx='6' fill='{PAPER}'/>",
             f"<g font-family='DejaVu Sans Mono, monospace' font-size='13' fill='{INK}'>"]
    for n, line in enumerate(lines):
        parts += row(MARGIN + ROW * (n + 1) - 5, line)
    with open(out, "w") as f:
        f.write("\n".join([*parts, "</g>", "</svg>"]) + "\n")


if __name__ == "__main__":
    main()
