"""Rows by the second and the summary of a film, worked out by hand."""

from types import SimpleNamespace

import numpy as np
import pytest

from mien.faces.boxes import Box
from mien.labels import LABELS, SIX
from mien.recognize.results import VIDEO_HEADER
from mien.show.film_rows import SUMMARY_HEADER, FilmRows, RowOptions, summary_rows
from mien.show.timeline import Segment


class OneFace:
    """A face of a track, with two scores that are not 0."""

    def __init__(self, track, left, happy, neutral=0.1, measured=True):
        self.track, self.neutral, self.measured, self.rule = track, neutral, measured, SIX
        self.box = Box(left, 0.0, left + 10, 20.0)
        self.detection = SimpleNamespace(confidence=0.9)
        self.values = np.array([happy, 1 - happy, 0, 0, 0, 0], dtype=np.float32)

    def row(self):
        return ["row"] * 14

    @property
    def rounded_probabilities(self):
        return dict.fromkeys("1234567", 0.5)


class Frame:
    def __init__(self, number, time_s, *faces):
        self.number, self.time_s, self.faces = number, time_s, faces

    def rows(self):
        start = (f"{self.time_s:.3f}", self.number)
        return [[*start, face.track, *face.row()] for face in self.faces]


def all_rows(options, frames, film=""):
    rows = FilmRows(options, film)
    return [row for frame in frames for row in rows.add(frame)] + rows.finish()


def test_a_second_is_the_mean_of_its_frames_and_the_label_follows_from_it():
    frames = [
        Frame(0, 0.0, OneFace(0, 10, 0.9), OneFace(1, 50, 0.2)),
        Frame(1, 0.5, OneFace(0, 20, 0.3)),  # mean 0.6: happiness, although this one is surprise
        Frame(2, 1.0, OneFace(0, 30, 0.4, neutral=0.3)),
        Frame(3, 1.999, OneFace(0, 30, 0.2)),
        Frame(4, 3.2),  # nobody
    ]
    zero = [0.0] * 4
    assert all_rows(RowOptions(per_second=True), frames) == [
        ["0.000", 0, 0, 15.0, 0.0, 25.0, 20.0, 0.9, "happiness", 0.6, 0.1, 0.6, 0.4, *zero],
        ["0.000", 0, 1, 50.0, 0.0, 60.0, 20.0, 0.9, "surprise", 0.8, 0.1, 0.2, 0.8, *zero],
        ["1.000", 2, 0, 30.0, 0.0, 40.0, 20.0, 0.9, "surprise", 0.7, 0.2, 0.3, 0.7, *zero],
    ]
    with_all = RowOptions(per_second=True, probabilities=True)
    assert with_all.header[-7:] == tuple(f"p_{name}" for name in (*LABELS, "neutral"))
    assert all_rows(with_all, frames)[2][-7:] == [0.24, 0.56, *zero, 0.2]  # 0.8 of 0.3 and 0.7
    empty = all_rows(RowOptions(per_second=True, all_frames=True), frames)[-1]
    assert empty == ["3.000", 4] + [""] * 15


def test_frames_without_a_face_have_a_row_on_request_and_films_their_name():
    frames = [Frame(0, 0.0), Frame(1, 0.04, OneFace(7, 1, 1.0, measured=False))]
    options = RowOptions(film=True, all_frames=True, measured=True)
    assert options.header == ("film", *VIDEO_HEADER, "measured")
    empty, row = all_rows(options, frames, "a.mp4")
    assert empty == ["a.mp4", "0.000", 0] + [""] * 16
    assert row == ["a.mp4", "0.040", 1, 7] + ["row"] * 14 + [0]
    with_all = RowOptions(measured=True, probabilities=True)
    assert all_rows(with_all, frames) == [["0.040", 1, 7, *["row"] * 14, 0, *[0.5] * 7]]
    assert with_all.header[-8:] == ("measured", *(f"p_{name}" for name in (*LABELS, "neutral")))
    assert all_rows(RowOptions(), frames) == [["0.040", 1, 7] + ["row"] * 14]


def test_a_summary_has_shares_of_time_and_changes_without_a_gap():
    segments = [
        Segment(0, "neutral", 0.0, 6.0, 0.9),
        Segment(1, "fear", 2.0, 4.0, 0.9),
        Segment(0, "happiness", 6.0, 9.0, 0.9),
        Segment(0, "neutral", 9.0, 10.0, 0.9),
        Segment(0, "happiness", 12.0, 14.0, 0.9),  # it was away for two seconds: no change
    ]
    rows = [dict(zip(SUMMARY_HEADER, row, strict=True)) for row in summary_rows("a.mp4", segments)]
    first, second, film = rows
    assert (first["film"], first["track"], first["start_s"], first["end_s"]) == ("a.mp4", 0, 0, 14)
    assert first["seconds"] == 12.0
    assert first["share_happiness"] == pytest.approx(5 / 12, abs=1e-4)
    assert first["share_neutral"] == pytest.approx(7 / 12, abs=1e-4)
    assert (first["changes"], first["changes_per_minute"]) == (2, 10.0)
    assert first["transitions"] == "happiness>neutral 1; neutral>happiness 1"
    assert (second["track"], second["share_fear"], second["changes"]) == (1, 1.0, 0)
    assert (film["track"], film["seconds"], film["share_fear"]) == ("", 14.0, 0.1429)
    assert list(summary_rows("b.mp4", [])) == []
