"""Words: read from the corpus, carried by every file, and held against each other where files come together."""
import csv
import json

import made
import numpy as np
import pytest

from kws_train.data import SILENCE, UNKNOWN, Corpus, check_words
from kws_train.manifest import share

SMALL = ["--network", '{"dim": 16, "depth": 1, "hdim": 16, "ffn": 16}', "--steps", "2", "--batch", "3"]
FEW = ["--versions", "0", "--silences", "5", "--cuts", "1"]


@pytest.fixture(scope="module")
def two(tmp_path_factory, corpus, teacher):
    """Two corpora that differ in one word; shards, heads and a checkpoint of each, in folders a and b."""
    cwd = tmp_path_factory.mktemp("two")
    other = made.corpus(cwd / "other", ("alpha", "beta", "zeta"))
    for name, data in (("a", corpus), ("b", other)):
        cache = ["--data", data, "--cache", f"cache-{name}"]
        made.call("augment", *cache, "--teacher", teacher, "--out", name, *FEW, cwd=cwd)
        made.call("teacher", "--shards", f"{name}/v00.npz", "--heads", "conv", "--epochs", 1, "--save", f"{name}/heads.pt",
                  cwd=cwd)
        made.call("dense", *cache, "--teacher", teacher, "--heads", f"{name}/heads.pt", "--out", f"{name}/dense.npz", cwd=cwd)
        made.call("train", *cache, "--shards", f"{name}/v00.npz", "--run", f"{name}/run", *SMALL, cwd=cwd)
    return cwd, corpus, other


def refused(two, *args, names):
    """The command ends with a message that names both files and both lists of words."""
    cwd, _, _ = two
    said = made.call(*args, cwd=cwd, status=1)
    assert "different words" in said and "gamma" in said and "zeta" in said, said
    assert all(name in said for name in names), said


def test_shards_and_corpus(two):
    refused(two, "train", "--data", two[1], "--shards", "b/v00.npz", "--run", "x", *SMALL, names=["b/v00.npz", "manifest.tsv"])


def test_shards_and_shards(two):
    refused(two, "train", "--data", two[1], "--shards", "a/v00.npz", "b/v00.npz", "--run", "x", *SMALL,
            names=["a/v00.npz", "b/v00.npz"])
    refused(two, "teacher", "--shards", "a/v00.npz", "b/v00.npz", names=["a/v00.npz", "b/v00.npz"])


def test_checkpoint_and_corpus(two):
    refused(two, "train", "--data", two[1], "--init", "b/run/last.pt", "--run", "x", *SMALL,
            names=["b/run/last.pt", "manifest.tsv"])
    refused(two, "train", "--data", two[1], "--run", "b/run", *SMALL, names=["b/run/last.pt", "manifest.tsv"])


def test_checkpoint_and_shards(two):
    refused(two, "label", "--checkpoint", "b/run/last.pt", "--heard", "a/v00.npz", "--shards", "a/v00.npz",
            names=["b/run/last.pt", "a/v00.npz"])


def test_checkpoint_and_checkpoint(two):
    refused(two, "export", "--checkpoint", "a/run/last.pt", "b/run/last.pt", "--out", "x.safetensors",
            names=["a/run/last.pt", "b/run/last.pt"])


def test_heads_and_shards(two):
    refused(two, "teacher", "--label", "--save", "b/heads.pt", "--heads", "conv", "--shards", "a/v00.npz", names=["b/heads.pt"])


def test_heads_and_corpus(two, teacher):
    refused(two, "dense", "--data", two[1], "--teacher", teacher, "--heads", "b/heads.pt", names=["b/heads.pt", "manifest.tsv"])


def test_dense_and_corpus(two):
    refused(two, "train", "--data", two[1], "--shards", "a/v00.npz", "--dense", "b/dense.npz", "--run", "x", *SMALL,
            names=["b/dense.npz", "manifest.tsv"])


def test_soft_labels_of_other_words(two):
    cwd, corpus, _ = two
    (cwd / "c").mkdir()
    (cwd / "c" / "v00.npz").write_bytes((cwd / "a" / "v00.npz").read_bytes())
    (cwd / "c" / "v00.soft.npy").write_bytes((cwd / "b" / "v00.soft.npy").read_bytes())
    said = made.call("train", "--data", corpus, "--shards", "c/v00.npz", "--run", "x", *SMALL, cwd=cwd, status=1)
    assert "c/v00.soft.npy is not of the words of c/v00.npz" in said and "zeta" in said and "gamma" in said


