import csv
import re

import numpy as np
import pytest

from tests.support.commands import mien
from tests.support.pictures import encode, folder_of, texture

HEADER = "filepath,happiness,surprise,sadness,anger,disgust,fear"


@pytest.fixture(scope="module")
def crops(tmp_path_factory):
    """Eighty crops in nested folders, of several kinds and sizes: {path: array}, and where."""
    folder = tmp_path_factory.mktemp("given") / "crops"
    arrays = {f"c/{n:02}.png": texture(n) for n in range(76)}
    arrays |= {"b.png": texture(90, 48), "c/deep/er/a.png": texture(91, 100)}
    arrays |= {"c-1/a.png": texture(92), "grey.png": texture(93)[..., 0]}
    folder_of(folder, {name: encode(array, "PNG") for name, array in arrays.items()})
    return folder, {str(folder / name): array for name, array in arrays.items()}


def rows_of(path):
    with path.open(encoding="utf-8", newline="") as file:
        header, *rows = csv.reader(file)
    return ",".join(header), rows


def test_the_table_is_the_papers_sorted_with_two_decimals(crops, recognizer, tmp_path):
    folder, arrays = crops
    result = mien("scores", folder, "--out", tmp_path / "scores.csv")
    assert (result.exit_code, result.stdout) == (0, "")
    header, rows = rows_of(tmp_path / "scores.csv")
    assert header == HEADER
    assert [row[0] for row in rows] == sorted(arrays)
    digits = [value for row in rows for value in row[1:]]
    assert all(re.fullmatch(r"[01]\.\d\d", value) for value in digits)
    scores = np.array(digits, dtype=float).reshape(-1, 6)
    np.testing.assert_allclose(scores.sum(axis=1), 1, atol=0.031)
    expected = recognizer.classify([arrays[row[0]] for row in rows])
    np.testing.assert_allclose(scores, expected, atol=0.00501)


def test_full_keeps_every_digit(crops, recognizer, tmp_path):
    folder, arrays = crops
    assert mien("scores", folder / "c", "--full", "--out", tmp_path / "s.csv").exit_code == 0
    header, rows = rows_of(tmp_path / "s.csv")
    assert header == HEADER
    scores = np.array([row[1:] for row in rows], dtype=float)
    expected = recognizer.classify([arrays[row[0]] for row in rows])
    np.testing.assert_allclose(scores, expected, atol=1e-5)
    np.testing.assert_allclose(scores.sum(axis=1), 1, atol=1e-6)


