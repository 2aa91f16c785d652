"""A table as CSV and as Parquet, compared by other libraries than mien reads them with."""

import csv

import pyarrow.parquet

import mien


def compare(csv_file, parquet_file, count):
    """Check that so many rows are equal, also as mien reads them; return the Parquet's schema."""
    with csv_file.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    table = pyarrow.parquet.read_table(parquet_file)
    assert len(rows) == count
    assert list(rows[0]) == table.column_names
    for row, values in zip(rows, table.to_pylist(), strict=True):
        for name, text in row.items():
            value = values[name]
            assert (value is None) == (text == "")
            assert value is None or type(value)(text) == value
    assert mien.read_table(csv_file, "polars").equals(mien.read_table(parquet_file, "polars"))
    return table.schema
