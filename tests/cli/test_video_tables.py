"""Tables of films: of a folder, by the second, with what was measured, with a summary."""

import json

import numpy as np
import pytest

import mien
from mien.labels import LABELS
from tests.support.commands import mien as run
from tests.support.tables import rows_of
from tests.support.video_files import film, shades


@pytest.fixture(scope="module")
def talk(portrait, tmp_path_factory):
    """Fifteen frames at ten a second: a face from the third on."""
    blank = np.full((256, 256, 3), 190, dtype=np.uint8)
    face = portrait[:256, 100:356]
    return film(tmp_path_factory.mktemp("films") / "talk.mov", [blank] * 3 + [face] * 12)


def test_rows_for_empty_frames_and_what_was_measured(talk, tmp_path):
    words = ("--csv", tmp_path / "t.csv", "--every", 4, "--all-frames", "--measured")
    assert run("video", talk, *words).exit_code == 0
    rows = rows_of(tmp_path / "t.csv")
    assert [row["frame"] for row in rows] == [str(n) for n in range(15)]
    assert [row["track"] for row in rows[:3]] == ["", "", ""]
    read = [row["frame"] for row in rows if row["measured"] == "1"]
    assert read[-2:] == ["8", "12"]  # every fourth, and when the face was new
    assert int(read[0]) in {3, 4}
    assert {row["measured"] for row in rows[13:]} == {"0"}


def test_seconds_summary_and_parquet(talk, tmp_path):
    words = ("--parquet", tmp_path / "t.parquet", "--per-second", "--summary", tmp_path / "s.csv")
    assert run("video", talk, *words, "--probabilities").exit_code == 0
    frame = mien.read_table(tmp_path / "t.parquet")
    named = [*LABELS, "neutral"]
    assert list(frame.columns[-7:]) == [f"p_{name}" for name in named]
    for label in LABELS:
        expected = frame[label] * (1 - frame["neutral"])
        assert frame[f"p_{label}"].to_list() == pytest.approx(expected.to_list(), abs=2e-4)
    assert frame["p_neutral"].to_list() == frame["neutral"].to_list()
    assert frame["time_s"].to_list() == [0.0, 1.0]
    assert set(frame["label"]) == {"happiness"}
    track, whole = rows_of(tmp_path / "s.csv")
    assert (track["share_happiness"], track["changes"], whole["track"]) == ("1.0", "0", "")
    assert float(track["end_s"]) == pytest.approx(1.5)
    summary = mien.read_table(tmp_path / "s.csv", "polars")
    assert summary["track"].to_list() == [0, None]


def test_a_folder_of_films_is_one_table_and_what_is_no_film_is_named(talk, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("in/a.mov", "in/sub/c.mov"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(talk.read_bytes())
    (tmp_path / "in/b.mp4").write_bytes(b"text")
    outputs = ("--csv", "t.csv", "--json", "t.json", "--summary", "s.csv")
    result = run("video", "in", "--films", *outputs)
    assert result.exit_code == 1
    assert "in/b.mp4" in result.stderr
    assert "1 of 3 films could not be read" in result.stderr
    rows = rows_of(tmp_path / "t.csv")
    one = run("video", talk, "--csv", "-").stdout.splitlines()
    for name in ("in/a.mov", "in/sub/c.mov"):
        own = [list(row.values())[1:] for row in rows if row["film"] == name]
        assert [",".join(row) for row in own] == one[1:]
    lines = [json.loads(line) for line in (tmp_path / "t.json").read_text().splitlines()]
    assert [line["film"] for line in lines] == ["in/a.mov"] * 15 + ["in/sub/c.mov"] * 15
    assert [row["film"] for row in rows_of(tmp_path / "s.csv")] == ["in/a.mov"] * 2 + [
        "in/sub/c.mov"
    ] * 2


def test_what_is_left_out_of_a_folder_of_films_is_named_and_a_broken_link_is_a_fault(
    talk, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    for name in ("in/a.mov", "in/b.srt", "far/c.mov"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(talk.read_bytes())
    words = ("video", "in", "--films", "--csv", "t.csv")
    result = run(*words)
    assert result.exit_code == 0
    assert "mien: left out, no film by its suffix: 1: in/b.srt\n" in result.stderr
    (tmp_path / "in/far").symlink_to("../far")
    (tmp_path / "in/gone.mp4").symlink_to("nowhere.mp4")
    result = run(*words)
    assert result.exit_code == 1
    assert "mien: left out, linked folder: 1: in/far\n" in result.stderr
    assert "mien: left out, link that leads nowhere: 1: in/gone.mp4\n" in result.stderr
    assert {row["film"] for row in rows_of(tmp_path / "t.csv")} == {"in/a.mov"}


def test_a_table_is_not_written_over_one_of_the_films(talk, tmp_path):
    (tmp_path / "in").mkdir()
    film_of = tmp_path / "in/a.mov"
    film_of.write_bytes(talk.read_bytes())
    (tmp_path / "t.csv").symlink_to(film_of)
    result = run("video", tmp_path / "in", "--films", "--csv", tmp_path / "t.csv")
    assert (result.exit_code, "t.csv is named twice" in result.stderr) == (2, True)
    assert film_of.read_bytes() == talk.read_bytes()


@pytest.mark.parametrize(
    "words", [["--films", "--plot", "p.png"], ["--per-second", "--measured"]], ids=" ".join
)
def test_options_that_do_not_go_together_are_wrong_usage(talk, words):
    assert run("video", talk, *words).exit_code == 2


@pytest.mark.parametrize("damage", ["no film", "no frame"])
def test_where_no_film_can_be_read_no_table_is_written(tmp_path, monkeypatch, damage):
    monkeypatch.chdir(tmp_path)
    data = bytearray(film(tmp_path / "a.mp4", shades(3)).read_bytes())
    start, end = data.index(b"mdat") + 4, data.index(b"moov") - 4
    data[start:end] = bytes(end - start)
    (tmp_path / "a.mp4").write_bytes(b"text" if damage == "no film" else data)
    (tmp_path / "t.csv").write_text("of an earlier run")
    result = run("video", ".", "--films", "--csv", "t.csv")
    assert result.exit_code == 1
    assert result.stderr.endswith("mien: 1 of 1 films could not be read\n")
    assert "wrote" not in result.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.mp4", "t.csv"]
    assert (tmp_path / "t.csv").read_text() == "of an earlier run"


def test_a_folder_without_films_is_named(tmp_path):
    result = run("video", tmp_path, "--films")
    assert (result.exit_code, "no films in" in result.stderr) == (1, True)
