import csv
import json
from pathlib import Path

import pytest
from PIL import Image

from tests.support.commands import mien
from tests.support.prepared_folder import write_crops
from tests.support.same_tables import compare

pytest.importorskip("scipy")
pytest.importorskip("matplotlib")

from mien.errors import BadDataError
from mien.evaluate.explanations import FaithfulnessSettings, beats
from mien.evaluate.faithfulness import METRICS
from mien.evaluate.maps import CONTROLS


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return write_crops(tmp_path_factory.mktemp("made") / "data", train=1, test=1)


@pytest.fixture(scope="module")
def done(folder):
    """What the command printed, and its four files."""
    out = {name: folder.parent / f"a.{name}" for name in ("json", "csv", "parquet", "png")}
    words = ["faithful", "shipped", folder, "--pictures", 4, "--sanity", 3, "--threads", 1]
    words += ["--seed", 2]
    words += ["--method", "grad-cam", "--method", "integrated-gradients"]
    words += ["--out", out["json"], "--csv", out["csv"], "--plot", out["png"]]
    words += ["--parquet", out["parquet"]]
    return mien(*words), out


def test_the_record_has_every_metric_of_every_name_and_what_was_refused(done):
    result, out = done
    assert result.exit_code == 0
    record = json.loads(out["json"].read_text())
    assert record["command"].endswith(" --sanity 3 --method grad-cam --seed 2")
    assert list(record["mean"]) == ["grad-cam", *CONTROLS]
    assert {tuple(of) for of in record["mean"].values()} == {tuple(METRICS)}
    assert list(record["refused"]) == ["integrated-gradients"]
    assert "left out integrated-gradients: " in result.stderr
    assert (record["pictures"], record["split"], record["name"]) == (4, "test", "miennet")
    assert list(record["steadiness"]) == ["grad-cam", *CONTROLS]
    assert "forgetting" not in record


def test_the_table_shows_the_means_and_stars_what_beats_every_control(done):
    result, out = done
    record = json.loads(out["json"].read_text())
    head, *lines = result.stdout.splitlines()
    assert head.split() == list(METRICS)
    shown = {line.split()[0]: line.split()[1:] for line in lines[:5]}
    for name, values in shown.items():
        expected = [
            f"{record['mean'][name][m]:.3f}" + "*" * beats(record, name, m) for m in METRICS
        ]
        assert values == expected


def test_the_csv_has_a_row_a_name(done):
    with done[1]["csv"].open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(r["name"], r["kind"]) for r in rows] == [
        ("grad-cam", "method"), *((name, "control") for name in CONTROLS)
    ]  # fmt: skip
    record = json.loads(done[1]["json"].read_text())
    assert float(rows[0]["road"]) == record["mean"]["grad-cam"]["road"]
    assert float(rows[0]["road_error"]) == record["error"]["grad-cam"]["road"]


def test_parquet_has_the_same_rows_with_types_and_units(done):
    names = ("insertion", "drop", "drop_error")
    schema = compare(done[1]["csv"], done[1]["parquet"], 1 + len(CONTROLS))
    assert [str(schema.field(name).type) for name in ("kind", *names)] == ["string"] + 3 * [
        "double"
    ]
    units = [schema.field(name).metadata[b"unit"] for name in names]
    assert units == [b"probability", b"share", b"share"]


def test_the_plot_is_a_wide_picture(done):
    with Image.open(done[1]["png"]) as image:
        assert image.format == "PNG"
        assert image.width > 2 * image.height > 300


