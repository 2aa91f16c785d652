import re

import numpy as np
import pytest

pytest.importorskip("matplotlib")

from PIL import Image

from mien.labels import LABELS
from mien.show.plots import (
    class_bars,
    confusion_matrix,
    effects,
    faithfulness,
    history_curves,
    reliability_plot,
)
from tests.support.plot_words import drawn as figure_of

BLUE, VERMILION = (0, 114, 178), (213, 94, 0)  # training, held out


def rows(*losses_and_accuracies):
    names = ("train_loss", "held_loss", "held_accuracy")
    return [
        {"epoch": i, **dict(zip(names, values, strict=True))}
        for i, values in enumerate(losses_and_accuracies, start=1)
    ]


def drawn(history, path):
    """The picture's pixels, shape (H, W, 3)."""
    history_curves(history, path)
    with Image.open(path) as image:
        assert image.format == "PNG"
        return np.asarray(image.convert("RGB"))


def drawn_figure(monkeypatch, draw, folder):
    return figure_of(monkeypatch, draw, folder / "a.png")


def places(picture, colour):
    """Rows and columns of the pixels of about this colour."""
    return np.nonzero(np.abs(picture.astype(int) - colour).max(axis=2) < 40)


def test_losses_are_on_the_left_and_accuracy_on_the_right(tmp_path):
    picture = drawn(rows((2, 1.9, 0.2), (1, 1.2, 0.6), (0.5, 0.9, 0.8)), tmp_path / "a.png")
    height, width, _ = picture.shape
    assert (width, height) == (1080, 432)
    blue, vermilion = places(picture, BLUE)[1], places(picture, VERMILION)[1]
    assert blue.size > 200
    assert blue.max() < width / 2  # training accuracy is not known
    assert (vermilion < width / 2).sum() > 100
    assert (vermilion > width / 2).sum() > 100


def test_a_loss_that_falls_is_drawn_falling_and_an_accuracy_that_rises_rising(tmp_path):
    picture = drawn(rows((2, 2, 0.1), (1.5, 1.5, 0.4), (1, 1, 0.9)), tmp_path / "a.png")
    y, x = places(picture[100:], BLUE)  # below the legend
    assert np.corrcoef(x, y)[0, 1] > 0.9  # rows count downwards
    y, x = places(picture[:, 540:], VERMILION)
    assert np.corrcoef(x, y)[0, 1] < -0.9


def test_the_same_history_is_the_same_file_and_another_is_not(tmp_path):
    one, same = (drawn(rows((2, 2, 0.1), (1, 1, 0.9)), tmp_path / f"{n}.png") for n in (1, 2))
    other = drawn(rows((2, 2, 0.1), (1, 1.5, 0.9)), tmp_path / "3.png")
    np.testing.assert_array_equal(one, same)
    changed = np.nonzero((one != other).any(axis=2))[1]
    assert changed.size > 50
    assert changed.max() < 560  # held-out loss alone changed: the right panel is as it was


def test_a_single_epoch_can_be_seen(tmp_path):
    picture = drawn(rows((1, 2, 0.1)), tmp_path / "new" / "a.png")
    assert places(picture[60:], BLUE)[0].size > 10  # below the legend
    assert places(picture[:, 540:], VERMILION)[0].size > 10
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["a.png"]


def test_a_confusion_matrix_is_darker_where_more_were_called(tmp_path):
    counts = np.zeros((6, 6), dtype=int)
    np.fill_diagonal(counts, 10)
    counts[5] = [0, 10, 0, 0, 0, 0]  # fear is called surprise
    confusion_matrix(counts.tolist(), tmp_path / "c.png")
    with Image.open(tmp_path / "c.png") as image:
        picture = np.asarray(image.convert("RGB")).astype(int)
    dark = np.argwhere((picture[..., 2] - picture[..., 0] > 60) & (picture[..., 0] < 40))
    left, right = picture.shape[1] * 0.15, picture.shape[1] * 0.8
    field = dark[(dark[:, 1] > left) & (dark[:, 1] < right)]
    lowest = field[field[:, 0] > np.quantile(field[:, 0], 0.95)]  # the row of fear
    first = field[field[:, 0] < np.quantile(field[:, 0], 0.05)]  # the row of happiness
    assert first[:, 1].mean() < lowest[:, 1].mean()  # surprise is right of happiness
    assert lowest[:, 1].mean() < field[:, 1].mean()  # and left of the middle