def test_a_shard_that_is_there_is_of_this_corpus_and_these_options(two):
    cwd, corpus, _ = two
    args = ["augment", "--data", corpus, "--again", "a", "--out", "b", "--versions", "0"]
    assert "b/v00.npz: of another corpus, or made with other options" in made.call(*args, *FEW, cwd=cwd, status=1)
    again = ["augment", "--data", corpus, "--again", "a", "--out", "d", *FEW]
    assert "a/v00.npz: of another corpus" in made.call(*again, "--seed", 2, cwd=cwd, status=1)
    assert not (cwd / "d" / "v00.npz").exists()
    made.call(*again, cwd=cwd)


def test_order_of_the_words(corpus, tmp_path, teacher, two):
    made.call("augment", "--data", corpus, "--teacher", teacher, "--out", "s", "--order", "gamma,alpha,beta", *FEW, cwd=tmp_path)
    z = np.load(tmp_path / "s" / "v00.npz")
    assert json.loads(str(z["words"])) == ["gamma", "alpha", "beta", UNKNOWN, SILENCE]
    assert Corpus(corpus, tmp_path / "cache").words == made.WORDS
    said = made.call("augment", "--data", corpus, "--teacher", teacher, "--order", "gamma,alpha", *FEW, cwd=tmp_path, status=1)
    assert "--order" in said and "gamma, alpha;" in said and "alpha, beta, gamma" in said


def test_copies_of_a_poor_word(corpus, tmp_path, teacher):
    for name, more in (("s", []), ("t", ["--copies", "beta=3"])):
        made.call("augment", "--data", corpus, "--teacher", teacher, "--out", name, *FEW[2:], "--versions", "0-1", *more,
                  cwd=tmp_path)
    count = lambda path: np.bincount(np.load(tmp_path / path)["label"], minlength=5)[:3].tolist()
    assert count("s/v01.npz") == count("t/v00.npz") == [8, 8, 8] and count("t/v01.npz") == [8, 24, 8]
    said = made.call("augment", "--data", corpus, "--teacher", teacher, "--copies", "delta=3", cwd=tmp_path, status=2)
    assert "--copies: 'delta=3'" in said


def test_only_train_and_val_go_into_shards(tmp_path, teacher):
    data = made.corpus(tmp_path / "c", speakers=("train", "train", "val", "val2", "test"))
    made.call("augment", "--data", data, "--teacher", teacher, "--out", "s", *FEW, cwd=tmp_path)
    z = np.load(tmp_path / "s" / "v00.npz")
    clips = z["kind"] == 0
    assert clips.sum() == 3 * 5 and z["val"][clips].sum() == 5


@pytest.mark.parametrize("words", [["a", "a"], [""], ["x" * 64], ["a\tb"], [" a"], [], [f"w{i}" for i in range(255)]])
def test_words_that_c_refuses(words):
    with pytest.raises(SystemExit, match="^here: "):
        check_words([*words, UNKNOWN, SILENCE], "here")


def test_the_cache_is_of_the_audio_that_is_there(tmp_path):
    data = made.corpus(tmp_path / "c")
    cache = tmp_path / "cache"
    before = Corpus(data, cache).audio(0)
    made.write(tmp_path / "c" / "commands" / "alpha" / "s0.flac", 0.1 * np.ones(8000))
    after = Corpus(data, cache).audio(0)
    assert len(before) == 16000 and len(after) == 8000 and abs(after - 0.1).max() < 1e-4
    made.corpus(tmp_path / "d", ("one",))
    assert Corpus(tmp_path / "d", cache).words == ["one", UNKNOWN, SILENCE]


# ---- a plain Speech Commands folder ---------------------------------------------------------------------------------

def rows(folder):
    lines = [line.split("\t") for line in (folder / "manifest.tsv").read_text().splitlines()]
    return [dict(zip(lines[0], line, strict=True)) for line in lines[1:]]


def test_manifest_then_train_then_export(tmp_path):
    """README's commands for a plain folder."""
    made.plain(tmp_path / "sc", ["yes", "no", "cat", "stop"])
    out = made.call("manifest", "sc", cwd=tmp_path)
    assert "commands yes, no, stop" in out
    made.call("train", "--data", "sc", "--run", "runs/mine", *SMALL, cwd=tmp_path)
    out = made.call("export", "--checkpoint", "runs/mine/last.pt", "--out", "mine.safetensors", cwd=tmp_path)
    assert "mine, yes, no, stop, _unknown_, _silence_" in out
    of = rows(tmp_path / "sc")
    assert {(r["word"], r["kind"]) for r in of} == {("yes", "commands"), ("no", "commands"), ("stop", "commands"),
                                                    ("cat", "unknown"), ("_background_noise_", "noise")}
    assert [sum(r["split"] == s for r in of) for s in ("train", "val", "test")] == [4 * 6 + 1, 4, 4]
    assert {r["speaker"] for r in of if r["split"] == "val"}.isdisjoint(r["speaker"] for r in of if r["split"] == "train")