def test_what_is_asked_for_is_what_is_measured(folder, tmp_path, monkeypatch):
    asked = []

    def measure(*given):
        asked.extend(given[:4])
        raise BadDataError("enough was seen", fix="none")

    monkeypatch.setattr("mien.evaluate.explanations.faithfulness_record", measure)
    monkeypatch.setattr("mien.recognize.model.Model", lambda *given: given)
    monkeypatch.setattr("mien.cli.faithful._network", lambda run: run.name)
    words = ("--split", "train", "--pictures", 7, "--sanity", 5, "--seed", 3, "--threads", 1)
    runs = ("--run", tmp_path / "learned", "--shuffled", tmp_path / "by-heart")
    assert mien("faithful", "shipped", folder, "--method", "cam", *words, *runs).exit_code == 1
    settings = FaithfulnessSettings(folder, "train", ("cam",), 7, 5, 3)
    assert asked == [(Path("shipped"), 1), settings, "learned", "by-heart"]


def test_an_unknown_method_and_shuffled_without_run_are_refused(folder, tmp_path):
    result = mien("faithful", "shipped", folder, "--method", "gradcam")
    assert (result.exit_code, "try: use grad-cam" in result.stderr) == (2, True)
    result = mien("faithful", "shipped", folder, "--shuffled", tmp_path)
    assert (result.exit_code, "--shuffled needs --run" in result.stderr) == (2, True)


def test_checks_of_one_picture_and_a_split_of_one_are_refused(folder, tmp_path):
    """One has no standard error and no other picture beside it; NaN would be no JSON."""
    result = mien("faithful", "shipped", folder, "--sanity", 1)
    assert (result.exit_code, "take 2 or more, or 0" in result.stderr) == (2, True)
    lone = write_crops(tmp_path / "lone", train=1, test=1, labels=("fear",))
    out = tmp_path / "a.json"
    result = mien("faithful", "shipped", lone, "--method", "grad-cam", "--out", out)
    assert result.exit_code == 1
    assert "only one picture of" in result.stderr
    assert "\n  try: " in result.stderr
    assert not out.exists()


def test_folders_of_the_same_name_have_figures_of_their_own(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for place, seed in (("one", 0), ("two", 50)):
        write_crops(Path(place, "rafdb"), test=1, seed=seed)
    write_crops(Path("three", "sfew"), test=1, seed=100)
    out = {name: Path(f"a.{name}") for name in ("json", "csv")}
    words = ["--out", out["json"], "--csv", out["csv"]]
    result = mien("regions", "shipped", "one/rafdb", "two/rafdb/", "three/sfew", *words)
    assert result.exit_code == 0, result.stderr
    folders = json.loads(out["json"].read_text())["folders"]
    names = [str(Path("one/rafdb")), str(Path("two/rafdb")), "sfew"]
    assert list(folders) == names
    alone = {}
    for given in ("one/rafdb", "two/rafdb"):
        assert mien("regions", "shipped", given, "--out", "b.json").exit_code == 0
        [(name, alone[given])] = json.loads(Path("b.json").read_text())["folders"].items()
        assert name == "rafdb"
    assert [folders[name] for name in names[:2]] == list(alone.values())
    with out["csv"].open(newline="") as file:
        rows = [row["folder"] for row in csv.DictReader(file)]
    assert list(dict.fromkeys(rows)) == names


def test_without_scipy_the_extra_is_named(folder, monkeypatch):
    monkeypatch.setattr("mien.cli._shared.find_spec", lambda name: None)
    result = mien("faithful", "shipped", folder)
    assert (result.exit_code, 'pip install "mien[proof]"' in result.stderr) == (1, True)


@pytest.mark.parametrize(
    "words", [("faithful", "--plot", "plot.png"), ("evaluate", "--report", "--out", "out")]
)
def test_without_matplotlib_the_plot_extra_is_named(words, folder, tmp_path, monkeypatch):
    monkeypatch.setattr("mien.cli._shared.find_spec", lambda name: name != "matplotlib" or None)
    monkeypatch.chdir(tmp_path)
    command, *options = words
    result = mien(command, "shipped", folder, *options)
    assert (result.exit_code, 'pip install "mien[plot]"' in result.stderr) == (1, True)
    assert list(tmp_path.iterdir()) == []
