"""What `mien prepare` says of the pictures, so that none is left out without a word."""

import pytest

from tests.support.commands import mien
from tests.support.pictures import encode, folder_of, texture


def pictures(*names):
    return {name: encode(texture(n), "PNG") for n, name in enumerate(names)}


def test_faces_that_are_not_found_to_be_framed_are_counted(tmp_path):
    folder_of(tmp_path / "in", pictures("anger/a.png", "fear/b.png", "fear/c.png"))
    result = mien("prepare", "folder", tmp_path / "in", "--frame", "--out", tmp_path / "out")
    assert result.exit_code == 0, result.stderr
    assert "no face found to frame, kept as they came: 3\n" in result.stdout


def test_copies_of_validation_pictures_are_counted(tmp_path):
    given = pictures("train/anger/a.png", "valid/anger/b.png", "train/fear/c.png")
    given["train/anger/copy.png"] = given["valid/anger/b.png"]
    folder_of(tmp_path / "in", given)
    result = mien("prepare", "folder", tmp_path / "in", "--out", tmp_path / "out")
    assert result.exit_code == 0, result.stderr
    assert "left out of train: 1 copies of validation pictures\n" in result.stdout


@pytest.mark.parametrize(("words", "more"), [(58, None), (61, "... and 3 more words")])
def test_of_many_words_the_most_frequent_are_named_and_the_rest_counted(tmp_path, words, more):
    folder_of(tmp_path / "in", pictures("anger/a.png", "anger/b.png", "fear/c.png"))
    folder_of(tmp_path / "in", {f"word{n}/a.png": b"" for n in range(words)})
    said = mien("prepare", "folder", tmp_path / "in", "--out", tmp_path / "out").stderr
    lines = said.splitlines()
    assert lines[0].split() == ["anger", "->", "anger", "2"]
    assert sum("left out" in line for line in lines) == min(words, 58)
    assert (more is None) != (more in lines)


@pytest.mark.parametrize("words", [1, 2, 9])
def test_pictures_left_out_are_counted_and_named_and_where_the_others_are_is_said(tmp_path, words):
    folder_of(tmp_path / "in", pictures("anger/a.png", "fear/c.png"))
    folder_of(tmp_path / "in", {f"word{n}/a.png": b"" for n in range(words)})
    said = mien("prepare", "folder", tmp_path / "in", "--out", tmp_path / "out").stdout
    [line] = [line for line in said.splitlines() if line.startswith("left out, ")]
    named = line.count("word")
    assert line.startswith(f"left out, unknown label: {words}: word0/a.png")
    assert line.endswith(", ... (all in excluded.csv)") == (named < words)
