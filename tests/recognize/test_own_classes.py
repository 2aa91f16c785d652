"""Faces, tables and records of classes that are not the paper's."""

from types import SimpleNamespace

import numpy as np
import pytest

import mien
from mien.errors import UnknownNameError
from mien.faces.boxes import Box, Detection
from mien.faces.tracker import Tracked
from mien.labels import AFFECTNET, PAPER, SIX, LabelSet, Rule
from mien.media.writers import CsvWriter
from mien.recognize import video
from mien.recognize.columns import COLUMNS, columns_of, score_columns, share_columns
from mien.recognize.model import Model
from mien.recognize.results import Face, Picture, VideoFrame, picture_header, video_header
from mien.recognize.video import Choice, VideoRecognizer
from tests.support.onnx_files import three_classes

THREE = LabelSet(("open", "asleep", "left"))
BESIDE = LabelSet(("left", "right"), "straight")
EIGHT = AFFECTNET


def face(labels, values, neutral=0.0, maps=None, rule=None, track=None):
    points = np.array([[1, 2], [3, 4], [5, 6], [7, 8], [9, 10]], dtype=np.float32)
    detection = Detection(Box(1, 2, 11, 22), points, 0.9)
    crop, to_crop = np.zeros((64, 64, 3), dtype=np.uint8), np.eye(2, 3, dtype=np.float32)
    return Face(
        detection, np.array(values, np.float32), neutral, crop, to_crop, maps,
        rule or Rule(), track, labels=labels,
    )  # fmt: skip


def test_scores_are_named_in_the_order_of_the_classes():
    read = face(THREE, [0.2, 0.5, 0.3])
    assert list(read.scores) == ["open", "asleep", "left"]
    assert read.scores["asleep"] == pytest.approx(0.5)
    assert (read.label, read.expression) == ("asleep", "asleep")
    assert read.confidence == pytest.approx(0.5)
    with pytest.raises(ValueError, match=r"shape \(3,\), got \(6,\)"):
        face(THREE, [1, 0, 0, 0, 0, 0])


def test_a_calm_class_beside_the_names_is_called_where_it_is_probable():
    read = face(BESIDE, [0.7, 0.3], neutral=0.8)
    assert (read.label, read.expression) == ("straight", "left")
    assert read.confidence == pytest.approx(0.8)
    assert read.sentence.startswith("straight 0.80, left 0.14")  # a fifth of 0.7
    assert face(BESIDE, [0.7, 0.3], neutral=0.8, rule=SIX).label == "left"


def test_a_calm_class_among_the_names_is_one_of_the_scores():
    read = face(EIGHT, [0.4, 0.1, 0.1, 0.1, 0.1, 0.1, 0.05, 0.05], neutral=0.4)
    assert read.label == "neutral"  # the best score, although it is not above 0.5
    assert read.confidence == pytest.approx(0.4)
    low = face(EIGHT, [0.4, 0.3, 0.1, 0.1, 0.1, 0, 0, 0], neutral=0.9)
    assert low.confidence == pytest.approx(0.4)  # what is told beside the scores does not count


def test_without_a_calm_class_nothing_is_calm():
    assert face(THREE, [0.2, 0.5, 0.3], neutral=0.9).label == "asleep"