def test_a_reliability_plot_lies_where_the_bins_are(tmp_path):
    places_of = {}
    for name, accuracy in (("low", 0.1), ("high", 0.9)):
        reliability_plot([(0.5, accuracy, 1.0)], tmp_path / f"{name}.png")
        with Image.open(tmp_path / f"{name}.png") as image:
            blue = places(np.asarray(image.convert("RGB")), BLUE)
            upper = blue[0][(blue[0] < image.height * 0.7) & (blue[1] > image.width * 0.45)]
            places_of[name] = upper.mean()
    assert places_of["low"] > places_of["high"] + 100  # pixels count from the top


def test_the_bars_below_are_the_shares_of_the_pictures_in_percent(monkeypatch, tmp_path):
    bins = [(0.4, 0.3, 0.25), (0.9, 0.8, 0.75)]
    figure = drawn_figure(monkeypatch, lambda path: reliability_plot(bins, path), tmp_path)
    bars = figure.axes[1].patches
    assert [bar.get_height() for bar in bars] == [25, 75]
    assert [bar.get_center()[0] for bar in bars] == pytest.approx([0.4, 0.9])


def test_each_number_of_a_confusion_matrix_stands_in_its_row_and_column(monkeypatch, tmp_path):
    counts = [[3, 1], [0, 4]]
    figure = drawn_figure(
        monkeypatch, lambda path: confusion_matrix(counts, path, ("open", "shut")), tmp_path
    )
    said = {text.get_position(): text.get_text() for text in figure.axes[0].texts}
    # x is the column, what it was called; y is the row, what it is labelled
    assert said == {(0, 0): "3\n75%", (1, 0): "1\n25%", (0, 1): "0", (1, 1): "4\n100%"}


def test_the_line_of_a_setting_goes_through_the_means(monkeypatch, tmp_path):
    points = [({"rate": 0.1}, 0.2), ({"rate": 0.1}, 0.6), ({"rate": 0.2}, 0.9)]
    figure = drawn_figure(monkeypatch, lambda path: effects(points, path), tmp_path)
    [line] = [one for one in figure.axes[0].lines if one.get_label() == "mean of the runs"]
    assert line.get_ydata() == pytest.approx([40, 90])


def test_a_metric_has_its_95_percent_interval_and_the_line_of_the_best_control(
    monkeypatch, tmp_path
):
    names = ("insertion", "deletion", "road", "drop", "increase")
    record = {
        **{"name": "a", "pictures": 9, "source": "made", "split": "test"},
        "mean": {name: dict.fromkeys(names, 0.5) for name in ("cam", "random")},
        "error": {name: dict.fromkeys(names, 0.1) for name in ("cam", "random")},
        "against": {"cam": {}},
    }
    record["mean"]["gaussian"] = dict.fromkeys(names, 0.4)
    record["error"]["gaussian"] = dict.fromkeys(names, 0.0)
    better = dict.fromkeys(names, 1) | {"deletion": -1}
    figure = drawn_figure(monkeypatch, lambda path: faithfulness(record, better, path), tmp_path)
    best = [[line for line in axes.lines if line.get_ls() == ":"] for axes in figure.axes]
    assert [line.get_xdata()[0] for [line] in best] == [0.5, 0.4, 0.5, 0.5, 0.5]  # of controls
    for mark in figure.axes[0].containers:
        [[(low, _), (high, _)]] = mark[2][0].get_segments()
        assert low == high == 0.4 or (low, high) == pytest.approx(
            (0.5 - 0.196, 0.5 + 0.196), abs=1e-4
        )


def test_the_effect_of_a_setting_rises_with_its_values(tmp_path):
    points = [({"rate": r, "batch": b}, r * 4) for r in (0.1, 0.2) for b in (8, 16)]
    effects(points, tmp_path / "e.png")
    with Image.open(tmp_path / "e.png") as image:
        picture = np.asarray(image.convert("RGB"))[60:]  # below the legend
    rows_, columns = places(picture, VERMILION)
    middle = picture.shape[1] / 2
    rate = columns < middle
    assert np.corrcoef(columns[rate], rows_[rate])[0, 1] < -0.9  # up, to the right
    assert rows_[~rate].std() < 5  # the batch has no effect: a level line


