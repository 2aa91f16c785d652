"""Whatever a user gives: one message with the next step, and no half-written file."""

import csv
import errno
import json
import os
import signal
import subprocess
import sys
import zlib
from pathlib import Path

import numpy as np
import pytest

from mien.recognize.model import SHIPPED
from mien.recognize.recognizer import Recognizer
from tests.support.commands import mien
from tests.support.onnx_files import channels_model
from tests.support.pictures import encode, folder_of, png, texture

BLANK = encode(np.full((60, 80, 3), 190, dtype=np.uint8), "PNG")
FILES = {
    "text.jpg": (b"not a picture at all\n", "not a picture: "),
    "cut.jpg": (encode(texture(1, 200))[:2000], "damaged picture: "),
    "empty.png": (b"", "not a picture: "),
    "0x0.png": (png(0, 0), "picture: "),
    "bomb.png": (png(30_000, 30_000, zlib.compress(bytes(30_000 * 3_751), 9)), "too large: "),
}


def parts_in(folder):
    """Names of everything below a folder, hidden files too."""
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*"))


@pytest.mark.parametrize("name", FILES)
def test_a_file_that_is_no_picture_is_named_with_the_next_step(tmp_path, name):
    data, message = FILES[name]
    (tmp_path / name).write_bytes(data)
    result = mien("predict", tmp_path / name, "--json")
    record = json.loads(result.stdout)
    assert result.exit_code == 1
    assert list(record) == ["path", "error"]
    assert message in record["error"]
    assert f"{tmp_path / name}" in record["error"]
    assert result.stderr.count("\n  try: ") == 1


@pytest.mark.parametrize("command", ["predict", "explain", "scores"])
def test_a_picture_that_is_not_there_is_one_message(command):
    result = mien(command, "nothere.jpg")
    assert (result.exit_code, result.stderr.count("mien: ")) == (1, 1)
    assert result.stderr.count("\n  try: ") == 1


@pytest.mark.parametrize(
    "words",
    [
        ["predict", "PHOTO", "--csv", "LONG.csv"],
        ["predict", "PHOTO", "--out", "LONG"],
        ["predict", "PHOTO", "--json", "--out-file", "LONG.json"],
        ["predict", "PHOTO", "--detector", "LONG"],
        ["predict", "PHOTO", "--out", "o", "--font", "LONG.ttf"],
        ["predict", "PHOTO", "--model", "LONG.onnx"],
        ["scores", "LONG"],
        ["train", "LONG.toml"],
        ["search", "LONG.toml"],
        ["evaluate", "LONG.onnx", "FOLDER"],
        ["frames", "PHOTO", "--out", "LONG"],
        ["explain", "PHOTO", "--model", "LONG.onnx"],
    ],
    ids=" ".join,
)
def test_a_name_that_is_too_long_is_one_message(tmp_path, words):
    (tmp_path / "photo.png").write_bytes(BLANK)
    given = {"PHOTO": str(tmp_path / "photo.png"), "FOLDER": str(tmp_path)}
    named = [given.get(word, word).replace("LONG", "x" * 300) for word in words]
    result = mien(*named)
    assert result.exit_code == 1
    assert "x" * 300 in result.stderr
    assert result.stderr.count("\n  try: ") == 1


@pytest.mark.parametrize("name", FILES)
def test_a_crop_that_is_no_picture_is_named_with_the_next_step(tmp_path, name):
    data, message = FILES[name]
    folder_of(tmp_path / "in", {name: data, "good.png": BLANK})
    result = mien("scores", tmp_path / "in", "--out", tmp_path / "s.csv")
    assert result.exit_code == 1
    assert message in result.stderr
    assert result.stderr.count("\n  try: ") == 1
    _, row = (tmp_path / "s.csv").read_text().splitlines()
    assert row.startswith(f"{tmp_path / 'in' / 'good.png'},")


@pytest.mark.parametrize("size", [(1, 1), (1, 700), (60, 80)])
def test_a_picture_without_a_face_has_none_and_all_is_well(tmp_path, size):
    path = tmp_path / "a.png"
    path.write_bytes(encode(np.full((*size, 3), 190, dtype=np.uint8), "PNG"))
    result = mien("predict", path, "--json", "--csv", tmp_path / "f.csv", "--out", tmp_path / "o")
    assert (result.exit_code, result.stderr) == (0, "")
    assert json.loads(result.stdout) == {
        "path": str(path), "width": size[1], "height": size[0], "faces": []
    }  # fmt: skip
    assert len((tmp_path / "f.csv").read_text().splitlines()) == 1
    assert (tmp_path / "o" / "a.png").is_file()


