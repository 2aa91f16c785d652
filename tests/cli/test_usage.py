"""Exit codes: 2 for what is wrong in the command line itself, 1 for what cannot be done."""

import click
import pytest

from mien.cli import cli
from tests.support.commands import mien
from tests.support.pictures import encode, folder_of, texture

UNKNOWN = [
    "predict a.jpg --model miennett",
    "predict a.jpg --out o --lang deu",
    "scores in --model miennett",
    "video a.mp4 --out b.mp4 --lang deu",
    "explain a.jpg --method gradcam",
    "explain a.jpg --lang deu",
    "page --out b.html --model miennett",
    "demo --lang deu",
    "models cnn-15",
    "prepare rafbd in",
    "evaluate miennett in",
    "evaluate shipped in --split holdout",
    "regions miennett in",
    "regions shipped in --split holdout",
    "faithful shipped in --method gradcam",
    "faithful shipped in --split holdout",
    "train minet",
    "search minet",
    "augment in minet",
    "show-augmentation minet",
    "export in --with miennett",
    "reproduce --only cnn-15",
    "serve --model miennett --port 0",
    "recipes minet",
]
VALUES = [
    "predict a.jpg --csv b.xlsx",
    "predict a.jpg --workers -1",
    "predict s3://bucket/in",
    "scores in --out b.json",
    "video a.mp4 --out b.avi",
    "video https://example.org/a.mp4",
    "frames a.mp4 --out o --every 0",
    "explain a.jpg --out b.bmp",
    "page --out -",
    "demo --out b.pdf",
    "models cnn15 --plot b.gif",
    "prepare folder in --out b.csv",
    "prepare folder in --classes one",
    "prepare folder in --labels ''",
    "audit in --html b.csv",
    "stats in --plot b.gif",
    "augment in minet --copies 0",
    "show-augmentation miennet --out b.svg",
    "train miennet --seed -1",
    "search paper-grid --limit 1",
    "reproduce --table 5",
    "evaluate shipped in --out b.json",
    "export in --out -",
    "regions shipped in --out b.csv",
    "faithful shipped in --pictures 1",
    "serve --host 0.0.0.0 --port 0",
    "serve --allow-origin example --port 0",
    "recipes miennet --out b.json",
    "search paper-grid --ray ''",
    "predict in --ray '' --out o",
]
TOGETHER = [
    "predict a.jpg --json --csv -",
    "predict a.jpg --csv b --parquet b",
    "predict in --out-file b.json",
    "predict in --out in",
    "scores in --resume --out -",
    "video in/a.png --csv b --json b",
    "video a.mp4 --per-second --measured",
    "video a.mp4 --csv b --landmarks",
    "video a.mp4 --json b --per-second",
    "video a.mp4 --segments b --all-frames",
    "video a.mp4 --summary b --measured",
    "video a.mp4 --out b.mp4 --probabilities",
    "frames a.mp4 --out o --parquet o",
    "explain a.jpg b.jpg --out c.png",
    "explain a.jpg --activations --method grad-cam",
    "explain a.jpg --activations --class fear",
    "page o --out o",
    "models --plot b.svg",
    "prepare folder in --out in",
    "prepare rafdb in --soft",
    "prepare fer2013 in --labels votes.csv",
    "audit in --out b --json b",
    "stats in --csv b --markdown b",
    "augment in minet --out in",
    "search paper-grid --out o --parquet o",
    "reproduce --table 3 --only rafdb",
    "reproduce --table 3 --epochs 2",
    "reproduce --table 3 --limit 12",
    "reproduce --table 4 --protocol leak-free",
    "reproduce --table 2 --seeds 1",
    "export in --out in/best.safetensors",
    "export in --with b.onnx --out b.onnx",
    "export in --metrics a/c.json --metrics b/c.json",
    "evaluate shipped in --report",
    "regions shipped in --csv - --json -",
    "faithful shipped in --shuffled in",
    "recipes --out b.toml",
]
NOT_THERE = [
    "predict gone.jpg",
    "predict in --model gone.onnx",
    "predict in --out o --font gone.ttf",
    "scores gone",
    "video gone.mp4",
    "frames gone.mp4 --out o",
    "explain gone.jpg",
    "page --out b.html --model gone.onnx",
    "prepare rafdb gone.zip",
    "prepare folder in --labels gone.csv",
    "audit gone",
    "stats gone",
    "augment gone miennet",
    "show-augmentation gone.toml",
    "train gone.toml",
    "train wrong.toml",
    "search gone.toml",
    "search wrong.toml",
    "reproduce --table 3 --data gone",
    "evaluate gone.onnx in",
    "evaluate shipped gone",
    "export gone",
    "models gone.onnx",
    "regions shipped gone",
    "faithful shipped gone",
    "serve --model gone.onnx --port 0",
    "predict in --csv in/a.png/t.csv",
    "demo --out in/a.png/b.png",
    "recipes miennet --out in/a.png/b.toml",
]
FEW = {"doctor"}  # it reads no file that is named


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A folder with one picture in it, and a file of settings with a misspelt name."""
    monkeypatch.chdir(tmp_path)
    return folder_of(
        tmp_path, {"in/a.png": encode(texture(1), "PNG"), "wrong.toml": b"epoch = 3\n"}
    )


def run(line):
    return mien(*(word.strip("'") for word in line.split()))


@pytest.mark.parametrize("line", [*UNKNOWN, *VALUES, *TOGETHER])
def test_what_is_wrong_in_the_command_line_is_exit_code_2_and_nothing_is_written(here, line):
    if line.split()[0] in {"train", "search", "augment", "show-augmentation", "export", "models"}:
        pytest.importorskip("torch")
    result = run(line)
    assert (result.exit_code, result.stdout) == (2, ""), result.stderr
    assert "\n  try: " in result.stderr or "Usage: mien " in result.stderr
    assert sorted(path.name for path in here.rglob("*")) == ["a.png", "in", "wrong.toml"]


@pytest.mark.parametrize("line", NOT_THERE)
def test_what_is_not_there_or_cannot_be_read_or_written_is_exit_code_1(here, line):
    result = run(line)
    assert result.exit_code == 1, result.stderr
    assert result.stderr.count("\n  try: ") == 1


@pytest.mark.parametrize("lines", [UNKNOWN + VALUES, TOGETHER + VALUES, NOT_THERE])
def test_every_command_is_tried(lines):
    tried = {line.split()[0] for line in lines}
    assert set(cli.list_commands(click.Context(cli))) - tried <= FEW
