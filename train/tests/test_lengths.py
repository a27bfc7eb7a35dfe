"""Cost against length: is what is measured kept, not measured again, and drawn as it is?"""
import os
import re
from argparse import Namespace

import made
import pytest
import torch

from kws_train import lengths
from kws_train.lengths import ROWS, Figure, expected, measure, network, read, summary, too_much
from kws_train.lengths_report import PAPER, curve, draw, exponents, figures, spread
from kws_train.model import Net
from kws_train.report import BEGIN, END
from kws_train.tables import add, machine

TITLES = {name: (e.title, e.family) for name, e in ROWS.items()}


def figure(encoder="mega", frames=256, seconds=1.0, megabytes=10.0, **more):
    values = dict(where="torch", what="training", ratio=1.0, least=0.9, most=1.1, passes=3, machine="M")
    return Figure(encoder=encoder, frames=frames, seconds=seconds, megabytes=megabytes, **{**values, **more})


def line(name, power, scale=1e-3, lengths=(256, 1024, 4096), **more):
    """Figures of an encoder whose cost goes with that power of the length."""
    return [figure(name, n, scale * (n / 256) ** power, 10 * (n / 256) ** power, **more) for n in lengths]


def found(*many):
    return {f.key: f for f in many}


@pytest.mark.parametrize("name", ROWS)
def test_every_encoder_runs_at_any_length(name):
    torch.manual_seed(1)
    net = Net(network(name, 300), 40, 3)
    lengths.step(net, torch.randn(1, 70, 64), True)
    lengths.step(net, torch.randn(1, 300, 64), False)


def test_what_is_measured_is_kept_and_not_measured_again(tmp_path):
    """The command as a user types it."""
    table = tmp_path / "lengths.tsv"
    for what in ("training", "inference"):
        add(table, figure("transformer", 64, 0.125, what=what, machine=machine()))
    first = table.read_text()
    out = made.run("lengths", "--docs", ".", "--passes", "2", "--lengths", "64", "--only", "transformer", "linear", cwd=tmp_path)
    assert [row.split("\t")[:3] for row in out.splitlines()] == [["linear", "training", "64"], ["linear", "inference", "64"]]
    assert table.read_text().startswith(first) and len(read(table)) == 4
    new = read(table)["torch", "linear", "training", 64]
    assert new.seconds > 0 and 0 < new.least <= new.ratio <= new.most and new.passes == 2
    page = (tmp_path / "lengths.md").read_text()
    assert BEGIN.format("lengths") in page and END in page and ROWS["linear"].title in page and "| 125 ms |" in page


def test_memory_is_of_this_step():
    small, large = (measure("transformer", "training", n, 1)["megabytes"] for n in (64, 768))
    scores = 4 * 768 ** 2 * 4 / 2 ** 20  # of one layer, float32; each layer keeps some of them for the way back
    assert small < 3 * scores < large < 60 * scores


def test_longer_recordings_are_not_tried_where_shorter_ones_tell():
    assert expected([(256, 3.0)], 512) == 12 and expected([(256, 1.0), (512, 2.0)], 2048) == pytest.approx(8)
    assert expected([(256, 1.0), (512, 16.0)], 1024) == 64 and expected([(256, 1.0), (512, 0.5)], 1024) == 1
    a = Namespace(most_s=8, most_mb=100)
    assert not too_much([], 16384, a)
    assert not too_much([figure(seconds=2.0)], 512, a) and too_much([figure(seconds=2.1)], 512, a)
    assert not too_much([figure(megabytes=25.0)], 512, a) and too_much([figure(megabytes=25.1)], 512, a)


def test_what_is_not_tried_is_said(tmp_path):
    add(tmp_path / "lengths.tsv", figure("mega", 64, 9.0))
    add(tmp_path / "lengths.tsv", figure("mega", 64, 9.0, what="inference"))
    out = made.call("lengths", "--docs", tmp_path, "--lengths", 64, 128, "--only", "mega", cwd=tmp_path)
    assert out.splitlines() == ["mega\ttraining\t128\tnot tried", "mega\tinference\t128\tnot tried"]


def test_a_table_that_is_none_is_named(tmp_path):
    add(tmp_path / "lengths.tsv", figure())
    with open(tmp_path / "lengths.tsv", "a") as f:
        f.write("torch\tmega\ttraining\tmany\n")
    assert "lengths.tsv:3: not a line of figures" in made.call("lengths", "--docs", tmp_path, "--report", cwd=tmp_path, status=1)


def test_times_in_turn():
    assert summary((2.0, 3.0, 8.0), (1.0, 1.0, 2.0)) == {"seconds": 3.0, "ratio": 3.0, "least": 2.0, "most": 4.0, "passes": 3}


def test_exponents_and_bends():
    assert exponents([(256, 1.0), (1024, 4.0)]) is None
    first, last, bend = exponents([(n, 1e-3 * n) for n in (256, 512, 1024)])
    assert (round(first, 6), round(last, 6), bend) == (1.0, 1.0, None)
    bent = [(256 * 2 ** i, 2 ** (0.1 * min(i, 2) + 2 * max(i - 2, 0))) for i in range(5)]
    for before in ([], [(128, 0.0)]):
        first, last, bend = exponents([*before, *bent])
        assert (round(first, 6), round(last, 6), bend) == (0.1, 2.0, 1024)