def test_the_table_is_scores_csv_unless_told_otherwise(crops, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    folder_of(tmp_path / "in", {"a.png": encode(texture(0), "PNG")})
    result = mien("scores", "in")
    header, [row] = rows_of(tmp_path / "scores.csv")
    assert (header, row[0]) == (HEADER, "in/a.png")
    assert result.stderr == "wrote scores.csv: 1 pictures\n"


def test_unreadable_crops_are_named_and_left_out(tmp_path):
    names = {"a.png": encode(texture(0), "PNG"), "b.jpg": b"text", "c.png": encode(texture(1))}
    folder = folder_of(tmp_path / "in", names)
    result = mien("scores", folder, "--out", tmp_path / "s.csv")
    assert result.exit_code == 1
    assert f"mien: not a picture: {folder / 'b.jpg'}\n  try: " in result.stderr
    assert result.stderr.endswith("mien: 1 of 3 pictures could not be read\n")
    _, rows = rows_of(tmp_path / "s.csv")
    assert [row[0] for row in rows] == [str(folder / "a.png"), str(folder / "c.png")]


@pytest.mark.parametrize("there", [False, True], ids=["missing", "empty"])
def test_without_pictures_an_older_table_stays(tmp_path, there):
    if there:
        folder_of(tmp_path / "in", {"notes.txt": b""})
    (tmp_path / "s.csv").write_text("older")
    result = mien("scores", tmp_path / "in", "--out", tmp_path / "s.csv")
    assert result.exit_code == 1
    assert re.match(r"mien: no (such folder:|pictures in) .*in\n  try: ", result.stderr)
    assert (tmp_path / "s.csv").read_text() == "older"


def test_a_path_with_a_comma_and_letters_of_any_script_comes_back_whole(tmp_path):
    folder = folder_of(tmp_path / "a, b", {"Müller 笑.png": encode(texture(0), "PNG")})
    assert mien("scores", folder, "--out", tmp_path / "s.csv").exit_code == 0
    assert rows_of(tmp_path / "s.csv")[1][0][0] == str(folder / "Müller 笑.png")


@pytest.fixture(scope="module")
def mixed(tmp_path_factory, portrait):
    """A face crop, and three crops that are none."""
    rng = np.random.default_rng(0)
    arrays = {
        "face.png": portrait[60:190, 155:285],
        "noise.png": rng.integers(0, 256, (64, 64, 3), dtype=np.uint8),
        "plain.png": np.full((90, 70, 3), 190, dtype=np.uint8),
        "wall.png": texture(5, 100)[..., 0],
    }
    folder = tmp_path_factory.mktemp("mixed")
    return folder_of(folder, {name: encode(array, "PNG") for name, array in arrays.items()})


def test_reject_says_no_face_in_place_of_scores_and_counts_it(mixed, tmp_path):
    result = mien("scores", mixed, "--reject", "--out", tmp_path / "s.csv")
    assert result.exit_code == 0
    assert result.stderr == f"wrote {tmp_path / 's.csv'}: 4 pictures, 3 of them no face\n"
    header, rows = rows_of(tmp_path / "s.csv")
    assert header == f"{HEADER},label"
    [face, *others] = rows
    assert (face[0], face[-1]) == (str(mixed / "face.png"), "happiness")
    assert [row[1:] for row in others] == [["", "", "", "", "", "", "no face"]] * 3
    mien("scores", mixed, "--out", tmp_path / "all.csv")  # without it nothing is different
    assert rows_of(tmp_path / "all.csv")[1][0] == face[:-1]


def test_more_threads_than_cores_are_capped_and_said_once(mixed, tmp_path, monkeypatch):
    monkeypatch.setattr("mien.cli._shared.cores", lambda: 1)
    result = mien("scores", mixed, "--threads", 99_999, "--out", tmp_path / "s.csv")
    assert result.exit_code == 0
    said, wrote = result.stderr.splitlines()
    assert said == "mien: --threads 99999: taking 1, one a core"
    assert wrote.startswith("wrote ")
    assert mien("scores", mixed, "--threads", 1, "--out", tmp_path / "s.csv").stderr == f"{wrote}\n"


def test_probabilities_follow_the_papers_columns_and_sum_to_one(crops, recognizer, tmp_path):
    folder, arrays = crops
    words = ("scores", folder / "c", "--full")
    mien(*words, "--out", tmp_path / "plain.csv")
    result = mien(*words, "--probabilities", "--out", tmp_path / "s.csv")
    assert result.exit_code == 0
    header, rows = rows_of(tmp_path / "s.csv")
    named = [f"p_{name}" for name in (*HEADER.split(",")[1:], "neutral")]
    assert header == ",".join([HEADER, *named])
    assert [row[:7] for row in rows] == rows_of(tmp_path / "plain.csv")[1]
    values = np.array([row[7:] for row in rows], dtype=float)
    np.testing.assert_allclose(values.sum(axis=1), 1, atol=1e-5)
    for path, found in zip((row[0] for row in rows), values[:5], strict=False):
        batch = recognizer.model.to_batch([arrays[path]])
        outputs = recognizer.model.run(batch)
        calm = float(outputs.neutral[0])
        expected = [*(outputs.scores[0] * (1 - calm)), calm]
        np.testing.assert_allclose(found, expected, atol=1e-5)


def test_probabilities_have_two_decimals_follow_the_label_and_are_empty_for_no_face(
    mixed, tmp_path
):
    words = ("scores", mixed, "--reject", "--probabilities", "--out", tmp_path / "s.csv")
    assert mien(*words).exit_code == 0
    header, [face, *others] = rows_of(tmp_path / "s.csv")
    assert header.split(",")[7:9] == ["label", "p_happiness"]
    assert all(re.fullmatch(r"[01]\.\d\d", value) for value in face[8:])
    assert sum(map(float, face[8:])) == pytest.approx(1, abs=0.035)
    assert [row[7:] for row in others] == [["no face", *[""] * 7]] * 3


def test_a_run_with_probabilities_that_goes_on_writes_the_same(crops, tmp_path):
    folder, _ = crops
    words = ("scores", folder / "c", "--probabilities", "--full")
    mien(*words, "--out", tmp_path / "whole.csv")
    resumed = (*words, "--resume", "--out", tmp_path / "s.csv")
    for _ in range(2):
        assert mien(*resumed).exit_code == 0
    assert (tmp_path / "s.csv").read_text() == (tmp_path / "whole.csv").read_text()
    assert (
        "other settings: probabilities"
        in mien(*(word for word in resumed if word != "--probabilities")).stderr
    )
