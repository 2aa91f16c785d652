"""The timeline of a video, from frames made by hand."""

import csv
import sys
from types import SimpleNamespace

import cv2
import numpy as np
import pytest
from PIL import Image

from mien.errors import MissingExtraError
from mien.labels import LABELS, NEUTRAL, PAPER
from mien.show import timeline, timeline_plot
from mien.show.style import COLOURS
from mien.show.timeline import Timeline
from mien.show.timeline_plot import draw_timeline
from tests.support.plot_words import drawn


def face(track, label="happiness", confidence=0.6, shade=0):
    values = np.full(6, (1 - confidence) / 5, dtype=np.float32)
    calm = label == NEUTRAL
    values[0 if calm else LABELS.index(label)] = confidence
    neutral = confidence if calm else 0.1
    crop = np.full((64, 64, 3), shade, dtype=np.uint8)
    return SimpleNamespace(
        track=track, label=label, confidence=confidence, neutral=neutral, values=values, crop=crop,
        labels=PAPER, probability=neutral if calm else confidence * (1 - neutral),
    )  # fmt: skip


def filled(frames):
    """`frames`: pairs of time and faces."""
    made = Timeline()
    for number, (time_s, faces) in enumerate(frames):
        made.add(SimpleNamespace(time_s=time_s, number=number, faces=faces))
    return made


def rows(made):
    return [segment.row() for segment in made.segments]


def test_a_segment_lasts_until_the_next_frame_and_has_the_mean_confidence():
    made = filled([
        (0.0, [face(0, "sadness", 0.5)]),
        (0.1, [face(0, "sadness", 0.6)]),
        (0.3, [face(0, "sadness", 0.7)]),
        (0.4, [face(0, "fear", 0.8)]),
        (0.5, [face(0, "fear", 0.9)]),
    ])
    # the last frame is taken to be shown as long as the one before it
    assert rows(made) == [[0, "sadness", 0.0, 0.4, 0.6], [0, "fear", 0.4, 0.6, 0.85]]


def test_a_face_that_goes_and_comes_back_has_two_segments():
    made = filled([(0, [face(2)]), (1, []), (2, [face(2)]), (3, [])])
    assert rows(made) == [[2, "happiness", 0, 1, 0.6], [2, "happiness", 2, 3, 0.6]]


def test_tracks_have_segments_of_their_own_and_faces_without_a_track_none():
    made = filled([(t, [face(0), face(1, "anger"), face(None)]) for t in (0, 1)])
    assert rows(made) == [[0, "happiness", 0, 2, 0.6], [1, "anger", 0, 2, 0.6]]
    assert made.tracks == 2


def test_segments_as_csv(tmp_path):
    made = filled([(0, [face(3, "disgust", 0.5)]), (0.25, [])])
    made.write_segments(str(tmp_path / "s.csv"))  # a path or its text
    with (tmp_path / "s.csv").open(newline="") as file:
        assert list(csv.reader(file)) == [
            ["track", "label", "start_s", "end_s", "confidence"],
            ["3", "disgust", "0.0", "0.25", "0.5"],
        ]


def test_a_video_without_faces_has_a_header_and_a_plot(tmp_path):
    made = filled([(0, []), (1, [])])
    made.write_segments(tmp_path / "s.csv")
    assert (tmp_path / "s.csv").read_text() == "track,label,start_s,end_s,confidence\n"
    draw_timeline(made, tmp_path / "p.png")
    assert colours_of(tmp_path / "p.png")[1][1] == 1440


def test_a_curve_is_the_mean_in_each_bin():
    made = filled([
        (0.000, [face(0, "happiness", 0.5)]),
        (0.010, [face(0, "happiness", 0.7)]),
        (0.050, [face(0, NEUTRAL, 0.9)]),
    ])
    times, values = made.curve(0)  # bins of 0.04 s
    np.testing.assert_allclose(times, [0.02, 0.06])
    np.testing.assert_allclose(values[0], [0.6, *[0.08] * 5, 0.1], atol=1e-6)
    np.testing.assert_allclose(values[1], [0.9, *[0.02] * 5, 0.9], atol=1e-6)


