"""Parquet files: whole or absent, with the type, unit and meaning of each column."""

import pyarrow.parquet
import pytest

from mien.errors import BadDataError, MissingExtraError, OutputError
from mien.media import parquet
from mien.media.data_frames import Column
from mien.media.parquet import open_parquet, read_parquet
from tests.support.full_disk import full_disk

KINDS = {
    "path": Column("text", "a file"),
    "face": Column("integer", "its number"),
    "left": Column("number", "an edge", "px"),
}


def test_types_units_and_meanings_are_in_the_file(tmp_path):
    with open_parquet(tmp_path / "t.parquet", KINDS) as add:
        add(["a.jpg", "3", "0.040"])
        add(["\udcff", "", None])
    table = pyarrow.parquet.read_table(tmp_path / "t.parquet")  # as another program reads it
    assert table.to_pylist() == [
        {"path": "a.jpg", "face": 3, "left": 0.04},
        {"path": "\\xff", "face": None, "left": None},
    ]
    assert list(map(str, table.schema.types)) == ["string", "int64", "double"]
    assert table.schema.field("left").metadata == {b"unit": b"px", b"meaning": b"an edge"}
    assert table.schema.metadata[b"software"].startswith(b"mien ")


def test_rows_are_written_piece_by_piece_and_none_is_lost(tmp_path, monkeypatch):
    monkeypatch.setattr(parquet, "_GROUP", 3)
    with open_parquet(tmp_path / "t.parquet", KINDS) as add:
        for number in range(8):
            add([f"{number}", number, number / 2])
    assert pyarrow.parquet.ParquetFile(tmp_path / "t.parquet").num_row_groups == 3
    header, rows = read_parquet(tmp_path / "t.parquet")
    assert header == list(KINDS)
    assert list(rows) == [(f"{n}", n, n / 2) for n in range(8)]


def test_after_an_error_nothing_is_left(tmp_path):
    def fail():
        with open_parquet(tmp_path / "t.parquet", KINDS) as add:
            add(["a", 1, 1])
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_is_one_error(tmp_path):
    def fill():
        with open_parquet(tmp_path / "t.parquet", KINDS) as add:
            for number in range(50_000):
                add([f"{number * 7919}.jpg", number, number])

    with full_disk(), pytest.raises(OutputError, match=r"cannot write .*t\.parquet"):
        fill()
    assert list(tmp_path.iterdir()) == []


def test_who_goes_on_after_a_full_disk_meets_the_same_error_again(tmp_path, monkeypatch):
    monkeypatch.setattr(parquet, "_GROUP", 1000)
    refused = []

    def go_on():
        with open_parquet(tmp_path / "t.parquet", KINDS) as add:
            for number in range(10_000):
                try:
                    add([f"{number * 7919}.jpg", number, number])
                except OutputError as error:
                    refused.append(error)

    with full_disk(), pytest.raises(OutputError, match="File too large") as last:
        go_on()
    assert set(refused) == {last.value}
    assert len(refused) > 1000
    assert list(tmp_path.iterdir()) == []


def test_what_is_no_parquet_is_named(tmp_path):
    (tmp_path / "t.parquet").write_bytes(b"text")
    with pytest.raises(BadDataError, match=r"cannot read .*t\.parquet"):
        read_parquet(tmp_path / "t.parquet")


def test_without_the_extra_it_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr(parquet, "find_spec", lambda _: None)
    with (
        pytest.raises(MissingExtraError, match=r'pip install "mien\[tables\]"'),
        open_parquet(tmp_path / "t.parquet", KINDS),
    ):
        pass
