#!/usr/bin/env python3
"""Draw the last page that a command shows on a terminal.

It understands what `kws listen` sends: pages that begin in the upper left corner, their lines, bold, dim and colours."""
import argparse
import fcntl
import os
import pty
import re
import struct
import sys
import termios
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "train"))
from kws_train.picture import Picture, picture_file

COLUMN, ROW, MARGIN = 8, 17, 14  # whole pixels: between two blocks of a bar is no seam
FONT = "monospace"
PAPER, INK = "#1e1e1e", "#d4d4d4"
STYLE = {"1": {"bold": True}, "2": {"colour": "#8a8a8a"}, "31": {"colour": "#f14c4c"}, "32": {"colour": "#23d18b"},
         "33": {"colour": "#e5e510"}, "36": {"colour": "#29b8db"}}


def size(text):
    """A type for add_argument: COLUMNSxROWS -> both."""
    found = re.fullmatch(r"(\d{1,3})x(\d{1,3})", text)
    if not found:
        raise argparse.ArgumentTypeError(f"'{text}' is not COLUMNSxROWS, as 80x24")
    return tuple(map(int, found.groups()))


def shown(columns, rows, command):
    """All that the command writes to a terminal of this size."""
    child, terminal = pty.fork()
    if child == 0:
        os.environ |= {"TERM": "xterm-256color", "LC_ALL": "C.UTF-8"}
        os.environ.pop("NO_COLOR", None)
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


def draw_row(p, y, line):
    """A line of the page, in letters as wide as a column."""
    size = COLUMN / p.width("M", 1, family=FONT)
    column, style = 0, {}
    for piece in re.split(r"(\033\[[0-9;]*[a-zA-Z])", line):
        if piece.startswith("\033["):
            if piece.endswith("m"):
                style = STYLE.get(piece[2:-1], {})
            continue
        for word in re.finditer(r"\S+", piece):
            p.text(MARGIN + (column + word.start()) * COLUMN, y, word[0], size, family=FONT, **{"colour": INK, **style})
        column += len(piece)


def main():
    ap = argparse.ArgumentParser(description=__doc__)
    ap.add_argument("out", metavar="OUT", type=picture_file, help="the picture: .svg, .png or .pdf")
    ap.add_argument("size", metavar="COLUMNSxROWS", type=size, help="of the terminal")
    ap.add_argument("command", metavar="COMMAND", nargs=argparse.REMAINDER, help="what shows a page, with its options")
    a = ap.parse_args()
    if not a.command:
        ap.error("COMMAND is missing")
    pages = re.findall(r"\033\[H(.*?)\033\[J", shown(*a.size, a.command), re.S)
    if not pages:
        sys.exit(f"draw_screen: {a.command[0]} shows no page")
    lines = re.split(r"\r*\n", pages[-1])
    with Picture(a.out, 2 * MARGIN + a.size[0] * COLUMN, 2 * MARGIN + len(lines) * ROW, PAPER) as p:
        for n, line in enumerate(lines):
            draw_row(p, MARGIN + ROW * (n + 1) - 5, line)


if __name__ == "__main__":
    main()