def test_frames_on_the_edges_of_bins_fall_into_one_each():
    made = filled([(i / 25, [face(0)]) for i in range(1000)])
    assert len(made.curve(0)[0]) == 1000


def test_peaks_are_the_surest_frames_of_each_label():
    confidences = [0.5, 0.9, 0.7]
    made = filled([(t, [face(0, "fear", c, shade=t)]) for t, c in enumerate(confidences)])
    made.add(SimpleNamespace(time_s=3, number=3, faces=[face(0, NEUTRAL, 0.6, shade=30)]))
    [fear, calm] = made.peaks(0)
    assert (fear.label, fear.time_s, fear.confidence, fear.crop[0, 0, 0]) == ("fear", 1, 0.9, 1)
    assert (calm.label, calm.time_s, calm.crop[0, 0, 0]) == (NEUTRAL, 3, 30)


def test_a_longer_video_has_longer_bins_with_the_same_means(monkeypatch):
    monkeypatch.setattr(timeline, "_MOST_BINS", 100)
    frames = [(i / 25, [face(0, "anger", 0.4 + 0.4 * (i % 2))]) for i in range(1000)]
    made = filled(frames)
    times, values = made.curve(0)
    assert made.bin_s == pytest.approx(0.04 * 16)  # 1000 / 16 = 62.5 of at most 100
    assert len(times) == 63
    np.testing.assert_allclose(values[:62, 3], 0.6, atol=1e-6)
    np.testing.assert_allclose(np.diff(times), 0.64)


def test_of_many_tracks_the_longest_are_kept_and_all_are_counted(monkeypatch):
    monkeypatch.setattr(timeline, "_MOST_TRACKS", 8)
    frames = []
    for track in range(40):
        for _ in range(30 if track == 5 else 1 + track % 3):
            frames.append((len(frames) / 25, [face(track)]))
    made = filled(frames)
    assert made.tracks == 40
    assert made.longest(1) == [5]
    assert len(made._histories) <= 8
    assert len(made.segments) == 40  # segments are all kept


def colours_of(path):
    """How many pixels of each label's colour a plot has, and its size."""
    with Image.open(path) as image:
        rgb = np.asarray(image.convert("RGB"))
    count = {label: int((rgb == COLOURS[label]).all(axis=2).sum()) for label in COLOURS}
    return count, rgb.shape


def test_the_plot_has_the_band_of_what_was_shown(tmp_path):
    made = filled([(i / 10, [face(0, "sadness" if i < 20 else "anger", 0.8)]) for i in range(40)])
    draw_timeline(made, tmp_path / "p.png")
    count, _ = colours_of(tmp_path / "p.png")
    band = 0.2 * 120 * 1440 * 0.925 / 2  # inches x pixels an inch, half of the width
    assert count["sadness"] > 0.6 * band  # less the letters
    assert count["anger"] > 0.6 * band
    assert count["happiness"] < 0.2 * band


def test_the_curves_of_a_plot_are_on_one_scale():
    made = filled([(0, [face(0, "happiness", 0.5)]), (0.05, [face(0, NEUTRAL, 0.8)])])
    _, values = made.probabilities(0)
    # nine tenths of the scores and the tenth of neutral; then a fifth of them, and neutral
    expected = [[0.45, *[0.09] * 5, 0.1], [0.16, *[0.008] * 5, 0.8]]
    np.testing.assert_allclose(values, expected, atol=1e-6)
    np.testing.assert_allclose(values.sum(axis=1), 1)
    [happy, calm] = made.peaks(0)
    assert (happy.probability, calm.probability) == (pytest.approx(0.45), 0.8)


def test_the_band_says_uncertain_where_the_table_does(tmp_path):
    unsure = [face(0, "fear", 0.3) for _ in range(40)]
    for one in unsure:
        one.label = "uncertain"
    draw_timeline(filled([(i / 10, [one]) for i, one in enumerate(unsure)]), tmp_path / "p.png")
    count, _ = colours_of(tmp_path / "p.png")
    band = 0.2 * 120 * 1440 * 0.925
    assert count["uncertain"] > 0.6 * band
    assert count["fear"] < 0.2 * band


