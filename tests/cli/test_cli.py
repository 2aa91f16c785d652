import io
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import click
import numpy as np
import pytest
from PIL import Image

import mien as package
from mien.cli import _shared, cli
from mien.errors import MienError
from mien.labels import LabelSet
from mien.recognize.model import SHIPPED, read_card
from tests.support.commands import mien
from tests.support.onnx_files import three_classes

COMMANDS = cli.list_commands(click.Context(cli))
WEIGHT = {"torch", "onnxruntime", "cv2", "numpy", "PIL", "onnx", "matplotlib"}


def modules_after(*lines):
    """The names of all modules that a fresh Python holds after these lines."""
    report = "print('modules:', *sys.modules)"
    code = "\n".join(["import sys", *lines, report])
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment
    )
    return set(done.stdout.rpartition("modules:")[2].split())


@pytest.mark.parametrize("name", COMMANDS)
def test_the_help_of_every_command_ends_with_an_example_of_it(name):
    result = mien(name, "--help")
    assert result.exit_code == 0
    *_, last = result.stdout.rstrip().split("\n\n")
    assert last.split()[:3] == ["Example:", "mien", name]


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_of_the_list_exists_under_its_name(name):
    command = cli.get_command(click.Context(cli), name)
    assert command.name == name
    asked_twice = cli.get_command(click.Context(cli), name)
    assert asked_twice.epilog.startswith("Example: ")


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_of_a_command_is_explained_or_has_a_default_to_show(name):
    command = cli.get_command(click.Context(cli), name)
    params = command.get_params(click.Context(command))
    options = [
        param for param in params if isinstance(param, click.Option) and param.name != "help"
    ]
    assert [o.name for o in options if not (o.help or o.show_default)] == []


def test_the_documented_commands_are_there():
    users = {"predict", "scores", "demo", "models"}
    assert set(COMMANDS) >= users | {"prepare", "train", "evaluate", "export"}


def test_the_help_ends_with_an_example():
    for result in (mien("--help"), mien("-h")):
        assert result.stdout.splitlines()[-1].startswith("  Example: mien predict ")


def test_the_version_is_the_packages():
    assert mien("--version").stdout == f"mien, version {package.__version__}\n"


@pytest.mark.parametrize(
    "words",
    [
        ["predickt"],
        ["--colour"],
        ["models", "cnn15", "all"],
        ["predict"],
        ["scores"],
        ["frames", "a.mp4", "--out", "x", "--per-second", "nan"],
        ["prepare", "folder", "x", "--out", "y", "--valid", "nan"],
        ["serve", "--timeout", "nan"],
    ],
)
def test_wrong_usage_exits_with_two(words):
    result = mien(*words)
    assert (result.exit_code, result.stdout) == (2, "")
    assert "Usage: mien" in result.stderr


def test_importing_and_help_load_nothing_heavy():
    asked = "mien.cli.cli(['--help'], standalone_mode=False)"
    loaded = modules_after("import mien, mien.cli", asked)
    assert "mien.cli.predict" in loaded
    assert loaded & WEIGHT == set()


def test_predict_runs_without_torch(tmp_path):
    picture = Path(package.__file__).parent / "pictures" / "eileen_collins.jpg"
    words = ["predict", str(picture), "--out", str(tmp_path), "--threads", "1"]
    loaded = modules_after("from mien.cli import cli", f"cli({words}, standalone_mode=False)")
    assert (tmp_path / "eileen_collins.jpg").is_file()
    assert loaded & WEIGHT == {"onnxruntime", "cv2", "numpy", "PIL"}


def test_an_attribute_that_does_not_exist_is_an_attribute_error():
    with pytest.raises(AttributeError, match="module 'mien' has no attribute 'Recogniser'"):
        _ = package.Recogniser


