"""Command lines: help that shows defaults, ranges that hold, mistakes that end in one line."""
import argparse
import importlib
import re

import made
import pytest

from kws_train.__main__ import COMMANDS

MODULES = list(COMMANDS)


@pytest.mark.parametrize("command", MODULES)
def test_every_option_has_help_and_shows_its_default(command, monkeypatch):
    monkeypatch.setenv("COLUMNS", "500")  # no line ends within a default
    ap = importlib.import_module(f"kws_train.{command}").options()
    text = " ".join(ap.format_help().split())
    for action in ap._actions:
        assert action.help, action.dest
        if action.default not in (None, argparse.SUPPRESS, []) and action.default is not False:
            name = max([*action.option_strings, action.dest], key=len)
            assert re.search(rf"{name}\b[^-]*?.*?\(default: {re.escape(str(action.default))}\)", text), action.dest


def test_numbers_have_limits():
    """No option takes a bare int or float."""
    for command in MODULES:
        for action in importlib.import_module(f"kws_train.{command}").options()._actions:
            assert action.type not in (int, float), f"{command} {action.dest}"


@pytest.mark.parametrize("args", [
    "train --steps 0", "train --steps x", "train --lr 0", "train --lr nan", "train --lr inf", "train --warmup 0",
    "train --partial 2", "train --snr 31", "train --draw alpha=0", "train --draw nobody=2",
    "train --average 1.5", "train --chain 0", "train --convs 20", "train --seed -1", "train --silence 0.9", "train --batch 1.5",
    "train --splits val", "train --splits train,test", "train --chain 5", "train --stop 9000", "train --network []",
    "train --network {", "train --network {\"dim\":0}", "train --network {\"dim\":true}", "train --network {\"wide\":1}",
    "train --network {\"attention\":\"sharp\"}", "train --network {\"norm\":\"none\"}", "train --network {\"zdim\":3000}",
    "train --network {\"stride\":2}", "train --network {\"attention\":\"additive\",\"heads\":7}",
    "train --network {\"zdim\":7,\"rel_pos_bias\":\"rotary\"}", "train --network {\"chunk\":0}", "train --network {\"depth\":0}",
    "augment --versions 3-1", "augment --versions x", "augment --silences 0", "augment --cuts 0", "augment --copies alpha",
    "mix --seconds 1", "mix --snr inf", "mix --unknown 1.5", "mix --pause 2,1", "mix --pause 1", "mix --unknown 0.6 --speech 0.6",
    "encoders --seeds -1", "encoders --only nobody", "teacher --folds 1", "teacher --heads big", "teacher --epochs 0",
    "conditions --seed -2", "manifest . --commands a,,b", "export --prior a=0", "curves . --out c.jpg", "", "nothing",
])
def test_what_is_out_of_range_is_refused_by_name(args, corpus, teacher, tmp_path):
    command, *rest = args.split(" ") if args else [""]
    needs = {"train": ["--data", corpus, "--run", "r"], "augment": ["--data", corpus, "--teacher", teacher],
             "mix": ["--data", corpus, "--out", "m.flac"], "teacher": ["--shards", "s.npz"], "encoders": ["--data", corpus],
             "conditions": ["--data", corpus, "--out", "c"], "export": ["--checkpoint", "c.pt", "--out", "m"]}
    said = made.call(*([command] if command else []), *needs.get(command, []), *rest, cwd=tmp_path, status=2)
    option = next((r for r in rest if r.startswith("--")), "COMMAND")
    assert option in said.splitlines()[-1] or option == "COMMAND"
    assert {p.name for p in tmp_path.iterdir()} <= {"runs"}
