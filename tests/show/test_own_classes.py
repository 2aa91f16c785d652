"""What is drawn of classes that are not the paper's: colours, panels, rows, a timeline."""

from dataclasses import replace

import numpy as np
import pytest

from mien.faces.boxes import Box, Detection
from mien.labels import AFFECTNET, PAPER, LabelSet
from mien.recognize.results import Face, Picture, VideoFrame
from mien.show.annotate import annotate
from mien.show.film_rows import FilmRows, RowOptions, summary_header, summary_rows
from mien.show.panel import Panel, measure
from mien.show.style import COLOURS, Masks, colours_of
from mien.show.timeline import Timeline

OWN = LabelSet(("open", "asleep", "left"), colours=("#ff0000", "#00ff00", "#0000ff"))
BESIDE = LabelSet(("open", "asleep"), "resting")


def face(labels, values, neutral=0.0, side=200, track=None):
    points = np.array([[60, 70], [140, 70], [100, 110], [70, 150], [130, 150]], dtype=np.float32)
    detection = Detection(Box(20, 20, 20 + side, 20 + side), points, 0.9)
    crop, to_crop = np.zeros((64, 64, 3), dtype=np.uint8), np.eye(2, 3, dtype=np.float32)
    values = np.array(values, np.float32)
    return Face(detection, values, neutral, crop, to_crop, track=track, labels=labels)


def test_colours_are_those_of_the_set_or_of_the_name_or_lie_apart():
    assert colours_of(PAPER) == COLOURS
    assert [colours_of(OWN)[name] for name in OWN.names] == [
        (255, 0, 0), (0, 255, 0), (0, 0, 255),
    ]  # fmt: skip
    eight = colours_of(AFFECTNET)
    assert eight["fear"] == COLOURS["fear"]
    assert eight["neutral"] == COLOURS["neutral"]
    assert len({eight[name] for name in AFFECTNET.names}) == 8
    many = colours_of(LabelSet(tuple(f"c{n}" for n in range(40))))
    assert len({many[f"c{n}"] for n in range(40)}) == 40


def test_the_frame_of_a_face_has_the_colour_of_its_class():
    for number, colour in enumerate([(255, 0, 0), (0, 255, 0), (0, 0, 255)]):
        values = np.eye(3)[number] * 0.7 + 0.1
        rgb = np.full((260, 420, 3), 90, np.uint8)
        drawn = annotate(rgb, Picture("", 420, 260, (face(OWN, values),)), heatmap=False)
        zoom = drawn.shape[0] // 260
        assert tuple(drawn[120 * zoom, 20 * zoom + 1]) == colour


def bars(labels, values, neutral=0.0):
    """The length of each class's bar in a panel, in the order of the rows."""
    size = 20
    width, height = measure(size, False, labels)
    canvas = np.zeros((height, width, 3), np.uint8)
    Panel(size, False, labels, Masks()).draw(canvas, face(labels, values, neutral), 0, 0)
    found = []
    for name in labels.targets:
        colour = np.array(colours_of(labels)[name])
        found.append(int((np.abs(canvas.astype(int) - colour).sum(axis=2) < 40).any(axis=0).sum()))
    return found


def test_a_panel_has_a_bar_for_each_class_as_long_as_its_score():
    first, second, third = bars(OWN, [0.2, 0.5, 0.3])
    assert first / second == pytest.approx(0.4, abs=0.06)
    assert third / second == pytest.approx(0.6, abs=0.06)


def test_a_panel_is_as_high_as_there_are_classes_and_a_calm_one_lies_apart():
    heights = [measure(20, False, LabelSet(tuple(map(str, range(n)))))[1] for n in (1, 2, 3)]
    assert heights[2] - heights[1] == heights[1] - heights[0] == 28
    assert measure(20, False, BESIDE)[1] == heights[1] + 28 + 10
    most = LabelSet(tuple(f"class {n}" for n in range(100)))
    assert (
        measure(20, False, most)[1] == measure(20, False, replace(most, names=most.names[:12]))[1]
    )
    long = LabelSet(("w" * 60, "b"))
    assert measure(20, False, long)[0] < 2 * measure(20, False, PAPER)[0]