def test_each_class_has_the_map_of_its_number():
    maps = np.zeros((3, 8, 8), dtype=np.float32)
    for number in range(3):
        maps[number, number, 2 * number] = 1
    read = face(THREE, [0.2, 0.5, 0.3], maps=maps)
    for number, name in enumerate(THREE.names):
        row, column = np.unravel_index(read.heatmap(name).argmax(), (64, 64))
        assert (row // 8, column // 8) == (number, 2 * number)
    np.testing.assert_array_equal(read.heatmap(), read.heatmap("asleep"))
    with pytest.raises(UnknownNameError, match=r"no expression \(there are open, asleep, left\)"):
        read.heatmap("fear")


def test_columns_are_those_of_the_classes_and_a_fact_keeps_its_own():
    assert picture_header(PAPER)[-7:] == ("neutral", *mien.LABELS)
    assert score_columns(EIGHT) == EIGHT.names
    assert score_columns(THREE) == ("open", "asleep", "score_left")  # left is an edge of the box
    assert video_header(BESIDE)[-3:] == ("straight", "score_left", "score_right")
    assert share_columns(THREE) == ("share_open", "share_asleep", "share_left", "share_uncertain")
    assert share_columns(BESIDE)[-2:] == ("share_straight", "share_uncertain")
    assert columns_of(["left", "open"])["left"] == COLUMNS["left"]
    assert columns_of(["left", "open"])["open"].unit == "probability"


@pytest.mark.parametrize(
    ("labels", "values", "cells"),
    [
        (THREE, [0.2, 0.5, 0.3], ["asleep", 0.5, 0.2, 0.5, 0.3]),
        (BESIDE, [0.7, 0.3], ["left", 0.7, 0.25, 0.7, 0.3]),
        (LabelSet(("a", "b"), "b"), [0.3, 0.7], ["b", 0.7, 0.3, 0.7]),
    ],
)
def test_a_row_has_a_cell_for_each_column(labels, values, cells):
    read = face(labels, values, neutral=0.25, track=4)
    row = read.row()
    assert [row[5], *map(float, row[6:])] == pytest.approx(cells) or row[5:] == cells
    assert len(picture_header(labels)) == 2 + len(row)
    rgb = np.zeros((30, 30, 3), np.uint8)
    assert len(video_header(labels)) == len(VideoFrame(0, 0.0, (read,), rgb).rows()[0])
    assert read.record()["scores"] == pytest.approx(dict(zip(labels.names, values, strict=True)))


def test_a_table_of_own_classes_is_read_back_with_numbers(tmp_path):
    picture = Picture("a.jpg", 30, 30, (face(THREE, [0.2, 0.5, 0.3]),))
    with CsvWriter(tmp_path / "t.csv", picture_header(THREE)) as table:
        for row in picture.rows():
            table.write(row)
    frame = mien.read_table(tmp_path / "t.csv", "polars")
    assert frame["score_left"].to_list() == [0.3]
    assert frame["left"].to_list() == [1.0]
    assert frame.rows() == picture.to_frame("polars").rows()


def test_a_picture_without_faces_has_the_columns_of_its_model():
    assert Picture("", 9, 9, labels=THREE).to_frame("polars").columns == list(picture_header(THREE))
    blank = np.zeros((9, 9, 3), np.uint8)
    assert VideoFrame(0, 0.0, (), blank, THREE).to_frame("polars").columns == list(
        video_header(THREE)
    )


def test_a_class_that_a_spreadsheet_would_run_is_guarded_and_read_back(tmp_path):
    labels = LabelSet(("=1+1", "ok"))
    picture = Picture("a.jpg", 30, 30, (face(labels, [0.75, 0.25]),))
    with CsvWriter(tmp_path / "t.csv", picture_header(labels)) as table:
        table.write(picture.rows()[0])
    assert (tmp_path / "t.csv").read_text().count("'=1+1") == 2
    frame = mien.read_table(tmp_path / "t.csv", "polars")
    assert (frame["label"].to_list(), frame["=1+1"].to_list()) == (["=1+1"], [0.75])


def test_a_notebook_shows_the_classes_and_nothing_that_a_name_could_inject():
    html = Picture("a", 9, 9, (face(LabelSet(("<b>", "ok")), [0.25, 0.75]),))._repr_html_()
    assert "<th>&lt;b&gt;</th><th>ok</th></tr>" in html
    assert html.count("<th>") == 5
    assert "neutral" not in html


@pytest.mark.parametrize("labels", [LabelSet(("calm", "glad", "sad"), "calm"), THREE], ids=str)
def test_where_no_calm_class_lies_beside_the_names_every_frame_of_a_film_counts_the_same(
    labels, monkeypatch
):
    frames = [[0.8, 0.1, 0.1], [0.1, 0.2, 0.7]]
    calm = bool(labels.calm)
    shown = [face(labels, values, values[0] * calm, track=3) for values in frames]
    left = iter(shown)
    recognizer = SimpleNamespace(
        detector=None, labels=labels, read_faces=lambda rgb, found, heatmap: [next(left)]
    )
    tracked = [Tracked(3, shown[0].detection)]
    follower = SimpleNamespace(follow=lambda rgb, time_s: tracked)
    monkeypatch.setattr(video, "Follower", lambda detector: follower)
    reader, rgb = VideoRecognizer(recognizer, Choice(smooth_s=1.0)), np.zeros((30, 30, 3), np.uint8)
    reader.read(0, 0.0, rgb)
    [smooth] = reader.read(1, float(np.log(2)), rgb).faces  # old and new weigh the same
    powers = np.sqrt(np.prod(frames, axis=0))
    np.testing.assert_allclose(smooth.values, powers / powers.sum(), atol=1e-6)
    assert smooth.neutral == pytest.approx(float(smooth.values[0]) * calm)


def test_crops_are_named_by_the_classes_of_the_model_and_uncertain_below_its_card_s_share(tmp_path):
    white = np.full((1, 64, 64, 3), 255, dtype=np.uint8)
    path = tmp_path / "three.onnx"
    three_classes(path, THREE)
    # (1 - mean) / std is 2.2 to 2.6 in each channel: the last, times 3, is by far the most
    assert mien.Recognizer(path, threads=1).label(white) == ["left"]
    three_classes(path, THREE, uncertain={"below": 1.0})
    gray = white // 2  # its logits lie near 0
    assert mien.Recognizer(path, threads=1).label(gray) == ["uncertain"]
    assert mien.Recognizer(path, threads=1, six=True).label(gray) != ["uncertain"]


def test_a_frame_is_timed_to_the_millisecond_and_scores_that_are_no_numbers_are_refused():
    frame = VideoFrame(
        3, 0.1234, (face(THREE, [0.2, 0.5, 0.3], track=4),), np.zeros((9, 9, 3), "u1")
    )
    assert frame.rows()[0][:3] == ["0.123", 3, 4]
    with pytest.raises(ValueError, match="values must sum to 1, got nan"):
        face(THREE, [float("nan"), 0.5, 0.5])


def test_a_model_of_another_number_of_threads_looks_at_mirror_images_too():
    assert Model(threads=1, flip=True).with_threads(2).flip
