"""The comparison: are the encoders of one size, the costs those counted by hand, the page made of what was measured?"""
import math
import pathlib
import re
import shutil
from dataclasses import fields

import made
import numpy as np
import pytest

from kws_train import baselines
from kws_train.cost import multiply_adds, state_bytes
from kws_train.data import Corpus
from kws_train.encoders import ALL, ENCODERS, PAIRS, main
from kws_train.model import Net
from kws_train.model_file import load_model
from kws_train.picture import Picture
from kws_train.pretrained import read_stem
from kws_train.report import BEGIN, END, LEFT, difference, wilson
from kws_train.runs import Run, keep, load, recipe_of, short
from kws_train.tables import machine, read

CLIP = 50  # network frames of a second


def net_of(name):
    return Net(ENCODERS[name].network, 40, 12)


def test_all_are_of_one_size():
    sizes = [sum(p.numel() for p in net_of(name).parameters()) for name in ENCODERS]
    assert max(sizes) < 1.1 * min(sizes)


def test_front_end_and_head_are_the_same():
    rest = [{k: v for k, v in e.network.items() if k not in ("layers", "final_norm")} for e in ENCODERS.values()]
    assert all(r == rest[0] for r in rest)


def test_multiply_adds_of_the_default_by_hand():
    stem = 2 * 20 * 16 * 9 + 1 * 10 * 32 * 16 * 9  # frames, bands, channels out, 9 x channels in
    front = 10 * 32 * 64
    ema = 64 * 16 * 3 + 64
    mega = 64 * (64 + 32 + 128 + 64) + 64 * 128 + 128 * 64 + ema + 13 * (32 + 128)  # mx, v, h; 13 of 25 on the average
    ffn = 2 * 64 * 128
    head = 64 * 128 + 128 * 12
    assert multiply_adds(net_of("mega"), CLIP) == stem + front + 3 * (mega + ffn) + head


def test_multiply_adds_and_state_of_a_baseline_by_hand():
    front, head = 2 * 20 * 16 * 9 + 10 * 32 * 144 + 10 * 32 * 64, 64 * 128 + 128 * 12
    layer = 4 * 64 * 64 + 25.5 * 2 * 64 + 2 * 64 * 304  # 25.5 of 50 frames on the average
    assert multiply_adds(net_of("transformer"), CLIP) == front + 3 * layer + head
    kept = 3 * 50 * 2 * 64 + 2 * 42 + 1 * 22 * 16 + 50 * 64  # keys and values; what the stem holds; what is pooled
    assert state_bytes(net_of("transformer"), CLIP) == 4 * kept
    assert state_bytes(net_of("linformer"), CLIP) is None


def test_who_hears_what():
    hears = {name: e.hears for name, e in ENCODERS.items()}
    assert hears["mega"] == hears["fastformer"] == hears["s4d"] == hears["s4"] == hears["resnet"] == hears["dilated"] == "stream"
    assert hears["transformer-xl"] == hears["flash"] == hears["gru"] == "stream"
    assert hears["mega-full"] == hears["transformer"] == hears["performer"] == hears["longformer"] == "clip"
    assert [name for name, h in hears.items() if h == "whole"] == ["linformer", "mega-both", "vit"]
    assert len(ENCODERS["mega"].phases) > 1 and len(ENCODERS["s4d"].phases) == 1


def test_wilson():
    lo, hi = wilson(50, 100)
    assert abs(lo - 0.40383) < 1e-5 and abs(hi - 0.59617) < 1e-5
    assert wilson(0, 10)[0] == pytest.approx(0, abs=1e-12) and wilson(10, 10)[1] == pytest.approx(1)
    d, half = difference((90, 100), (80, 100))
    assert abs(d - 0.1) < 1e-12 and abs(half - 1.96 * math.sqrt((0.09 + 0.16) / 100)) < 1e-12


RECIPE = {"steps": 900, "batch": 48, "words": [str(i) for i in range(12)], "features": {"n_mels": 40}}


