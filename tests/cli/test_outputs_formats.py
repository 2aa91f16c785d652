"""A name that ends like another format than an option writes is refused before any work."""

import click
import pytest

from mien.cli import cli
from tests.support.commands import mien


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
    ],
)
def test_a_name_of_another_format_is_refused_with_the_right_ending(words, message, tmp_path):
    result = mien(*words)
    assert result.exit_code == 1
    assert message in result.stderr
    assert "Traceback" not in result.stderr


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
