"""Every table is known by its header, and is read back with the types of its columns."""

from dataclasses import fields

import pytest

import mien
from mien.data import manifest, stats
from mien.data.manifest import Row
from mien.data.prepare import pipeline
from mien.errors import BadDataError
from mien.evaluate.accuracy import pictures_header
from mien.evaluate.faithfulness import METRICS
from mien.labels import PAPER, LabelSet
from mien.media.table_files import write_typed
from mien.recognize.results import CSV_HEADER, REGIONS_HEADER, VIDEO_HEADER
from mien.show.film_rows import SUMMARY_HEADER
from mien.table_kinds import TABLES

OWN = LabelSet(("left", "right"), "straight")
FACES = {
    "pictures": (*CSV_HEADER, *REGIONS_HEADER),
    "frames": VIDEO_HEADER,
    "films": ("film", *VIDEO_HEADER, "measured"),
    "summary": SUMMARY_HEADER,
    "scores": ("filepath", *PAPER.names, "label"),
}


def marked(header):
    return [name for name, kind in TABLES.items() if kind.mark <= set(header)]


@pytest.mark.parametrize("name", TABLES)
def test_a_header_is_that_of_one_table_alone(name):
    assert marked(TABLES[name].columns) == [name]
    assert all(column.meaning for column in TABLES[name].columns.values())


@pytest.mark.parametrize("name", FACES)
def test_a_table_of_faces_is_none_of_the_others(name):
    assert marked(FACES[name]) == []


def test_the_columns_are_those_of_the_paper_and_of_ones_own_classes():
    assert stats.header(PAPER) == tuple(TABLES["stats"].columns)
    assert pictures_header(PAPER) == tuple(TABLES["pictures"].columns)
    assert list(TABLES["faithful"].columns)[2:7] == list(METRICS)
    for name, header in (("stats", stats.header(OWN)), ("pictures", pictures_header(OWN))):
        assert marked(header) == [name]
        assert list(TABLES[name].describe(header)) == list(header)
    assert TABLES["stats"].describe(stats.header(OWN))["left"].kind == "integer"
    assert TABLES["pictures"].describe(pictures_header(OWN))["score_left"].kind == "number"


@pytest.mark.parametrize("form", ["csv", "parquet"])
@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_counts_are_whole_numbers_though_a_score_has_the_same_name(tmp_path, form, library):
    path = tmp_path / f"t.{form}"
    cells = ["data/a", "made", "train", *range(6), 15, 7, ""]
    write_typed([cells], TABLES["stats"].columns, **{form: path})
    frame = mien.read_table(path, library)
    types = [str(frame[name].dtype) for name in ("folder", "surprise", "six", "left out")]
    assert (
        types
        == {
            "pandas": ["string", "Int64", "Int64", "Int64"],
            "polars": ["String", "Int64", "Int64", "Int64"],
        }[library]
    )
    assert frame["fear"].to_list() == [5]
    assert frame["left out"].isna().all() if library == "pandas" else frame["left out"][0] is None


def test_settings_of_a_search_are_what_their_cells_are(tmp_path):
    header = ["model", "epochs", "rate", "nesterov", *TABLES["search"].columns]
    measured = ["0.5", "1.25", "2", "4", "0.1", "done", "run"]
    rows = [["cnn4", "20", "0.1", "True", *measured], ["cnn7", "40", "1", "False", *measured]]
    lines = [",".join(row) for row in (header, *rows)]
    (tmp_path / "search.csv").write_text("\n".join(lines) + "\n")
    frame = mien.read_table(tmp_path / "search.csv", "polars")
    assert frame.rows()[1] == ("cnn7", 40, 1.0, "False", 0.5, 1.25, 2, 4, 0.1, "done", "run")
    assert [str(kind) for kind in frame.dtypes[:4]] == ["String", "Int64", "Float64", "String"]
    assert str(frame["best_epoch"].dtype) == "Int64"


def kinds_of(frame):
    """Which column holds text, integers or numbers, whichever library the table is of."""
    kinds = {"string": "text", "int64": "integer", "float64": "number"}
    return {name: kinds[str(frame[name].dtype).lower()] for name in frame.columns}


def test_scores_of_ones_own_classes_are_numbers_whatever_their_cells_and_names_look_like(tmp_path):
    (tmp_path / "scores.csv").write_text("filepath,'=left,right\na.jpg,1,0\n")
    frame = mien.read_table(tmp_path / "scores.csv", "polars")
    assert frame.rows() == [("a.jpg", 1.0, 0.0)]
    assert kinds_of(frame) == {"filepath": "text", "=left": "number", "right": "number"}