def write_runs(folder, names, seeds=(1, 2), splits=("val", "val2"), recipe=RECIPE, **other):
    """Lines of the table, with clips right that are drawn."""
    rng = np.random.default_rng(7)
    drawn = lambda: int(rng.integers(700, 900))
    for name in names:
        e = ENCODERS[name]
        for seed in seeds:
            heard = {f"{split}_clips": 1000 for split in splits} | {f"{split}_right": drawn() for split in splits}
            later = {f"val_right_{p}": drawn() for p in e.phases if p}
            keep(folder, Run(**{"encoder": name, "seed": seed, "source": "run", "parameters": 200000 + seed, "train_clips": 5000,
                                "train_seconds": 100.0, "machine": "M", "recipe": short(recipe), "network": short(e.network),
                                **heard, **later, **other}), recipe)


def report(folder, *more):
    main(["--report", "--docs", str(folder), *more])
    return (folder / "encoders.md").read_text()


def test_report_names_what_is_missing_and_keeps_the_words_around(tmp_path, capsys, drawn):
    write_runs(tmp_path, [n for n in ENCODERS if n != "luna"])
    (tmp_path / "encoders.md").write_text(f"before\n{BEGIN.format('encoders')}\nold\n{END}\nafter\n")
    page = report(tmp_path)
    assert page.startswith("before\n") and page.endswith("after\n") and "old" not in page
    assert "Missing so far: luna 1, luna 2." in page and "missing: luna 1, luna 2" in capsys.readouterr().out
    assert all((e.title in page) == (n != "luna") for n, e in ENCODERS.items())
    write_runs(tmp_path, ["luna"])
    right = {key[:2]: run.val_right for key, run in load(tmp_path, ENCODERS)[0].items()}
    page = report(tmp_path)
    drawn.texts.clear()
    assert "Missing" not in page and page == report(tmp_path) and "Trained on: M (56)." in page and "†" not in page
    first, also = right["mega", 1], right["mega", 2]
    lo, hi = wilson(first + also, 2000)
    assert f"{100 * ((first + also) / 2000):.1f} ({100 * lo:.1f} to {100 * hi:.1f})" in page
    names = [t for t in drawn.texts if t in {e.title for e in ENCODERS.values()}]
    assert sorted(names) == sorted(e.title for e in ENCODERS.values())
    assert drawn.texts.count("needs the clip") == 3  # Linformer, Mega both ways, ViT
    assert drawn.texts.count("–") > 0  # states not measured
    share = lambda name: right[name, 1] + right[name, 2]
    shares = [share(next(n for n, e in ENCODERS.items() if e.title == title)) for title in names]
    assert shares == sorted(shares, reverse=True)  # the best above
    told = made.titles(tmp_path / "encoders.svg")
    assert len(told) == len(ENCODERS) and f"{100 * (shares[0] / 2000):.1f} %" in told[0]


def test_differences_are_told_by_both_splits(tmp_path):
    write_runs(tmp_path, ["mega-16", "mega-no-ema"], seeds=(1,))
    some = load(tmp_path, ENCODERS)[0]
    heard = lambda name, split: (getattr(some[name, 1, "run"], f"{split}_right"), 1000)
    told = []
    for split in ("val", "val2"):
        d, half = difference(heard("mega-16", split), heard("mega-no-ema", split))
        told.append(f"{100 * d:+.1f} ± {100 * half:.1f}")
    title = next(text for a, _, text in PAIRS if a == "mega-16")
    page = report(tmp_path, "--seeds", "1")
    assert f"| {title} | {told[0]} | {told[1]} |" in page and told[0] != told[1]
    assert f"its ratio to that of {ENCODERS['mega'].title}." in page  # which is none of the rows
    write_runs(tmp_path, ["mega-16", "mega-no-ema"], seeds=(1,), splits=("val",))
    assert re.search(rf"\| {title} \| [^|]+ \| – \|", report(tmp_path, "--seeds", "1"))


