"""The comparison: are the encoders of one size, the costs those counted by hand, the page made of what was measured?"""
import json
import math
import pathlib
import re

import made
import numpy as np
import pytest

from kws_train import baselines
from kws_train.cost import multiply_adds, state_bytes
from kws_train.encoders import ALL, CLIP, ENCODERS, PAIRS, main
from kws_train.model import Net
from kws_train.model_file import load_model
from kws_train.picture import Picture
from kws_train.report import BEGIN, END, difference, wilson


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


def write_runs(folder, names, seeds=(1, 2), steps=900, splits=("val", "val2")):
    rng = np.random.default_rng(7)
    for name in names:
        e = ENCODERS[name]
        for seed in seeds:
            run = {"network": e.network, "recipe": {"steps": steps, "batch": 48, "words": [str(i) for i in range(12)],
                                                            "features": {"n_mels": 40}}, "parameters": 200000 + seed,
                   "train_clips": 5000, "train_seconds": 100.0,
                   "heard": {split: {"clips": 1000, "right": {str(p): int(rng.integers(700, 900)) for p in e.phases}}
                             for split in splits}}
            (folder / f"{name}-{seed}.json").write_text(json.dumps(run))


def report(folder, *more):
    main(["--report", "--out", str(folder), "--docs", str(folder), *more])
    return (folder / "encoders.md").read_text()


def test_report_names_what_is_missing_and_keeps_the_words_around(tmp_path, capsys, drawn):
    write_runs(tmp_path, [n for n in ENCODERS if n != "luna"])
    (tmp_path / "encoders.md").write_text(f"before\n{BEGIN.format('encoders')}\nold\n{END}\nafter\n")
    page = report(tmp_path)
    assert page.startswith("before\n") and page.endswith("after\n") and "old" not in page
    assert "Missing so far: luna 1, luna 2." in page and "missing: luna 1, luna 2" in capsys.readouterr().out
    assert all((e.title in page) == (n != "luna") for n, e in ENCODERS.items())
    write_runs(tmp_path, ["luna"])
    page = report(tmp_path)
    drawn.texts.clear()
    assert "Missing" not in page and page == report(tmp_path)
    first = json.loads((tmp_path / "mega-1.json").read_text())["heard"]["val"]["right"]["0"]
    also = json.loads((tmp_path / "mega-2.json").read_text())["heard"]["val"]["right"]["0"]
    lo, hi = wilson(first + also, 2000)
    assert f"{(first + also) / 20:.1f} ({100 * lo:.1f} to {100 * hi:.1f})" in page
    names = [t for t in drawn.texts if t in {e.title for e in ENCODERS.values()}]
    assert sorted(names) == sorted(e.title for e in ENCODERS.values())
    assert drawn.texts.count("needs the clip") == 3  # Linformer, Mega both ways, ViT
    assert drawn.texts.count("–") > 0  # states not measured
    run = lambda name, seed: json.loads((tmp_path / f"{name}-{seed}.json").read_text())["heard"]["val"]["right"]["0"]
    share = lambda name: run(name, 1) + run(name, 2)
    shares = [share(next(n for n, e in ENCODERS.items() if e.title == title)) for title in names]
    assert shares == sorted(shares, reverse=True)  # the best above
    told = made.titles(tmp_path / "encoders.svg")
    assert len(told) == len(ENCODERS) and f"{shares[0] / 20:.1f} %" in told[0]


def test_differences_are_told_by_both_splits(tmp_path):
    write_runs(tmp_path, ["mega-16", "mega-no-ema"], seeds=(1,))
    heard = lambda name, split: json.loads((tmp_path / f"{name}-1.json").read_text())["heard"][split]["right"]["0"]
    told = []
    for split in ("val", "val2"):
        d, half = difference((heard("mega-16", split), 1000), (heard("mega-no-ema", split), 1000))
        told.append(f"{100 * d:+.1f} ± {100 * half:.1f}")
    title = next(text for a, _, text in PAIRS if a == "mega-16")
    page = report(tmp_path, "--seeds", "1")
    assert f"| {title} | {told[0]} | {told[1]} |" in page and told[0] != told[1]
    assert f"its ratio to that of {ENCODERS['mega'].title}." in page  # which is none of the rows
    write_runs(tmp_path, ["mega-16", "mega-no-ema"], seeds=(1,), splits=("val",))
    assert re.search(rf"\| {title} \| [^|]+ \| – \|", report(tmp_path, "--seeds", "1"))


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


def test_report_refuses_runs_that_were_not_trained_alike(tmp_path):
    write_runs(tmp_path, ["mega"])
    write_runs(tmp_path, ["s4d"], steps=901)
    with pytest.raises(SystemExit, match="not trained alike"):
        report(tmp_path)


