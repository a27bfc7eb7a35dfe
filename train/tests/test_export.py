"""Export and cards: what a model file says of itself is the user's, known or measured."""
import json
import os
from dataclasses import asdict
from types import SimpleNamespace

import made
import pytest
import torch

from kws_train.data import SILENCE, UNKNOWN
from kws_train.export import main, temper, weights_sha256
from kws_train.golden import wild
from kws_train.model import Int8Linear, Net, network_spec
from kws_train.model_file import load_model

WORDS = ["red", "green", UNKNOWN, SILENCE]
SHIPPED = [("commands-12", "card.json"), ("fastformer-12", "card-fastformer.json"),
           ("commands-21", "card-nineteen.json"),
           ("commands-12-small", "card-small.json")]


@pytest.fixture
def net(tmp_path, checkpoint):
    torch.manual_seed(1)
    net = Net(network_spec(depth=1), 40, len(WORDS))
    wild(net, 5)
    checkpoint(net, tmp_path / "last.pt", WORDS)
    return net


def export(folder, card=None, *more):
    args = ["--checkpoint", str(folder / "last.pt"), "--out", str(folder / "mine.safetensors"), *more]
    if card is not None:
        (folder / "card.json").write_text(card if isinstance(card, str) else json.dumps(card))
        args += ["--card", str(folder / "card.json")]
    main(args)
    return load_model(folder / "mine.safetensors")[3]


@pytest.mark.parametrize("name, card", SHIPPED)
def test_cards_keep_making_the_files_that_ship(tmp_path, name, card):
    path = os.path.join(made.ROOT, "config", "models", f"{name}.safetensors")
    net, cfg, words, _ = load_model(path)
    made.checkpoint(net, tmp_path / "last.pt", words, cfg)
    main(["--checkpoint", str(tmp_path / "last.pt"), "--card", os.path.join(made.TRAIN, card), "--out", str(tmp_path / "x")])
    with open(path, "rb") as f:
        assert f.read() == (tmp_path / "x").read_bytes()


@pytest.mark.parametrize("card", [card for _, card in SHIPPED])
def test_a_card_that_ships_is_refused_for_another_network(tmp_path, net, card):
    with open(os.path.join(made.TRAIN, card)) as f:
        text = f.read()
    with pytest.raises(SystemExit, match="card.json and the network are of different words: yes, no, .*; red, green"):
        export(tmp_path, text)
    words = json.loads(text)["words"]
    other = Net(network_spec(depth=1), 40, len(words))
    made.checkpoint(other, tmp_path / "last.pt", words)
    with pytest.raises(SystemExit, match="card.json is the card of other weights"):
        export(tmp_path, text)
    assert not (tmp_path / "mine.safetensors").exists()


def test_without_a_card_nothing_is_claimed(tmp_path, net, capsys):
    meta = export(tmp_path)
    assert meta["name"] == "mine" and "licence" not in meta and json.loads(meta["measured"]) == {}
    assert "thresholds" not in json.loads(meta["decision"]) and json.loads(meta["training"]) == {"seed": 1, "steps": 3}
    assert export(tmp_path, None, "--name", "colours")["name"] == "colours"
    assert weights_sha256(net, *load_model(tmp_path / "mine.safetensors")[1:3]) in capsys.readouterr().out


def test_a_card_of_this_network(tmp_path, net):
    _, cfg, _, _ = export(tmp_path) and load_model(tmp_path / "mine.safetensors")
    decision = {"wait_ms": 400, "threshold": 0.6, "thresholds": {"red": 0.9}}
    card = {"name": "x", "words": WORDS, "decision": decision, "licence": "CC0-1.0", "training": {"data": "colours"},
            "measured": {"val": 0.9}, "weights_sha256": weights_sha256(net, cfg, WORDS)}
    meta = export(tmp_path, card)
    assert meta["name"] == "x" and meta["licence"] == "CC0-1.0" and json.loads(meta["measured"]) == {"val": 0.9}
    assert json.loads(meta["decision"]) == {"smooth_ms": 200, "refractory_ms": 700, **decision}
    assert "weights_sha256" not in meta and json.loads(meta["training"]) == {"data": "colours"}
    with pytest.raises(SystemExit, match="card of other weights"):  # a prior makes them others
        export(tmp_path, card, "--prior", "red=2")


@pytest.mark.parametrize("card, message", [
    ({"words": ["red", "blue", UNKNOWN, SILENCE]}, "different words: red, blue, .*; red, green"),
    ({"words": ["green", "red", UNKNOWN, SILENCE]}, "different words"),
    ({"decision": {"thresholds": {"up": 0.7}}}, "threshold for 'up', which is no command of the network: red, green"),
    ({"decision": {"thresholds": {UNKNOWN: 0.7}}}, "threshold for '_unknown_'"),
    ({"decision": {"thresholds": {"red": 1.5}}}, "threshold of red 1.5 is not a number from 0 to 1"),
    ({"decision": {"smooth_ms": "fast"}}, "smooth_ms 'fast' is not a whole number from 0 to 1000"),
    ({"decision": {"wait_ms": 501}}, "wait_ms 501 is not a whole number from 0 to 500"),
    ({"decision": {"smoth_ms": 100}}, "decision has no 'smoth_ms'"),
    ({"measured": {"accuracy": 0.97}}, "'measured' without 'weights_sha256'"),
    ({"measured": {"accuracy": 0.97}, "weights_sha256": "0" * 64}, "card of other weights"),
    ({"words": "red"}, "'words' is no list"),
    ({"licences": "MIT"}, "a card has no 'licences'"),
    ("{", "not JSON"), ("[]", "not a JSON object"),
])
def test_cards_that_are_refused(tmp_path, net, card, message):
    with pytest.raises(SystemExit, match=message) as e:
        export(tmp_path, card)
    assert str(tmp_path / "card.json") in str(e.value)
    assert not (tmp_path / "mine.safetensors").exists()


