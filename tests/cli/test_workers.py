"""Every number of workers writes the same files and prints the same lines."""

import json

import numpy as np
import pytest

from tests.support.commands import mien
from tests.support.pictures import encode, folder_of
from tests.support.prepared_folder import write_crops
from tests.support.video_files import clip


@pytest.fixture(autouse=True)
def three_cores(monkeypatch, tmp_path):
    monkeypatch.setattr("mien.cli._shared.cores", lambda: 3)
    monkeypatch.chdir(tmp_path)


def contents(folder):
    return {p.relative_to(folder): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def test_explain(tmp_path, portrait):
    pair = np.concatenate([portrait[:256, 100:356]] * 2, axis=1)
    blank = np.full((60, 80, 3), 190, dtype=np.uint8)
    arrays = {"a.png": portrait, "b.png": blank, "c.png": pair, "sub/a.png": portrait[::2, ::2]}
    folder_of(tmp_path / "in", {name: encode(array, "PNG") for name, array in arrays.items()})
    said = []
    for workers in (1, 3):
        result = mien("explain", "in", "--out", "out", "--workers", workers)
        said.append((result.stdout, result.stderr, result.exit_code, contents(tmp_path / "out")))
    assert said[0] == said[1]
    names = {"a-1.png", "a-2.png", "c-face0.png", "c-face1.png"}
    assert {path.name for path in said[0][3]} == names


def test_frames(tmp_path, portrait):
    clip(tmp_path / "talk.mp4", [np.roll(portrait[::2, ::2], 2 * n, axis=1) for n in range(12)])
    for workers in (1, 3):
        out = f"out{workers}"
        mien("frames", "talk.mp4", "--out", out, "--every", 2, "--workers", workers)
    found = contents(tmp_path / "out1")
    assert found == contents(tmp_path / "out3")
    assert len(found) == 6 + 1


def test_evaluate(tmp_path):
    write_crops(tmp_path / "data", train=1, test=30)  # 180 crops: three batches
    words = ("evaluate", "shipped", "data", "--pictures")
    records = []
    for workers in (1, 3):
        assert mien(*words, "--out", f"out{workers}", "--workers", workers).exit_code == 0
        records.append(json.loads((tmp_path / f"out{workers}/data-test.json").read_text()))
    rows = [(tmp_path / f"out{n}/data-test-pictures.csv").read_text() for n in (1, 3)]
    assert records[0] == records[1]
    assert rows[0] == rows[1]
    assert records[0]["pictures"] == 180
