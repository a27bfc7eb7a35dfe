#!/usr/bin/env python3
"""The comparison of `make bench`: our pipeline and other spotters and engines on the same audio, by processor time, in turns.

Each side is a program that answers a line with the time that something took (bench/peer.h). A row is measured in pairs: once our
pipeline with each of our models, once the row, and again; what a busy machine does to one it does to the other. A peer that is
not here is a line that says so.
"""
import argparse
import datetime
import os
import platform
import shlex
import subprocess
import sys

import table


class Peer:
    """A running side of the comparison; missing: why it is not here, or None."""

    def __init__(self, command):
        self.rows, self.notes, self.version, self.missing, self.process = {}, [], "", None, None
        try:
            self.process = subprocess.Popen(shlex.split(command), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                                            env={**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"})
        except OSError as e:
            self.missing = f"{e.filename}: {e.strerror} (make bench-peers)"
            return
        self.introduce(command)

    def introduce(self, command):
        for line in self.process.stdout:
            kind, *words = line.rstrip("\n").split("\t")
            if kind == "ready":
                return
            if kind == "missing":
                self.missing = words[0]
                return
            if kind == "row":
                self.rows[words[0]] = words[1]
            elif kind == "note":
                self.notes.append(words[0])
            else:
                self.version = words[0]
        self.missing = f"it ended with status {self.process.wait()}: {command}"

    def ask(self, row):
        """Seconds of processor time for a second of audio."""
        try:
            self.process.stdin.write(row + "\n")
            self.process.stdin.flush()
            return float(self.process.stdout.readline())
        except (OSError, ValueError):
            sys.exit(f"compare: {self.version}: no answer to '{row}'; it ended with status {self.process.wait()}")

    def close(self):
        if self.process:
            self.process.stdin.close()
            self.process.wait()


def pairs(rounds, peer, row, ours):
    """-> seconds of a peer's row [rounds], and by model those of our pipeline right before each."""
    base = "file" if row.startswith("file") else "live"
    own, bases = [], {model: [] for model in ours}
    for i in range(rounds + 1):
        for model, us in ours.items():
            bases[model].append(us.ask(base))
        own.append(peer.ask(row))
        if i == 0:  # caches, clocks
            own.clear()
            for x in bases.values():
                x.clear()
    return own, bases


def machine(rounds):
    """What the figures were measured on."""
    with open("/proc/cpuinfo") as f:
        fields = dict(line.split(":", 1) for line in f if ":" in line)
    name = next((v.strip() for k, v in fields.items() if k.strip() == "model name"), platform.machine())
    with open("/etc/os-release") as f:
        system = dict(line.rstrip().split("=", 1) for line in f if "=" in line).get("PRETTY_NAME", platform.system()).strip('"')
    load = " ".join(f"{x:.1f}" for x in os.getloadavg())
    return (f"{name}, {os.cpu_count()} cores, {system}, load {load}, {datetime.date.today()}; one thread; medians of {rounds} "
            "pairs, in brackets the middle half.")


def measure(ours, peers, rounds):
    """-> the lines of Markdown."""
    live, file, floors, about = [], [], [], []
    for who, side in (ours | peers).items():
        if side.missing:
            about.append(f"- {who}: not here: {side.missing}")
            continue
        about += [f"- {who}: {side.version}", *(f"  - {note}" for note in side.notes)]
        for row, title in side.rows.items():
            own, bases = pairs(rounds, side, row, ours)
            if row == "file-floor" and who in ours:
                floors.append((who, bases[who], own))
            else:
                (file if row.startswith("file") else live).append((f"{who}: {title}", own, bases))
    return [machine(rounds), "", "**Live**", "", *table.against(live, ours), "", "**A file**", "", *table.against(file, ours), "",
            *table.floors(floors), "", *about]


def write(path, lines):
    """The lines into a document, which is replaced whole."""
    try:
        with open(path) as f:
            text = table.put(f.read(), lines)
        with open(path + ".new", "w") as f:
            f.write(text)
        os.replace(path + ".new", path)
    except (OSError, ValueError) as e:
        sys.exit(f"compare: {path}: {e}")


def named(text):
    """A type for add_argument: NAME=COMMAND."""
    name, equals, command = text.partition("=")
    if not name or not equals or not shlex.split(command):
        raise argparse.ArgumentTypeError(f"'{text}' is not NAME=COMMAND")
    return name, command


def main(argv=None):
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--ours", metavar="NAME=COMMAND", type=named, action="append", required=True, help="one of our models")
    ap.add_argument("--peer", metavar="NAME=COMMAND", type=named, action="append", default=[], help="what it is compared with")
    ap.add_argument("--rounds", metavar="N", type=int, default=15, help="pairs of each row, 2 or more (default 15)")
    ap.add_argument("--write", metavar="FILE", help="a document with a place for the tables; left alone if a peer is missing")
    a = ap.parse_args(argv)
    if a.rounds < 2:
        ap.error("--rounds: want 2 or more")
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})  # all sides on one core
    ours, peers = ({name: Peer(command) for name, command in sides} for sides in (a.ours, a.peer))
    for name, us in ours.items():
        if us.missing:
            sys.exit(f"compare: {name}: {us.missing}")
    lines = measure(ours, peers, a.rounds)
    for side in (ours | peers).values():
        side.close()
    print("\n".join(lines))
    missing = [name for name, peer in peers.items() if peer.missing]
    if a.write and missing:
        print(f"\n{a.write} is left as it is: not here: {', '.join(missing)}; `make bench-peers` installs the peers")
    elif a.write:
        write(a.write, lines)


if __name__ == "__main__":
    main()
