"""Each command that writes a table for people writes it as CSV and Parquet, with equal values."""

import numpy as np
import pytest

import mien
from mien.table_kinds import TABLES
from tests.support.commands import mien as run
from tests.support.faulty_folder import plant_every_fault
from tests.support.full_disk import full_disk
from tests.support.pictures import encode, folder_of
from tests.support.prepared_folder import write_crops
from tests.support.same_tables import compare
from tests.support.video_files import film

# Command: its words before --csv and --parquet, its table, how many rows it has.
TABLE_OF = {
    "stats": (["stats", "data"], "stats", 2),
    "audit": (["audit", "faulty"], "audit", 8),
    "evaluate": (["evaluate", "shipped", "data"], "pictures", 12),
    "regions": (["regions", "shipped", "data"], "regions", 6),
}
# Columns that must have just this type, worked out by hand.
TYPES = {
    "stats": {"folder": "string", "fear": "int64", "six": "int64", "left out": "int64"},
    "audit": {"similarity": "double", "leak": "string", "other_path": "string"},
    "evaluate": {"predicted": "string", "fear": "double", "neutral": "double"},
    "regions": {"pictures": "int64", "units": "string", "on_mouth": "double"},
}
UNITS = {
    "stats": ("fear", b""),
    "audit": ("similarity", b"correlation"),
    "evaluate": ("fear", b"probability"),
    "regions": ("on_expected", b"share"),
}


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A folder with two prepared folders, one of them with every fault."""
    place = tmp_path_factory.mktemp("tables")
    write_crops(place / "data", train=1, test=2)
    plant_every_fault(place / "faulty")
    return place


@pytest.fixture
def here(place, monkeypatch):
    monkeypatch.chdir(place)
    return place


def refuse_pyarrow(monkeypatch):
    monkeypatch.setattr(
        "mien.cli._shared.find_spec", lambda name: None if name == "pyarrow" else name
    )


@pytest.mark.parametrize("command", TABLE_OF)
def test_both_formats_hold_the_same_rows_with_types_units_and_meanings(here, command):
    words, table, count = TABLE_OF[command]
    csv_file, parquet_file = (here / f"{command}.{form}" for form in ("csv", "parquet"))
    result = run(*words, "--csv", csv_file, "--parquet", parquet_file)
    assert result.exit_code == 0, result.stderr
    assert f"wrote {parquet_file}" in result.stderr
    schema = compare(csv_file, parquet_file, count)
    for name, kind in TYPES[command].items():
        assert str(schema.field(name).type) == kind
    assert all(schema.field(name).metadata[b"meaning"] for name in TABLES[table].columns)
    name, unit = UNITS[command]
    assert schema.field(name).metadata[b"unit"] == unit


def test_regions_of_classes_that_theory_knows_nothing_of_have_empty_cells():
    from mien.evaluate.evidence import REGIONS, evidence_rows

    share = dict.fromkeys(REGIONS, 0.125)
    figures = {"share": share, "pictures": 3}
    more = {"area": share, "units": [6, 12], "expected": ["eyes", "mouth"], "on_expected": 0.25}
    ends = {"on_expected_95": [0.2, 0.3], "area_of_expected": 0.5, "middle_on_expected": 0.4}
    rows = list(evidence_rows({"a": {"left": figures, "right": figures | more | ends}}, "test"))
    assert rows[0] == ["a", "test", "left", 3, "", "", *[0.125] * 8, *[None] * 13]
    assert rows[1][:6] == ["a", "test", "right", 3, "6 12", "eyes mouth"]
    assert rows[1][-5:] == [0.25, 0.2, 0.3, 0.5, 0.4]


def test_printed_tables_are_those_of_the_files_and_alone(here):
    for command in ("evaluate", "audit", "regions"):
        words = TABLE_OF[command][0]
        run(*words, "--csv", "t.csv")
        result = run(*words, "--csv", "-")
        assert result.exit_code == 0, result.stderr
        assert result.stdout == (here / "t.csv").read_text()
        assert result.stderr
    assert not (here / "-").exists()


@pytest.mark.parametrize(
    ("words", "table"),
    [(["audit", "faulty"], "audit"), (["scores", "data", "--full"], None)],
    ids=["audit", "scores"],
)
def test_out_is_parquet_where_its_name_ends_so(here, words, table):
    for name in ("o.csv", "o.parquet"):
        assert run(*words, "--out", name).exit_code == 0
    count = 8 if table else 21
    schema = compare(here / "o.csv", here / "o.parquet", count)
    assert table is None or list(schema.names) == list(TABLES[table].columns)


def test_scores_in_parquet_have_all_digits_also_as_out(here):
    run("scores", "data", "--out", "a.parquet", "--parquet", "b.parquet")
    one, other = (mien.read_table(name, "polars") for name in ("a.parquet", "b.parquet"))
    assert one.equals(other)
    assert any(len(str(value)) > 6 for value in one["fear"].to_list())


@pytest.fixture(scope="module")
def talk(portrait, place):
    """Ten frames at ten a second, a face in all but the first two."""
    pytest.importorskip("av")
    blank = np.full((256, 256, 3), 190, dtype=np.uint8)
    return film(place / "talk.mov", [blank] * 2 + [portrait[:256, 100:356]] * 8)


def test_segments_and_summary_of_a_film(here, talk):
    for form in ("csv", "parquet"):
        words = ("--segments", f"s.{form}", "--summary", f"m.{form}")
        assert run("video", talk, *words).exit_code == 0
    schema = compare(here / "s.csv", here / "s.parquet", 1)
    assert list(map(str, schema.types)) == ["int64", "string", "double", "double", "double"]
    assert schema.field("start_s").metadata[b"unit"] == b"s"
    compare(here / "m.csv", here / "m.parquet", 2)


@pytest.mark.parametrize("target", ["f.parquet", "crops-1/f.parquet"])
def test_frames_writes_its_table_beside_the_crops_or_elsewhere(here, talk, target):
    folder = here / f"crops-{target.count('/')}"
    result = run("frames", talk, "--out", folder, "--parquet", target)
    assert result.exit_code == 0, result.stderr
    schema = compare(folder / "frames.csv", here / target, 8)
    assert list(map(str, schema.types))[:4] == ["string", "double", "int64", "int64"]
    assert schema.field("left").metadata[b"unit"] == b"px"


def test_frames_that_is_stopped_leaves_neither_crops_nor_table(here, talk, monkeypatch):
    def stopped(*_given):
        raise KeyboardInterrupt

    (here / "old.parquet").write_bytes(b"older")
    monkeypatch.setattr("mien.data.video_crops.add_file", stopped)
    assert run("frames", talk, "--out", "gone", "--parquet", "old.parquet").exit_code == 1
    assert (here / "old.parquet").read_bytes() == b"older"
    assert not list(here.glob("gone*")) + list(here.glob(".*"))


def test_a_disk_that_is_full_leaves_the_older_table(here):
    folder_of(here, {"crops/a.png": encode(np.full((64, 64, 3), 90, np.uint8), "PNG")})
    for command in ("stats", "evaluate"):
        (here / "t.parquet").write_bytes(b"older")
        words = TABLE_OF[command][0]
        with full_disk(1000):
            result = run(*words, "--parquet", "t.parquet")
        assert result.exit_code == 1
        assert "mien: cannot write t.parquet: " in result.stderr
        assert "File too large\n  try: " in result.stderr
        assert (here / "t.parquet").read_bytes() == b"older"
        assert not list(here.glob(".*"))


@pytest.mark.parametrize(
    "words",
    [
        ("stats", "none", "--parquet", "t.parquet"),
        ("evaluate", "none", "none", "--parquet", "t.parquet"),
        ("predict", "none", "--parquet", "t.dat"),
        ("frames", "none", "--out", "o", "--parquet", "t.parquet"),
        ("search", "none", "--parquet", "t.parquet"),
        ("audit", "none", "--out", "t.parquet"),
        ("scores", "none", "--out", "t.pq"),
        ("video", "none", "--segments", "t.parquet"),
        ("video", "none", "--summary", "t.parquet"),
    ],
    ids=lambda words: f"{words[0]} {words[-2]}",
)
def test_parquet_without_its_extra_is_refused_before_any_work(words, monkeypatch):
    refuse_pyarrow(monkeypatch)
    result = run(*words)
    assert result.exit_code == 1
    assert f"mien: {words[-2]}" in result.stderr
    assert " needs the tables extra\n" in result.stderr
    assert '  try: pip install "mien[tables]"' in result.stderr


def test_csv_does_without_the_extra(here, monkeypatch):
    refuse_pyarrow(monkeypatch)
    assert run("stats", "data", "--csv", "t.csv").exit_code == 0