def test_a_difference_is_of_the_seeds_that_both_have(tmp_path):
    title = next(text for a, _, text in PAIRS if a == "mega-16")
    one = dict(splits=("val",))
    for name, seed, right in (("mega-16", 1, 800), ("mega-16", 2, 900), ("mega-no-ema", 1, 700)):
        write_runs(tmp_path, [name], seeds=(seed,), val_right=right, **one)
    assert f"| {title} | +10.0 ± 3.8 | – | 1 |" in report(tmp_path)
    write_runs(tmp_path, ["mega-no-ema"], seeds=(2,), val_right=600, **one)
    assert f"| {title} | +20.0 ± 2.6 | – | 2 |" in report(tmp_path)


def test_seeds_that_only_one_has_count_where_there_are_no_others(tmp_path):
    title = next(text for a, _, text in PAIRS if a == "mega-16")
    for name, seeds in (("mega-16", (1, 2)), ("mega-no-ema", (3,))):
        write_runs(tmp_path, [name], seeds=seeds, splits=("val",), val_right=700)
    assert re.search(rf"\| {title} \| \+0.0 ± [0-9.]+ \| – \| 1 and 2 \|", report(tmp_path))


def test_picture_of_one_encoder_whose_state_nobody_measured(tmp_path, drawn):
    write_runs(tmp_path, ["mega"])
    assert "mega-no-ema 1" in report(tmp_path)
    assert len(drawn.dots) == 1 + 3  # one point, three in the legend


def test_the_picture_has_room_for_every_name(tmp_path, monkeypatch):
    write_runs(tmp_path, ["mega", "vit", "dilated"])
    text, lefts = Picture.text, []

    def watch(p, x, y, said, *rest, anchor="start", **more):
        if anchor == "end":
            lefts.append(x - p.width(said))
        text(p, x, y, said, *rest, anchor=anchor, **more)

    monkeypatch.setattr(Picture, "text", watch)
    report(tmp_path)
    assert len(lefts) > 3 and min(lefts) >= 10


@pytest.mark.parametrize("name, link", [("x.png", "![accuracy, with intervals](x.png)"),
                                        ("a/x.PDF", "\n[accuracy, with intervals](a/x.PDF)")])
def test_the_picture_is_of_the_kind_that_its_name_says(name, link, tmp_path):
    write_runs(tmp_path, ["mega"])
    (tmp_path / "a").mkdir()
    assert link in report(tmp_path, "--picture", str(tmp_path / name))
    assert (tmp_path / name).read_bytes()[:4] in (b"%PDF", b"\x89PNG") and not (tmp_path / "encoders.svg").exists()


def test_a_picture_of_no_kind_is_refused_before_the_work(tmp_path, capsys):
    write_runs(tmp_path, ["mega"])
    with pytest.raises(SystemExit) as refused:
        report(tmp_path, "--picture", "x.eps")
    assert refused.value.code == 2 and "'x.eps' does not end in .svg, .png or .pdf" in capsys.readouterr().err
    assert not (tmp_path / "encoders.md").exists()


def test_a_line_that_is_left_of_a_page_is_marked(tmp_path):
    write_runs(tmp_path, ["mega"])
    write_runs(tmp_path, ["s4d"], seeds=(1,), source="page")
    page = report(tmp_path)
    row = next(line for line in page.splitlines() if line.startswith(f"| {ENCODERS['s4d'].title} |"))
    assert row.count(" † |") == 1 and page.count("†") == 1 + LEFT.count("†") and LEFT in page


def test_what_is_left_of_a_page_is_compared_with_its_like(tmp_path, drawn):
    """A run since counts in its row; a difference is of two runs, or of two that are left."""
    left = dict(source="page")
    for name, val, more in (("mega", 800, left), ("mega", 700, {}), ("mega-both", 850, left), ("mega-no-ema", 600, {}),
                            ("fastformer-ema", 700, left), ("fastformer", 500, {})):
        write_runs(tmp_path, [name], seeds=(1,), splits=("val",), val_right=val, **more)
    page = report(tmp_path, "--seeds", "1")
    assert {ENCODERS["mega"].title, ENCODERS["mega-both"].title + " †"} < set(drawn.texts)
    row = next(line for line in page.splitlines() if line.startswith(f"| {ENCODERS['mega'].title} |"))
    assert "| 70.0 (67.1 to 72.8) | 80.0 †, 70.0 |" in row
    said = {a: next(line for line in page.splitlines() if line.startswith(f"| {text} |")).split(" | ")[1] for a, b, text in PAIRS
            if (a, b) in (("mega-both", "mega"), ("mega", "mega-no-ema"), ("fastformer-ema", "fastformer"))}
    assert said == {"mega-both": "+5.0 ± 3.3 †", "mega": "+10.0 ± 4.2", "fastformer-ema": "+20.0 ± 4.2 ‡"}