def test_report_refuses_runs_of_another_network(tmp_path):
    write_runs(tmp_path, ["mega"])
    (tmp_path / "mega-2.json").write_text((tmp_path / "mega-2.json").read_text().replace('"ndim": 16', '"ndim": 8'))
    with pytest.raises(SystemExit, match="another network"):
        report(tmp_path)


def test_report_refuses_runs_that_do_not_say_of_which_words_they_are(tmp_path):
    write_runs(tmp_path, ["mega"])
    run = json.loads((tmp_path / "mega-2.json").read_text())
    del run["recipe"]["words"]
    (tmp_path / "mega-2.json").write_text(json.dumps(run))
    with pytest.raises(SystemExit, match="mega-2.json does not say of which words"):
        report(tmp_path)


def test_pairs_are_of_encoders_that_there_are():
    assert all({a, b} <= set(ENCODERS) for a, b, _ in PAIRS)


def test_what_is_missing_is_trained_and_what_is_done_is_not_done_again(corpus, tmp_path):
    """The command as a user types it, on a real corpus, for one encoder that C runs and one that only the twin does."""
    args = ["encoders", "--data", corpus, "--out", "runs", "--docs", "docs", "--seeds", "1", "--steps", "2", "--batch", "6"]
    out = made.run(*args, "--only", "s4d", cwd=tmp_path)
    assert "s4d 1\t2\tloss" in out and "missing: mega 1" in out
    first = (tmp_path / "runs" / "s4d-1.json").read_bytes()
    out = made.run(*args, "--only", "s4d", "mega", cwd=tmp_path)
    assert "s4d 1\t" not in out and "mega 1\t2\tloss" in out
    assert (tmp_path / "runs" / "s4d-1.json").read_bytes() == first
    run = json.loads((tmp_path / "runs" / "mega-1.json").read_text())
    assert run["recipe"]["words"] == made.WORDS and run["heard"]["val"]["clips"] == 10 + 100 and run["train_clips"] == 30
    assert list(run["heard"]) == ["val"]
    page = (tmp_path / "docs" / "encoders.md").read_text()
    assert ENCODERS["mega"].title in page and ENCODERS["s4d"].title in page
    _, _, words, meta = load_model(tmp_path / "runs" / "mega-1.safetensors")
    assert words == made.WORDS and meta["name"] == "mega"
    assert json.loads(meta["measured"]) == {"val_accuracy": round(run["heard"]["val"]["right"]["0"] / 110, 4)}


def test_encoders_on_shards(corpus, teacher, tmp_path):
    made.call("augment", "--data", corpus, "--teacher", teacher, "--versions", "0", "--silences", 9, "--cuts", 1, cwd=tmp_path)
    made.call("teacher", "--shards", "runs/shards/v00.npz", "--heads", "conv", "--epochs", 1, cwd=tmp_path)
    made.call("encoders", "--data", corpus, "--shards", "runs/shards/v00.npz", "--docs", "docs", "--seeds", 1, "--steps", 1,
              "--batch", 4, "--only", "ema-only", cwd=tmp_path)
    run = json.loads((tmp_path / "runs" / "encoders" / "ema-only-1.json").read_text())
    assert run["recipe"]["shards"] == ["v00.npz"] and run["recipe"]["words"] == made.WORDS


def test_the_engine_times_what_it_can_run(corpus, tmp_path, kws):
    made.run("encoders", "--data", corpus, "--out", "runs", "--docs", "docs", "--seeds", "1", "--steps", "1", "--batch", "2",
             "--only", "mega", "mega-full", "--kws", kws, cwd=tmp_path)
    streams, clip = (json.loads((tmp_path / "runs" / f"{name}.c.json").read_text()) for name in ("mega", "mega-full"))
    assert streams["state_bytes"] > 0 and streams["live_p99_us"] > 0 and "live_p99_us" not in clip


def test_an_encoder_of_ones_own_is_one_file(corpus, tmp_path):
    readme = pathlib.Path(made.TRAIN, "README.md").read_text(encoding="utf-8")
    mine = readme.split("```python\n")[1].split("```")[0]
    (tmp_path / "mean.py").write_text(mine)
    args = ["encoders", "--with", "mean.py", "--data", corpus, "--seeds", "1", "--steps", "1", "--batch", "2", "--only", "mean"]
    assert "mean 1\t1\tloss" in made.run(*args, cwd=tmp_path)
    run = json.loads((tmp_path / "runs" / "encoders" / "mean-1.json").read_text())
    assert 0.97 < run["parameters"] / sum(p.numel() for p in net_of("mega").parameters()) < 1.03
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
