"""A name that ends like another format than an option writes is refused before any work."""

import os
from pathlib import Path

import click
import pytest

from mien.cli import cli
from tests.support.commands import mien
from tests.support.pictures import encode, texture


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("scores", "crops", "--out", "x.xlsx"), "x.xlsx ends in .xlsx, and --out writes CSV or"),
        (("predict", "a.jpg", "--csv", "x.gif"), "x.gif ends in .gif, and --csv writes CSV"),
        (
            ("audit", "d", "--out", "x.json"),
            "--out/--csv writes CSV or Parquet\n"
            "  try: end the name in .csv or .parquet or --json for JSON",
        ),
        (
            ("predict", "a.jpg", "--csv", "x.parquet"),
            "--csv writes CSV\n  try: end the name in .csv or --parquet for Parquet",
        ),
        (
            ("stats", "d", "--parquet", "x.csv"),
            "--parquet writes Parquet\n  try: end the name in .parquet or --csv for CSV",
        ),
        (("stats", "d", "--csv", "x.csv.gz"), "x.csv.gz ends in .gz, and --csv writes CSV"),
        (("evaluate", "m", "d", "--csv", "x.feather"), "--csv writes CSV"),
        (("video", "t.mp4", "--segments", "x.xlsx"), "--segments writes CSV or Parquet"),
        (("video", "t.mp4", "--summary", "x.xlsx"), "--summary writes CSV or Parquet"),
        (("scores", "c", "--out", "x.parqet"), "CSV or Parquet\n  try: end the name in .parquet\n"),
        (("stats", "d", "--csv", "x.cvs"), "x.cvs ends in .cvs, and --csv writes CSV"),
        (("stats", "d", "--parquet", "-"), "Parquet is not printed\n  try: name a file"),
        (
            ("prepare", "folder", "d", "--out", "x.parquet"),
            "x.parquet ends in .parquet, and --out is a folder\n  try: name a folder; its tables",
        ),
        (("frames", "t.mp4", "--out", "x.pq"), "name a folder; or --parquet for the table"),
        (("predict", "a.jpg", "--out", "x.png"), "name a folder; pictures keep their names in it"),
        (("frames", "t.mp4", "--out", "x.gif"), "x.gif ends in .gif, and --out is a folder"),
        (("train", "c.toml", "--out", "x.onnx"), "name a folder; mien export makes a file"),
        (("audit", "d", "--html", "x.csv"), "--html writes HTML"),
        (("stats", "d", "--markdown", "x.pdf"), "--markdown writes Markdown"),
        (("video", "t.mp4", "--json", "x.mp4"), "--json writes JSON"),
        (("faithful", "m", "d", "--out", "x.png"), "--out/--json writes JSON"),
        (("page", "--out", "x.csv"), "x.csv ends in .csv, and --out writes HTML"),
        (("recipes", "miennet", "--out", "x.csv"), "x.csv ends in .csv, and --out writes TOML"),
        (("export", "run", "--out", "x.csv"), "writes a model\n  try: end the name in .onnx\n"),
        (("export", "run", "--out", "-"), "a model is not printed\n  try: end the name in .onnx\n"),
        (("demo", "--out", "x"), "no picture format ends in '': x\n  try: end the name in .png"),
        (("demo", "--out", "-"), "a picture is not printed\n  try: end the name in .png\n"),
        (("show-augmentation", "c", "--out", "x.pdf"), "no picture format ends in '.pdf': x.pdf"),
        (("explain", "a.jpg", "--out", "x.bmp"), "no figure format ends in '.bmp': x.bmp\n  try: "),
        (("explain", "a.jpg", "--out", "-"), "a figure is not printed"),
        (("video", "a.mp4", "--out", "x.avi"), "no film format ends in '.avi': x.avi\n  try: "),
        (("models", "cnn15", "--plot", "x.gif"), "no plot format ends in '.gif': x.gif\n  try: "),
        (("frames", "a.mp4", "--out", "-"), "- is standard output, and --out is a folder\n  try: "),
        (
            ("predict", "a.jpg", "--json", "--out-file", "x.csv"),
            "x.csv ends in .csv, and --out-file writes JSON\n"
            "  try: end the name in .json or --csv for CSV\n",
        ),
        (
            ("predict", "a.jpg", "--csv", "x.json"),  # --json takes no name there
            "--csv writes CSV\n  try: end the name in .csv or --out-file for JSON\n",
        ),
    ],
)
def test_a_name_of_another_format_is_refused_with_the_right_ending(words, message, tmp_path):
    result = mien(*words)
    assert (result.exit_code, result.stdout) == (2, "")
    assert message in result.stderr
    assert "Traceback" not in result.stderr


FOLDER, PIPE, FILE = "is a folder", "is not an ordinary file", "is there and no folder"


