"""What mien predict, scores and explain read, and that nothing is left out without a word."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest

from mien.cli.predict import predict_command
from mien.cli.scores import scores_command
from mien.media import images
from tests.support.commands import mien
from tests.support.pictures import encode, folder_of

BLANK = encode(np.full((60, 80, 3), 190, dtype=np.uint8), "PNG")
HEIC = b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(200)


@pytest.mark.parametrize("command", ["predict", "scores", "explain"])
def test_an_empty_path_is_an_error_and_not_this_folder(tmp_path, monkeypatch, command):
    monkeypatch.chdir(folder_of(tmp_path, {"a.png": BLANK}))
    result = mien(command, "")
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith("mien: an empty path was given\n  try: ")
    assert [path.name for path in tmp_path.iterdir()] == ["a.png"]


def test_what_a_folder_leaves_out_is_said_and_the_rest_is_read(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    folder_of(tmp_path / "in", {"a.jfif": encode(np.zeros((9, 9), np.uint8)), "b.txt": b""})
    folder_of(tmp_path / "in", {".c.png": b"", "d/e.png": BLANK})
    (tmp_path / "in/again").symlink_to(tmp_path / "in")
    result = mien("predict", "in", "--json")
    assert [json.loads(line)["path"] for line in result.stdout.splitlines()] == [
        "in/a.jfif",
        "in/d/e.png",
    ]
    assert (result.exit_code, result.stderr.splitlines()) == (
        0,
        [
            "mien: left out, hidden: 1: in/.c.png",
            "mien: left out, linked folder: 1: in/again",
            "mien: left out, no picture by its suffix: 1: in/b.txt",
        ],
    )


@pytest.mark.parametrize("command", ["predict", "scores", "explain --crop"])
def test_a_link_that_leads_nowhere_fails_the_run_after_the_rest(tmp_path, monkeypatch, command):
    monkeypatch.chdir(tmp_path)
    folder_of(tmp_path, {"in/a.png": BLANK})
    (tmp_path / "in/circle.png").symlink_to("circle.png")
    result = mien(*command.split(), "in")
    assert result.exit_code == 1
    assert "left out, link that leads nowhere: 1: in/circle.png\n" in result.stderr
    assert "in/a.png" in (open_text("scores.csv") if command == "scores" else result.stdout)


def open_text(name):
    with open(name, encoding="utf-8") as file:  # noqa: PTH123
        return file.read()


def test_the_folder_of_out_is_not_read_again(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    folder_of(tmp_path, {"in/a.png": BLANK, "in/b.png": BLANK})
    first = mien("predict", "in", "--out", "in/out")
    second = mien("predict", "in", "--out", "in/out")
    assert (first.exit_code, first.stderr) == (0, "")
    assert (second.exit_code, second.stdout) == (0, first.stdout)
    assert second.stderr == "mien: left out, written by --out: 1: in/out\n"
    assert sorted(path.name for path in (tmp_path / "in/out").iterdir()) == ["a.png", "b.png"]


def test_explain_does_not_read_its_own_figures(tmp_path, portrait, monkeypatch):
    monkeypatch.chdir(tmp_path)
    folder_of(tmp_path, {"in/a.png": encode(portrait, "PNG")})
    for _ in range(2):
        result = mien("explain", "in", "--out", "in/explained")
        assert result.exit_code == 0
    assert result.stderr == "mien: left out, written by --out: 1: in/explained\n"
    assert [path.name for path in (tmp_path / "in/explained").iterdir()] == ["a.png"]


def test_names_that_cannot_be_opened_fail_by_name_and_the_rest_goes_on(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    folder_of(tmp_path, {"a.png": BLANK})
    (tmp_path / "circle.png").symlink_to("circle.png")
    os.mkfifo("pipe.png")
    names = ["b" * 300 + ".png", "circle.png", "pipe.png", "a.png"]
    result = mien("predict", *names, "--json", "--csv", "f.csv", "--out", "out")
    long, circle, pipe, good = map(json.loads, result.stdout.splitlines())
    assert "File name too long" in long["error"]
    assert "symbolic links" in circle["error"]
    assert pipe["error"] == "cannot read pipe.png: it is a pipe"
    assert good == {"path": "a.png", "width": 80, "height": 60, "faces": []}
    assert (result.exit_code, "3 of 4 pictures" in result.stderr) == (1, True)
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["a.png"]


def test_a_name_that_is_not_valid_text_is_named_in_a_real_terminal(tmp_path):
    name = os.fsdecode(b"caf\xe9")
    try:
        folder_of(tmp_path, {f"in/{name}.png": BLANK, f"in/{name}.txt": b""})
    except OSError:
        pytest.skip("this file system takes only UTF-8 names")
    words = [sys.executable, "-m", "mien", "predict", "in"]
    done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "in/caf\\udce9.png  80x60  0 faces\n")
    assert done.stderr == "mien: left out, no picture by its suffix: 1: in/caf\\udce9.txt\n"


def test_heic_without_its_extra_is_named_and_counted(tmp_path, monkeypatch):
    folder_of(tmp_path, {"in/a.png": BLANK, "in/b.heic": HEIC, "in/c.jpg": HEIC})
    monkeypatch.setattr("mien.media.heif.find_spec", lambda name: None)
    result = mien("predict", tmp_path / "in", "--json")
    _, heic, named = map(json.loads, result.stdout.splitlines())
    assert heic["error"] == f"HEIC picture: {tmp_path / 'in/b.heic'} needs the heic extra"
    assert named["error"] == f"HEIC picture: {tmp_path / 'in/c.jpg'} needs the heic extra"
    assert '\n  try: pip install "mien[heic]"' in result.stderr
    assert result.stderr.endswith("mien: 2 of 3 pictures could not be read\n")
    assert result.exit_code == 1


@pytest.mark.parametrize("command", [predict_command, scores_command], ids=["predict", "scores"])
def test_the_cap_in_memory_is_the_librarys(tmp_path, command):
    [cap] = [param for param in command.params if param.name == "max_memory"]
    assert cap.default == images.MAX_MEMORY
    folder_of(tmp_path / "in", {"a.png": encode(np.zeros((2000, 2000, 3), np.uint8), "PNG")})
    out = ["--out", tmp_path / "s.csv"] if command is scores_command else []
    result = mien(command.name, tmp_path / "in", "--max-memory", 26, *out)
    assert result.exit_code == 1
    assert "takes 27 MiB to decode, the cap is 26\n  try: shrink it, or raise" in result.stderr
    assert mien(command.name, tmp_path / "in", "--max-memory", 27, *out).exit_code == 0