def test_demo_writes_the_annotated_portrait_and_says_where(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    result = mien("demo")
    path = tmp_path / "mien-demo.png"
    assert result.exit_code == 0
    assert result.stdout.startswith("eileen_collins.jpg  512x512  1 face\n  0  ")
    assert result.stdout.endswith(f"wrote {path}\n")
    plain = np.asarray(Image.open(Path(package.__file__).parent / "pictures/eileen_collins.jpg"))
    drawn = np.asarray(Image.open(path))
    assert drawn.shape == plain.shape
    changed = (drawn != plain).any(axis=2)
    assert changed[80:160, 195:250].any()  # the heat map, on the face
    assert not changed[450:, 450:].any()  # far from it nothing


def test_demo_writes_where_it_is_told(tmp_path):
    assert mien("demo", "--out", tmp_path / "a" / "b.jpg").exit_code == 0
    with Image.open(tmp_path / "a" / "b.jpg") as image:
        assert (image.format, image.size) == ("JPEG", (512, 512))


def test_models_names_the_shipped_one_with_its_size_and_licence():
    result = mien("models")
    data = SHIPPED.read_bytes()
    card = json.JSONDecoder().raw_decode(data[data.index(b'{"format"') :].decode("latin1"))[0]
    assert result.exit_code == 0
    first = result.stdout.splitlines()[0]
    assert first.startswith(f"{card['name']}  {card['parameters']:,} parameters, ")
    assert f"{card['multiply_adds']:,} multiply-adds" in first
    assert first.endswith(f"{len(data) / 1e6:.1f} MB")
    assert card["licence"] in result.stdout
    for name, figures in card["metrics"].items():
        assert f"{name}: accuracy {100 * figures['accuracy']:.1f}%" in result.stdout


def test_models_says_what_a_model_began_with_and_who_made_that(monkeypatch):
    start = {"name": "faces", "source": "somebody, 3 million faces", "licence": "public domain"}
    card = read_card(SHIPPED)
    card["data"]["start"] = start
    monkeypatch.setattr("mien.recognize.model.read_card", lambda _path: card)
    said = "  begins with faces: somebody, 3 million faces; public domain"
    assert said in mien("models").stdout.splitlines()


def test_models_shows_a_file_of_ones_own(tmp_path):
    figures = {"accuracy": 0.875, "mean_recall": 0.75, "pictures": 1600}
    metrics = {"own-test": figures, "broken": figures | {"accuracy": "good"}, "empty": {}}
    labels = LabelSet(("yes", "no", "perhaps"), calm="neither")
    start = {"name": "faces", "licence": "free", "source": "here\x1b[31m"}
    more = {"metrics": metrics, "licence": "CC0", "parameters": 9, "data": {"start": start}}
    path = three_classes(tmp_path / "own.onnx", labels, **more)
    result = mien("models", path)
    size = f"{path.stat().st_size / 1e6:.1f} MB"
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout.splitlines() == [
        f"own  9 parameters, 0 multiply-adds a crop, {size}",
        "  classes: yes, no, perhaps, and neither",
        "  own-test: accuracy 87.5%, mean recall 75.0% on 1,600 pictures",
        "  begins with faces: here\\x1b[31m; free",
        "  CC0",
        f"  {path}",
    ]
    assert mien("models", path, "--plot", tmp_path / "a.svg").exit_code == 2


def test_models_names_those_that_answer_together(tmp_path):
    members = [{"name": name, "licence": "free", "data": {}} for name in ("tiny", "other")]
    path = three_classes(tmp_path / "own.onnx", LabelSet(("a", "b", "c")), members=members)
    told = [line for line in mien("models", path).stdout.splitlines() if "together" in line]
    assert told == ["  answers together with tiny", "  answers together with other"]


def test_models_without_torch_says_what_the_list_of_networks_needs(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda _name: None)
    result = mien("models")
    assert (result.exit_code, "networks" in result.stdout) == (0, False)
    assert 'need torch: pip install "mien[train]"' in result.stderr


def test_models_lists_every_model_in_the_package():
    names = [line.split()[0] for line in mien("models").stdout.splitlines() if line[0] != " "]
    assert names == ["miennet"]


def test_models_counts_as_many_parameters_as_the_file_holds():
    onnx = pytest.importorskip("onnx")
    weights = onnx.load(SHIPPED).graph.initializer
    stored = sum(int(np.prod(w.dims)) for w in weights if not w.name.startswith("occlusion."))
    said = int(mien("models").stdout.split()[1].replace(",", ""))
    # the exporter folds normalisations (a scale and a shift a channel) into the convolutions
    assert stored == pytest.approx(said, rel=0.02)


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.mark.parametrize(
    ("stream", "count", "shown"),
    [(Terminal, 3, True), (io.StringIO, 3, False), (Terminal, 1, False)],
    ids=["terminal", "pipe", "one item"],
)
def test_a_bar_is_shown_on_a_terminal_and_the_items_come_through(monkeypatch, stream, count, shown):
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr(sys, "stderr", stream())
    monkeypatch.setattr(sys, "stdout", io.StringIO())
    assert list(_shared.bar(iter(range(count)), count, "reading")) == list(range(count))
    assert ("reading" in sys.stderr.getvalue()) is shown
    assert sys.stdout.getvalue() == ""


@pytest.mark.parametrize(("given", "kept"), [(None, "1"), ("0", "0")])
def test_importing_switches_off_the_reports_of_onnxruntime_unless_somebody_chose(given, kept):
    environment = {k: v for k, v in os.environ.items() if k != "ORT_DISABLE_TELEMETRY"}
    environment |= {} if given is None else {"ORT_DISABLE_TELEMETRY": given}
    code = "import mien, os; print(os.environ['ORT_DISABLE_TELEMETRY'])"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment
    )
    assert done.stdout.strip() == kept


def test_a_bar_shows_position_rate_and_nothing_where_it_is_piped(monkeypatch):
    for stream, kind, shown in (
        (Terminal(), "xterm", True),
        (Terminal(), "dumb", False),  # it would show the codes that draw a bar
        (io.StringIO(), "xterm", False),
    ):
        monkeypatch.setattr(sys, "stderr", stream)
        monkeypatch.setenv("TERM", kind)
        assert list(_shared.bar(range(3), 3, rate=True)) == [0, 1, 2]
        assert bool(re.search(r"3/3 .*[0-9.]+ a second", stream.getvalue())) is shown


@pytest.mark.parametrize("columns", [48, 60, 80, 200])
def test_a_bar_is_no_wider_than_its_terminal(monkeypatch, columns):
    screen = Terminal()
    monkeypatch.setattr(sys, "stderr", screen)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", str(columns))
    list(_shared.bar(range(30), 30, "looking", rate=True))
    shown = [line.rstrip() for line in re.split(r"\r\x1b\[\?25l", screen.getvalue())]
    assert 20 < max(map(len, shown)) <= columns


@pytest.mark.parametrize("name", COMMANDS)
def test_an_empty_path_is_refused_by_every_argument_and_option(name):
    command = cli.get_command(click.Context(cli), name)
    context = click.Context(command)
    for param in command.params:
        if isinstance(param.type, click.Path):
            with pytest.raises(MienError, match="an empty path was given"):
                param.type.convert("", param, context)


def test_an_empty_folder_of_prepare_and_audit_is_not_this_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.txt").write_text("x")
    for words in (
        ["audit", ""],
        ["stats", ""],
        ["prepare", "folder", ""],
        ["prepare", "folder", ".", "--out", ""],
    ):
        result = mien(*words)
        assert (result.exit_code, result.stdout) == (2, "")
        assert result.stderr.startswith("mien: an empty path was given\n  try: ")
