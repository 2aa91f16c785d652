"""A journal and a run on a cluster are told every option that changes what is read."""

import json

import pytest

from mien.errors import OutputError
from tests.support.commands import mien
from tests.support.onnx_files import channels_model
from tests.support.pictures import encode, folder_of, texture

CAPS = [("--max-pixels", 9_999_999), ("--max-memory", 99), ("--model", "a.onnx"), ("--flip",)]
FACES = [(), ("--six",), ("--small",), ("--turned",), ("--no-heatmap",), *CAPS]
CROPS = [(), ("--reject",), ("--probabilities",), *CAPS]
DRAWN = [("--out", "o"), ("--out", "o", "--crops"), ("--out", "o", "--lang", "de"), ("--out", "p")]


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    model = channels_model(neutral=True, name="channels")
    return folder_of(tmp_path, {"in/a.png": encode(texture(0), "PNG"), "a.onnx": model})


def repeated(settings):
    """The options whose settings are those of others."""
    told = {words: json.dumps(own, sort_keys=True) for words, own in settings.items()}
    return [words for words, own in told.items() if list(told.values()).count(own) > 1]


@pytest.mark.parametrize(
    ("command", "all_words"),
    [(("predict", "in", "--csv", "t.csv"), [*FACES, *DRAWN]), (("scores", "in"), CROPS)],
    ids=["predict", "scores"],
)
def test_a_journal_is_told_every_option(here, monkeypatch, command, all_words):
    told = []

    def journal(_stack, resume, _tables, settings, *_):
        assert resume
        told.append(settings)
        raise OutputError("enough was seen", fix="none")

    monkeypatch.setattr(f"mien.cli.{command[0]}.open_journal", journal)
    for words in all_words:
        assert "enough was seen" in mien(*command, *words, "--resume").stderr
    assert repeated(dict(zip(all_words, told, strict=True))) == []


@pytest.mark.parametrize(("command", "all_words"), [("predict", FACES), ("scores", CROPS)])
def test_a_cluster_is_told_every_option(here, monkeypatch, command, all_words):
    told = []
    monkeypatch.setattr(f"mien.cli.{command}.read_on_ray", lambda *given: told.append(given))
    for words in all_words:
        result = mien(command, "in", "--ray", "local", "--out", "run", *words)
        assert result.exit_code == 0, result.stderr
    assert repeated({words: given[-1] for words, given in zip(all_words, told, strict=True)}) == []
    mien(command, "in", "--ray", "local", "--out", "run", "--resume")
    assert [given[0].resume for given in told] == [False] * len(all_words) + [True]
    assert {(on.address, str(on.out), *map(str, on.sources)) for on, *_ in told} == {
        ("local", "run", "in")
    }