def test_of_many_classes_the_most_probable_have_bars():
    labels = LabelSet(tuple(f"c{n}" for n in range(20)))
    values = np.full(20, 0.01)
    values[[3, 17]] = 0.5, 0.32
    found = bars(labels, values)
    assert found[3] / found[17] == pytest.approx(0.5 / 0.32, rel=0.1)
    panel = Panel(20, False, labels, Masks())
    rows = panel._rows_of(face(labels, values))
    assert len(rows) == 12
    assert {"c3", "c17"} <= rows.keys()
    assert list(rows) == sorted(rows, key=lambda name: int(name[1:]))


def frames(labels, *scores, calm=0.0):
    rgb = np.zeros((300, 300, 3), np.uint8)
    for number, values in enumerate(scores):
        yield VideoFrame(number, number / 4, (face(labels, values, calm, track=1),), rgb)


def test_seconds_and_summaries_have_the_columns_of_the_classes():
    options = RowOptions(per_second=True, labels=BESIDE)
    rows = FilmRows(options)
    for frame in frames(BESIDE, [0.9, 0.1], [0.3, 0.7], calm=0.25):
        rows.add(frame)
    [row] = rows.finish()
    named = dict(zip(options.header, row, strict=True))
    found = [named[name] for name in ("label", "confidence", "resting", "open", "asleep")]
    assert found == ["open", 0.6, 0.25, 0.6, 0.4]
    timeline = Timeline()
    for frame in frames(BESIDE, [0.9, 0.1], [0.3, 0.7], [0.2, 0.8]):
        timeline.add(frame)
    summary = next(summary_rows("f", timeline.segments, BESIDE))
    shares = dict(zip(summary_header(BESIDE), summary, strict=True))
    assert [shares[f"share_{n}"] for n in ("open", "asleep", "resting", "uncertain")] == [
        pytest.approx(1 / 3, abs=1e-3), pytest.approx(2 / 3, abs=1e-3), 0, 0,
    ]  # fmt: skip


def test_a_timeline_has_a_curve_for_each_class():
    timeline = Timeline()
    for frame in frames(OWN, [0.2, 0.5, 0.3], [0.1, 0.1, 0.8]):
        timeline.add(frame)
    _, values = timeline.curve(1)
    np.testing.assert_allclose(values[:, :3], [[0.2, 0.5, 0.3], [0.1, 0.1, 0.8]], atol=1e-6)
    frame = timeline.to_frame("polars")
    assert frame.columns == ["track", "time_s", "open", "asleep", "score_left"]
    assert frame["asleep"].to_list() == pytest.approx([0.5, 0.1])


@pytest.mark.parametrize("labels", [OWN, BESIDE, LabelSet(tuple("abcdefghij"))])
def test_a_timeline_is_plotted_with_its_own_names(labels, tmp_path):
    pytest.importorskip("matplotlib")
    from mien.show.timeline_plot import draw_timeline

    timeline = Timeline()
    count = len(labels.names)
    for frame in frames(labels, *(np.eye(count)[n % count] for n in range(12)), calm=0.2):
        timeline.add(frame)
    draw_timeline(timeline, tmp_path / "t.svg")
    text = (tmp_path / "t.svg").read_text()
    for name in labels.targets:
        assert f"<!-- {name} -->" in text
    assert "more -->" not in text
    assert "<!-- happiness -->" not in text


def test_of_many_classes_the_legend_counts_those_that_no_band_shows(tmp_path):
    pytest.importorskip("matplotlib")
    from mien.show.timeline_plot import draw_timeline

    timeline, labels = Timeline(), LabelSet(tuple("abcdefghij"))
    for frame in frames(labels, *(np.eye(10)[n] for n in (0, 8, 0))):
        timeline.add(frame)
    draw_timeline(timeline, tmp_path / "t.svg")
    text = (tmp_path / "t.svg").read_text()
    assert [name for name in labels.names if f"<!-- {name} -->" in text] == [*"abcdefgi"]
    assert "<!-- and 2 more -->" in text
