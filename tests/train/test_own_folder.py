"""The whole way with commands: a folder of one's own pictures, prepared, learned and measured."""

import csv

import pytest

torch = pytest.importorskip("torch")

from mien.train.export import export
from mien.train.trainer import train
from tests.support.commands import mien
from tests.support.own_classes import pattern
from tests.support.pictures import encode, folder_of
from tests.support.tiny_network import settings_for

pytestmark = [pytest.mark.torch, pytest.mark.slow]


@pytest.mark.parametrize(
    ("folders", "words"),
    [
        (("open", "asleep", "dozing"), ["--classes", "own"]),
        (("2", "0", "1"), ["--labels", "asleep,dozing,open", "--classes", "dozing,open,asleep"]),
    ],
    ids=["own", "numbers"],
)
def test_pictures_keep_their_class_from_the_folder_to_the_table_of_scores(tmp_path, folders, words):
    names = ("open", "asleep", "dozing")
    files = {
        f"{folder}/{name}-{seed}.png": encode(pattern(kind, seed * 3 + kind), "PNG")
        for kind, (folder, name) in enumerate(zip(folders, names, strict=True))
        for seed in range(24)
    }
    source, out = folder_of(tmp_path / "own", files), tmp_path / "data"
    assert mien("prepare", "folder", source, "--out", out, "--test", 0.25, *words).exit_code == 0
    train(settings_for(out, epochs=12, augment=False), tmp_path / "run")
    export(tmp_path / "run", tmp_path / "own.onnx")
    model = ["--model", tmp_path / "own.onnx"]
    assert mien("scores", out / "test", "--out", tmp_path / "s.csv", *model).exit_code == 0
    with (tmp_path / "s.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 18
    for row in rows:  # each file is called after its class
        best = max(names, key=lambda name: float(row[name]))
        assert row["filepath"].split("/")[-1].startswith(best)