def words_of(svg):
    """Each text of a plot, with how far below the upper edge it begins, in points."""
    found = re.findall(r"<!-- (.+?) -->\s*<g [^>]*translate\(\S+ (\S+)\)", svg.read_text())
    return [(text, float(y)) for text, y in found]


def test_a_single_epoch_has_one_tick(tmp_path):
    history_curves(rows((1, 2, 0.1)), tmp_path / "h.svg")
    lowest = max(y for text, y in words_of(tmp_path / "h.svg") if text == "1")
    ticks = [text for text, y in words_of(tmp_path / "h.svg") if abs(y - lowest) < 1]
    assert ticks == ["1", "1"]  # one below each panel


def test_axes_do_not_make_much_of_little(monkeypatch, tmp_path):
    def scales(history):
        figure = drawn_figure(monkeypatch, lambda path: history_curves(history, path), tmp_path)
        return [axes.get_ylim() for axes in figure.axes]

    (low, high), accuracy = scales(rows((1.8, 1.7, 0.35)))
    assert (low, accuracy) == (0, (0, 100))  # of one epoch there is no range to show
    assert high > 1.9  # above the dot
    _, (low, high) = scales(rows((1, 1, 0.728), (0.9, 0.9, 0.741)))
    assert high - low == pytest.approx(5)  # percent, and not the 1.3 between the two
    assert (low + high) / 2 == pytest.approx(73.45)
    _, (low, high) = scales(rows((1, 1, 0.3), (0.9, 0.9, 0.7)))
    assert high - low == pytest.approx(40 * 1.1)
    unmeasured = scales(rows((1, 0, 0)))
    assert unmeasured[1] == (0, 100)


def test_the_dots_of_a_value_have_no_slope_and_lie_apart(monkeypatch, tmp_path):
    accuracies = np.linspace(0.4, 0.8, 24)
    points = [({"rate": 0.1}, accuracy) for accuracy in accuracies]
    points += [({"rate": 0.2}, 0.5)]
    figure = drawn_figure(monkeypatch, lambda path: effects(points, path), tmp_path)
    many, single, _ = figure.axes[0].lines
    x, y = many.get_data()
    np.testing.assert_allclose(y, 100 * accuracies)
    assert abs(np.corrcoef(x, y)[0, 1]) < 0.2  # a rising row would pass for a trend
    assert np.abs(x).max() <= 0.15
    assert np.diff(np.sort(x)).min() > 0.005
    assert single.get_xdata().tolist() == [1]  # alone it stands above its value


def test_effects_are_at_most_four_side_by_side(monkeypatch, tmp_path):
    points = [({f"setting {i}": n for i in range(6)}, n / 9) for n in (1, 2)]
    figure = drawn_figure(monkeypatch, lambda path: effects(points, path), tmp_path)
    assert [axes.get_xlabel() for axes in figure.axes] == [f"setting {i}" for i in range(6)]
    tops = [round(axes.get_position().y1, 2) for axes in figure.axes]
    assert tops.count(tops[0]) == 4
    assert tops.count(tops[4]) == 2


def test_a_confusion_of_nothing_is_a_pale_nought(monkeypatch, tmp_path):
    counts = (7 * np.eye(6, dtype=int)).tolist()
    figure = drawn_figure(monkeypatch, lambda path: confusion_matrix(counts, path), tmp_path)
    said = [text.get_text() for text in figure.axes[0].texts]
    assert said[:7] == ["7\n100%", *["0"] * 6]
    assert said.count("0") == 30


def test_the_legend_of_counts_lies_below_the_bars_and_their_numbers(tmp_path):
    train, test = (dict(zip(LABELS, n, strict=True)) for n in ([9] * 6, [1, 2, 3, 4, 5, 6]))
    counts = [("rafdb", "train", train), ("rafdb", "test", test)]
    class_bars(counts, tmp_path / "c.svg")
    places = dict(words_of(tmp_path / "c.svg"))
    assert places["train 54"] == pytest.approx(places["test 21"])
    assert places["train 54"] > places["happiness"] + 10


def test_the_plot_of_effects_says_what_dots_and_line_are(tmp_path):
    points = [({"lr": lr}, 0.5 + lr) for lr in (0.1, 0.2)]
    effects(points, tmp_path / "e.svg")
    named = [text for text, _ in words_of(tmp_path / "e.svg")]
    assert (named.count("one run"), named.count("mean of the runs")) == (1, 1)