def test_report_refuses_runs_that_were_not_trained_alike(tmp_path):
    write_runs(tmp_path, ["mega"])
    write_runs(tmp_path, ["s4d"], seeds=(1,), recipe=RECIPE | {"steps": 901})
    with pytest.raises(SystemExit, match=r"encoders.tsv: s4d 1 was not trained as .*encoders.json says"):
        report(tmp_path)
    (tmp_path / "encoders.json").unlink()
    with pytest.raises(SystemExit, match="encoders.json: not there: how were the runs"):
        report(tmp_path)


def test_report_refuses_runs_of_another_network(tmp_path):
    write_runs(tmp_path, ["mega"])
    write_runs(tmp_path, ["s4d"], seeds=(2,), network=short(ENCODERS["mega"].network))
    with pytest.raises(SystemExit, match="encoders.tsv: a line is of another network than s4d has now"):
        report(tmp_path)


def test_report_shows_every_seed_and_leaves_out_what_it_does_not_know(tmp_path):
    write_runs(tmp_path, ["mega"], seeds=(1, 5))
    some = load(tmp_path, ENCODERS)[0]
    table = tmp_path / "encoders.tsv"
    table.write_text(table.read_text() + table.read_text().splitlines()[-1].replace("mega", "mine") + "\n")
    page = report(tmp_path, "--seeds", "1")
    assert f" | {some['mega', 1, 'run'].val_right / 10:.1f}, {some['mega', 5, 'run'].val_right / 10:.1f} | " in page
    assert "mega 1" not in page and "mine" not in page


@pytest.mark.parametrize("line, why", [
    ("mega\t1\n", ":4: not a line of figures: too many columns"),
    ("mega\t1", ":4: not a line of figures: too many columns"),
    ("{line}", ":4: the line is cut off"),
    ("{line}\t1\n", ":4: not a line of figures: too many columns"),
    ("{line}\n".replace("{line}", "{other}"), ":4: not a line of figures: invalid literal"),
    ("{more}\n", ":4: not a line of figures: more clips right than there are"),
    ("{source}\n", ":4: not a line of figures: source 'told' is none of run, page"),
    ("{alone}\n", ":4: not a line of figures: a run without its recipe"),
])
def test_a_line_that_is_none_is_named_with_its_place(tmp_path, line, why):
    write_runs(tmp_path, ["mega"])
    table = tmp_path / "encoders.tsv"
    last = table.read_text().splitlines()[-1]
    columns = dict(zip([f.name for f in fields(Run)], last.split("\t"), strict=True))
    other = lambda **values: "\t".join({**columns, **values}.values())
    with open(table, "a") as f:
        f.write(line.format(line=last, other=other(seed="one"), more=other(val_right_7="1001"), source=other(source="told"),
                            alone=other(recipe="")))
    with pytest.raises(SystemExit, match=f"encoders.tsv{why}"):
        load(tmp_path, ENCODERS)


def test_a_table_of_other_columns_and_a_recipe_that_is_none_are_named(tmp_path):
    (tmp_path / "encoders.json").write_text("{")
    with pytest.raises(SystemExit, match="encoders.json: not JSON"):
        load(tmp_path, ENCODERS)
    (tmp_path / "encoders.tsv").write_text("encoder\tseed\nmega\t1\n")
    with pytest.raises(SystemExit, match="encoders.tsv:1: want the columns encoder, seed, source"):
        load(tmp_path, ENCODERS)