def called(label, track=0):
    """A face that its rule calls so, whatever its scores are."""
    one = face(track, "fear", 0.3)
    one.label = label
    return one


def test_of_uncertain_there_is_no_peak():
    made = filled([(0, [face(0, "fear", 0.9)]), (1, [called("uncertain")])])
    made.add(SimpleNamespace(time_s=2, number=2, faces=[called("no face")]))
    assert [peak.label for peak in made.peaks(0)] == ["fear"]
    assert [segment.label for segment in made.segments] == ["fear", "uncertain", "no face"]


def plotted(monkeypatch, tmp_path, made):
    return drawn(monkeypatch, lambda path: draw_timeline(made, path), tmp_path / "p.png")


def legend_of(figure):
    """What the legend shows, by its words."""
    [legend] = figure.legends
    return {
        words.get_text(): drawn
        for words, drawn in zip(legend.get_texts(), legend.legend_handles, strict=True)
    }


def test_the_legend_names_all_that_a_band_shows(monkeypatch, tmp_path):
    def named(*labels):
        made = filled([(i / 5, [called(label)]) for i, label in enumerate(labels)])
        return [*legend_of(plotted(monkeypatch, tmp_path, made))]

    assert named("fear") == [*LABELS, NEUTRAL]
    assert named("fear", "uncertain") == [*LABELS, NEUTRAL, "uncertain"]
    assert named("no face", "uncertain") == [*LABELS, NEUTRAL, "uncertain", "no face"]


def test_uncertain_is_hatched_in_band_and_legend_alike(monkeypatch, tmp_path):
    labels = ["uncertain", NEUTRAL, "no face", "fear"] * 4
    made = filled([(i / 5, [called(label)]) for i, label in enumerate(labels)])
    figure = plotted(monkeypatch, tmp_path, made)
    filled_bars = [bars for bars in figure.axes[2].collections if len(bars.get_facecolor())]
    assert [bars.get_hatch() for bars in filled_bars] == ["///", None, None, None]
    named = ("uncertain", NEUTRAL, "no face")
    handles = [legend_of(figure)[name] for name in named]
    assert [handle.get_hatch() for handle in handles] == ["///", None, None]
    for name, handle, bars in zip(named, handles, filled_bars, strict=False):
        assert handle.get_facecolor() == tuple(bars.get_facecolor()[0])
        assert handle.get_facecolor()[0] == COLOURS[name][0] / 255


def test_a_word_is_in_a_band_whole_or_not_at_all(monkeypatch, tmp_path):
    frames = []
    for n in range(20):  # each label lasts longer than the one before
        label = "happiness" if n % 2 else "uncertain"
        frames += [(t, [called(label)]) for t in np.linspace(n * n, (n + 1) ** 2, 4, False)]
    figure = plotted(monkeypatch, tmp_path, filled(frames))
    band = figure.axes[2]
    said = [text.get_text() for text in band.texts]
    assert {*said} == {"happiness", "uncertain"}
    assert 5 < len(said) < 15
    starts = np.arange(20) ** 2
    for text in band.texts:
        box = text.get_window_extent().transformed(band.transData.inverted())
        number = np.searchsorted(starts, text.get_position()[0]) - 1
        assert starts[number] < box.x0 < box.x1 < (number + 1) ** 2
        assert text.get_text() == ("happiness" if number % 2 else "uncertain")


def test_the_axis_is_the_whole_video(tmp_path):
    made = filled([(i / 10, [face(0)] if 50 <= i < 80 else []) for i in range(100)])
    assert (made.start_s, made.end_s) == (0, pytest.approx(10))
    draw_timeline(made, tmp_path / "p.png")
    with Image.open(tmp_path / "p.png") as image:
        rgb = np.asarray(image.convert("RGB"))
    band = rgb[-96:-78]  # 0.62 to 0.82 inches above the lower edge
    places = np.flatnonzero((band == COLOURS["happiness"]).all(axis=2).sum(axis=0) > 9)
    left, right = 0.068 * 1440, 0.985 * 1440  # of the axes, with a margin of a hundredth each
    expected = [left + (0.1 + t) / 10.2 * (right - left) for t in (5, 8)]
    np.testing.assert_allclose([places.min(), places.max()], expected, atol=4)


