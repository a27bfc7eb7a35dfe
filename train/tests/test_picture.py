"""Pictures: of the kind that their name says, whole or not at all, and telling in an SVG what they told."""
import argparse
import os
import subprocess
import sys

import cairocffi
import made
import pytest

from kws_train.picture import Picture, picture_file

BEGINS = {".svg": b"<?xml", ".png": b"\x89PNG", ".pdf": b"%PDF-"}


def draw(path, text="a"):
    with Picture(path, 60, 40) as p:
        p.box(0, 0, 30, 40, "#ff0000")
        p.text(5, 20, text)
        p.title([(5, 20)], text)
    return path.read_bytes()


@pytest.mark.parametrize("ending", [*BEGINS, ".SVG", ".Pdf"])
def test_the_ending_says_what_it_is(ending, tmp_path):
    name = str(tmp_path / f"a{ending}")
    assert picture_file(name) == name and draw(tmp_path / f"a{ending}").startswith(BEGINS[ending.lower()])


@pytest.mark.parametrize("name", ["x.jpg", "x.svgz", "x", "svg", ".png", "a.svg/.pdf", "x.png.txt", ""])
def test_another_ending_is_refused(name):
    with pytest.raises(argparse.ArgumentTypeError, match="does not end in .svg, .png or .pdf"):
        picture_file(name)


def test_only_an_svg_tells_and_it_tells_any_text(tmp_path):
    text = "a<b> & 'c' \x01\n\udcff µ²"
    draw(tmp_path / "a.svg", text)
    assert made.titles(tmp_path / "a.svg") == ["a<b> & 'c' ??? µ²"]
    assert b"<title>" not in draw(tmp_path / "a.png", text) + draw(tmp_path / "a.pdf", text)


def test_pixels_are_those_that_were_drawn(tmp_path):
    draw(tmp_path / "a.png", " ")
    page = cairocffi.ImageSurface.create_from_png(str(tmp_path / "a.png"))
    data = bytes(page.get_data())
    pixel = lambda x, y: data[y * page.get_stride() + 4 * x:][:3][::-1]
    assert (page.get_width(), page.get_height(), pixel(10, 5), pixel(50, 35)) == (60, 40, b"\xff\0\0", b"\xff\xff\xff")


def test_a_text_is_as_wide_in_all_kinds_and_ends_where_it_is_to(tmp_path, monkeypatch):
    widths, starts = set(), []
    for ending in BEGINS:
        with Picture(tmp_path / f"a{ending}", 60, 40) as p:
            widths.add(p.width("some text", 13))
            monkeypatch.setattr(p.cairo, "move_to", lambda x, y: starts.append(x))
            p.text(50, 20, "some text", 13, anchor="end")
    assert len(widths) == 1 and starts == [50 - widths.pop()] * 3


def test_what_fails_leaves_the_file_as_it_was(tmp_path):
    before = draw(tmp_path / "a.svg")
    with pytest.raises(ZeroDivisionError), Picture(tmp_path / "a.svg", 60, 40) as p:
        p.line(0, 0, 1 / 0, 1, "#000000")
    assert (tmp_path / "a.svg").read_bytes() == before and os.listdir(tmp_path) == ["a.svg"]


def test_a_machine_without_cairo_is_told_so_in_one_line(tmp_path):
    (tmp_path / "cairocffi.py").write_text("raise OSError('no library called x was found\\nno y either')\n")
    env = os.environ | {"PYTHONPATH": f"{tmp_path}:{made.TRAIN}"}
    done = subprocess.run([sys.executable, "-m", "kws_train", "curves", "."], env=env, capture_output=True, text=True,
                          check=False)
    assert done.returncode == 1 and done.stderr.count("\n") == 1 and "libcairo2" in done.stderr