def test_what_is_kept_is_what_is_read(tmp_path):
    write_runs(tmp_path, ["mega", "s4d"], splits=("val",), loss=0.125)
    (some, timed), recipe = load(tmp_path, ENCODERS), recipe_of(tmp_path)
    assert [key[:2] for key in some] == [("mega", 1), ("mega", 2), ("s4d", 1), ("s4d", 2)] and timed == {} and recipe == RECIPE
    mega, s4d = some["mega", 1, "run"], some["s4d", 1, "run"]
    assert len(mega.later) == 3 and not s4d.later and s4d.val2_clips is None and s4d.loss == 0.125
    write_runs(tmp_path, ["mega"], seeds=(1,), loss=0.5)
    later = load(tmp_path, ENCODERS)[0]
    assert later["mega", 1, "run"].loss == 0.5 and later["mega", 2, "run"] == some["mega", 2, "run"]  # the later line counts


FIVE = ["--only", "mega", "ema-only", "mega-no-ema", "s4d", "transformer"]


@pytest.mark.parametrize("folder, page, args", [
    (".", "encoders", []), (".", "ablations", ["--ablations"]), ("encoders-longer", "encoders", FIVE),
    ("encoders-stem", "encoders", [*FIVE, "fastformer-ema"])])
def test_the_pages_are_what_their_tables_say(folder, page, args, tmp_path):
    docs = pathlib.Path(made.ROOT, "docs", folder)
    for file in ("encoders.tsv", "encoders-c.tsv", "encoders.json", f"{page}.md"):
        shutil.copy(docs / file, tmp_path)
    made.call("encoders", *args, "--report", "--seeds", 1, "--docs", tmp_path, cwd=tmp_path)
    assert (tmp_path / f"{page}.md").read_text() == (docs / f"{page}.md").read_text()


def test_pairs_are_of_encoders_that_there_are():
    assert all({a, b} <= set(ENCODERS) for a, b, _ in PAIRS)


def test_what_is_missing_is_trained_and_what_is_done_is_not_done_again(corpus, tmp_path):
    """The command as a user types it, on a real corpus."""
    args = ["encoders", "--data", corpus, "--docs", "docs", "--seeds", "1", "--batch", "6"]
    two = [*args, "--steps", "2"]
    out = made.run(*two, "--only", "s4d", cwd=tmp_path)
    assert "s4d 1\t2\tloss" in out and "missing" not in out  # of what was asked for
    first = (tmp_path / "docs" / "encoders.tsv").read_text()
    out = made.run(*two, "--only", "s4d", "mega", cwd=tmp_path)
    assert "s4d 1\t" not in out and "mega 1\t2\tloss" in out
    assert (tmp_path / "docs" / "encoders.tsv").read_text().startswith(first)
    (found, _), recipe = load(tmp_path / "docs", ENCODERS), recipe_of(tmp_path / "docs")
    assert recipe["words"] == made.WORDS and recipe["steps"] == 2 and set(found) == {("s4d", 1, "run"), ("mega", 1, "run")}
    mega, s4d = found["mega", 1, "run"], found["s4d", 1, "run"]
    assert mega.val_clips == 10 + 100 and mega.train_clips == 30 and mega.val2_clips is None and mega.source == "run"
    assert len(mega.later) == 3 and not s4d.later and mega.machine == machine() and mega.loss > 0
    page = (tmp_path / "docs" / "encoders.md").read_text()
    assert ENCODERS["mega"].title in page and ENCODERS["s4d"].title in page
    said = made.run(*args, "--steps", "3", "--only", "luna", cwd=tmp_path, status=1)
    assert "encoders.json: the runs in this folder are not trained alike" in said and "steps 2 there, 3 here" in said
    assert "luna 1\t" not in said


def test_what_only_a_page_tells_is_trained_anew(corpus, tmp_path):
    args = ["encoders", "--data", corpus, "--docs", ".", "--seeds", 1, "--steps", 1, "--batch", 3, "--only", "ema-only"]
    made.call(*args, cwd=tmp_path)
    table = tmp_path / "encoders.tsv"
    table.write_text(table.read_text().replace("\trun\t", "\tpage\t"))
    assert "ema-only 1\t1\tloss" in made.call(*args, cwd=tmp_path)
    assert set(load(tmp_path, ENCODERS)[0]) == {("ema-only", 1, "page"), ("ema-only", 1, "run")}
    assert "loss" not in made.call(*args, cwd=tmp_path)


