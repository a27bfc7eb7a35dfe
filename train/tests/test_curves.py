"""Curves of trainings from their logs."""
import os

import pytest
from made import titles

from kws_train.curves import main, read
from kws_train.picture import log_steps, steps

LOG = """100\tloss 2.5000\tval 80.00\tphase7 79.00\tlr 1.00e-03\t10 ms/step
200\tloss 1.5000\tval 90.00\tphase7 89.00\tlr 5.00e-04\t10 ms/step
300\tloss 1.2500\tval 89.50\tphase7 89.00\tlr 0.00e+00\t10 ms/step
"""


def write(folder, log):
    folder.mkdir()
    (folder / "log.tsv").write_text(log)
    return str(folder)


def test_curves_of_two_runs(tmp_path, capsys, drawn):
    a, b = write(tmp_path / "a<b", LOG), write(tmp_path / "b", "50\tloss 3.0\tlr 1.00e-03\t9 ms/step\n")
    main([a, b, "--out", str(tmp_path / "c.svg")])
    said = capsys.readouterr().out.splitlines()
    assert said == [f"{a}: step 300, loss 1.2500, val 89.50 %; best val 90.00 % at step 200", f"{b}: step 50, loss 3.0000"]
    assert set(said) <= set(drawn.texts)
    assert [len(points) for points in drawn.curves] == [3, 1, 3, 0, 3, 1]
    heights = [y for _, y in drawn.curves[0]]
    assert heights == sorted(heights)  # a loss that falls goes down the page
    assert len(drawn.dots) == 3 + 1 + 3 + 1 + 3 + 1  # the ring is one
    told = titles(tmp_path / "c.svg")
    assert f"{a}, step 200: 10" in told and f"{a}, best at step 200: 10" in told and len(told) == len(drawn.dots)


def test_a_long_run_is_drawn_without_dots_and_tells_as_much(tmp_path, drawn):
    log = "".join(f"{step}\tloss {1 + 1 / step:.4f}\tlr 1.00e-03\t9 ms/step\n" for step in range(1, 101))
    main([write(tmp_path / "a", log), "--out", str(tmp_path / "c.svg")])
    assert not drawn.dots and len(titles(tmp_path / "c.svg")) == 2 * 100


def test_a_picture_of_another_kind_is_refused_before_logs_are_read(tmp_path, capsys):
    with pytest.raises(SystemExit) as refused:
        main([str(tmp_path / "nosuch"), "--out", str(tmp_path / "c.jpg")])
    assert refused.value.code == 2 and "c.jpg' does not end in .svg, .png or .pdf" in capsys.readouterr().err
    assert not os.listdir(tmp_path)


def test_a_training_that_diverged_is_drawn_until_it_did(tmp_path, capsys):
    run = write(tmp_path / "a", LOG + "400\tloss nan\tval 8.00\tphase7 8.00\tlr 0.00e+00\t10 ms/step\n")
    main([run, "--out", str(tmp_path / "c.svg")])
    assert capsys.readouterr().out.startswith(f"{run}: step 400, loss nan, val 8.00 %")
    told = titles(tmp_path / "c.svg")
    assert f"{run}, step 300: 1.25" in told and not any(t.endswith("nan") for t in told)


def test_a_run_that_went_on_from_a_checkpoint_counts_what_it_did_again(tmp_path):
    again = LOG + "200\tloss 9.0\tval 50.00\tphase7 50.00\tlr 5.00e-04\t10 ms/step\n"
    run = read(write(tmp_path / "a", again))
    assert list(run) == [100, 200] and run[200]["loss"] == 9.0


@pytest.mark.parametrize("log, said", [("", "no step has been logged yet"), (LOG + "half a li", "log.tsv:4: not a line"),
                                       ("1\tloss x\tlr 1\t1 ms/step\n", "log.tsv:1: not a line")])
def test_what_is_no_log_is_named(tmp_path, log, said):
    folder = write(tmp_path / "a", log)
    with pytest.raises(SystemExit, match=said):
        main([folder, "--out", str(tmp_path / "c.svg")])
    assert not (tmp_path / "c.svg").exists()


def test_levels_are_round_and_hold_all():
    assert steps(0, 300, 5) == [0, 100, 200, 300]
    assert steps(61.7, 89.7, 8) == [60, 65, 70, 75, 80, 85, 90]
    assert steps(5, 5, 4)[0] == pytest.approx(5)


def test_levels_of_an_axis_of_logarithms_are_round_and_few():
    assert log_steps(0.45, 4.6, 6) == [0.5, 0.7, 1, 2, 3]
    assert log_steps(4.1, 7.7, 6) == [4.5, 5, 6, 7]
    assert log_steps(0.9e-4, 5e3, 6) == pytest.approx([1e-4, 1e-2, 1, 100])