def test_manifest_and_all_of_the_pipeline(tmp_path, teacher):
    made.plain(tmp_path / "sc", ["yes", "no", "cat"])
    made.call("manifest", "sc", "--commands", "cat,no", "--out", "corpus", cwd=tmp_path)
    data = ["--data", "corpus"]
    made.call("augment", *data, "--teacher", teacher, "--versions", "0-1", "--silences", 9, cwd=tmp_path)
    made.call("teacher", "--shards", "runs/shards/v00.npz", "runs/shards/v01.npz", "--epochs", 1, cwd=tmp_path)
    made.call("train", *data, "--shards", "runs/shards/v00.npz", "runs/shards/v01.npz", "--run", "r", *SMALL, cwd=tmp_path)
    made.call("mix", *data, "--out", "m.flac", "--seconds", 20, cwd=tmp_path)
    for split in ("val", "test"):
        made.call("conditions", *data, "--split", split, "--out", split, cwd=tmp_path)
        listed = list(csv.DictReader((tmp_path / split / "room4m" / "list.tsv").open(), delimiter="\t"))
        of = {r["speaker"] for r in rows(tmp_path / "corpus") if r["split"] == split and r["kind"] != "noise"}
        assert {r["speaker"] for r in listed if r["word"] != SILENCE} == of and {r["word"] for r in listed} > {"cat", "yes"}
    said = made.call("conditions", *data, "--split", "nothing", "--out", "x", cwd=tmp_path, status=1)
    assert "no clips of split nothing" in said
    assert "no running speech" in made.call("dense", *data, "--teacher", teacher, cwd=tmp_path, status=1)


def test_the_hash_decides_where_lists_are_missing(tmp_path):
    made.plain(tmp_path / "sc", ["yes", "cat"], speakers=40, lists=False)
    made.call("manifest", "sc", cwd=tmp_path)
    of = {r["speaker"]: r["split"] for r in rows(tmp_path / "sc") if r["kind"] != "noise"}
    assert set(of.values()) == {"train", "val", "test"}
    assert all(split == ("val" if share(s) < 10 else "test" if share(s) < 20 else "train") for s, split in of.items())


@pytest.mark.parametrize("spoil, message", [
    (lambda sc: [p.unlink() for p in sc.glob("*/*_nohash_*")], "sc: no audio found"),
    (lambda sc: (sc / "_background_noise_" / "hiss.wav").unlink(), "no audio found in _background_noise_"),
    (lambda sc: (sc / "yes" / "000000a0_nohash_0.wav").write_bytes(b"RIFF"), "000000a0_nohash_0.wav: cannot be read"),
    (lambda sc: made.write(sc / "yes" / "000000a0_nohash_0.wav", np.zeros(0)), "000000a0_nohash_0.wav: holds no audio"),
    (lambda sc: made.write(sc / "yes" / "first.wav", np.zeros(9)), "first.wav: no speaker in its name"),
    (lambda sc: (sc / "yes").rename(sc / "si"), "none of yes, no, up, "),
    (lambda sc: (sc / "manifest.tsv").write_text("path\tword\n"), "manifest.tsv: is there, and not of this command"),
])
def test_folders_of_which_there_is_no_manifest(tmp_path, spoil, message):
    made.plain(tmp_path / "sc", ["yes", "cat"], speakers=3)
    before = set(tmp_path.rglob("manifest.tsv*"))
    spoil(tmp_path / "sc")
    assert message in made.call("manifest", "sc", cwd=tmp_path, status=1)
    assert len(set(tmp_path.rglob("manifest.tsv*")) - before) <= ("manifest" in message)


def test_manifest_names_a_word_that_is_not_there(tmp_path):
    made.plain(tmp_path / "sc", ["yes", "cat"], speakers=3)
    said = made.call("manifest", "sc", "--commands", "yes,dog", cwd=tmp_path, status=1)
    assert "--commands: no folder for dog; there are cat, yes" in said
    assert "no folder" in made.call("manifest", "nowhere", cwd=tmp_path, status=1)
    made.call("manifest", "sc", cwd=tmp_path)
    assert "commands cat" in made.call("manifest", "sc", "--commands", "cat", cwd=tmp_path)  # its own one is replaced
