"""Make the manifest of a plain Speech Commands folder, so that the other commands can read it as a corpus.

    python -m kws_train manifest speech_commands
    python -m kws_train manifest speech_commands --commands marvin,sheila

The folder has a folder a word with recordings <speaker>_nohash_<n>.wav, and _background_noise_. Clips in
validation_list.txt are for validation, those in testing_list.txt for tests, the rest for training. Where a list is missing,
the hash of the speaker decides as it did for version 0.02 of Speech Commands, a tenth each: all clips of a speaker are in
one split. --commands says which words are to be spotted; all other words are _unknown_.
"""
import hashlib
import os
import re
from collections import Counter

import soundfile

from .data import COLUMNS, SILENCE, UNKNOWN, check_words, said
from .options import listed, parser

CLASSIC = ("yes", "no", "up", "down", "left", "right", "on", "off", "stop", "go")  # of the published tests
NOISE = "_background_noise_"
SUFFIXES = (".wav", ".flac", ".ogg", ".opus")
SPEAKER = re.compile(r"(.+?)_nohash_\d+$")
HASHES = 2**27  # of version 0.02: MAX_NUM_WAVS_PER_CLASS + 1


def share(speaker):
    """Where a speaker's hash lies between 0 and 100: below 10 is validation, below 20 tests."""
    return int(hashlib.sha1(speaker.encode()).hexdigest(), 16) % HASHES * (100 / (HASHES - 1))


def read_list(path):
    """-> set of paths, as word/file; None: there is no such list."""
    if not os.path.exists(path):
        return None
    with open(path, encoding="utf-8") as f:
        return {line.strip() for line in f} - {""}


def split_of(path, speaker, lists):
    """-> train, val or test. lists: of val and test, by name; None: the hash decides."""
    for i, (name, entries) in enumerate(lists.items()):
        if path in entries if entries is not None else 10 * i <= share(speaker) < 10 * (i + 1):
            return name
    return "train"


def recordings(root, folder):
    """Audio files in a folder of root, sorted -> list of word/file. Says what it leaves out."""
    names = sorted(n for n in os.listdir(os.path.join(root, folder)) if not n.startswith("."))
    audio = [n for n in names if n.lower().endswith(SUFFIXES)]
    other = [n for n in names if n not in audio and (n != "README.md" or folder != NOISE)]
    if other:
        print(f"{os.path.join(root, folder)}: {len(other)} left out, no {', '.join(SUFFIXES)}: {other[0]}")
    return [f"{folder}/{n}" for n in audio]


def seconds_of(path):
    """Length of a recording, seconds. SystemExit: it cannot be read or is empty."""
    try:
        seconds = soundfile.info(path).duration
    except (soundfile.LibsndfileError, OSError) as e:
        raise SystemExit(f"{path}: cannot be read: {getattr(e, 'error_string', e)}") from None
    if not seconds:
        raise SystemExit(f"{path}: holds no audio")
    return seconds


def choose(words, asked):
    """The commands among the folders' words. SystemExit: there are none, or not those asked for."""
    missing = [w for w in asked or () if w not in words]
    if missing:
        raise SystemExit(f"--commands: no folder for {said(missing)}; there are {said(words)}")
    commands = asked or [w for w in CLASSIC if w in words]
    if not commands:
        raise SystemExit(f"none of {said(CLASSIC)} is there: name the words to be spotted with --commands, of {said(words)}")
    check_words([*commands, UNKNOWN, SILENCE], "--commands")
    return commands


def rows_of(root, asked):
    """-> commands, list of manifest rows: (path, set, word, speaker, split, seconds, kind). SystemExit: it is no such folder."""
    if not os.path.isdir(root):
        raise SystemExit(f"{root}: no folder")
    found = {name: recordings(root, name) for name in sorted(os.listdir(root))
             if os.path.isdir(os.path.join(root, name)) and not name.startswith(".")}
    noise = found.pop(NOISE, [])
    words = {word: paths for word, paths in found.items() if paths}
    if not words:
        raise SystemExit(f"{root}: no audio found: want folders of words with <speaker>_nohash_<n>.wav")
    if not noise:
        raise SystemExit(f"{root}: no audio found in {NOISE}: training needs noise")
    commands = choose(list(words), asked)
    listed_in = {"val": "validation_list.txt", "test": "testing_list.txt"}
    lists = {split: read_list(os.path.join(root, name)) for split, name in listed_in.items()}
    rows = []
    for word in [*commands, *(w for w in words if w not in commands)]:
        for path in words[word]:
            match = SPEAKER.match(os.path.splitext(os.path.basename(path))[0])
            if not match:
                raise SystemExit(f"{os.path.join(root, path)}: no speaker in its name: want <speaker>_nohash_<n>")
            speaker, kind = match[1], "commands" if word in commands else "unknown"
            rows.append((path, "speech_commands", word, speaker, split_of(path, speaker, lists),
                         seconds_of(os.path.join(root, path)), kind))
    for path in noise:
        rows.append((path, "speech_commands", NOISE, "", "train", seconds_of(os.path.join(root, path)), "noise"))
    return commands, rows


def options():
    """-> ArgumentParser of this command."""
    ap = parser("manifest", __doc__)
    ap.add_argument("folder", metavar="SPEECH_COMMANDS_DIR", help="the folder")
    ap.add_argument("--commands", metavar="WORD,...", type=listed,
                    help="the words to be spotted, in the order the network is to have them (default: those that are there of "
                    + said(CLASSIC) + ")")
    ap.add_argument("--out", metavar="DIR", help="folder for manifest.tsv, the corpus from then on (default: the folder itself)")
    return ap


def main(argv=None):
    """Write the manifest. One that somebody else made is not replaced."""
    a = options().parse_args(argv)
    out = a.out or a.folder
    path, head = os.path.join(out, "manifest.tsv"), "\t".join(COLUMNS) + "\n"
    if os.path.exists(path):
        with open(path, encoding="utf-8", errors="replace") as f:
            if f.readline() != head:
                raise SystemExit(f"{path}: is there, and not of this command: give another --out")
    commands, rows = rows_of(a.folder, a.commands)
    os.makedirs(out, exist_ok=True)
    to_out = "" if os.path.samefile(out, a.folder) else os.path.abspath(a.folder) + "/"
    with open(path + ".tmp", "w", encoding="utf-8") as f:
        f.write(head)
        for place, source, word, speaker, split, seconds, kind in rows:
            f.write(f"{to_out}{place}\t{source}\t{word}\t{speaker}\t{split}\t{seconds:.3f}\t{kind}\n")
    os.replace(path + ".tmp", path)
    count = Counter((kind, split) for *_, split, _, kind in rows)
    print(f"{path}: commands {said(commands)}")
    for kind in ("commands", "unknown", "noise"):
        print(f"{kind}: " + ", ".join(f"{count[kind, s]} {s}" for s in ("train", "val", "test")))
    for split in ("train", "val"):
        lacking = [w for w in commands if not any(r[2] == w and r[4] == split for r in rows)]
        if lacking:
            print(f"no clip of split {split}: {said(lacking)}")
