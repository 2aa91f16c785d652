"""Every table of faces has documented columns, and is read back as it was written."""

import csv

import polars
import pytest

import mien
from mien.recognize.columns import COLUMNS, columns_of
from mien.recognize.results import CSV_HEADER, REGIONS_HEADER, VIDEO_HEADER
from tests.support.commands import mien as run
from tests.support.pictures import encode, folder_of, texture


@pytest.mark.parametrize("header", [CSV_HEADER, VIDEO_HEADER, REGIONS_HEADER], ids=len)
def test_every_column_is_described(header):
    assert all(column.meaning for column in columns_of(header).values())
    assert COLUMNS["left"].unit == "px"


@pytest.fixture
def tables(tmp_path, portrait, monkeypatch):
    """Here: tables of a face, two formats, and the name of its picture starts a formula."""
    monkeypatch.chdir(folder_of(tmp_path, {"=1+1.png": encode(portrait, "PNG")}))
    words = ("--csv", "t.csv", "--parquet", "t.parquet", "--regions")
    assert run("predict", "=1+1.png", *words).exit_code == 0
    return tmp_path


@pytest.mark.parametrize("name", ["t.csv", "t.parquet"])
@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_a_table_is_read_back_as_the_library_reads_the_picture(tables, recognizer, name, library):
    frame = mien.read_table(tables / name, library)
    [face] = recognizer.read("=1+1.png").faces
    assert list(frame.columns) == [*CSV_HEADER, *REGIONS_HEADER]
    values = [frame[column][0] for column in frame.columns]
    assert values[:2] == ["=1+1.png", 0]
    assert values[2:7] == pytest.approx([*face.box.as_list(), face.detection.confidence], abs=0.05)
    assert values[7] == face.label
    assert values[8:10] == pytest.approx([face.confidence, face.neutral], abs=1e-3)
    assert values[-8:] == pytest.approx(list(face.regions.values()), abs=2e-3)


def test_csv_and_parquet_hold_the_same_values(tables):
    assert mien.read_table("t.csv", "polars").equals(mien.read_table("t.parquet", "polars"))


def test_parquet_of_scores_has_all_digits_and_missing_values(tmp_path, monkeypatch, portrait):
    monkeypatch.chdir(folder_of(tmp_path, {"in/a.png": encode(texture(1), "PNG")}))
    words = ("scores", "in", "--reject", "--full", "--parquet", "s.parquet")
    assert run(*words).exit_code == 0
    frame = mien.read_table("s.parquet", "polars")
    assert frame["label"].to_list() == ["no face"]
    assert frame["fear"].to_list() == [None]
    run("scores", "in", "--full", "--parquet", "s.parquet")
    with open("scores.csv", encoding="utf-8") as file:  # noqa: PTH123
        [row] = csv.DictReader(file)
    assert mien.read_table("s.parquet")["fear"][0] == float(row["fear"])


def test_a_picture_becomes_a_frame_of_its_rows(recognizer, portrait):
    picture = recognizer.read(portrait)
    frame = picture.to_frame("polars")
    assert isinstance(frame, polars.DataFrame)
    [row] = picture.rows()
    assert frame.rows() == [(None, *row[1:])]  # an array has no path
    assert picture.to_frame()["label"].to_list() == ["happiness"]