def test_a_crop_of_one_pixel_has_scores(tmp_path):
    dot = encode(np.full((1, 1, 3), 90, dtype=np.uint8), "PNG")
    folder_of(tmp_path / "in", {"a.png": dot})
    assert mien("scores", tmp_path / "in", "--out", tmp_path / "s.csv", "--full").exit_code == 0
    row = (tmp_path / "s.csv").read_text().splitlines()[1].split(",")
    assert sum(map(float, row[1:])) == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize("command", ["predict", "scores"])
def test_a_folder_without_pictures_is_named(tmp_path, command, monkeypatch):
    monkeypatch.chdir(tmp_path)
    folder_of(tmp_path / "in", {"notes.txt": b"", ".hidden.png": BLANK})
    result = mien(command, "in")
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith("mien: no pictures in in\n  try: ")
    assert not (tmp_path / "scores.csv").exists()


@pytest.mark.parametrize("option", ["--csv", "--out"])
@pytest.mark.parametrize("place", ["file/below", "file/deep/er"])
def test_a_place_that_cannot_be_written_is_named(tmp_path, option, place):
    (tmp_path / "file").write_bytes(b"here first")
    (tmp_path / "a.png").write_bytes(BLANK)
    result = mien("predict", tmp_path / "a.png", option, tmp_path / place)
    assert result.exit_code == 1
    assert f"mien: cannot write {tmp_path / place}" in result.stderr
    assert "\n  try: " in result.stderr
    assert parts_in(tmp_path) == ["a.png", "file"]
    assert (tmp_path / "file").read_bytes() == b"here first"


@pytest.mark.parametrize(
    "words", [["predict", "in", "--csv"], ["scores", "in", "--out"], ["demo", "--out"]]
)
def test_a_folder_in_place_of_a_file_is_named(tmp_path, monkeypatch, words):
    monkeypatch.chdir(tmp_path)
    folder_of(tmp_path, {"in/a.png": BLANK})
    (tmp_path / "folder.png").mkdir()
    result = mien(*words, "folder.png")
    assert result.exit_code == 1
    assert "mien: folder.png is a folder\n  try: name a file in it" in result.stderr


def test_the_demo_refuses_a_format_it_cannot_write(tmp_path):
    result = mien("demo", "--out", tmp_path / "demo.pdf")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "no picture format ends in '.pdf'" in result.stderr
    assert parts_in(tmp_path) == []


def test_annotating_a_folder_into_itself_is_refused(tmp_path):
    folder_of(tmp_path, {"a.png": BLANK, "sub/b.png": BLANK})
    result = mien("predict", tmp_path, "--out", tmp_path)
    assert (result.exit_code, result.stdout) == (2, "")
    assert "a.png is the picture itself\n  try: choose another --out" in result.stderr
    assert (tmp_path / "a.png").read_bytes() == BLANK


@pytest.mark.parametrize("words", [["predict", "in", "--csv"], ["scores", "in", "--out"]])
@pytest.mark.parametrize("name", ["in/a.jfif", "link/a.jfif"])
def test_a_table_over_one_of_the_pictures_is_refused(tmp_path, monkeypatch, words, name):
    monkeypatch.chdir(tmp_path)
    folder_of(tmp_path, {"in/a.jfif": BLANK})
    (tmp_path / "link").symlink_to(tmp_path / "in")
    result = mien(*words, name)
    assert (result.exit_code, result.stdout) == (2, "")
    assert f"mien: {name} is one of the pictures\n  try: choose another name" in result.stderr
    assert (tmp_path / "in/a.jfif").read_bytes() == BLANK


def damaged():
    data = bytearray(SHIPPED.read_bytes())
    data[1_000_000] ^= 1
    return bytes(data)


MODELS = {
    "text": (lambda: b"weights\n", "is not a model of mien"),
    "plain onnx": (lambda: channels_model(card=False), "is not a model of mien"),
    "damaged": (damaged, "is damaged"),
    "fewer labels": (lambda: channels_model(labels=["yes", "no"]), "logits of shape (2, 6)"),
    "wrong labels": (lambda: channels_model(labels="yes"), "has a card"),
    "missing": (None, "cannot read"),
}