@pytest.mark.parametrize(
    ("words", "name", "message"),
    [
        (("predict", "in", "--csv"), "folder", f"{FOLDER}\n  try: name a file in it"),
        (("audit", "in", "--out"), "folder", FOLDER),
        (("scores", "in", "--parquet"), "folder", FOLDER),
        (("predict", "in", "--csv"), "pipe", f"{PIPE}\n  try: name an ordinary file, or - for"),
        (("predict", "in", "--parquet"), "pipe", f"{PIPE}\n  try: name an ordinary file\n"),
        (("predict", "in", "--csv"), "open", f"{PIPE}\n  try: name an ordinary file, or - for"),
        (("predict", "in", "--json", "--out-file"), "open", PIPE),
        (("scores", "in", "--out"), "open", PIPE),
        (("stats", "in", "--markdown"), "open", PIPE),
        (("stats", "in", "--plot"), "open", PIPE),
        (("video", "in", "--out"), "open", PIPE),
        (("explain", "in", "--out"), "open", PIPE),
        (("demo", "--out"), "open", PIPE),
        (("page", "--out"), "open", f"{PIPE}\n  try: name an ordinary file\n"),
        (("recipes", "miennet", "--out"), "folder", FOLDER),
        (
            ("predict", "in", "--out"),
            "file",
            f"{FILE}, and --out is a folder\n  try: ",
        ),
        (("evaluate", "shipped", "in", "--out"), "file", FILE),
        (("predict", "in", "--csv"), "circle", "links there lead to each other"),
    ],
)
def test_what_is_in_the_place_of_an_output_is_told_before_any_work(
    words, name, message, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    Path("folder").mkdir()
    os.mkfifo("pipe")
    Path("file").write_text("kept")
    Path("circle").symlink_to("circle")
    with Path("file").open() as file:  # a file of our own, by the name that /dev/stdout has
        Path("open").symlink_to(f"/dev/fd/{file.fileno()}")
        result = mien(*words, name)  # "in" is not there: it would be said
    assert (result.exit_code, result.stdout) == (1, "")
    assert f"mien: {'cannot write ' * (name == 'circle')}{name}" in result.stderr
    assert message in result.stderr
    assert Path("file").read_text() == "kept"
    assert sorted(path.name for path in Path().iterdir()) == [
        *("circle", "file", "folder", "open", "pipe")
    ]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("predict", "in", "--out", "q", "--csv", "q"), "q is named twice"),
        (("predict", "in", "--out", "q/r", "--csv", "q"), "q is to be a file, and another"),
        (("predict", "in", "--csv", "q", "--parquet", "q/t.parquet"), "q is to be a file"),
        (("evaluate", "m", "in", "--out", "q", "--csv", "q"), "q is named twice"),
        (("frames", "a.mp4", "--out", "q", "--parquet", "q"), "q is named twice"),
        (("search", "paper-grid", "--out", "q", "--parquet", "./q"), "q is named twice"),
        (("video", "a.mp4", "--csv", "q", "--json", "q/t.json"), "q is to be a file"),
    ],
)
def test_outputs_in_each_others_place_are_told_before_any_work(
    words, message, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    result = mien(*words)  # no input is there: it would be said
    assert (result.exit_code, result.stdout) == (2, "")
    assert f"mien: {message}" in result.stderr
    assert list(tmp_path.iterdir()) == []


def test_tables_may_be_in_the_folder_of_the_pictures(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.png").write_bytes(encode(texture(1), "PNG"))
    result = mien("predict", "a.png", "--out", "q", "--csv", "q/t.csv", "--parquet", "q/t.parquet")
    assert result.exit_code == 0
    assert sorted(path.name for path in Path("q").iterdir()) == ["a.png", "t.csv", "t.parquet"]


@pytest.mark.parametrize(
    "words",
    [
        ("audit", "DIR", "--out"),
        ("stats", "DIR", "--csv"),
        ("predict", "DIR", "--csv"),
        ("scores", "DIR", "--out"),
        ("evaluate", "shipped", "DIR", "--csv"),
        ("regions", "shipped", "DIR", "--csv"),
        ("faithful", "shipped", "DIR", "--csv"),
    ],
    ids=lambda words: words[0],
)
@pytest.mark.parametrize("by", ["name", "link"])
def test_the_tables_of_prepared_data_are_not_written_over(words, by, clean_folder, tmp_path):
    given = [str(clean_folder) if word == "DIR" else word for word in words]
    for name in ("manifest.csv", "labels.csv"):
        table = clean_folder / name
        before = table.read_bytes() if table.exists() else None
        if by == "link":
            (tmp_path / f"own-{name}").symlink_to(table)
            table = tmp_path / f"own-{name}"
        result = mien(*given, table)
        assert (result.exit_code, "is part of the data" in result.stderr) == (2, True)
        assert (table.read_bytes() if table.exists() else None) == before


def test_the_option_for_the_ending_is_named():
    result = mien("audit", "d", "--csv", "pairs.html")
    assert "try: end the name in .csv or .parquet or --html for HTML" in result.stderr


@pytest.mark.parametrize("name", ["t.csv", "t.CSV", "t", "t.tsv", "t.dat", "-", "v1.2", "t.csv1"])
def test_other_names_are_written_as_ever(name, clean_folder, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert mien("stats", clean_folder, "--csv", name).exit_code == 0
    assert name == "-" or (tmp_path / name).read_text().startswith("folder,")


def test_csv_and_json_name_the_file_of_that_format_wherever_a_command_writes_one(clean_folder):
    """Audit, regions and faithful: --out, as ever, or the format by its name."""
    for name, option in (("audit", "--csv"), ("regions", "--json"), ("faithful", "--json")):
        command = cli.get_command(click.Context(cli), name)
        [out] = [param for param in command.params if "--out" in param.opts]
        assert out.opts == ["--out", option]
        assert out.name == "out"
    result = mien("audit", clean_folder, "--csv", clean_folder / "pairs.csv")
    assert result.exit_code == 0
    assert (clean_folder / "pairs.csv").is_file()
