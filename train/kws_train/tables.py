"""Tables of figures that the repository keeps: a dataclass a table, a field a column, a figure a line, added once it is there."""
import csv
import io
import os
import platform
from dataclasses import asdict, fields

import torch


def _figure(row, kind):
    if None in row or None in row.values():
        raise ValueError("too many columns, or too few")
    value = lambda x: None if x.default is None and row[x.name] == "" else x.type(row[x.name])
    return kind(**{x.name: value(x) for x in fields(kind)})


def read(path, kind):
    """-> list of `kind`, a dataclass; none if there is no file. A field whose default is None may be empty. SystemExit: a line is
    none of this table, or was cut off."""
    if not os.path.exists(path):
        return []
    with open(path, newline="", encoding="utf-8") as f:
        text = f.read()
    names = [x.name for x in fields(kind)]
    rows = csv.DictReader(io.StringIO(text), delimiter="\t")
    if rows.fieldnames != names:
        raise SystemExit(f"{path}:1: want the columns {', '.join(names)}")
    found = []
    for row in rows:
        try:
            found.append(_figure(row, kind))
        except (TypeError, ValueError) as e:
            raise SystemExit(f"{path}:{rows.line_num}: not a line of figures: {e}") from None
    if not text.endswith("\n"):
        raise SystemExit(f"{path}:{rows.line_num}: the line is cut off: complete it, or remove it")
    return found


def add(path, figure):
    """Append a figure in one write, behind the names of the columns in a new file."""
    line = io.StringIO()
    w = csv.DictWriter(line, [x.name for x in fields(figure)], delimiter="\t", lineterminator="\n")
    if not os.path.exists(path):
        w.writeheader()
    w.writerow(asdict(figure))
    with open(path, "ab", buffering=0) as f:
        f.write(line.getvalue().encode())


def machine():
    """The processor's name, and torch's version."""
    names = [platform.processor()]
    if os.path.exists("/proc/cpuinfo"):
        with open("/proc/cpuinfo") as f:
            names = [line.split(":")[1].strip() for line in f if line.startswith("model name")] or names
    return f"{names[0] or platform.machine()}, torch {torch.__version__}"
