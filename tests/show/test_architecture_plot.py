"""The plot of an architecture, of every network: everything is there, and nothing overlaps."""

from itertools import combinations

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("matplotlib")

from matplotlib.figure import Figure
from PIL import Image

from mien.errors import OutputError
from mien.models import zoo
from mien.models.trace import architecture
from mien.show.architecture_plot import plot_architecture
from tests.support.commands import mien

pytestmark = pytest.mark.torch


def drawn(monkeypatch, found, path):
    """The figure as it is before it is written."""
    kept = []
    monkeypatch.setattr(Figure, "savefig", lambda self, file, **_: kept.append(self))
    plot_architecture(found, path)
    kept[0].canvas.draw()
    return kept[0]


def widest_blank(figure):
    """The highest stripe, in inches, in which nothing is drawn but lines from top to bottom."""
    dark = (np.asarray(figure.canvas.buffer_rgba())[..., :3] < 200).any(axis=2).sum(axis=1) > 8
    filled = np.flatnonzero(dark)
    return np.diff(filled).max() / figure.dpi


@pytest.mark.parametrize("name", zoo.MODELS)
def test_the_plot_of_every_network_is_legible_and_shows_every_layer(name, monkeypatch, tmp_path):
    found = architecture(name)
    figure = drawn(monkeypatch, found, tmp_path / "a.svg")
    texts = [text for axes in figure.axes for text in axes.texts if text.get_text()]
    said = [text.get_text() for text in texts]
    for layer in found.layers:
        assert layer.size in said
        assert set(layer.words) <= set(said)
    assert f"{found.parameters:,} parameters" in said[1]
    assert min(text.get_fontsize() for text in texts) >= 8
    boxes = [text.get_window_extent() for text in texts]
    width, height = figure.get_size_inches() * figure.dpi
    for text, box in zip(said, boxes, strict=True):
        assert box.x0 >= 0, text
        assert box.y0 >= 0, text
        assert box.x1 <= width, text
        assert box.y1 <= height, text
    for (a, one), (b, other) in combinations(zip(said, boxes, strict=True), 2):
        apart = one.x1 <= other.x0 or other.x1 <= one.x0 or one.y1 <= other.y0 or other.y1 <= one.y0
        assert apart, (a, b)
    for line in (line for axes in figure.axes for line in axes.lines):
        path = line.get_transform().transform_path(line.get_path())
        for text, box in zip(said, boxes, strict=True):
            assert not path.intersects_bbox(box, filled=False), text
    assert max(figure.get_size_inches()) < 14  # a page, not a poster
    assert widest_blank(figure) < 0.75  # inches, from one line or solid to the next


def test_a_solid_is_as_thick_as_it_has_channels_and_as_high_as_it_is_large(monkeypatch, tmp_path):
    figure = drawn(monkeypatch, architecture("cnn15"), tmp_path / "a.svg")
    faces = [patch.get_path().vertices for patch in figure.axes[0].patches]
    fronts = [face for face in faces if len({round(y, 6) for y in face[:, 1]}) == 2][::2]
    wide = [np.ptp(face[:, 0]) for face in fronts]
    high = [np.ptp(face[:, 1]) for face in fronts]
    # input 3 x 64x64, first convolution 64 x 64x64, its pooling 64 x 32x32
    first, second, third = [i for i in range(len(fronts)) if high[i] > 0.5][:3]
    assert high[first] == pytest.approx(high[second])
    assert wide[first] < wide[second]
    assert high[third] < high[second]
    assert wide[third] == pytest.approx(wide[second])


def test_the_command_prints_the_layers_and_writes_each_format(tmp_path):
    result = mien("models", "cnn13", "--plot", tmp_path / "a.png")
    assert result.exit_code == 0, result.stderr
    head, source, _, header, first, *_ = result.stdout.splitlines()
    assert head.startswith("cnn13: 2,606,086 parameters, ")
    assert "arXiv:2402.15662, 13 layers" in source
    assert header.split() == [
        "layer",
        "what",
        "it",
        "does",
        "output",
        "parameters",
        "multiply-adds",
    ]
    assert "3x3 conv, batch norm, ReLU" in first
    with Image.open(tmp_path / "a.png") as image:
        assert image.size[0] > 1000
    for suffix in ("svg", "pdf"):
        assert mien("models", "cnn13", "--plot", tmp_path / f"a.{suffix}").exit_code == 0
    assert (tmp_path / "a.svg").read_text().count("<path") > 100
    assert (tmp_path / "a.pdf").read_bytes().startswith(b"%PDF")


def test_a_name_or_a_format_that_does_not_exist_is_refused_before_drawing(tmp_path):
    assert "try: use cnn15" in mien("models", "cnn-15").stderr
    result = mien("models", "cnn15", "--plot", tmp_path / "a.bmp")
    assert result.exit_code == 2
    assert "end the name in .png" in result.stderr
    assert mien("models", "--plot", tmp_path / "a.svg").exit_code == 2
    with pytest.raises(OutputError, match=r"no plot format ends in '\.gif'"):
        plot_architecture(architecture("cnn13"), tmp_path / "a.gif")


def test_models_lists_every_network_with_its_numbers():
    lines = [line for line in mien("models").stdout.splitlines() if line.startswith("    ")]
    rows = {line.split()[0]: line.split()[1:5] for line in lines[1:]}
    assert list(rows) == list(zoo.MODELS) == list(zoo.SOURCES)
    assert rows["cnn15"][0] == "10,478,086"
    assert rows["resnet34"][2:] == ["34", "64x64"]
    assert rows["dlib14"][3] == "150x150"


def test_without_torch_models_lists_what_ships_and_says_what_the_rest_needs(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    result = mien("models")
    assert result.exit_code == 0
    assert result.stdout.startswith("miennet  ")
    assert 'pip install "mien[train]"' in result.stderr
    assert "networks that" not in result.stdout