def test_a_recipe_does_not_depend_on_where_the_recordings_are(corpus, tmp_path):
    for place in ("a", "b/c"):
        shutil.copytree(corpus, tmp_path / place)
        made.call("words", "--data", tmp_path / place, "--out", tmp_path / place / "words", cwd=tmp_path)
    one, other = (Corpus(tmp_path / place / "words", str(tmp_path / "cache")) for place in ("a", "b/c"))
    assert one.names() == other.names() and one.digest() != other.digest()
    manifest = tmp_path / "a" / "words" / "manifest.tsv"
    manifest.write_text(manifest.read_text().replace("\tval\t", "\ttrain\t", 1))
    assert Corpus(tmp_path / "a" / "words", str(tmp_path / "cache")).names() != one.names()


def test_encoders_on_shards(corpus, teacher, tmp_path):
    made.call("augment", "--data", corpus, "--teacher", teacher, "--versions", "0", "--silences", 9, "--cuts", 1, cwd=tmp_path)
    made.call("teacher", "--shards", "runs/shards/v00.npz", "--heads", "conv", "--epochs", 1, cwd=tmp_path)
    made.call("encoders", "--data", corpus, "--shards", "runs/shards/v00.npz", "--docs", "docs", "--seeds", 1, "--steps", 1,
              "--batch", 4, "--only", "ema-only", cwd=tmp_path)
    recipe = recipe_of(tmp_path / "docs")
    assert recipe["shards"] == ["v00.npz"] and recipe["words"] == made.WORDS


def test_encoders_on_the_first_layers_of_a_teacher(corpus, teacher, tmp_path, kws):
    made.call("augment", "--data", corpus, "--teacher", teacher, "--versions", "0", "--silences", 9, "--cuts", 1,
              "--features", "speech-embedding", cwd=tmp_path)
    made.call("teacher", "--shards", "runs/shards/v00.npz", "--heads", "conv", "--epochs", 1, cwd=tmp_path)
    args = ["encoders", "--data", corpus, "--shards", "runs/shards/v00.npz", "--docs", ".", "--seeds", 1, "--steps", 1,
            "--batch", 4, "--only", "ema-only", "s4d"]
    own = ["--teacher", teacher, "--convs", 3, "--stem-from", 1]
    made.call(*args, *own, "--kws", kws, cwd=tmp_path)
    recipe = recipe_of(tmp_path)
    entries, _ = read_stem(teacher, 3)
    assert recipe["stem"] == entries and sum(e["kind"] == "conv" for e in entries) == 3
    on = {name: e.on(entries) for name, e in ENCODERS.items()}
    runs, timed = load(tmp_path, on)
    assert set(timed) == {"ema-only"} and {name for name, _, _ in runs} == {"ema-only", "s4d"}
    net = Net(on["s4d"].network, 40, len(recipe["words"]))
    clip = 100 // net.step
    assert on["s4d"].network["pool"] == clip and runs["s4d", 1, "run"].parameters == sum(p.numel() for p in net.parameters())
    page = (tmp_path / "encoders.md").read_text()
    assert f" | {clip * multiply_adds(net, clip) / 1e6:.2f} M | " in page and "Missing" not in page
    args[args.index("--seeds") + 1] = 2
    said = made.run(*args, cwd=tmp_path, status=1)  # on a stem of their own
    assert "the runs in this folder are not trained alike" in said and "stem [" in said
    made.call("augment", "--data", corpus, "--teacher", teacher, "--versions", "1", "--silences", 9, "--cuts", 1, "--out",
              "other", cwd=tmp_path)
    made.call("teacher", "--shards", "other/v01.npz", "--heads", "conv", "--epochs", 1, cwd=tmp_path)
    said = made.run(*[str(a).replace("runs/shards/v00", "other/v01") for a in args], *own, cwd=tmp_path, status=2)
    assert "--teacher: the shards are not of its features" in said


