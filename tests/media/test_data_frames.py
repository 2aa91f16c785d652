"""Tables in memory: types by column, pandas or polars, whichever is installed."""

import pandas
import polars
import pytest

from mien.errors import MissingExtraError, UnknownNameError
from mien.media import data_frames
from mien.media.data_frames import Column, data_frame

KINDS = {
    "path": Column("text", "a file"),
    "face": Column("integer", "its number"),
    "left": Column("number", "an edge", "px"),
}
ROWS = [["a.jpg", 0, 1.5], ["", "7", ""], ["\udcff.jpg", None, "2"]]


def test_cells_have_the_types_of_their_columns_and_empty_ones_are_missing():
    frame = data_frame(KINDS, ROWS)
    assert isinstance(frame, pandas.DataFrame)
    assert list(map(str, frame.dtypes)) == ["string", "Int64", "float64"]
    assert frame["path"].to_list() == ["a.jpg", pandas.NA, "\\xff.jpg"]
    assert frame["face"].to_list() == [0, 7, pandas.NA]
    assert frame["left"].fillna(-1).to_list() == [1.5, -1, 2]


def test_polars_has_the_same_cells():
    frame = data_frame(KINDS, ROWS, "polars")
    assert frame.rows() == [("a.jpg", 0, 1.5), (None, 7, None), ("\\xff.jpg", None, 2.0)]
    assert frame.dtypes == [polars.String, polars.Int64, polars.Float64]


def test_a_table_without_rows_keeps_its_types():
    assert list(map(str, data_frame(KINDS, []).dtypes)) == ["string", "Int64", "float64"]


def test_whichever_library_is_installed_is_taken_else_the_extra_is_named(monkeypatch):
    there = {"polars"}
    monkeypatch.setattr(data_frames, "find_spec", lambda name: name in there or None)
    assert isinstance(data_frame(KINDS, ROWS), polars.DataFrame)
    with pytest.raises(MissingExtraError, match=r"pandas.* needs the tables extra"):
        data_frame(KINDS, ROWS, "pandas")
    there.clear()
    with pytest.raises(MissingExtraError, match="pandas or polars"):
        data_frame(KINDS, ROWS)
    with pytest.raises(UnknownNameError, match="use pandas"):
        data_frame(KINDS, ROWS, "panda")