@pytest.mark.parametrize("command", ["predict", "scores"])
@pytest.mark.parametrize("kind", MODELS)
def test_a_model_that_cannot_be_used_is_named(tmp_path, command, kind):
    make, message = MODELS[kind]
    folder_of(tmp_path, {"in/a.png": BLANK} | ({"m.onnx": make()} if make else {}))
    out = ["--csv" if command == "predict" else "--out", tmp_path / "t.csv"]
    result = mien(command, tmp_path / "in", "--model", tmp_path / "m.onnx", *out)
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith("mien: ")
    assert message in result.stderr
    assert result.stderr.count("\n  try: ") == 1
    assert not (tmp_path / "t.csv").exists()


@pytest.mark.parametrize("older", [None, "older"])
@pytest.mark.parametrize(
    ("words", "method"),
    [
        (["predict", "in", "--csv", "t.csv"], "read"),
        (["scores", "in", "--out", "t.csv"], "classify"),
    ],
)
def test_ctrl_c_in_the_middle_leaves_the_older_table_or_none(
    tmp_path, monkeypatch, older, words, method
):
    monkeypatch.chdir(tmp_path)
    folder_of(tmp_path, {f"in/{number:02}.png": BLANK for number in range(70)})
    if older:
        (tmp_path / "t.csv").write_text(older)
    real, calls = getattr(Recognizer, method), []

    def interrupted(self, *given):
        calls.append(sorted(tmp_path.glob(".t.csv.*.part")))
        if len(calls) == 2:
            raise KeyboardInterrupt
        return real(self, *given)

    monkeypatch.setattr(Recognizer, method, interrupted)
    result = mien(*words)
    assert result.exit_code == 1
    assert {len(parts) for parts in calls} == {1}  # it was being written
    assert len(calls) < 10  # those in work beside it end, others do not begin
    assert [path.name for path in tmp_path.iterdir() if path.name != "in"] == (
        ["t.csv"] if older else []
    )
    assert older is None or (tmp_path / "t.csv").read_text() == older


def test_a_real_interrupt_leaves_no_half_written_file(tmp_path):
    folder_of(tmp_path, {f"in/{number:04}.png": BLANK for number in range(400)})
    words = ["predict", "in", "--csv", "t.csv", "--out", "out", "--threads", "1"]
    code = f"from mien.cli import cli; cli({words})"
    running = subprocess.Popen(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
    )
    first = running.stdout.readline()
    running.send_signal(signal.SIGINT)
    rest, said = running.communicate(timeout=30)
    assert first.startswith("in/0000.png")
    assert len(rest.splitlines()) < 399
    assert (running.returncode, "Traceback" in said) == (1, False)
    assert not [name for name in parts_in(tmp_path) if name.endswith((".part", ".csv"))]


def test_what_stops_a_run_midway_leaves_no_half_written_table(tmp_path, monkeypatch):
    def full(*_given, **_options):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.chdir(tmp_path)
    folder_of(tmp_path, {"in/a.png": BLANK, "in/b.png": BLANK})
    monkeypatch.setattr(Path, "write_bytes", full)
    result = mien("predict", "in", "--csv", "t.csv", "--out", "out")
    assert result.exit_code == 1
    assert result.stderr.startswith("mien: cannot write out/a.png: No space left on device\n  try:")
    assert "b.png" not in result.stdout  # a full disk would refuse it too
    assert parts_in(tmp_path) == ["in", "in/a.png", "in/b.png", "out"]


def test_a_name_that_is_not_valid_text_is_read_and_written(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    name = os.fsdecode(b"in/caf\xe9.png")
    try:
        folder_of(tmp_path, {name: BLANK})
    except OSError:
        pytest.skip("this file system takes only UTF-8 names")
    result = mien("predict", "in", "--json", "--out", "out")
    assert json.loads(result.stdout)["path"] == name
    assert os.fsencode(next((tmp_path / "out").iterdir()).name) == b"caf\xe9.png"
    assert mien("scores", "in").exit_code == 0
    with (tmp_path / "scores.csv").open("rb") as file:
        rows = [*csv.reader(file.read().decode("utf-8", "surrogateescape").splitlines())]
    assert rows[1][0] == name