def test_the_engine_times_what_it_can_run(corpus, tmp_path, kws):
    args = ["encoders", "--data", corpus, "--docs", ".", "--seeds", "1", "--steps", "1", "--batch", "2", "--only", "mega",
            "mega-full", "s4d", "--kws", kws]
    made.run(*args, cwd=tmp_path)
    _, timed = load(tmp_path, ENCODERS)
    assert set(timed) == {"mega", "mega-full"}
    streams, clip = timed["mega"], timed["mega-full"]
    assert streams.state_bytes > 0 and streams.live_p99_us > 0 and streams.file_ratio > 0 and clip.live_p99_us is None
    page = (tmp_path / "encoders.md").read_text()
    assert f"| {streams.live_p99_us:.1f} ({streams.live_ratio:.2f}) | {streams.file_us:.1f} ({streams.file_ratio:.2f}) |" in page
    before = (tmp_path / "encoders-c.tsv").read_text()
    made.run(*args, cwd=tmp_path)
    assert (tmp_path / "encoders-c.tsv").read_text() == before


def test_an_encoder_of_ones_own_is_one_file(corpus, tmp_path):
    readme = pathlib.Path(made.TRAIN, "README.md").read_text(encoding="utf-8")
    mine = readme.split("```python\n")[1].split("```")[0]
    (tmp_path / "mean.py").write_text(mine)
    args = ["encoders", "--with", "mean.py", "--data", corpus, "--seeds", "1", "--steps", "1", "--batch", "2", "--only", "mean"]
    assert "mean 1\t1\tloss" in made.run(*args, cwd=tmp_path)
    (run,) = read(tmp_path / "runs" / "encoders" / "encoders.tsv", Run)
    assert run.encoder == "mean" and 0.97 < run.parameters / sum(p.numel() for p in net_of("mega").parameters()) < 1.03
    assert "| Mean" in (tmp_path / "runs" / "encoders" / "encoders.md").read_text()
    for text, why in (("import nothing_of_the_kind", "ModuleNotFoundError"), ("x = 1", "want KINDS"),
                      (mine.replace('{"mean": Mean}', '{"mega": Mean}'), "there is a 'mega' already"),
                      (mine.replace("sines=False, ", "width=3, "), "width")):
        (tmp_path / "bad.py").write_text(text)
        said = made.run("encoders", "--with", "bad.py", "--list", cwd=tmp_path, status=1)
        assert "bad.py: " in said and why in said
    assert "none.py: No such file" in made.run("encoders", "--with", "none.py", "--list", cwd=tmp_path, status=1)


def test_list_has_all_by_name():
    lines = made.call("encoders", "--list", cwd=".").splitlines()
    assert [line.split()[0] for line in lines] == list(ENCODERS)
    assert all(f" {'C and' if e.in_c else 'PyTorch '}" in line for line, e in zip(lines, ENCODERS.values(), strict=True))


def test_the_page_has_a_row_for_every_system_of_the_papers():
    page = pathlib.Path(made.ROOT, "docs", "encoders.md").read_text(encoding="utf-8")
    names = re.findall(r"`([a-z0-9-]+)`", page.split("### Every system of their tables")[1].split("\n## ")[0])
    assert set(baselines.ENCODERS) <= set(names) <= set(ALL)


def test_an_encoder_that_c_runs_is_trained_by_its_name(corpus, tmp_path):
    made.call("train", "--data", corpus, "--run", "r", "--network", "fastformer-ema", "--steps", 1, "--batch", 3, cwd=tmp_path)
    net = load_model(tmp_path / "r" / "model.safetensors")[0]
    assert net.network["layers"] == ENCODERS["fastformer-ema"].network["layers"] and net.pool * net.step == 100
    said = made.call("train", "--data", corpus, "--run", "s", "--network", "s4d", cwd=tmp_path, status=2)
    assert "--network: s4d is for PyTorch alone" in said