def test_every_track_has_its_times_below_and_lines_at_them(tmp_path, monkeypatch):
    made = filled([(i, [face(t) for t in range(3)]) for i in range(40)])
    figure = drawn(monkeypatch, lambda path: draw_timeline(made, path), tmp_path / "p.png")
    panels, bands = figure.axes[1::3], figure.axes[2::3]
    for panel, band in zip(panels, bands, strict=True):
        times = [label.get_text() for label in band.get_xticklabels() if label.get_text()]
        assert {"0", "10", "20", "30", "40"} <= set(times)
        lines = [line.get_xdata()[0] for line in panel.get_xgridlines() if line.get_visible()]
        assert lines == band.get_xticks().tolist()
    assert [band.get_xlabel() for band in bands] == ["", "", "time (s)"]


def test_a_plot_of_many_tracks_grows_up_to_twelve(tmp_path):
    heights = []
    for tracks in (1, 5, 12, 14):
        made = filled([(i / 5, [face(t) for t in range(tracks)]) for i in range(5)])
        draw_timeline(made, tmp_path / "p.png")
        heights.append(colours_of(tmp_path / "p.png")[1][0])
    assert heights[0] < heights[1] < heights[2] == heights[3]


@pytest.mark.parametrize("count", [1, 2])
def test_a_track_of_one_or_two_frames_is_drawn(tmp_path, count):
    made = filled([(i / 25, [face(0, "surprise")]) for i in range(count)])
    draw_timeline(made, tmp_path / "p.png")
    assert colours_of(tmp_path / "p.png")[0]["surprise"] > 1000


def test_thumbnails_are_moved_apart_within_the_plot():
    np.testing.assert_allclose(timeline_plot._apart([1, 1.2, 5], 1, 0.5, 9.5), [1, 2, 5])
    np.testing.assert_allclose(timeline_plot._apart([9, 9.1, 9.2], 1, 0.5, 9.5), [7.5, 8.5, 9.5])
    np.testing.assert_allclose(timeline_plot._apart([0, 0.1], 1, 0.5, 9.5), [0.5, 1.5])


def test_no_line_is_drawn_where_the_face_was_away():
    times = np.array([0.0, 0.04, 0.08, 2.0, 2.04])
    broken, values = timeline_plot._broken(times, np.ones((5, 7)))
    assert np.flatnonzero(np.isnan(broken)).tolist() == [3]
    assert np.isnan(values[3]).all()
    assert len(broken) == 6


def test_the_crops_on_the_plot_are_the_peaks(tmp_path):
    made = filled([(i / 10, [face(0, "fear", 0.8, shade=77)]) for i in range(20)])
    draw_timeline(made, tmp_path / "p.png")
    gray = cv2.imread(str(tmp_path / "p.png"), cv2.IMREAD_GRAYSCALE)
    assert (gray == 77).sum() > 0.9 * (0.5 * 120) ** 2 * 0.9  # half an inch square, less its frame


def test_without_matplotlib_the_extra_is_named(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(MissingExtraError, match=r"plot extra\n  try: pip install"):
        draw_timeline(Timeline(), tmp_path / "p.png")
    assert list(tmp_path.iterdir()) == []


def test_curves_as_a_data_frame():
    made = filled([
        (0, [face(2, "anger", 0.5), face(0, NEUTRAL, 0.8)]),
        (0.01, [face(2, "anger", 0.7)]),
    ])
    frame = made.to_frame("polars")
    assert frame.columns == ["track", "time_s", "neutral", *LABELS]
    assert frame["track"].to_list() == [0, 2]
    assert frame["neutral"].to_list() == pytest.approx([0.8, 0.1])
    assert frame["anger"].to_list() == pytest.approx([0.04, 0.6])  # 0.04 is (1 - 0.8) / 5
