"""A table is CSV or Parquet by its name, whole or absent; the older one stays after an error."""

import csv

import pyarrow.parquet
import pytest

from mien.errors import MissingExtraError, OutputError
from mien.media import parquet
from mien.media.data_frames import Column
from mien.media.parquet import described
from mien.media.table_files import open_typed, write_typed
from tests.support.full_disk import full_disk

COLUMNS = {"path": Column("text", "a file"), "left": Column("number", "an edge", "px")}
ROWS = [["=1.jpg", 0.5], ["b.jpg", None]]


@pytest.mark.parametrize("name", ["t.parquet", "t.PQ"])
def test_the_end_of_the_name_makes_it_parquet(tmp_path, name):
    with open_typed(tmp_path / name, COLUMNS) as add:
        for row in ROWS:
            add(row)
    table = pyarrow.parquet.read_table(tmp_path / name)
    assert table.to_pylist() == [{"path": "=1.jpg", "left": 0.5}, {"path": "b.jpg", "left": None}]
    assert described(tmp_path / name) == COLUMNS


@pytest.mark.parametrize("name", ["t.csv", "t.tsv", "t", "parquet"])
def test_any_other_name_makes_it_csv_that_a_spreadsheet_does_not_compute(tmp_path, name):
    with open_typed(tmp_path / name, COLUMNS) as add:
        for row in ROWS:
            add(row)
    assert (tmp_path / name).read_text() == "path,left\n'=1.jpg,0.5\nb.jpg,\n"


def test_the_format_can_be_said_whatever_the_name(tmp_path):
    write_typed(ROWS, COLUMNS, tmp_path / "a.parquet", tmp_path / "b.csv")
    with (tmp_path / "a.parquet").open(newline="") as file:
        assert next(csv.reader(file)) == list(COLUMNS)
    assert pyarrow.parquet.read_table(tmp_path / "b.csv").num_rows == 2


@pytest.mark.parametrize("name", ["t.csv", "t.parquet"])
def test_what_stops_the_writing_leaves_the_older_table(tmp_path, name):
    path = tmp_path / name
    target = {path.suffix[1:]: path}
    write_typed(ROWS, COLUMNS, **target)
    before = path.read_bytes()

    def stopped():
        yield ROWS[0]
        raise KeyboardInterrupt

    def many():
        for number in range(60_000):
            yield [f"{number * 7919}.jpg", number / 7]

    with pytest.raises(KeyboardInterrupt):
        write_typed(stopped(), COLUMNS, **target)
    with full_disk(), pytest.raises(OutputError, match=f"cannot write .*{name}"):
        write_typed(many(), COLUMNS, **target)
    assert [file.name for file in tmp_path.iterdir()] == [name]
    assert path.read_bytes() == before


def test_types_that_others_write_are_not_described(tmp_path):
    table = pyarrow.table({"flag": [True], "n": pyarrow.array([1], pyarrow.int32()), "t": ["x"]})
    pyarrow.parquet.write_table(table, tmp_path / "t.parquet")
    found = described(tmp_path / "t.parquet")
    assert {name: column.kind for name, column in found.items()} == {"n": "integer", "t": "text"}


def test_without_the_extra_parquet_is_refused_and_csv_is_not(tmp_path, monkeypatch):
    monkeypatch.setattr(parquet, "find_spec", lambda _: None)
    write_typed(ROWS, COLUMNS, tmp_path / "t.csv")
    with pytest.raises(MissingExtraError, match=r'pip install "mien\[tables\]"'):
        write_typed(ROWS, COLUMNS, parquet=tmp_path / "t.parquet")
    assert [file.name for file in tmp_path.iterdir()] == ["t.csv"]