def test_priors(tmp_path, net):
    x, prob = torch.randn(1, 60, 40), []
    for priors in ([], ["--prior", "_unknown_=0.25", "--prior=_silence_=3"]):
        export(tmp_path, None, *priors)
        with torch.no_grad():
            prob.append(torch.softmax(load_model(tmp_path / "mine.safetensors")[0](x)[0, -1].double(), -1))
    want = prob[0].clone()
    want[WORDS.index(UNKNOWN)] *= 0.25
    want[WORDS.index(SILENCE)] *= 3
    assert torch.allclose(prob[1], want / want.sum(), atol=1e-6)


@pytest.mark.parametrize("prior", [[], ["--prior", "red=3"]])
def test_a_temperature_divides_the_logits(tmp_path, net, prior):
    x, logits = torch.randn(1, 60, 40), []
    for temperature in ([], ["--temperature", "0.8"]):
        export(tmp_path, None, *prior, *temperature)
        with torch.no_grad():
            logits.append(load_model(tmp_path / "mine.safetensors")[0](x)[0])
    assert torch.allclose(logits[1], logits[0] / 0.8, atol=1e-5) and (logits[1].argmax(-1) == logits[0].argmax(-1)).all()


def test_a_temperature_for_weights_of_8_bits():
    net = SimpleNamespace(head=SimpleNamespace(fc2=Int8Linear(3, 2)))
    net.head.fc2.weight += torch.tensor([[50, -20, 3], [7, 0, 90]], dtype=torch.int8)
    net.head.fc2.bias += torch.tensor([0.3, -2.0])
    x = torch.randn(5, 3)
    before = net.head.fc2(x)
    temper(net, 0.5)
    assert torch.allclose(net.head.fc2(x), before * 2, atol=1e-5)


@pytest.mark.parametrize("temperature", ["0", "-1", "x", "101"])
def test_temperatures_that_are_refused(tmp_path, net, temperature, capsys):
    with pytest.raises(SystemExit) as e:
        export(tmp_path, None, f"--temperature={temperature}")
    assert e.value.code == 2 and "--temperature" in capsys.readouterr().err


@pytest.mark.parametrize("prior", ["blue=2", "red=0", "red=-1", "red=x", "red", "red=inf"])
def test_priors_that_are_refused(tmp_path, net, prior, capsys):
    with pytest.raises(SystemExit) as e:
        export(tmp_path, None, "--prior", prior)
    assert e.value.code == 2 and "--prior" in capsys.readouterr().err


def test_checkpoints_are_exported_as_their_mean(tmp_path, checkpoint):
    nets = [Net(network_spec(depth=d), 40, len(WORDS)) for d in (1, 1, 2)]
    for i, net in enumerate(nets):
        wild(net, i)
        checkpoint(net, tmp_path / f"{i}.pt", WORDS)
    export = lambda *which: main(["--checkpoint", *(str(tmp_path / f"{i}.pt") for i in which), "--out", str(tmp_path / "x")])
    export(0, 1)
    for k, v in load_model(tmp_path / "x")[0].state_dict().items():
        assert torch.allclose(v, (nets[0].state_dict()[k] + nets[1].state_dict()[k]) / 2, atol=1e-6)
    with pytest.raises(SystemExit, match="0.pt and .*2.pt are of different network"):
        export(0, 2)


def test_checkpoints_of_other_words_are_refused(tmp_path, net, checkpoint):
    checkpoint(net, tmp_path / "other.pt", ["red", "blue", UNKNOWN, SILENCE])
    with pytest.raises(SystemExit, match="last.pt and .*other.pt are of different words: red, green.*; red, blue"):
        main(["--checkpoint", str(tmp_path / "last.pt"), str(tmp_path / "other.pt"), "--out", str(tmp_path / "x")])


def test_what_is_no_checkpoint(tmp_path, net):
    (tmp_path / "text.pt").write_text("hello")
    state = torch.load(tmp_path / "last.pt")
    del state["words"]
    torch.save(state, tmp_path / "old.pt")
    wrong = (("text.pt", "no checkpoint of kws_train train"), ("old.pt", "no words in it"), ("none.pt", "No such file"))
    for name, message in wrong:
        with pytest.raises(SystemExit, match=f"{name}: .*{message}"):
            main(["--checkpoint", str(tmp_path / name), "--out", str(tmp_path / "x")])


def test_the_hash_is_of_all_that_the_output_follows_from(net, tmp_path):
    _, cfg, _, _ = export(tmp_path) and load_model(tmp_path / "mine.safetensors")
    sha = weights_sha256(net, cfg, WORDS)
    assert weights_sha256(net, cfg, ["green", "red", *WORDS[2:]]) != sha
    assert weights_sha256(net, type(cfg)(**{**asdict(cfg), "win": 400}), WORDS) != sha
    with torch.no_grad():
        net.head.fc2.bias[0] += 1e-3
    assert weights_sha256(net, cfg, WORDS) != sha