def test_a_table_that_excel_has_saved_has_the_same_columns(tmp_path):
    text = b"\xef\xbb\xbffilepath,left,right\r\n0012,1,0\r\n"
    (tmp_path / "scores.csv").write_bytes(text)
    frame = mien.read_table(tmp_path / "scores.csv", "polars")
    assert frame.rows() == [("0012", 1.0, 0.0)]
    assert frame.columns == ["filepath", "left", "right"]


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_the_person_000_of_a_manifest_is_not_the_number_0(tmp_path, library):
    names = [f"00{number}" for number in range(7)]
    rows = [Row(f"{n}.jpg", "left", "007", "train", n, "00", f"00{n}", "as-is") for n in names]
    manifest.write(rows, tmp_path)
    frame = mien.read_table(tmp_path / "manifest.csv", library)
    assert frame["subject"].to_list() == names
    assert frame["original"].to_list() == [f"00{name}" for name in names]
    assert set(kinds_of(frame).values()) == {"text"}
    assert tuple(frame.columns) == tuple(field.name for field in fields(Row))
    assert tuple(frame.columns) == tuple(TABLES["manifest"].columns)


def test_names_of_what_was_left_out_are_text(tmp_path):
    header = tuple(TABLES["excluded"].columns)
    assert header == pipeline._EXCLUDED
    rows = ("0012,train,fear,copy of test,rafdb:0034,0.991", "0013,,,unreadable,,")
    (tmp_path / "excluded.csv").write_text("\n".join((",".join(header), *rows)) + "\n")
    frame = mien.read_table(tmp_path / "excluded.csv", "polars")
    assert frame.rows() == [
        ("0012", "train", "fear", "copy of test", "rafdb:0034", 0.991),
        ("0013", None, None, "unreadable", None, None),
    ]
    only_whole = ("0012,train,0,no label,7,",)  # cells that look like numbers alone
    (tmp_path / "excluded.csv").write_text("\n".join((",".join(header), *only_whole)) + "\n")
    [row] = mien.read_table(tmp_path / "excluded.csv", "polars").rows()
    assert row == ("0012", "train", "0", "no label", "7", None)


def test_epochs_and_folds_are_whole_numbers(tmp_path):
    (tmp_path / "history.csv").write_text(
        "epoch,train_loss,held_loss,held_accuracy,rate,seconds\n1,1,2,0,1,3\n2,0.5,2,1,1,3\n"
    )
    frame = mien.read_table(tmp_path / "history.csv", "polars")
    assert frame.rows()[0] == (1, 1.0, 2.0, 0.0, 1.0, 3.0)
    assert [str(kind) for kind in frame.dtypes] == ["Int64", *["Float64"] * 5]
    facts = "source,original,path,label,fold"
    for more, cells in ((",subject", ",000"), ("", "")):  # without it, before it was written
        (tmp_path / "folds.csv").write_text(
            f"{facts}{more},asleep,score_left\nown,01,1.jpg,left,2{cells},1,-2\n"
        )
        frame = mien.read_table(tmp_path / "folds.csv", "polars")
        subject = ["000"] if more else []
        assert frame.rows() == [("own", "01", "1.jpg", "left", 2, *subject, 1.0, -2.0)]
        assert kinds_of(frame) | {"subject": "text"} == {
            **dict.fromkeys(("source", "original", "path", "label", "subject"), "text"),
            "fold": "integer",
            **dict.fromkeys(("asleep", "score_left"), "number"),
        }


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("path,face\na.jpg,first\n", "is no table of mien: invalid literal"),
        ("path,face\na.jpg\n", "is no table of mien: its header has 2 names, a row more or fewer"),
        ("\npath,face\na.jpg,0\n", "is no table of mien: its header has 0 names\n  try: name"),
        ("folder,database,split,fear\na,b,test,1.5\n", "is no table of mien: invalid literal"),
        ("", "is no table of mien: its header has 0 names\n  try: name"),
        ("path\n" + "a" * 200_000, "cannot read .*t.csv: field larger"),
    ],
)
def test_what_is_no_table_is_named(tmp_path, text, what):
    (tmp_path / "t.csv").write_text(text)
    with pytest.raises(BadDataError, match=what):
        mien.read_table(tmp_path / "t.csv")
    with pytest.raises(BadDataError, match="cannot read"):
        mien.read_table(tmp_path / "gone.csv")
