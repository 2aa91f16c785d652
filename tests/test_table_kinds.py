"""Every table is known by its header, and is read back with the types of its columns."""

import pytest

import mien
from mien.data import stats
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
    "manifest": ("path", "label", "source", "split", "subject", "sha256", "original", "framing"),
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


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("path,face\na.jpg,first\n", "is no table of mien: invalid literal"),
        ("path,face\na.jpg\n", "is no table of mien: zip"),
        ("folder,database,split,fear\na,b,test,1.5\n", "is no table of mien: invalid literal"),
        ("", "cannot read .* as a table"),
    ],
)
def test_what_is_no_table_is_named(tmp_path, text, what):
    (tmp_path / "t.csv").write_text(text)
    with pytest.raises(BadDataError, match=what):
        mien.read_table(tmp_path / "t.csv")
    with pytest.raises(BadDataError, match="cannot read"):
        mien.read_table(tmp_path / "gone.csv")