def test_an_exponent_is_not_of_one_error():
    """The longest of a straight line, measured half as long again: from its neighbour alone the exponent would be 0.58 off."""
    points = [(256 * 2 ** i, 2.0 ** i) for i in range(5)]
    points[-1] = points[-1][0], 1.5 * points[-1][1]
    assert abs(exponents(points)[1] - 1) < 0.35


def test_page_and_picture_are_of_the_figures(tmp_path, drawn):
    some = found(*line("mega", 1.0), *line("transformer", 2.0, 2e-3), *line("s4d", 1.0, what="inference"),
                 *line("mega-full", 1.5, where="C", what="inference"))
    page = figures(some, TITLES, "lengths.svg")
    rows = [r for r in page.splitlines() if r.startswith("| Transformer |")]
    assert "| 2 ms | 32 ms | 512 ms | 2.00 to 2.00 | straight |" in rows[0] and len(rows) == 3
    assert f"| {PAPER['transformer'][0]:.1f} | 1.00 |" in rows[2]
    mega = [r for r in page.splitlines() if r.startswith("| Mega, chunk 25, softmax |")][-1]
    assert "| 1.00 (0.82 to 1.22) | 5.5 | 0.06 | 0.13 |" in mega  # in turn with the same other: 0.9 / 1.1 to 1.1 / 0.9
    assert "not been measured at 4096" in figures(found(*line("mega", 1.0)), TITLES, "x.svg")
    draw(tmp_path / "x.svg", some, TITLES)
    texts = drawn.texts
    assert texts.count(ROWS["mega"].title) == texts.count(ROWS["transformer"].title) == 2 and ROWS["s4d"].title not in texts
    told = made.titles(tmp_path / "x.svg")
    assert f"{ROWS['mega'].title}, 1024: 0.004" in told and told.count(ROWS["mega"].title) == 2
    xs, ys = zip(*drawn.curves[1], strict=True)
    assert xs[1] - xs[0] == pytest.approx(xs[2] - xs[1], abs=0.2) and ys[0] - ys[1] == pytest.approx(ys[1] - ys[2], abs=0.2)
    draw(tmp_path / "none.svg", {}, TITLES)
    assert texts.count("nothing was measured") == 2 and "Nothing has been" in figures({}, TITLES, "none.svg")


def test_the_picture_is_of_the_kind_that_its_name_says(tmp_path):
    add(tmp_path / "lengths.tsv", figure())
    made.call("lengths", "--docs", tmp_path, "--report", "--picture", tmp_path / "x.png", cwd=tmp_path)
    assert (tmp_path / "x.png").read_bytes()[:4] == b"\x89PNG" and "](x.png)" in (tmp_path / "lengths.md").read_text()
    said = made.call("lengths", "--docs", "none", "--picture", "x.eps", cwd=tmp_path, status=2)
    assert "'x.eps' does not end in .svg, .png or .pdf" in said and not (tmp_path / "none").exists()


def test_figures_of_two_machines_are_not_compared():
    with pytest.raises(SystemExit, match="several machines"):
        figures(found(figure(), figure("s4d", machine="N")), TITLES, "x.svg")


def test_names_are_not_on_each_other():
    placed = spread({"a": 100.0, "b": 101.0, "c": 99.0, "d": 639.0, "e": 640.0})
    heights = sorted(placed.values())
    assert min(b - a for a, b in zip(heights, heights[1:], strict=False)) >= 13 and heights[-1] <= 640
    assert placed["c"] < placed["a"] < placed["b"]


def test_curve_is_of_one_encoder_by_length():
    some = found(figure(frames=1024, seconds=2.0), figure(frames=256), figure("s4d"), figure(what="inference", seconds=9.0))
    assert curve(some, "torch", "training", "mega", "seconds") == [(256, 1.0), (1024, 2.0)]


def test_the_engine_runs_what_it_can(tmp_path):
    engine = os.path.join(made.ROOT, "build", "lengths")
    if not os.path.exists(engine):
        pytest.skip("no build/lengths (make build/lengths)")
    a = lengths.options().parse_args(["--engine", engine, "--lengths", "64", "96", "9000", "--passes", "2"])
    table = str(tmp_path / "lengths.tsv")
    lengths.measure_engine(a, table)
    some = read(table)
    assert {(f.where, f.encoder, f.frames) for f in some.values()} == {("C", n, k) for n in lengths.IN_C for k in (64, 96)}
    assert all(f.seconds > 0 and f.megabytes > 0 for f in some.values())
    size = os.path.getsize(table)
    lengths.measure_engine(a, table)
    assert os.path.getsize(table) == size
    assert re.search(r"\| EMA without attention \| \d+\.\d \(\d+\.\d\d\) \|", figures(some, TITLES, "x.svg"))
    assert set(lengths.IN_C) <= {n for n, e in ROWS.items() if e.in_c}
