"""What became of the encoders' trainings, as the repository keeps it: three files in one folder, for all pages of encoders.

    encoders.tsv     a line a run: what was trained, and how many clips it has right
    encoders-c.tsv   a line an encoder: its state and its times in C
    encoders.json    how all these runs were trained; runs of another recipe need another folder

A later line of the same run, or of the same encoder, counts for an earlier one. What is left of a page stays beside the runs
since, as it compares with its like.
"""
import json
import os
from dataclasses import dataclass

from . import tables
from .data import digest

SOURCES = ("run", "page")
LATER = (7, 19, 31)  # places in a chunk at which a clip begins, beside 0


@dataclass(frozen=True, kw_only=True)
class Run:
    """A line of encoders.tsv. Of a clip begun later only what is cut into chunks hears a difference: the others' are empty."""

    encoder: str
    seed: int
    source: str              # run; page: of an earlier page's figures, to 0.1 points, so the clips right are off by one at most
    parameters: int
    train_clips: int
    loss: float = None       # mean of the last steps
    train_seconds: float     # processor time
    val_clips: int
    val_right: int
    val_right_7: int = None  # begun so many network frames after a chunk
    val_right_19: int = None
    val_right_31: int = None
    val2_clips: int = None
    val2_right: int = None
    machine: str
    recipe: str = None       # short digests, of what is in encoders.json and of the network
    network: str = None

    def __post_init__(self):
        if self.source not in SOURCES:
            raise ValueError(f"source '{self.source}' is none of {', '.join(SOURCES)}")
        if self.source == "run" and not (self.recipe and self.network):
            raise ValueError("a run without its recipe or network")
        val2 = self.val2_right or 0, self.val2_clips or 0
        if self.val_clips < 1 or max([self.val_right, *self.later]) > self.val_clips or val2[0] > val2[1]:
            raise ValueError("more clips right than there are")

    @property
    def key(self):
        return self.encoder, self.seed, self.source

    @property
    def later(self):
        """Clips of val right, begun later."""
        return [n for n in (getattr(self, f"val_right_{p}") for p in LATER) if n is not None]

    def said(self):
        """What is right, on one line."""
        val2 = f"\tval2 {self.val2_right / self.val2_clips:.4f}" if self.val2_clips else ""
        return f"val {self.val_right / self.val_clips:.4f}{val2}"


@dataclass(frozen=True, kw_only=True)
class Timed:
    """A line of encoders-c.tsv. Times are empty where no stream is heard."""

    encoder: str
    state_bytes: int
    live_p99_us: float = None  # 99 of 100 live hops take no longer
    live_ratio: float = None   # to the first encoder's, in turn
    file_us: float = None      # a hop of a file
    file_ratio: float = None
    machine: str
    network: str               # as of a Run


def short(value):
    return digest(value)[:8]


def places(folder):
    """-> paths of the three files."""
    return [os.path.join(folder, name) for name in ("encoders.tsv", "encoders-c.tsv", "encoders.json")]


def load(folder, encoders):
    """encoders: of this folder's runs, by name; runs of others are left out. -> {(encoder, seed, source): Run}, {encoder: Timed}.
    SystemExit: something was not trained alike, or is of another network than its name means."""
    table, in_c, recipe_file = places(folder)
    runs = {r.key: r for r in tables.read(table, Run) if r.encoder in encoders}
    timed = {t.encoder: t for t in tables.read(in_c, Timed) if t.encoder in encoders}
    recipe = read_recipe(recipe_file)
    if runs and not recipe:
        raise SystemExit(f"{recipe_file}: not there: how were the runs of {table} trained?")
    made = [r for r in runs.values() if r.source == "run"]
    for r in made:
        if r.recipe != short(recipe):
            raise SystemExit(f"{table}: {r.encoder} {r.seed} was not trained as {recipe_file} says: remove its line")
    for where, row in [(table, r) for r in made] + [(in_c, t) for t in timed.values()]:
        if row.network != short(encoders[row.encoder].network):
            raise SystemExit(f"{where}: a line is of another network than {row.encoder} has now: remove it")
    return runs, timed


def recipe_of(folder):
    """How the folder's runs were trained, {} if there are none yet."""
    return read_recipe(places(folder)[2])


def read_recipe(path):
    """-> the recipe, {} if there is none. SystemExit: it is no JSON object."""
    try:
        with open(path, encoding="utf-8") as f:
            recipe = json.load(f)
    except FileNotFoundError:
        return {}
    except ValueError as e:
        raise SystemExit(f"{path}: not JSON: {e}") from None
    if not isinstance(recipe, dict):
        raise SystemExit(f"{path}: not a recipe")
    return recipe


def agree(folder, recipe):
    """Before a training: SystemExit, with what differs, if the folder's runs are of another recipe."""
    path = places(folder)[2]
    there = read_recipe(path)
    other = [f"{k} {there.get(k)} there, {recipe.get(k)} here" for k in sorted(there | recipe) if there.get(k) != recipe.get(k)]
    if there and other:
        raise SystemExit(f"{path}: the runs in this folder are not trained alike, so take another one: " + "; ".join(other))


def keep(folder, run, recipe):
    """Add a run that has ended, and how it was trained if it is the first."""
    table, _, path = places(folder)
    if not os.path.exists(path):
        with open(path + ".tmp", "w", encoding="utf-8") as f:
            json.dump(recipe, f, indent=1)
            f.write("\n")
        os.replace(path + ".tmp", path)
    tables.add(table, run)
