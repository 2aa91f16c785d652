"""A film's faces keep their numbers and get their scores when they are due."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

import mien as package
from mien.cli.video import video_command
from mien.faces.tracker import Tracked
from mien.media.sources import open_video
from mien.recognize import video
from mien.recognize.video import USUAL_S, Choice, Smoother, VideoRecognizer, recognize_frames
from tests.support.video_files import film, swaying

RAW = Choice(smooth_s=0, heatmap=False)


@pytest.fixture(scope="module")
def pictures(portrait):
    """Three frames without a face, then twelve with the face moving."""
    nothing = np.full((240, 320, 3), 110, dtype=np.uint8)
    return [nothing] * 3 + swaying(portrait, 12)


@pytest.fixture(scope="module")
def walk(pictures, tmp_path_factory):
    return film(tmp_path_factory.mktemp("film") / "walk.mov", pictures, rate=25)


def test_a_film_is_read_frame_by_frame_with_the_faces_in_it(walk, pictures, recognizer):
    assert package.read_video is video.read_video
    frames = list(package.read_video(walk, recognizer, RAW))
    assert [frame.number for frame in frames] == list(range(15))
    assert [round(frame.time_s, 3) for frame in frames] == [n / 25 for n in range(15)]
    for frame, picture in zip(frames, pictures, strict=True):
        np.testing.assert_array_equal(frame.rgb, picture)
        assert (frame.width, frame.height) == (320, 240)
    assert [len(frame.faces) for frame in frames] == [0] * 3 + [1] * 12
    faces = [frame.faces[0] for frame in frames[3:]]
    assert len({face.track for face in faces}) == 1
    assert {face.label for face in faces} == {"happiness"}
    [face] = recognizer.read(pictures[-1]).faces
    moved = faces[-1].box.left - faces[0].box.left
    assert moved == pytest.approx(11, abs=2)
    assert abs(faces[-1].box.left - face.box.left) < 4
    assert np.abs(faces[-1].values - face.values).max() < 0.1


def test_it_may_be_left_at_any_frame(walk, recognizer):
    frames = package.read_video(walk, recognizer, RAW)
    assert next(frames).number == 0
    frames.close()
    assert list(frames) == []


class Counting:
    """A recognizer that counts what it reads."""

    def __init__(self, recognizer):
        self._recognizer = recognizer
        self.detector, self.labels = recognizer.detector, recognizer.labels
        self.read = []

    def read_faces(self, rgb, found, heatmap):
        self.read.append(len(found))
        return self._recognizer.read_faces(rgb, found, heatmap)


def test_every_so_many_frames_faces_are_read_and_between_they_move_on(walk, recognizer):
    counting = Counting(recognizer)
    with open_video(walk) as video:
        frames = list(
            recognize_frames(video, VideoRecognizer(counting, replace(RAW, every=5, heatmap=True)))
        )
    # frame 3, when the face is new, then 5 and 10
    assert counting.read == [1, 1, 1]
    faces = {frame.number: frame.faces[0] for frame in frames if frame.faces}
    for number in (6, 7, 8, 9):
        assert faces[number].values is faces[5].values
        assert faces[number].maps is faces[5].maps
        assert faces[number].neutral == faces[5].neutral
        assert faces[number].box.left > faces[5].box.left
        point = np.append(faces[number].landmarks[2], 1)  # the nose tip comes to where it was
        before = np.append(faces[5].landmarks[2], 1)
        there, here = faces[number].to_crop @ point, faces[5].to_crop @ before
        np.testing.assert_allclose(there, here, atol=2)


def test_a_face_that_was_hidden_is_read_again_when_it_is_back(portrait, recognizer, monkeypatch):
    counting = Counting(recognizer)
    found = [Tracked(7, detection) for detection in recognizer.detector.find(portrait)]
    seen = iter([found, found, [], found, found])
    follower = SimpleNamespace(follow=lambda rgb, time_s: next(seen))
    monkeypatch.setattr(video, "Follower", lambda detector: follower)
    reader = VideoRecognizer(counting, replace(RAW, every=30))
    faces = [reader.read(n, n / 25, portrait).faces for n in range(5)]
    assert counting.read == [1, 1]
    assert [[face.measured for face in frame] for frame in faces] == [
        [True], [False], [], [True], [False],
    ]  # fmt: skip


def test_all_faces_of_a_frame_are_read_in_one_go(portrait, tmp_path, recognizer):
    counting = Counting(recognizer)
    path = film(tmp_path / "a.mov", swaying(portrait, 4, faces=2), rate=25)
    with open_video(path) as video:
        frames = list(recognize_frames(video, VideoRecognizer(counting, RAW)))
    assert counting.read == [2, 2, 2, 2]
    assert [[face.track for face in frame.faces] for frame in frames] == [[0, 1]] * 4


def test_scores_are_smoothed_over_a_track_at_the_times_of_its_frames(walk, recognizer):
    found = {}
    for seconds in (0, 0.1):
        choice = Choice(smooth_s=seconds, heatmap=False)
        with open_video(walk) as video:
            frames = [
                f for f in recognize_frames(video, VideoRecognizer(recognizer, choice)) if f.faces
            ]
        found[seconds] = [(frame.time_s, frame.faces[0]) for frame in frames]
    smoother = Smoother(0.1)
    for (time_s, raw), (_, smooth) in zip(found[0], found[0.1], strict=True):
        calm = np.array([raw.neutral], dtype=np.float32)
        scores, neutral = smoother.smooth([raw.track], raw.values[None], calm, time_s)
        np.testing.assert_allclose(smooth.values, scores[0], atol=1e-5)
        assert smooth.neutral == pytest.approx(float(neutral[0]), abs=1e-5)
    assert np.abs(found[0.1][-1][1].values - found[0][-1][1].values).max() > 1e-4


def test_the_command_smooths_as_the_library_does():
    defaults = {param.name: param.default for param in video_command.params}
    assert defaults["smooth"] == USUAL_S == Choice().smooth_s


@pytest.mark.parametrize("every", [0, -1, 1.5, float("nan"), float("inf")])
def test_a_choice_that_makes_no_sense_is_refused(every):
    with pytest.raises(ValueError, match="every must be a whole number from 1"):
        Choice(every=every)


@pytest.mark.parametrize("smooth_s", [-1, float("nan")])
def test_smoothing_over_less_than_no_time_is_refused_before_a_video_is_opened(smooth_s):
    with pytest.raises(ValueError, match="smooth_s must be 0 or more"):
        Choice(smooth_s=smooth_s)
